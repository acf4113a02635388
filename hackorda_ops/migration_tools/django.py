"""Django's migrations: a folder for each app, and one table for all of them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
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

_NAME: Final = "django"
_MARK: Final = re.compile(r"^class Migration\b", re.MULTILINE)
_LABEL: Final = re.compile(r"""^\s+label\s*=\s*["'](\w+)["']""", re.MULTILINE)


@dataclass(frozen=True)
class _Migration(MigrationFile):
    """A migration of an app, with those that it replaces where it is a squashed one."""

    app: str = ""
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Apps(MigrationFolder):
    """The apps of a project."""

    def in_force(self, state: TableState) -> frozenset[MigrationFile]:
        there = set(state.applied)
        squashed = [file for file in self.files if isinstance(file, _Migration) and file.replaces]
        # Where all are in force that a migration replaces, so is it, and the other way round.
        for file in squashed:
            if set(file.replaces) <= there:
                there.add(file.identity)
            elif file.identity in there:
                there.update(file.replaces)
        return frozenset(file for file in self.files if file.identity in there)

    def pending(self, state: TableState) -> tuple[str, ...]:
        there, unknown = self.in_force(state), self._not_known_here(state)
        left = [
            file
            for file in self.files
            if isinstance(file, _Migration) and file not in there and file.app not in unknown
        ]
        # A squashed migration runs instead of those that it replaces, unless some of them already have.
        replaced = {
            name
            for file in left
            if file.replaces and not set(file.replaces) & set(state.applied)
            for name in file.replaces
        }
        return tuple(
            file.name
            for file in left
            if file.identity not in replaced and not (set(file.replaces) & set(state.applied))
        )

    def unclear(self, state: TableState) -> tuple[str, ...]:
        return (
            *self.unread,
            *(
                f"no migration of the app {app} is in force, and it may not be among the installed ones"
                for app in sorted(self._not_known_here(state))
            ),
        )

    def _not_known_here(self, state: TableState) -> frozenset[str]:
        """Apps that the table has nothing of, though it has of others: they may be new, or not installed."""
        known = {identity.partition(".")[0] for identity in state.applied}
        apps = {file.app for file in self.files if isinstance(file, _Migration)}
        return frozenset(apps - known) if known else frozenset()


def _find(folder: Path, _inside: Sequence[str], names: Sequence[str]) -> Iterator[MigrationFolder]:
    if folder.name != "migrations":
        return
    label = _LABEL.search(text_of(folder.parent / "apps.py") or "")
    app = label[1] if label else folder.parent.name
    files, unread, hidden = [], [], []
    for name in sorted(names):
        path = folder / name
        text = text_of(path) if path.suffix == ".py" and name[0] not in "_~" else ""
        if text is None:
            hidden.append(f"{path} can't be read")
        elif _MARK.search(text):
            replaces = _pairs((values_of(path, ("replaces",), inside="Migration") or {}).get("replaces", ()))
            if replaces is None:
                unread.append(f"{path} doesn't name what it replaces as plain text")
            else:
                full_name = f"{app}.{path.stem}"
                files.append(_Migration(full_name, full_name, app=app, replaces=replaces))
    if files or unread:
        yield _Apps(_NAME, folder, tuple(files), (*unread, *hidden))


def _pairs(value: Any) -> tuple[str, ...] | None:
    try:
        pairs = [(app, name) for app, name in value]
    except (TypeError, ValueError):
        return None
    return tuple(f"{app}.{name}" for app, name in pairs)


def _gather(folders: Sequence[MigrationFolder]) -> Iterable[MigrationFolder]:
    # A project is where its manage.py is; apps without one belong together as well.
    return merged(
        folders, lambda path: ancestor(path, lambda each: (each / "manage.py").is_file()) or Path("/")
    )


TOOL: Final = MigrationTool(
    name=_NAME,
    table="django_migrations",
    columns=frozenset({"app", "name", "applied"}),
    query="SELECT app || '.' || name, app || '.' || name, 'applied', '', '' FROM {table} ORDER BY applied, id",
    find=_find,
    gather=_gather,
    usual_command="python manage.py migrate --noinput",
    started_in="manage.py",
)
