"""What the product asks of a migration tool: where its table and its files are, and which of the files are pending."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class MigrationFile:
    """What identifies a migration in its tool's table, and what people call it.

    Attributes:
        identity: for Drizzle its time in milliseconds, for Prisma the folder's name, for goose the version.
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
    """

    tool: str
    path: Path
    files: tuple[MigrationFile, ...]

    def applied(self, state: TableState) -> tuple[MigrationFile | None, ...]:
        """Finds the migrations that a tool's table says are in force; None for one that the folder doesn't have."""
        by_identity = {file.identity: file for file in self.files}
        return tuple(by_identity.get(identity) for identity in state.applied)

    def pending(self, state: TableState) -> tuple[str, ...]:
        """Names of what the tool would apply now."""
        there = set(self.applied(state))
        return tuple(file.name for file in self.files if file not in there)

    def skipped(self, state: TableState) -> tuple[str, ...]:  # noqa: ARG002  # most tools skip none
        """Names of what the tool will never apply."""
        return ()


@dataclass(frozen=True)
class MigrationTool:
    """A migration tool, as its file declares it for the registry.

    Attributes:
        name: in lower case, as manifests and reports have it.
        table: where it keeps its state, in whichever schema.
        columns: those that the table must have; another one only shares its name.
        query: SQL that reads `{table}` in the tool's order. Of each migration: what identifies it, its name in words,
            whether it's half applied, the SHA-256 of its text and its name in a folder, "" where there's none.
        find: the folders of its migrations right in a folder, given that, the names of the folders in it and those of
            its files.
        skips: where it skips migrations, what to do about them.
    """

    name: str
    table: str
    columns: frozenset[str]
    query: str
    find: Callable[[Path, Sequence[str], Sequence[str]], Iterable[MigrationFolder]]
    skips: str = ""


def folders_with(file: str, folder: Path, inside: Iterable[str]) -> Iterator[str]:
    """The names of those folders in a folder that have such a file, in their order.

    Args:
        file: "migration.sql".
        folder: to look into.
        inside: the names of the folders in it.
    """
    return (name for name in sorted(inside) if (folder / name / file).is_file())
