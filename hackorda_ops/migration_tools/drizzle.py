"""Drizzle's migrations: in a folder with a journal, and from its release 1 on in a folder for each."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from hackorda_ops.migration_tools.tool import (
    MigrationFile,
    MigrationFolder,
    MigrationTool,
    TableState,
    folders_with,
)

_NAME: Final = "drizzle"
_DIALECTS: Final = ("postgresql", "postgres", "pg")
_TIME: Final = re.compile(r"\d{14}")


@dataclass(frozen=True)
class _Folders(MigrationFolder):
    """A folder for each migration, as Drizzle's release 1 makes them: their names are in its table."""

    def applied(self, state: TableState) -> tuple[MigrationFile | None, ...]:
        return _files_of_rows(state, self.files, has_journal=False)


@dataclass(frozen=True)
class _Journal(MigrationFolder):
    """A folder whose journal says when each migration was made, as Drizzle has them before its release 1."""

    def applied(self, state: TableState) -> tuple[MigrationFile | None, ...]:
        return _files_of_rows(state, self.files, has_journal=True)

    def pending(self, state: TableState) -> tuple[str, ...]:
        # Drizzle looks at times alone; one whose time was corrected in the journal is in force all the same.
        there = set(self.applied(state))
        newest = max(map(int, state.applied), default=-1)
        return tuple(file.name for file in self.files if int(file.identity) > newest and file not in there)

    def skipped(self, state: TableState) -> tuple[str, ...]:
        if not state.applied:
            return ()
        there, times = set(self.applied(state)), set(map(int, state.applied))
        # Older than all that is recorded: a database that was taken over as it was has no record of those.
        return tuple(
            file.name
            for file in self.files
            if file not in there and min(times) < int(file.identity) < max(times)
        )


def _find(folder: Path, inside: Sequence[str], names: Sequence[str]) -> Iterator[MigrationFolder]:
    if "_journal.json" in names and folder.name == "meta":
        files = _with_journal(folder.parent)
        if files is not None:
            yield _Journal(_NAME, folder.parent, files)
    migrations = tuple(folders_with("migration.sql", folder, inside))
    # Prisma has a lock beside such folders. Where it's gone, the tool's table decides whose they are.
    if migrations and not (folder / "migration_lock.toml").is_file():
        files = _in_folders(folder, migrations)
        if files:
            yield _Folders(_NAME, folder, files)


def _with_journal(folder: Path) -> tuple[MigrationFile, ...] | None:
    """The migrations of a journal by their times; None where it is another tool's or another database's."""
    try:
        journal: Any = json.loads((folder / "meta" / "_journal.json").read_bytes())
        if journal.get("dialect", "postgresql") not in _DIALECTS:
            return None
        entries = sorted((int(entry["when"]), str(entry["tag"])) for entry in journal["entries"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return tuple(MigrationFile(str(when), tag, _hashes(folder / f"{tag}.sql")) for when, tag in entries)


def _in_folders(folder: Path, names: Sequence[str]) -> tuple[MigrationFile, ...]:
    """Those of the folders that begin with a time, in Drizzle's order; none where they are for another database."""
    found = []
    for name in names:
        if _dialect(folder / name / "snapshot.json") not in _DIALECTS:
            return ()
        when = _milliseconds(name)
        if when is not None:
            found.append(MigrationFile(str(when), name, _hashes(folder / name / "migration.sql")))
    return tuple(found)


def _files_of_rows(
    state: TableState, files: Sequence[MigrationFile], *, has_journal: bool
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


TOOL: Final = MigrationTool(
    name=_NAME,
    table="__drizzle_migrations",
    columns=frozenset({"hash", "created_at"}),
    # Before release 1 the state table has no names: a migration is found again by "when" in meta/_journal.json,
    # which is created_at, and by the SHA-256 of its text. From then on it has the names of their folders.
    query="SELECT created_at::bigint::text, coalesce(to_jsonb(t) ->> 'name', created_at || ' ' || left(hash, 12)),"
    " 'applied', hash,"
    " coalesce(to_jsonb(t) ->> 'name', '') FROM {table} AS t"
    " WHERE created_at IS NOT NULL ORDER BY t.created_at, to_jsonb(t) ->> 'name'",
    find=_find,
    skips="Drizzle passes over what is older than the newest one in force (two branches that were merged): "
    "generate such a migration anew.",
    usual_command="npx drizzle-kit migrate",
    started_in="package.json",
)
