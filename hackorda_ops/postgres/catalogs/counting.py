"""Exact row counts of a database's tables, in the connection's snapshot."""

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from hackorda_ops.errors import SourceBusy
from hackorda_ops.postgres.catalogs.inventory import Table, TableName
from hackorda_ops.postgres.sessions.session import fetch_letting_go
from hackorda_ops.progress import OnProgress, Progress


def count_rows(
    connection: psycopg.Connection[Any], tables: Iterable[Table], on_progress: OnProgress
) -> dict[TableName, int]:
    """Counts the rows of every table whose rows the dump holds.

    Args:
        connection: with the comparable settings of `session.connect`, so that no time limit of the
            database ends a count and no row-level policy hides a row. In the snapshot's transaction
            the counts belong to that snapshot. No table stays locked.
        tables: those without data in the dump are skipped.
        on_progress: called after each table, in tables.

    Returns:
        Rows by table: a parent's own rows only, without those of tables that inherit from it.

    Raises:
        SourceBusy: a table was dropped or renamed since the inventory was read, or stayed locked for longer than
            the session's lock_timeout.
        psycopg.Error: the caller translates.
    """
    counted = [(table.name, table.configuration) for table in tables if table.has_data_in_dump]
    rows: dict[TableName, int] = {}
    for done, (name, condition) in enumerate(counted, start=1):
        # As pg_dump does it: a condition also selects rows of inheriting tables.
        query = sql.SQL("SELECT count(*) FROM {} {} {}").format(
            sql.SQL("" if condition else "ONLY"),
            sql.Identifier(name.schema, name.name),
            sql.SQL(condition or ""),
        )
        try:
            [(rows[name],)] = fetch_letting_go(connection, query)
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            raise SourceBusy(
                f"The table {name} was dropped or renamed while the rows were being counted.",
                meaning="The schema changed during the backup, so its rows cannot be compared with the dump's.",
                next_step="Run the backup again when the schema change is finished.",
            ) from None
        except psycopg.errors.LockNotAvailable:
            raise SourceBusy(
                f"The table {name} stayed locked for too long: a schema change has locked it or waits for it.",
                meaning="Its rows could not be counted, so tonight's dump could not be proven.",
                next_step="End the schema change (pg_stat_activity shows who waits), then run the backup again.",
            ) from None
        on_progress(Progress("count", done, len(counted), "tables"))
    return rows
