"""Deliberate damage to a restored copy, inside a transaction that is going to be rolled back.

Nothing that the copy's owner wrote may run: triggers and rules could act on the outside world,
which no rollback undoes. And nothing is done that survives a rollback, as setval and nextval do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.postgres.catalogs.inventory import Sequence, Table

# How a value of each type becomes another one of the same type. Values of any other type become NULL.
_OTHER_VALUE: Final = {
    "text": "{column} || 'x'",
    "varchar": "left({column}, -1) || CASE WHEN right({column}, 1) = 'x' THEN 'y' ELSE 'x' END",
    "int2": "{column} - 1::int2",
    "int4": "{column} - 1",
    "int8": "{column} - 1",
    "numeric": "{column} - 1",
    "float4": "{column} / 2 + 1",
    "float8": "{column} / 2 + 1",
    "bool": "NOT {column}",
    "uuid": "md5({column}::text)::uuid",
    "timestamptz": "{column} - interval '1 second'",
    "timestamp": "{column} - interval '1 second'",
    "date": "{column} - 1",
}

# A foreign key that cascades reaches other tables, and so their triggers.
_ALTERABLE: Final = """
SELECT c.oid::bigint, pg_catalog.pg_table_size(c.oid),
       EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal)
  FROM pg_catalog.pg_class c
 WHERE c.oid = ANY(%s)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid)
   AND (NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.confrelid = c.oid
                       AND (k.confdeltype NOT IN ('a', 'r') OR k.confupdtype NOT IN ('a', 'r')))
        OR NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE NOT g.tgisinternal))
"""

_COLUMNS: Final = """
SELECT a.attname, CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN t.typname END
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
 WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
 ORDER BY a.attnum
"""

_ANY_ROW: Final = sql.SQL("true")

_UNIQUE_INDEXES: Final = """
SELECT n.nspname, c.relname, k.conname
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
 WHERE i.indrelid = %s AND (i.indisunique OR i.indisexclusion)
"""


@dataclass(frozen=True)
class Alterable:
    """A table that may be altered without running anybody's code.

    Attributes:
        table: with its rows.
        size_bytes: on disk, without indexes: what looking at every row of it reads.
        has_triggers: it has to be silenced first (`silence`).
    """

    table: Table
    size_bytes: int
    has_triggers: bool


def alterable(
    connection: psycopg.Connection[Any], tables: Iterable[Table], *, ddl_allowed: bool
) -> tuple[Alterable, ...]:
    """Those of the tables that may be altered; empty ones are left out.

    Args:
        connection: a session on the restored database.
        tables: the tables of its inventory.
        ddl_allowed: whether DDL may be used.
    """
    by_oid = {table.oid: table for table in tables if table.rows}
    return tuple(
        Alterable(by_oid[oid], size_bytes, has_triggers)
        for oid, size_bytes, has_triggers in sorted(connection.execute(_ALTERABLE, (list(by_oid),)))
        if ddl_allowed or not has_triggers
    )


def silence(connection: psycopg.Connection[Any], table: Table) -> None:
    """Switches a table's triggers off until the transaction is rolled back.

    Raises:
        psycopg.Error: the role's rights forbid it; the transaction has to be rolled back.
    """
    connection.execute(sql.SQL("ALTER TABLE ONLY {} DISABLE TRIGGER USER").format(_name(table)))


def runs_code_on_ddl(connection: psycopg.Connection[Any]) -> bool:
    """Whether the database has event triggers, so that nothing may be altered by DDL."""
    found = connection.execute("SELECT FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D' LIMIT 1")
    return found.fetchone() is not None


def delete_row(connection: psycopg.Connection[Any], table: Table, chance: Random) -> str | None:
    """Deletes a row. Returns what was done, or None where nothing was.

    Args:
        connection: a session in a transaction that will be rolled back.
        table: the table to alter.
        chance: picks the row.

    Raises:
        psycopg.Error: the table forbids it; the transaction has to be rolled back.
    """
    name = _name(table)
    statement = sql.SQL("DELETE FROM ONLY {name} WHERE ctid = {row}").format(
        name=name, row=_any_row(connection, table, chance)
    )
    return f"a row of {table.name} deleted" if connection.execute(statement).rowcount == 1 else None


def change_value(connection: psycopg.Connection[Any], table: Table, chance: Random) -> str | None:
    """Changes one value of one row: the same number of rows, which is the harder thing to notice.

    Args:
        connection: a session in a transaction that will be rolled back.
        table: the table to alter.
        chance: picks the row and the column.

    Returns:
        What was done, or None where no column allows it.

    Raises:
        psycopg.Error: the connection broke.
    """
    name = _name(table)
    columns = [row for row in connection.execute(_COLUMNS, (table.oid,)) if row[0] in table.columns]
    for column, kind in chance.sample(columns, len(columns)):
        field = sql.Identifier(column)
        value = sql.SQL(_OTHER_VALUE.get(kind, "NULL")).format(column=field)
        # Not every value can be changed this way: NaN minus one is NaN. The text is what is compared.
        changes = sql.SQL("({})::text IS DISTINCT FROM ({})::text").format(field, value)
        row = _any_row(connection, table, chance, changes)
        try:
            with connection.transaction():
                changed = connection.execute(
                    sql.SQL("UPDATE ONLY {name} SET {field} = {value} WHERE ctid = {row}").format(
                        name=name, field=field, value=value, row=row
                    )
                )
        except psycopg.Error:
            # A constraint forbids the new value, or a right is missing: try the next one.
            if connection.broken:
                raise
            continue
        if changed.rowcount == 1:
            return f"one value of {table.name}.{column} changed"
    return None


def double_row(
    connection: psycopg.Connection[Any], table: Table, chance: Random, *, ddl_allowed: bool
) -> str | None:
    """Doubles a row, without the table's unique indexes where DDL is allowed. Returns as `delete_row`.

    Args:
        connection: a session in a transaction that will be rolled back.
        table: the table to alter.
        chance: picks the row.
        ddl_allowed: whether the table's unique indexes may be dropped.

    Raises:
        psycopg.Error: the table forbids it; the transaction has to be rolled back.
    """
    if not table.columns:
        return None
    name = _name(table)
    if ddl_allowed:
        for schema, index, constraint in connection.execute(_UNIQUE_INDEXES, (table.oid,)).fetchall():
            connection.execute(
                sql.SQL("ALTER TABLE ONLY {} DROP CONSTRAINT {} CASCADE").format(
                    name, sql.Identifier(constraint)
                )
                if constraint is not None
                else sql.SQL("DROP INDEX {} CASCADE").format(sql.Identifier(schema, index))
            )
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    # With every column given no default is evaluated, so that no sequence moves.
    inserted = connection.execute(
        sql.SQL(
            "INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE"
            " SELECT {columns} FROM ONLY {name} WHERE ctid = {row}"
        ).format(name=name, columns=columns, row=_any_row(connection, table, chance))
    )
    return f"a row of {table.name} doubled" if inserted.rowcount == 1 else None


def shift_sequence(connection: psycopg.Connection[Any], sequence: Sequence, chance: Random) -> str | None:
    """Moves a sequence, by DDL: unlike setval, RESTART is rolled back with its transaction.

    Args:
        connection: a session in a transaction that will be rolled back.
        sequence: the sequence to alter.
        chance: picks where it goes.

    Returns:
        What was done, or None where nothing was.

    Raises:
        psycopg.Error: the role's rights forbid it; the transaction has to be rolled back.
    """
    name = sql.Identifier(sequence.name.schema, sequence.name.name)
    far = chance.randint(2, 1000)
    for distance in (far, -far, 1, -1):  # a sequence has bounds, and always two values at least
        position = sequence.last_value + distance
        try:
            with connection.transaction():
                connection.execute(
                    sql.SQL("ALTER SEQUENCE {} RESTART WITH {}").format(name, sql.Literal(position))
                )
        except (psycopg.errors.InvalidParameterValue, psycopg.errors.NumericValueOutOfRange):
            continue
        return f"the sequence {sequence.name} shifted from {sequence.last_value} to {position}"
    return None


def _name(table: Table) -> sql.Identifier:
    return sql.Identifier(table.name.schema, table.name.name)


def _any_row(
    connection: psycopg.Connection[Any],
    table: Table,
    chance: Random,
    condition: sql.Composable = _ANY_ROW,
) -> sql.Composed:
    """A query for a row's place: of the first that is fit from some page on, so that few rows are looked at."""
    [(pages,)] = connection.execute(
        "SELECT pg_catalog.pg_relation_size(%s::oid::regclass) / pg_catalog.current_setting('block_size')::bigint",
        (table.oid,),
    ).fetchall()
    return sql.SQL(
        "coalesce((SELECT ctid FROM ONLY {name} WHERE ctid >= {page}::tid AND {condition} LIMIT 1),"
        " (SELECT ctid FROM ONLY {name} WHERE {condition} LIMIT 1))"
    ).format(
        name=_name(table), condition=condition, page=sql.Literal(f"({chance.randrange(max(pages, 1))},0)")
    )
