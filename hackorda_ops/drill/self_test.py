"""Tests the comparison itself: a comparison that finds nothing proves something only if it can find."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.backup.comparison import table_findings
from hackorda_ops.backup.manifest import Manifest
from hackorda_ops.postgres.inventory import Table
from hackorda_ops.postgres.table_digest import digest_table

# How a value of each type becomes another one of the same type. A change of content with the same number of rows
# is the harder thing to notice.
_OTHER_VALUE: Final = {
    "text": "{column} || 'x'",
    "varchar": "left({column}, -1) || CASE WHEN right({column}, 1) = 'x' THEN 'y' ELSE 'x' END",
    "int2": "{column} - 1",
    "int4": "{column} - 1",
    "int8": "{column} - 1",
    "numeric": "{column} - 1",
    "bool": "NOT {column}",
    "timestamptz": "{column} - interval '1 second'",
    "timestamp": "{column} - interval '1 second'",
    "date": "{column} - 1",
}

# Triggers of the team's own could act on the outside world, which no rollback takes back.
_COLUMNS: Final = """
SELECT c.oid::bigint, a.attname, t.typname
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
 WHERE c.oid = ANY(%s)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid)
 ORDER BY a.attnotnull, a.attnum DESC
"""


@dataclass(frozen=True)
class SelfTest:
    """What the self-test showed.

    Attributes:
        noticed: whether the change was noticed; None where no table could be changed.
        summary: what was changed, as a sentence.
    """

    noticed: bool | None
    summary: str


def compare_an_altered_table(
    connection: psycopg.Connection[Any], manifest: Manifest, tables: Sequence[Table]
) -> SelfTest:
    """Alters one value of one row of the restored copy, compares that table, and takes it back.

    Args:
        connection: a session on the restored copy that may change it.
        manifest: what the copy was compared with.
        tables: the copy's tables in the manifest's columns (`comparison.evidenced_tables`).

    Raises:
        psycopg.Error: the connection broke.
    """
    # The smallest first: any table will do.
    filled = sorted((table for table in tables if table.rows), key=lambda table: table.rows or 0)
    for table, column, new_value in _changes(connection, filled):
        with connection.transaction(force_rollback=True):
            if not _alter(connection, table, column, new_value):
                continue
            altered = digest_table(connection, table)
        # The drill's own judge, shown nothing but this table.
        alone = replace(manifest, tables=tuple(each for each in manifest.tables if each.name == table.name))
        noticed = bool(table_findings(alone, {table.name: altered}))
        return SelfTest(
            noticed,
            f"One value of {table.name}.{column} was changed in one of {table.rows:,} rows, inside a transaction "
            f"that was rolled back; the comparison {'noticed it' if noticed else 'did not notice it'}.",
        )
    return SelfTest(None, "No table of the copy has a value that could be changed and taken back.")


def _changes(
    connection: psycopg.Connection[Any], tables: Sequence[Table]
) -> Iterator[tuple[Table, str, str]]:
    columns: dict[int, list[tuple[str, str]]] = {}
    for oid, column, kind in connection.execute(_COLUMNS, ([table.oid for table in tables],)):
        if kind in _OTHER_VALUE:
            columns.setdefault(oid, []).append((column, _OTHER_VALUE[kind]))
    for table in tables:
        for column, new_value in columns.get(table.oid, []):
            if column in table.columns:
                yield table, column, new_value


def _alter(connection: psycopg.Connection[Any], table: Table, column: str, new_value: str) -> bool:
    name, field = sql.Identifier(table.name.schema, table.name.name), sql.Identifier(column)
    try:
        with connection.transaction():
            changed = connection.execute(
                sql.SQL(
                    "UPDATE ONLY {name} SET {field} = {value} WHERE ctid ="
                    " (SELECT ctid FROM ONLY {name} WHERE {field} IS NOT NULL LIMIT 1)"
                ).format(name=name, field=field, value=sql.SQL(new_value).format(column=field))
            )
    except psycopg.Error:
        # A constraint that forbids the new value, or a right that is missing: the next one, then.
        if connection.broken:
            raise
        return False
    return changed.rowcount == 1
