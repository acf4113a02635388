"""How far each known migration tool says that a database has been migrated."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.migration_tools.registry import TOOLS
from hackorda_ops.migration_tools.tool import MigrationTool
from hackorda_ops.postgres.catalogs.inventory import MigrationState, Table, TableName

_MOST_ROWS: Final = 100_000
_MOST_CHARACTERS: Final = 1_000
_MARKS: Final = frozenset({"applied", "half applied", "rolled back"})
# A table may have any content: no row of it makes the reading fail, and none of it is read without an end.
_READ: Final = (
    "SELECT left(id, {characters}), left(words, {characters}), mark, left(sha256, {characters}),"
    " left(name, {characters}) FROM (%s) AS migration (id, words, mark, sha256, name) LIMIT {rows}"
)


@dataclass(frozen=True)
class ToolState:
    """A migration tool's own table, row for row.

    Attributes:
        tool: its name in `migration_tools.registry`.
        table: where the tool keeps its state.
        applied: what identifies each migration in force, in the tool's order: for Drizzle the journal's
            "when", for Prisma the folder's name, for goose the version. Some tools keep the newest only.
        latest: the newest of them in words; "" where there is none.
        half_applied: migrations that were started but neither finished nor rolled back, where the tool records it.
        hashes: for Drizzle, the SHA-256 of each applied migration's text, parallel to `applied`.
        names: for Drizzle from release 1 on, the name of each applied migration's folder, as in `applied`; "" if
            the table has none.
        rolled_back: migrations that were applied once, and are no longer, where the tool records it.
        locked_by: who holds the tool's own lock, by its table; "" if nobody does.
    """

    tool: str
    table: TableName
    applied: tuple[str, ...]
    latest: str
    half_applied: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    rolled_back: tuple[str, ...] = ()
    locked_by: str = ""


@dataclass(frozen=True)
class ToolStates:
    """What a database's tables say of its migrations.

    Attributes:
        states: of each tool whose table could be read.
        unread: why another couldn't be, a clause for each ("public.pgmigrations can't be read: ...").
    """

    states: tuple[ToolState, ...]
    unread: tuple[str, ...] = ()


class _Unread(Exception):
    """Why a table isn't read."""


def read_migrations(
    connection: psycopg.Connection[Any], tables: Iterable[Table]
) -> tuple[MigrationState, ...]:
    """Reads the state of every known tool; see `read_tool_states` for which tools.

    Raises:
        psycopg.Error: the caller translates.
    """
    return tuple(
        MigrationState(state.tool, state.table, len(state.applied), state.latest)
        for state in read_tool_states(connection, tables).states
    )


def migration_words(state: MigrationState) -> str:
    """How far a database has been migrated, in words; a tool that keeps the newest only has no number."""
    tool = TOOLS.get(state.tool)
    newest = state.latest or "none"
    if tool is not None and tool.newest_only:
        return f"{state.tool}: newest {newest}"
    return f"{state.tool}: {state.applied} applied, newest {newest}"


def read_tool_states(
    connection: psycopg.Connection[Any], tables: Iterable[Table], configured: str | None = None
) -> ToolStates:
    """Reads the state of every known tool whose table exists.

    A table that only shares the name is skipped. One that the role can't read, or that has other contents than the
    tool's, is among those that couldn't be read.

    Args:
        connection: in a transaction or not.
        tables: the database's tables; tools may keep theirs in any schema.
        configured: "name" or "schema.name" of the team's table, where that isn't the tool's own default; no other is
            looked at then.

    Raises:
        psycopg.Error: the caller translates.
    """
    all_tables = tuple(tables)
    schemas = defaultdict[str, set[str]](set)
    for table in all_tables:
        schemas[table.name.schema].add(table.name.name)
    states: list[ToolState] = []
    unread: list[str] = []
    found = False
    for table in all_tables:
        if configured is not None and configured not in (table.name.name, str(table.name)):
            continue
        found = True
        for tool in _tools_of(table, schemas, by_name=configured is None):
            try:
                state = _read(connection, tool, table.name)
            except _Unread as reason:
                unread.append(f"{table.name} can't be read: {reason}")
                continue
            lock = TableName(table.name.schema, tool.lock)
            if tool.lock in schemas[lock.schema]:
                try:
                    state = replace(state, locked_by=_holder(connection, tool, lock))
                except _Unread as reason:
                    unread.append(f"{lock} can't be read: {reason}")
            states.append(state)
    if configured is not None and not (states or unread):
        unread.append(
            f"{configured} has not the columns of a known tool's table"
            if found
            else f"there is no table {configured}"
        )
    return ToolStates(tuple(states), tuple(unread))


def _tools_of(
    table: Table, schemas: Mapping[str, Iterable[str]], *, by_name: bool
) -> Iterator[MigrationTool]:
    for tool in TOOLS.values():
        if (not by_name or table.name.name == tool.table) and tool.owns(
            table.columns, schemas[table.name.schema]
        ):
            yield tool


def _read(connection: psycopg.Connection[Any], tool: MigrationTool, table: TableName) -> ToolState:
    rows = _rows(connection, _READ % tool.query, table)
    if any(mark not in _MARKS or not identity for identity, _, mark, *_ in rows):
        raise _Unread(f"its rows are not {tool.name}'s")
    applied = [row for row in rows if row[2] == "applied"]
    return ToolState(
        tool.name,
        table,
        tuple(identity for identity, *_ in applied),
        applied[-1][1] if applied else "",
        tuple(words for _, words, mark, *_ in rows if mark == "half applied"),
        _unless_empty(sha256 for *_, sha256, _ in applied),
        _unless_empty(name for *_, name in applied),
        tuple(dict.fromkeys(words for _, words, mark, *_ in rows if mark == "rolled back")),
    )


def _holder(connection: psycopg.Connection[Any], tool: MigrationTool, lock: TableName) -> str:
    held = _rows(connection, _READ % tool.lock_query, lock)
    return held[0][1] if held else ""


def _rows(connection: psycopg.Connection[Any], query: str, table: TableName) -> list[tuple[str, ...]]:
    try:
        with connection.transaction():  # a refusal must not end the snapshot's transaction
            rows = connection.execute(
                sql.SQL(query).format(
                    table=sql.Identifier(table.schema, table.name),
                    characters=sql.Literal(_MOST_CHARACTERS),
                    rows=sql.Literal(_MOST_ROWS + 1),
                )
            ).fetchall()
    except (psycopg.ProgrammingError, psycopg.DataError) as error:
        # Its message may quote a row.
        raise _Unread(_refusal(error)) from None
    if len(rows) > _MOST_ROWS:
        raise _Unread(f"it has more than {_MOST_ROWS:,} rows")
    return [tuple("" if cell is None else str(cell) for cell in row) for row in rows]


def _refusal(error: psycopg.Error) -> str:
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return "the role lacks the right"
    if isinstance(error, psycopg.errors.UndefinedTable):
        return "it was dropped meanwhile"
    return f"its columns have other types than the tool's (SQLSTATE {error.sqlstate})"


def _unless_empty(texts: Iterable[str]) -> tuple[str, ...]:
    found = tuple(texts)
    return found if any(found) else ()
