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
    # A migration that failed has a row that is neither finished nor rolled back; "migrate resolve" marks it as one or
    # the other, and one that was rolled back gets another row when it is applied again.
    query="SELECT migration_name, migration_name, CASE WHEN rolled_back_at IS NOT NULL THEN 'rolled back'"
    " WHEN finished_at IS NULL THEN 'half applied' ELSE 'applied' END, '', '' FROM {table} AS t"
    " WHERE rolled_back_at IS NULL OR NOT EXISTS (SELECT FROM {table} AS again"
    " WHERE again.migration_name = t.migration_name AND again.rolled_back_at IS NULL)"
    " ORDER BY finished_at, migration_name",
    find=_find,
    usual_command="npx prisma migrate deploy",
    started_in="package.json",
)
