"""What a migration in Python says of itself in plain values, read without running it."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hackorda_ops.migration_tools.tool import text_of


class NotPlain:
    """A value that is computed, so that only running the file would tell it."""


def values_of(path: Path, names: Iterable[str], inside: str | None = None) -> Mapping[str, Any] | None:
    """Reads the values that a Python file gives to names.

    Args:
        path: of the file.
        names: to look for.
        inside: the class that they are given in; None for those of the module itself.

    Returns:
        Each that is there; `NotPlain` for one that is computed. None if it isn't a Python file that can be read, or
        has no such class.
    """
    text = text_of(path)
    try:
        body = None if text is None else ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if body is not None and inside is not None:
        body = next(
            (each.body for each in body if isinstance(each, ast.ClassDef) and each.name == inside), None
        )
    if body is None:
        return None
    found: dict[str, Any] = {}
    for statement in body:
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, value = [statement.target], statement.value
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name) and target.id in names:
                found[target.id] = _plain(value)
    return found


def _plain(value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return NotPlain()
