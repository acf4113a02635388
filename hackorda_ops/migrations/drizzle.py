"""Drizzle's migrations: in a folder with a journal, and from its release 1 on in a folder for each."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from hackorda_ops.migrations.file import MigrationFile
from hackorda_ops.postgres.catalogs.migration_state import ToolState

_DIALECTS: Final = ("postgresql", "postgres", "pg")
_TIME: Final = re.compile(r"\d{14}")


def with_journal(folder: Path) -> tuple[MigrationFile, ...] | None:
    """Reads a folder whose meta/_journal.json says when each migration was made.

    Returns:
        Its migrations by their times; None where the journal is another tool's or another database's.
    """
    try:
        journal: Any = json.loads((folder / "meta" / "_journal.json").read_bytes())
        if journal.get("dialect", "postgresql") not in _DIALECTS:
            return None
        entries = sorted((int(entry["when"]), str(entry["tag"])) for entry in journal["entries"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return tuple(MigrationFile(str(when), tag, _hashes(folder / f"{tag}.sql")) for when, tag in entries)


def in_folders(folder: Path, names: Iterable[str]) -> tuple[MigrationFile, ...]:
    """Reads those of a folder's folders that begin with a time, as Drizzle's release 1 makes them.

    Args:
        folder: of all migrations.
        names: of the folders in it that have a migration.sql.

    Returns:
        Its migrations in Drizzle's order; none where they are for another database.
    """
    found = []
    for name in sorted(names):
        if _dialect(folder / name / "snapshot.json") not in _DIALECTS:
            return ()
        when = _milliseconds(name)
        if when is not None:
            found.append(MigrationFile(str(when), name, _hashes(folder / name / "migration.sql")))
    return tuple(found)


def files_of_rows(
    state: ToolState, files: Sequence[MigrationFile], *, has_journal: bool
) -> tuple[MigrationFile | None, ...]:
    """Finds the migration of each row of Drizzle's table, as Drizzle itself does when it takes over an older table.

    A row with a name is the migration of that name. Any other is the one of its time, or where no single one has it
    (times in a journal get corrected), the one of its hash. Each migration belongs to one row at most.

    Args:
        state: the table.
        files: the migrations of a folder.
        has_journal: whether they have the exact times of a journal, and their names are not in the table.
    """
    rows = range(len(state.applied))
    names = ("",) * len(rows) if has_journal else state.names or ("",) * len(rows)
    hashes = state.hashes or ("",) * len(rows)
    found: dict[int, MigrationFile] = {}

    def match(row: int, fits: Callable[[MigrationFile], bool]) -> None:
        fitting = [file for file in files if fits(file) and file not in found.values()]
        # Texts may well be the same twice (an empty one, say): the earlier is as good. Times that are decide nothing.
        if row not in found and fitting:
            found[row] = fitting[0]

    def times_of(row: int) -> list[MigrationFile]:
        time = int(state.applied[row])
        wanted = str(time if has_journal else time // 1000 * 1000)
        return [file for file in files if file.identity == wanted]

    for row in rows:
        if names[row]:
            match(row, lambda file, name=names[row]: file.name == name)  # type: ignore[misc]
    unnamed = [row for row in rows if not names[row]]
    for row in unnamed:
        if len(same := times_of(row)) == 1:
            match(row, same.__contains__)
    for row in unnamed:
        match(row, lambda file, sha=hashes[row]: sha in file.hashes)  # type: ignore[misc]
    return tuple(found.get(row) for row in rows)


def _hashes(path: Path) -> frozenset[str]:
    """Of a file's text with either kind of line end: a checkout may have another than the one that was applied."""
    try:
        data = path.read_bytes()
    except OSError:
        return frozenset()
    lines = data.replace(b"\r\n", b"\n")
    return frozenset(sha256(text).hexdigest() for text in (data, lines, lines.replace(b"\n", b"\r\n")))


def _milliseconds(name: str) -> int | None:
    match = _TIME.match(name)
    if match is None:
        return None
    try:
        when = datetime.strptime(match[0], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(when.timestamp()) * 1000


def _dialect(snapshot: Path) -> str:
    """Of the database that a migration was made for; one without a snapshot may be for Postgres."""
    try:
        document: Any = json.loads(snapshot.read_bytes())
        return str(document.get("dialect", "postgresql"))
    except (OSError, ValueError, AttributeError):
        return "postgresql"
