"""How far each known migration tool says that a database has come."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.postgres.inventory import MigrationState, Table


@dataclass(frozen=True)
class _Tool:
    name: str
    table: str
    columns: frozenset[str]
    query: str  # {table} -> one row: how many are in force, the newest of them


_TOOLS: Final = (
    # The state table has no names: drizzle-kit finds a migration again by "when" in meta/_journal.json, which
    # is created_at, and by the SHA-256 of its file.
    _Tool(
        "drizzle",
        "__drizzle_migrations",
        frozenset({"hash", "created_at"}),
        "SELECT count(*), (array_agg(created_at || ' ' || left(hash, 12) ORDER BY created_at DESC))[1] FROM {table}",
    ),
    _Tool(
        "prisma",
        "_prisma_migrations",
        frozenset({"migration_name", "finished_at", "rolled_back_at"}),
        "SELECT count(*), (array_agg(migration_name ORDER BY finished_at DESC, migration_name DESC))[1]"
        " FROM {table} WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL",
    ),
    # Older releases of goose add a row for "down" instead of deleting the one for "up", so the newest row of
    # a version decides; version 0 is the row that goose starts with.
    _Tool(
        "goose",
        "goose_db_version",
        frozenset({"id", "version_id", "is_applied"}),
        "SELECT count(*), max(version_id)::text FROM"
        " (SELECT DISTINCT ON (version_id) version_id, is_applied FROM {table} ORDER BY version_id, id DESC)"
        " AS newest WHERE is_applied AND version_id > 0",
    ),
)


def read_migrations(
    connection: psycopg.Connection[Any], tables: Iterable[Table]
) -> tuple[MigrationState, ...]:
    """Reads the state of every known tool whose table is there.

    A table that only shares the name, or that the role may not read, is passed over: the preflight
    of rights names the latter.

    Args:
        connection: in a transaction or not.
        tables: the database's tables; tools may keep theirs in any schema.

    Raises:
        psycopg.Error: the caller translates.
    """
    states = []
    for table in tables:
        for tool in _TOOLS:
            if table.name.name != tool.table or not tool.columns <= set(table.columns):
                continue
            query = sql.SQL(tool.query).format(table=sql.Identifier(table.name.schema, table.name.name))
            try:
                with connection.transaction():  # a refusal must not end the snapshot's transaction
                    row = connection.execute(query).fetchone()
            except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable):
                continue
            if row is not None:
                states.append(MigrationState(tool.name, table.name, row[0], row[1] or ""))
    return tuple(states)
