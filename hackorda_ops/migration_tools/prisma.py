"""Prisma's migrations: a folder for each, known by its name."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from hackorda_ops.migration_tools.tool import MigrationFile, MigrationFolder, MigrationTool, folders_with

_NAME: Final = "prisma"


def _find(folder: Path, inside: Sequence[str], _names: Sequence[str]) -> Iterator[MigrationFolder]:
    names = tuple(folders_with("migration.sql", folder, inside))
    # Drizzle has a snapshot in each. Where it's gone, the tool's table decides whose they are.
    if names and not any((folder / name / "snapshot.json").is_file() for name in names):
        yield MigrationFolder(_NAME, folder, tuple(MigrationFile(name, name) for name in names))


TOOL: Final = MigrationTool(
    name=_NAME,
    table="_prisma_migrations",
    columns=frozenset({"migration_name", "finished_at", "rolled_back_at"}),
    query="SELECT migration_name, migration_name, finished_at IS NULL, '', '' FROM {table}"
    " WHERE rolled_back_at IS NULL ORDER BY finished_at, migration_name",
    find=_find,
)
