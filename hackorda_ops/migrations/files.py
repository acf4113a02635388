"""The migrations that lie in a team's folder, for what its tool has not applied yet."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hackorda_ops.migrations import drizzle as drizzle_migrations
from hackorda_ops.migrations.file import MigrationFile
from hackorda_ops.postgres.catalogs.migration_state import ToolState

# Where packages and builds lie: they have migrations of others, and old copies of one's own.
_PASSED_OVER: Final = frozenset({"node_modules", "vendor", "dist", "build", "target", "venv", "__pycache__"})
_DEEPEST: Final = 6
_MOST_FOLDERS: Final = 10_000
_GOOSE_FILE: Final = re.compile(r"0*(\d+)_.*\.sql")
_GOOSE_MARK: Final = re.compile(rb"^--\s*\+goose\s+up\b", re.IGNORECASE | re.MULTILINE)
_GOOSE_HEAD_BYTES: Final = 65_536


@dataclass(frozen=True)
class MigrationFolder:
    """A folder of one tool's migrations, in the tool's order.

    Attributes:
        tool: "drizzle", "prisma" or "goose".
        path: of the folder.
        files: its migrations.
        has_journal: whether it's a Drizzle folder with a journal, as it has them before its release 1.
    """

    tool: str
    path: Path
    files: tuple[MigrationFile, ...]
    has_journal: bool = False

    def applied(self, state: ToolState) -> tuple[MigrationFile | None, ...]:
        """Finds the migrations that a tool's table says are in force; None for one that the folder doesn't have."""
        if self.tool == "drizzle":
            return drizzle_migrations.files_of_rows(state, self.files, has_journal=self.has_journal)
        by_identity = {file.identity: file for file in self.files}
        return tuple(by_identity.get(identity) for identity in state.applied)

    def pending(self, state: ToolState) -> tuple[str, ...]:
        """Names of what the tool would apply now."""
        there = set(self.applied(state))
        if self.has_journal:
            # Drizzle looks at times alone; one whose time was corrected in the journal is in force all the same.
            newest = max(map(int, state.applied), default=-1)
            return tuple(
                file.name for file in self.files if int(file.identity) > newest and file not in there
            )
        return tuple(file.name for file in self.files if file not in there)

    def skipped(self, state: ToolState) -> tuple[str, ...]:
        """Names of what the tool will never apply: Drizzle with a journal looks at nothing older than its newest."""
        if not self.has_journal or not state.applied:
            return ()
        there, times = set(self.applied(state)), set(map(int, state.applied))
        # Older than all that is recorded: a database that was taken over as it was has no record of those.
        return tuple(
            file.name
            for file in self.files
            if file not in there and min(times) < int(file.identity) < max(times)
        )


def find_folders(root: Path) -> tuple[MigrationFolder, ...]:
    """Looks for the migrations of the known tools in a folder and below.

    Args:
        root: where the team's migration command runs. What is hidden, or a package's, is passed over.
    """
    return tuple(_folders(root))


def folder_of(state: ToolState, folders: Iterable[MigrationFolder]) -> MigrationFolder | None:
    """The folder that a tool's table belongs to; None where there's none, or where it can't be told.

    A folder of another application shares nothing with the table, so the one that shares most is it.
    """
    of_tool = [folder for folder in folders if folder.tool == state.tool]
    shared = [sum(file is not None for file in folder.applied(state)) for folder in of_tool]
    if not of_tool or (state.applied and max(shared) == 0):
        return None
    best = [folder for folder, common in zip(of_tool, shared, strict=True) if common == max(shared)]
    return best[0] if len({folder.files for folder in best}) == 1 else None


def _folders(root: Path) -> Iterator[MigrationFolder]:
    for seen, (place, inside, names) in enumerate(os.walk(root)):
        folder = Path(place)
        if seen >= _MOST_FOLDERS:
            return
        if "_journal.json" in names and folder.name == "meta":
            yield from _with_journal(folder.parent)
        if files := _goose(folder, names):
            yield MigrationFolder("goose", folder, files)
        if migrations := sorted(name for name in inside if (folder / name / "migration.sql").is_file()):
            yield from _of_folders(folder, migrations)
        deep = len(folder.relative_to(root).parts) >= _DEEPEST
        inside[:] = (
            []
            if deep
            else sorted(name for name in inside if name not in _PASSED_OVER and not name.startswith("."))
        )


def _of_folders(folder: Path, names: Sequence[str]) -> Iterator[MigrationFolder]:
    """Prisma and Drizzle both lay a migration.sql into a folder per migration."""
    # Prisma has a lock beside them, and Drizzle a snapshot in each. Where both are gone, the tool's table decides.
    if not (folder / "migration_lock.toml").is_file() and (
        drizzle := drizzle_migrations.in_folders(folder, names)
    ):
        yield MigrationFolder("drizzle", folder, drizzle)
    if not any((folder / name / "snapshot.json").is_file() for name in names):
        yield MigrationFolder("prisma", folder, tuple(MigrationFile(name, name) for name in names))


def _with_journal(folder: Path) -> Iterator[MigrationFolder]:
    files = drizzle_migrations.with_journal(folder)
    if files is not None:
        yield MigrationFolder("drizzle", folder, files, has_journal=True)


def _goose(folder: Path, names: Iterable[str]) -> tuple[MigrationFile, ...]:
    found = []
    for name in names:
        match = _GOOSE_FILE.fullmatch(name)
        if match and int(match[1]) > 0 and _is_goose(folder / name):
            found.append((int(match[1]), name))
    return tuple(MigrationFile(str(version), name) for version, name in sorted(found))


def _is_goose(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _GOOSE_MARK.search(file.read(_GOOSE_HEAD_BYTES)) is not None
    except OSError:
        return False
