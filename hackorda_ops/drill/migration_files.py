"""The migrations that lie in a team's folder, for what its tool has not applied yet."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hackorda_ops.postgres.migration_state import ToolState

# Where packages and builds lie: they have migrations of others, and old copies of one's own.
_PASSED_OVER: Final = frozenset({"node_modules", "vendor", "dist", "build", "target", "venv", "__pycache__"})
_DEEPEST: Final = 6
_MOST_FOLDERS: Final = 10_000
_GOOSE_FILE: Final = re.compile(r"0*(\d+)_.*\.sql")
_GOOSE_MARK: Final = re.compile(rb"^--\s*\+goose\s+up\b", re.IGNORECASE | re.MULTILINE)
_GOOSE_HEAD_BYTES: Final = 65_536


@dataclass(frozen=True)
class MigrationFile:
    """A migration in a folder: what identifies it in the tool's table, and what people call it."""

    identity: str
    name: str


@dataclass(frozen=True)
class MigrationFolder:
    """A folder of one tool's migrations, in the tool's order."""

    tool: str
    path: Path
    files: tuple[MigrationFile, ...]

    def pending(self, applied: Sequence[str]) -> tuple[str, ...]:
        """Names of what the tool would apply now, going by its own rule."""
        if self.tool == "drizzle":
            newest = max(map(int, applied), default=-1)
            return tuple(file.name for file in self.files if int(file.identity) > newest)
        there = set(applied)
        return tuple(file.name for file in self.files if file.identity not in there)

    def skipped(self, applied: Sequence[str]) -> tuple[str, ...]:
        """Names of what the tool will never apply: Drizzle looks at nothing older than its newest."""
        if self.tool != "drizzle" or not applied:
            return ()
        times = set(map(int, applied))
        # Older than all that is recorded: a database that was taken over as it was has no record of those.
        return tuple(
            file.name
            for file in self.files
            if int(file.identity) not in times and min(times) < int(file.identity) < max(times)
        )

    def name_of(self, identity: str) -> str | None:
        """What people call a migration; None for one that the folder doesn't have."""
        return next((file.name for file in self.files if file.identity == identity), None)


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
    applied = set(state.applied)
    shared = [len(applied & {file.identity for file in folder.files}) for folder in of_tool]
    if not of_tool or (applied and max(shared) == 0):
        return None
    best = [folder for folder, common in zip(of_tool, shared, strict=True) if common == max(shared)]
    return best[0] if len({folder.files for folder in best}) == 1 else None


def _folders(root: Path) -> Iterator[MigrationFolder]:
    for seen, (place, inside, names) in enumerate(os.walk(root)):
        folder = Path(place)
        if seen >= _MOST_FOLDERS:
            return
        if "_journal.json" in names and folder.name == "meta":
            yield from _drizzle(folder.parent)
        if files := _goose(folder, names):
            yield MigrationFolder("goose", folder, files)
        if prisma := sorted(name for name in inside if (folder / name / "migration.sql").is_file()):
            files = tuple(MigrationFile(name, name) for name in prisma)
            yield MigrationFolder("prisma", folder, files)
        deep = len(folder.relative_to(root).parts) >= _DEEPEST
        inside[:] = (
            []
            if deep
            else sorted(name for name in inside if name not in _PASSED_OVER and not name.startswith("."))
        )


def _drizzle(folder: Path) -> Iterator[MigrationFolder]:
    try:
        journal: Any = json.loads((folder / "meta" / "_journal.json").read_bytes())
        if journal.get("dialect", "postgresql") not in ("postgresql", "pg"):
            return
        entries = sorted((int(entry["when"]), str(entry["tag"])) for entry in journal["entries"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return  # a journal of something else
    yield MigrationFolder("drizzle", folder, tuple(MigrationFile(str(when), tag) for when, tag in entries))


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
