"""How far each known migration tool says that a database has been migrated."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from hackorda_ops.migration_tools.registry import TOOLS
from hackorda_ops.postgres.catalogs.inventory import MigrationState, Table, TableName


@dataclass(frozen=True)
class ToolState:
    """A migration tool's own table, row for row.

    Attributes:
        tool: its name in `migration_tools.registry`.
        table: where the tool keeps its state.
        applied: what identifies each migration in force, in the tool's order: for Drizzle the journal's
            "when", for Prisma the folder's name, for goose the version.
        latest: the newest of them in words; "" where there is none.
        hashes: for Drizzle, the SHA-256 of each applied migration's text, parallel to `applied`.
        names: for Drizzle from release 1 on, the name of each applied migration's folder, as in `applied`; "" if
            the table has none.
        half_applied: migrations that were started but neither finished nor rolled back. Only Prisma records it.
    """

    tool: str
    table: TableName
    applied: tuple[str, ...]
    latest: str
    half_applied: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def read_migrations(
    connection: psycopg.Connection[Any], tables: Iterable[Table]
) -> tuple[MigrationState, ...]:
    """Reads the state of every known tool; see `read_tool_states` for which tools.

    Raises:
        psycopg.Error: the caller translates.
    """
    return tuple(
        MigrationState(state.tool, state.table, len(state.applied), state.latest)
        for state in read_tool_states(connection, tables)
    )


def read_tool_states(connection: psycopg.Connection[Any], tables: Iterable[Table]) -> tuple[ToolState, ...]:
    """Reads the state of every known tool whose table exists.

    A table that only shares the name, or that the role can't read, is skipped: the preflight
    of rights reports the latter.

    Args:
        connection: in a transaction or not.
        tables: the database's tables; tools may keep theirs in any schema.

    Raises:
        psycopg.Error: the caller translates.
    """
    states = []
    for table in tables:
        for tool in TOOLS.values():
            if table.name.name != tool.table or not tool.columns <= set(table.columns):
                continue
            query = sql.SQL(tool.query).format(table=sql.Identifier(table.name.schema, table.name.name))
            try:
                with connection.transaction():  # a refusal must not end the snapshot's transaction
                    rows = connection.execute(query).fetchall()
            except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable):
                continue
            applied = [row for row in rows if not row[2]]
            states.append(
                ToolState(
                    tool.name,
                    table.name,
                    tuple(identity for identity, *_ in applied),
                    applied[-1][1] if applied else "",
                    tuple(words for _, words, half, *_ in rows if half),
                    _unless_empty(sha256 for *_, sha256, _ in applied),
                    _unless_empty(name for *_, name in applied),
                )
            )
    return tuple(states)


def _unless_empty(texts: Iterable[str]) -> tuple[str, ...]:
    found = tuple(texts)
    return found if any(found) else ()
