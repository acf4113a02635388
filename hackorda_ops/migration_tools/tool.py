"""What the product asks of a migration tool: where its table and its files are, and which of the files are pending."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

# A migration is text that people wrote; what is larger is left unread.
_MOST_BYTES: Final = 4_000_000
_MOST_LEVELS: Final = 8


@dataclass(frozen=True)
class MigrationFile:
    """What identifies a migration in its tool's table, and what people call it.

    Attributes:
        identity: for Drizzle its time in milliseconds, for Prisma the folder's name, for goose the version, for
            Alembic the revision.
        name: of its file or folder.
        hashes: where the table has the SHA-256 of its text (Drizzle), what that may be.
    """

    identity: str
    name: str
    hashes: frozenset[str] = frozenset()


class TableState(Protocol):
    """What a tool's table says, row for row; `postgres.catalogs.migration_state.ToolState` is read from a database."""

    @property
    def applied(self) -> tuple[str, ...]:
        """What identifies each migration in force, in the tool's order."""

    @property
    def half_applied(self) -> tuple[str, ...]:
        """Those that were started and not finished, in words."""

    @property
    def hashes(self) -> tuple[str, ...]:
        """The SHA-256 of the text of each, beside `applied`; empty where the table has none."""

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each, beside `applied`; empty where the table has none."""


@dataclass(frozen=True)
class MigrationFolder:
    """A folder of one tool's migrations, in the tool's order.

    The rule is the usual one: a file is in force when the table has its identity, and pending when it hasn't. A tool
    with another rule has a class of its own.

    Attributes:
        tool: the tool's name.
        path: of the folder.
        files: its migrations.
        unread: what of the folder couldn't be read, a clause for each.
    """

    tool: str
    path: Path
    files: tuple[MigrationFile, ...]
    unread: tuple[str, ...] = ()

    def applied(self, state: TableState) -> tuple[MigrationFile | None, ...]:
        """Finds the migrations that a tool's table says are in force; None for one that the folder doesn't have."""
        by_identity = {file.identity: file for file in self.files}
        return tuple(by_identity.get(identity) for identity in state.applied)

    def in_force(self, state: TableState) -> frozenset[MigrationFile]:
        """Which of the folder's migrations are in force; more than `applied` where the table has only the newest."""
        return frozenset(file for file in self.applied(state) if file is not None)

    def pending(self, state: TableState) -> tuple[str, ...]:
        """Names of what the tool would apply now, the first to be applied first."""
        there = self.in_force(state)
        return tuple(file.name for file in self.files if file not in there)

    def unclear(self, state: TableState) -> tuple[str, ...]:  # noqa: ARG002  # by most tools' files alone
        """Why it can't be told of some migrations whether the tool would apply them, a clause for each."""
        return self.unread

    def skipped(self, state: TableState) -> tuple[str, ...]:  # noqa: ARG002  # most tools skip none
        """Names of what the tool will never apply."""
        return ()


def as_they_are(folders: Sequence[MigrationFolder]) -> Iterable[MigrationFolder]:
    """The folders of a tool that reads each for itself."""
    return folders


@dataclass(frozen=True)
class MigrationTool:
    """A migration tool, as its file declares it for the registry.

    Attributes:
        name: in lower case, as manifests and reports have it.
        table: where it keeps its state unless the team configured another, in whichever schema.
        columns: those that the table must have; another one only shares its name.
        query: SQL that reads `{table}` in the tool's order. Of each migration: what identifies it, its name in words,
            a mark ("applied", "half applied", "rolled back"), the SHA-256 of its text and its name in a folder, ""
            where there's none.
        find: the folders of its migrations right in a folder, given that, the names of the folders in it and those of
            its files.
        gather: makes one of the folders that the tool reads as one.
        exact: whether the table has no other columns; one that has is another tool's.
        beside: a table that is in the same schema as the tool's own; "" if there is none.
        never_beside: a table of another tool that keeps its state the same way; "" if there is none.
        newest_only: whether the table has only the newest migration, and the folder says which came before.
        lock: another table of the tool's; "" if there is none.
        lock_query: SQL that reads from it, `{table}`, who holds the tool's lock; no row if nobody does.
        skips: where it skips migrations, what to do about them.
        usual_command: what applies its migrations to the database that $DATABASE_URL names; "" where that takes more.
        started_in: a file in the folder that the command is started in; "" for the application's own folder.
    """

    name: str
    table: str
    columns: frozenset[str]
    query: str
    find: Callable[[Path, Sequence[str], Sequence[str]], Iterable[MigrationFolder]]
    gather: Callable[[Sequence[MigrationFolder]], Iterable[MigrationFolder]] = as_they_are
    exact: bool = False
    beside: str = ""
    never_beside: str = ""
    newest_only: bool = False
    lock: str = ""
    lock_query: str = ""
    skips: str = ""
    usual_command: str = ""
    started_in: str = ""

    def owns(self, columns: Iterable[str], neighbours: Iterable[str]) -> bool:
        """Whether a table can be the tool's.

        Args:
            columns: of the table.
            neighbours: the names of the tables in the same schema.
        """
        there, names = frozenset(columns), frozenset(neighbours)
        return (
            self.columns <= there
            and not (self.exact and there - self.columns)
            and (not self.beside or self.beside in names)
            and self.never_beside not in names
        )


def merged(folders: Sequence[MigrationFolder], root_of: Callable[[Path], Path]) -> Iterator[MigrationFolder]:
    """Makes one of the folders below each root, for a tool that reads them as one.

    Args:
        folders: of the tool.
        root_of: what a folder belongs to.
    """
    by_root: dict[Path, list[MigrationFolder]] = {}
    for folder in folders:
        by_root.setdefault(root_of(folder.path), []).append(folder)
    for root, parts in by_root.items():
        files = tuple(dict.fromkeys(file for part in parts for file in part.files))
        unread = tuple(reason for part in parts for reason in part.unread)
        yield replace(parts[0], path=root, files=files, unread=unread)


def ancestor(path: Path, fits: Callable[[Path], bool]) -> Path | None:
    """The nearest of a folder and those above it that fits; None if none of the next few does."""
    return next((each for each in (path, *path.parents[:_MOST_LEVELS]) if fits(each)), None)


def folders_with(file: str, folder: Path, inside: Iterable[str]) -> Iterator[str]:
    """The names of those folders in a folder that have such a file, in their order.

    Args:
        file: "migration.sql".
        folder: to look into.
        inside: the names of the folders in it.
    """
    return (name for name in sorted(inside) if (folder / name / file).is_file())


def text_of(path: Path) -> str | None:
    """A migration's text, also where it isn't UTF-8; None if it can't be read, is no file or is huge."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:  # a pipe would never end
            return None
        return path.read_bytes().decode("utf-8", "replace").removeprefix("\ufeff")
    except OSError:
        return None
