"""Damage to what is read of a table, where the table itself can't be altered.

Rules, policies, constraints, event triggers or missing rights may forbid every change of every table. Its rows can
be read all the same, with one of them left out, changed or doubled: nothing is written, and nobody's code runs.
"""

from collections.abc import Sequence
from random import Random
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.postgres.archives.table_digest import TableDigest, digest_copy
from hackorda_ops.postgres.catalogs.inventory import Table

# Where no table has a row, this one stands in: as it is, and altered.
_EVERY_ROW: Final = sql.SQL("")
_NO_ROW: Final = "COPY (SELECT 1 AS n) TO STDOUT"
_NO_ROW_ALTERED: Final = {
    "a deleted row": "COPY (SELECT 1 AS n WHERE false) TO STDOUT",
    "a changed value": "COPY (SELECT 2 AS n) TO STDOUT",
    "a doubled row": "COPY (SELECT 1 AS n UNION ALL SELECT 1) TO STDOUT",
}


def read_altered(
    connection: psycopg.Connection[Any], table: Table, kind: str, chance: Random
) -> tuple[str, TableDigest] | None:
    """Reads a table with one row left out, changed or doubled on the way.

    Args:
        connection: a session on the restored copy; nothing is changed.
        table: with its rows, at least one.
        kind: "a deleted row", "a changed value" or "a doubled row".
        chance: decides which row, and which column.

    Returns:
        What was done in words, and what was read; None where the table has no column to change a value of.

    Raises:
        psycopg.Error: the table can't be read, or the connection broke.
    """
    columns = [sql.Identifier(column) for column in table.columns]
    if kind == "a deleted row":
        query = _query(table, columns, sql.SQL("WHERE ctid <> {}").format(_row(table, chance)))
        done = f"a row of {table.name} left out of what is read"
    elif kind == "a doubled row":
        again = _query(table, columns, sql.SQL("WHERE ctid = {}").format(_row(table, chance)))
        query = sql.SQL("{} UNION ALL {}").format(_query(table, columns), again)
        done = f"a row of {table.name} read twice"
    elif columns:
        number = chance.randrange(len(columns))
        query = _query(table, _one_changed(connection, table, columns, number, chance))
        done = f"one value of {table.name}.{table.columns[number]} read as another one"
    else:
        return None
    return done, digest_copy(connection, sql.SQL("COPY ({}) TO STDOUT").format(query).as_string(connection))


def read_stand_in(connection: psycopg.Connection[Any], kind: str) -> tuple[str, TableDigest, TableDigest]:
    """Reads a row that no table holds, as it is and altered, for a database that has none.

    Returns:
        What was done in words, and what was read before and after.

    Raises:
        psycopg.Error: the connection broke.
    """
    done = f"{kind} in a stand-in row, because the copy has none"
    return done, digest_copy(connection, _NO_ROW), digest_copy(connection, _NO_ROW_ALTERED[kind])


def _one_changed(
    connection: psycopg.Connection[Any],
    table: Table,
    columns: Sequence[sql.Composable],
    number: int,
    chance: Random,
) -> list[sql.Composable]:
    """The columns, with one value of one of them changed: any becomes NULL, and where all are NULL, one isn't.

    A cast to text would work for every type, but would change other values as well: COPY has "t" for true.
    """
    column = columns[number]
    filled = sql.SQL("WHERE {} IS NOT NULL").format(column)
    found = connection.execute(_query(table, [sql.SQL("count(*)")], filled)).fetchone()
    rows = found[0] if found else 0
    if rows:
        changed = sql.SQL("CASE WHEN ctid = {} THEN NULL ELSE {} END").format(
            _row(table, chance, rows, filled), column
        )
    else:
        changed = sql.SQL("CASE WHEN ctid = {} THEN 'x' ELSE {}::text END").format(
            _row(table, chance), column
        )
    return [*columns[:number], changed, *columns[number + 1 :]]


def _row(
    table: Table, chance: Random, rows: int | None = None, condition: sql.Composable = _EVERY_ROW
) -> sql.Composed:
    place = sql.Literal(chance.randrange(rows or table.rows or 1))
    chosen = sql.SQL("{} OFFSET {} LIMIT 1").format(condition, place)
    return sql.SQL("({})").format(_query(table, [sql.SQL("ctid")], chosen))


def _query(
    table: Table, selected: Sequence[sql.Composable], tail: sql.Composable = _EVERY_ROW
) -> sql.Composed:
    name = sql.Identifier(table.name.schema, table.name.name)
    return sql.SQL("SELECT {} FROM ONLY {} {}").format(sql.SQL(", ").join(selected), name, tail)
