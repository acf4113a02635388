"""Columns that hold a time."""

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from hackorda_ops.postgres.catalogs.inventory import TableName

TIMES: Final = ("timestamp with time zone", "timestamp without time zone", "date")


def exists(connection: psycopg.Connection[Any], table: TableName) -> bool:
    """Whether there is a table, or a view, of exactly this name."""
    found = connection.execute("SELECT pg_catalog.to_regclass(%s) IS NOT NULL", (table.quoted,)).fetchone()
    return bool(found and found[0])


def time_columns(connection: psycopg.Connection[Any], table: TableName) -> Sequence[str]:
    """The columns of a table that hold a time, in their order; none where there is no such table."""
    return [
        name
        for (name,) in connection.execute(
            "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass(%s)"
            " AND attnum > 0 AND NOT attisdropped AND pg_catalog.format_type(atttypid, NULL) = ANY(%s)"
            " ORDER BY attnum",
            (table.quoted, list(TIMES)),
        )
    ]
