"""Every kind of finding: registered once, used somewhere, and harmless to a reader who doesn't know it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import hackorda_ops
from hackorda_ops.finding_kinds import KINDS
from hackorda_ops.findings import Finding, fatal

PACKAGE = Path(hackorda_ops.__file__).parent


def codes_in_the_source() -> Iterator[tuple[str, str]]:
    """The code of every `Finding(...)` in the package as a regular expression, and where it stands."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
                where = f"{path.relative_to(PACKAGE)}:{node.lineno}"
                code = node.args[0] if node.args else node.keywords[0].value
                patterns = list(patterns_of(code, module))
                assert patterns, f"{where}: the code of a finding has to be written out"
                yield from ((pattern, where) for pattern in patterns)


def patterns_of(code: ast.expr, module: ast.Module) -> Iterator[str]:
    if isinstance(code, ast.Constant) and isinstance(code.value, str):
        yield re.escape(code.value)
    elif isinstance(code, ast.JoinedStr):
        yield "".join(
            re.escape(part.value) if isinstance(part, ast.Constant) and isinstance(part.value, str) else ".+"
            for part in code.values
        )
    elif isinstance(code, ast.IfExp):
        yield from patterns_of(code.body, module)
        yield from patterns_of(code.orelse, module)
    elif isinstance(code, ast.Name):
        for node in ast.walk(module):
            if isinstance(node, ast.Assign) and ast.dump(node.targets[0]).startswith(f"Name(id='{code.id}'"):
                yield from patterns_of(node.value, module)


def test_every_code_in_the_source_is_registered() -> None:
    unknown = [
        f"{where}: {pattern}"
        for pattern, where in codes_in_the_source()
        if not any(re.fullmatch(pattern, code) for code in KINDS)
    ]
    assert unknown == []


def test_every_registered_code_is_used() -> None:
    patterns = [pattern for pattern, _ in codes_in_the_source()]
    assert [code for code in KINDS if not any(re.fullmatch(pattern, code) for pattern in patterns)] == []


def test_what_is_found_on_a_branch_is_known_of_a_restored_copy_too() -> None:
    on_a_branch = [code.removeprefix("branch: ") for code in KINDS if code.startswith("branch: ")]
    assert on_a_branch
    assert set(on_a_branch) <= KINDS.keys()


def test_every_kind_says_what_it_means() -> None:
    for code, kind in KINDS.items():
        assert re.fullmatch(r"[A-Z].*\.", kind.meaning), code


def test_a_finding_has_the_severity_and_the_meaning_of_its_kind() -> None:
    lost = Finding("rows lost in migration", "public.users", "3 rows", "2 rows", "Look at it.")
    wrong = Finding("rows differ", "public.users", "3 rows", "2 rows", "Use another one.")
    assert (lost.severity, wrong.severity) == ("warning", "fatal")
    assert wrong.meaning in str(wrong)
    assert fatal((lost, wrong)) == (wrong,)
    assert wrong.described == {
        "code": "rows differ",
        "subject": "public.users",
        "expected": "3 rows",
        "observed": "2 rows",
        "next_step": "Use another one.",
        "severity": "fatal",
        "meaning": wrong.meaning,
    }


def test_a_kind_of_another_release_is_read_and_never_taken_for_harmless() -> None:
    stored = Finding("moon full", "public.users", "half", "full", "Wait.")
    assert stored.severity == "fatal"
    assert "doesn't know" in stored.meaning
