"""One word for one thing: no two classes of the package share a name."""

import ast
from collections import defaultdict
from pathlib import Path

import hackorda_ops

PACKAGE = Path(hackorda_ops.__file__).parent


def test_no_two_classes_have_one_name() -> None:
    places = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(path.relative_to(PACKAGE).as_posix())

    assert {name: where for name, where in places.items() if len(where) > 1} == {}
