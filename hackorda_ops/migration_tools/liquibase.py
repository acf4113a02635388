"""Liquibase's migrations: change sets in changelogs, which include each other."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from hackorda_ops.migration_tools.reading.changelogs import ChangeSet, Include, read_changelog
from hackorda_ops.migration_tools.tool import MigrationFile, MigrationFolder, MigrationTool, TableState

_NAME: Final = "liquibase"
_ENDINGS: Final = frozenset({".xml", ".yaml", ".yml", ".json", ".sql"})
_LIKELY: Final = re.compile(r"change|liquibase|master", re.IGNORECASE)
_MOST_FILES: Final = 5_000
_MOST_ENTRIES: Final = 50_000
_MOST_LEVELS: Final = 8


@dataclass(frozen=True)
class _ChangeSetFile(MigrationFile):
    """A change set; one with conditions runs only where they are met, which its file alone doesn't tell."""

    conditional: bool = False


@dataclass(frozen=True)
class _Changelog(MigrationFolder):
    """A changelog with all that it includes.

    Attributes:
        root: the changelog that the others are included from.
        included: the others.
    """

    root: Path = Path()
    included: frozenset[Path] = frozenset()

    def pending(self, state: TableState) -> tuple[str, ...]:
        left = self._left(state)
        return tuple(file.name for file in left if not file.conditional)

    def unclear(self, state: TableState) -> tuple[str, ...]:
        conditional = [file.name for file in self._left(state) if file.conditional]
        return (
            *self.unread,
            *(
                f"{name} has conditions (a context, labels, a database or preconditions)"
                for name in conditional
            ),
        )

    def _left(self, state: TableState) -> list[_ChangeSetFile]:
        there = self.in_force(state)
        return [file for file in self.files if isinstance(file, _ChangeSetFile) and file not in there]


def _find(folder: Path, _inside: Sequence[str], names: Sequence[str]) -> Iterator[MigrationFolder]:
    for name in sorted(names):
        path = folder / name
        # A changelog in SQL says so in its first line; of other files only those with a likely name are read.
        if path.suffix in _ENDINGS and (path.suffix == ".sql" or _LIKELY.search(name)):
            changelog = _Reading(path).changelog()
            if changelog is not None:
                yield changelog


class _Reading:
    """Reads a changelog and those that it includes, each once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[str, _ChangeSetFile] = {}
        self._unread: list[str] = []
        self._seen: set[Path] = set()

    def changelog(self) -> _Changelog | None:
        """The changelog; None if the file is something else."""
        if not self._read(self._root, conditional=False):
            return None
        return _Changelog(
            _NAME,
            self._root.parent,
            tuple(self._files.values()),
            tuple(dict.fromkeys(self._unread)),
            self._root,
            frozenset(self._seen - {self._root.resolve()}),
        )

    def _read(self, path: Path, *, conditional: bool) -> bool:
        path = path.resolve()
        if path in self._seen:
            return True
        if len(self._seen) >= _MOST_FILES:
            self._unread.append(f"{self._root} includes more than {_MOST_FILES:,} files")
            return True
        entries = read_changelog(path)
        if entries is None:
            return False
        self._seen.add(path)
        for entry in entries:
            if isinstance(entry, ChangeSet):
                self._add(path, entry, conditional=conditional)
            else:
                self._include(path, entry, conditional=conditional or entry.conditional)
        return True

    def _add(self, path: Path, entry: ChangeSet, *, conditional: bool) -> None:
        file_name = Path(entry.file or path).name
        identity = f"{entry.id}::{entry.author}::{file_name}"
        name = f"{path.name}::{entry.id}::{entry.author}"
        if identity in self._files:
            self._unread.append(f"two change sets below {self._root.parent} are {identity}")
        self._files[identity] = _ChangeSetFile(identity, name, conditional=conditional or entry.conditional)

    def _include(self, path: Path, entry: Include, *, conditional: bool) -> None:
        found = _resolved(path, entry)
        if found is None:
            self._unread.append(f"{path} includes {entry.path}, which isn't there")
        elif entry.whole_folder:
            try:
                inside = sorted(
                    each for each in islice(found.rglob("*"), _MOST_ENTRIES) if each.suffix in _ENDINGS
                )
            except OSError as error:
                self._unread.append(f"the folder {found} can't be read: {error.strerror}")
                return
            for each in inside:
                self._read(each, conditional=conditional)
        elif not self._read(found, conditional=conditional):
            self._unread.append(
                f"{path} includes {entry.path}, whose change sets can't be told from its text"
            )


def _resolved(path: Path, entry: Include) -> Path | None:
    """What a changelog includes: from its own folder, or from a search path, which is one of the folders above it."""
    wanted = entry.path.removeprefix("classpath:").lstrip("/")
    bases = (path.parent,) if entry.relative else (path.parent, *path.parent.parents[:_MOST_LEVELS])
    for base in bases:
        try:
            found = (base / wanted).resolve()
            if found.is_dir() if entry.whole_folder else found.is_file():
                return found
        except (OSError, ValueError):  # a name that no file can have
            continue
    return None


def _gather(folders: Sequence[MigrationFolder]) -> Iterable[MigrationFolder]:
    changelogs = [folder for folder in folders if isinstance(folder, _Changelog)]
    included = {path for each in changelogs for path in each.included}
    return [each for each in changelogs if each.root.resolve() not in included]


TOOL: Final = MigrationTool(
    name=_NAME,
    table="databasechangelog",
    columns=frozenset({"id", "author", "filename", "orderexecuted", "exectype", "md5sum"}),
    # The same file may be known by another folder elsewhere, so its name alone is compared.
    query="SELECT id || '::' || author || '::' || regexp_replace(filename, '^.*/', ''),"
    " filename || '::' || id || '::' || author,"
    " CASE WHEN exectype = 'FAILED' THEN 'half applied' ELSE 'applied' END, '', ''"
    " FROM {table} WHERE exectype <> 'SKIPPED' ORDER BY orderexecuted, dateexecuted",
    lock="databasechangeloglock",
    lock_query="SELECT id::text, coalesce(lockedby, 'somebody') || coalesce(' since ' || lockgranted, ''), 'applied',"
    " '', '' FROM {table} WHERE locked",
    find=_find,
    gather=_gather,
)
