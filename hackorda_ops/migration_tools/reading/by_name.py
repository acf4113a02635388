"""Folders whose files have what identifies a migration in their names, as most tools have them."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from hackorda_ops.migration_tools.tool import MigrationFile, text_of


def files_by_name(
    folder: Path,
    names: Sequence[str],
    pattern: re.Pattern[str],
    identity: Callable[[re.Match[str]], str],
    mark: re.Pattern[str] | None = None,
) -> tuple[MigrationFile, ...]:
    """The migrations right in a folder, by number where their names begin with one, then by name.

    Args:
        folder: to look into.
        names: of the files in it.
        pattern: what a migration's whole name is like.
        identity: what identifies it in the tool's table, by its name.
        mark: what the text of one of them must have, at least; other tools' files may have such names.

    Returns:
        The migrations; none where no text has the mark.
    """
    found = [MigrationFile(identity(match), name) for name in names if (match := pattern.fullmatch(name))]
    if mark is not None and not any(mark.search(text_of(folder / file.name) or "") for file in found):
        return ()
    return tuple(sorted(found, key=lambda file: (number(file.name), file.name)))


def number(text: str) -> int:
    """The number that a text begins with; -1 if it begins with none."""
    match = re.match(r"\d{1,30}", text, re.ASCII)
    return int(match[0]) if match else -1
