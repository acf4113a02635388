"""Flyway's migrations: versioned files that run once each, and repeatable ones that run again when they change."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zlib import crc32

from hackorda_ops.migration_tools.tool import (
    MigrationFile,
    MigrationFolder,
    MigrationTool,
    TableState,
    ancestor,
    merged,
    text_of,
)

_NAME: Final = "flyway"
_VERSIONED: Final = re.compile(r"V(\d[\d._]*)__.*\.(?:sql|java|kt)", re.ASCII)
_REPEATABLE: Final = re.compile(r"R__(.+)\.(sql|java|kt)")
_BASELINE: Final = re.compile(r"B\d[\d._]*__.*\.sql", re.ASCII)
_LINE_ENDS: Final = re.compile(r"\r\n|\r|\n")
_ROOTS: Final = ("migration", "migrations", "sql")


@dataclass(frozen=True)
class _Repeatable(MigrationFile):
    """A repeatable migration; Flyway takes its checksum of the text with the placeholders replaced."""

    placeholders: bool = False


@dataclass(frozen=True)
class _Scripts(MigrationFolder):
    """Scripts by their versions; a repeatable one has its checksum as its hash."""

    def applied(self, state: TableState) -> tuple[MigrationFile | None, ...]:
        files = {file.identity: file for file in self.files}
        return tuple(files.get(_identity(row)) for row in state.applied)

    def in_force(self, state: TableState) -> frozenset[MigrationFile]:
        changed = self._changed(state)
        lowest = self._baseline(state)
        below = {file for file in self.files if (number := _number(file)) and lowest and number <= lowest}
        return (super().in_force(state) | below) - changed

    def pending(self, state: TableState) -> tuple[str, ...]:
        passed_over = set(self.skipped(state))
        return tuple(name for name in super().pending(state) if name not in passed_over)

    def skipped(self, state: TableState) -> tuple[str, ...]:
        there = self.in_force(state)
        newest = max(filter(None, map(_version, state.applied)), default=())
        return tuple(
            file.name
            for file in self.files
            if file not in there and (number := _number(file)) and number < newest
        )

    def unclear(self, state: TableState) -> tuple[str, ...]:
        replaced = [file.name for file in self._differing(state) if self._has_placeholders(file)]
        return (
            *self.unread,
            *(f"{name} has placeholders, which its checksum depends on" for name in sorted(replaced)),
        )

    def _changed(self, state: TableState) -> frozenset[MigrationFile]:
        return frozenset(file for file in self._differing(state) if not self._has_placeholders(file))

    def _differing(self, state: TableState) -> Iterator[MigrationFile]:
        """Repeatable ones whose checksum isn't the table's, where both have one."""
        hashes = state.hashes or ("",) * len(state.applied)
        found = {_identity(row): checksum for row, checksum in zip(state.applied, hashes, strict=True)}
        for file in self.files:
            if file.hashes and found.get(file.identity) and found[file.identity] not in file.hashes:
                yield file

    def _has_placeholders(self, file: MigrationFile) -> bool:
        return isinstance(file, _Repeatable) and file.placeholders

    def _baseline(self, state: TableState) -> tuple[int, ...]:
        """The version that the database was taken over at: what is older never runs."""
        types = state.names or ("",) * len(state.applied)
        rows = zip(state.applied, types, strict=True)
        return max((_version(row) for row, kind in rows if "BASELINE" in kind), default=())


def _version(identity: str) -> tuple[int, ...]:
    """A version's parts, without zeros at the end ("1.0" is "1"); none of a repeatable migration."""
    parts = [int(part[:30]) for part in re.split(r"[._]+", identity) if part.isdecimal()]
    if identity.startswith("R "):
        return ()
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _identity(text: str) -> str:
    return ".".join(map(str, _version(text))) or text


def _number(file: MigrationFile) -> tuple[int, ...]:
    return _version(file.identity)


def _find(folder: Path, _inside: Sequence[str], names: Sequence[str]) -> Iterator[MigrationFolder]:
    versioned: list[MigrationFile] = []
    repeatable: list[MigrationFile] = []
    for name in sorted(names):
        if match := _VERSIONED.fullmatch(name):
            versioned.append(MigrationFile(_identity(match[1]), name))
        elif match := _REPEATABLE.fullmatch(name):
            text = text_of(folder / name) if match[2] == "sql" else None
            hashes = frozenset() if text is None else frozenset({str(_checksum(text))})
            description = match[1].replace("_", " ")
            repeatable.append(_Repeatable(f"R {description}", name, hashes, "${" in (text or "")))
    unread = tuple(
        f"{name} is a baseline migration, which runs in an empty database only"
        for name in sorted(names)
        if _BASELINE.fullmatch(name)
    )
    if versioned or repeatable:
        yield _Scripts(_NAME, folder, (*sorted(versioned, key=_number), *repeatable), unread)


def _checksum(text: str) -> int:
    """Flyway's: the CRC-32 of all lines without their ends, as a signed number."""
    lines = _LINE_ENDS.split(text)
    total = crc32("".join(lines).encode())
    return total - 2**32 if total >= 2**31 else total


def _gather(folders: Sequence[MigrationFolder]) -> Iterable[MigrationFolder]:
    # A location is read with all that is below it. What is above all of them is nothing of the team's.
    top = Path(os.path.commonpath([folder.path for folder in folders])) if folders else Path()

    def location(path: Path) -> Path:
        return ancestor(path, lambda each: each.name in _ROOTS and each.is_relative_to(top)) or path

    for folder in merged(folders, location):
        files = [file for file in folder.files if _number(file)]
        repeatable = sorted(
            (file for file in folder.files if not _number(file)), key=lambda file: file.identity
        )
        yield _Scripts(_NAME, folder.path, (*sorted(files, key=_number), *repeatable), folder.unread)


TOOL: Final = MigrationTool(
    name=_NAME,
    table="flyway_schema_history",
    columns=frozenset({"installed_rank", "version", "description", "type", "script", "checksum", "success"}),
    # The newest row of a version or of a repeatable migration's description decides. A row may say that its schema was
    # made, that a failed migration's row was deleted, or that a migration was undone.
    query="SELECT id, script, CASE WHEN type LIKE 'UNDO%' THEN 'rolled back' WHEN NOT success THEN 'half applied'"
    " ELSE 'applied' END, checksum::text, type FROM"
    " (SELECT DISTINCT ON (id) * FROM (SELECT coalesce(version, 'R ' || description) AS id, h.* FROM {table} AS h"
    " WHERE type <> 'SCHEMA') AS every ORDER BY id, installed_rank DESC) AS newest"
    " WHERE type <> 'DELETE' ORDER BY installed_rank",
    find=_find,
    gather=_gather,
    skips="Flyway passes over what is older than the newest one in force, or fails because of it, unless outOfOrder is "
    "set: give such a migration a newer version.",
)
