"""Alembic's migrations: a Python file for each, which names the one before it; its table has the newest alone."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from hackorda_ops.migration_tools.reading.python_files import values_of
from hackorda_ops.migration_tools.tool import (
    MigrationFile,
    MigrationFolder,
    MigrationTool,
    TableState,
    ancestor,
    merged,
    text_of,
)

_NAME: Final = "alembic"
_MARK: Final = re.compile(r"^down_revision\b", re.MULTILINE)
_NAMES: Final = ("revision", "down_revision", "depends_on", "branch_labels")


@dataclass(frozen=True)
class _Revision(MigrationFile):
    """A migration with what must be in force before it: revisions, or labels of branches."""

    follows: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Revisions(MigrationFolder):
    """Revisions as a graph: those that the table's lead back to are in force."""

    def in_force(self, state: TableState) -> frozenset[MigrationFile]:
        known = self._known()
        there: set[MigrationFile] = set()
        ahead = [known[name] for name in state.applied if name in known]
        while ahead:
            file = ahead.pop()
            if file not in there:
                there.add(file)
                ahead.extend(known[name] for name in file.follows if name in known)
        return frozenset(there)

    def pending(self, state: TableState) -> tuple[str, ...]:
        known = self._known()
        if any(name not in known for name in state.applied):  # what that leads back to is unknown
            return ()
        return super().pending(state)

    def unclear(self, state: TableState) -> tuple[str, ...]:
        known = self._known()
        missing = sorted({name for file in known.values() for name in file.follows if name not in known})
        return (
            *self.unread,
            *(f"{self.path} has no revision {name}, which another follows" for name in missing),
            *(f"{self.path} has no revision {name}" for name in state.applied if name not in known),
        )

    def _known(self) -> dict[str, _Revision]:
        return _by_name(self.files)


def _by_name(files: Iterable[MigrationFile]) -> dict[str, _Revision]:
    """Revisions by what another may call them: the label of a branch, or their own name."""
    revisions = [file for file in files if isinstance(file, _Revision)]
    by_label = {label: file for file in revisions for label in file.labels}
    return by_label | {file.identity: file for file in revisions}


def _find(folder: Path, _inside: Sequence[str], names: Sequence[str]) -> Iterator[MigrationFolder]:
    files, unread, hidden = [], [], []
    for name in sorted(names):
        path = folder / name
        text = text_of(path) if path.suffix == ".py" else ""
        if text is None:
            hidden.append(f"{path} can't be read")
        elif _MARK.search(text):
            revision = _revision(path)
            if revision is None:
                unread.append(f"{path} doesn't name its revisions as plain text")
            else:
                files.append(revision)
    if files or unread:
        yield _Revisions(_NAME, folder, tuple(files), (*unread, *hidden))


def _revision(path: Path) -> _Revision | None:
    values = values_of(path, _NAMES) or {}
    revision = values.get("revision")
    follows, labels = _texts(values.get("down_revision")), _texts(values.get("branch_labels"))
    depends = _texts(values.get("depends_on"))
    if not isinstance(revision, str) or follows is None or labels is None or depends is None:
        return None
    return _Revision(revision, path.stem, follows=(*follows, *depends), labels=labels)


def _texts(value: Any) -> tuple[str, ...] | None:
    """None, a text or several; None for anything else."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, tuple | list | set) and all(isinstance(each, str) for each in value):
        return tuple(sorted(value))
    return None


def _gather(folders: Sequence[MigrationFolder]) -> Iterable[MigrationFolder]:
    # Revisions may lie in several folders of one environment.
    for folder in merged(
        folders, lambda path: ancestor(path, lambda each: (each / "env.py").is_file()) or path
    ):
        yield replace(folder, files=tuple(_in_order(folder.files)))


def _in_order(files: Sequence[MigrationFile]) -> Iterator[MigrationFile]:
    """Each after those that it follows; of a circle, which Alembic refuses, the rest as they come."""
    known = _by_name(files)
    left = [known[name] for name in dict.fromkeys(file.identity for file in files)]
    done: set[_Revision] = set()
    while left:
        ready = [file for file in left if all(known[name] in done for name in file.follows if name in known)]
        yield from ready or left
        done.update(ready or left)
        left = [file for file in left if file not in done]


TOOL: Final = MigrationTool(
    name=_NAME,
    table="alembic_version",
    columns=frozenset({"version_num"}),
    query="SELECT version_num::text, version_num::text, 'applied', '', '' FROM {table} ORDER BY version_num",
    newest_only=True,
    find=_find,
    gather=_gather,
    usual_command="alembic upgrade head",
    started_in="alembic.ini",
)
