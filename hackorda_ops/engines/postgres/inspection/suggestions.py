"""What a first configuration of a Postgres database may say: its key tables, its migration tool, its provider."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hackorda_ops.config.expectations import KeyTable
from hackorda_ops.engines.suggested import Suggested
from hackorda_ops.environment import Protected
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.own_schemas import OWN_SCHEMA
from hackorda_ops.postgres.catalogs.time_columns import TIMES
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.words import counted, size

_RETRY_BUDGET_SECONDS: Final = 10
_MOST: Final = 5
# What applications call the column with a row's creation time, in the order of preference.
_CREATED: Final = (
    "created_at",
    "createdat",
    "created",
    "created_on",
    "inserted_at",
    "date_created",
    "date_joined",
)
# Tables that shrink, grow or are emptied by design say nothing when they differ from a backup.
_PASSING: Final = re.compile(
    r"session|token|cache|queue|job|log|audit|event|outbox|notification|migration|history|lock|_old$|tmp|temp",
    re.IGNORECASE,
)

# Whole tables that the role can read, with their time columns; how many others refer to each says how much it matters.
_TABLES: Final = f"""
SELECT n.nspname, c.relname, greatest(c.reltuples, 0)::bigint,
       (SELECT count(*) FROM pg_catalog.pg_constraint f WHERE f.contype = 'f' AND f.confrelid = c.oid
           AND f.conrelid <> c.oid),
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND pg_catalog.format_type(a.atttypid, NULL) = ANY(%s) ORDER BY a.attnum)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE {OWN_SCHEMA} AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
"""


@dataclass(frozen=True)
class TableSeen:
    """A table, as far as the catalogs describe it.

    Attributes:
        name: schema and name.
        rows: as the server estimates them.
        referrers: how many foreign keys of other tables lead to it.
        times: its columns that hold a time.
    """

    name: TableName
    rows: int
    referrers: int
    times: Sequence[str]


def suggest(protected: Protected, *, private_folder: Path) -> Suggested:
    """See `Engine.suggest`."""
    target = protected.source(private_folder=private_folder)
    with (
        connect(
            target,
            application_name="hackorda_ops init",
            settings={**SHORT_SETTINGS, "default_transaction_read_only": "on"},
            retry_budget_seconds=_RETRY_BUDGET_SECONDS,
        ) as connection,
        translated_errors(target, "Looking at the database"),
    ):
        version = connection.info.server_version
        inventory = source_catalog.read_catalog(connection)
        tables = [
            TableSeen(TableName(schema, name), rows, referrers, times)
            for schema, name, rows, referrers, times in connection.execute(_TABLES, (list(TIMES),))
        ]
    of_tools = {each.table for each in inventory.migrations}
    return Suggested(
        seen=f"Postgres {version // 10_000}.{version % 10_000} at {target.describe()}, "
        f"{counted(len(tables), 'table')}, {size(inventory.size_bytes)}",
        database=target.database,
        provider="neon" if target.is_on_neon else "",
        key_tables=key_tables_among(each for each in tables if each.name not in of_tools),
        tools=tuple(dict.fromkeys(each.tool for each in inventory.migrations)),
    )


def key_tables_among(tables: Iterable[TableSeen]) -> tuple[KeyTable, ...]:
    """The tables that most others lead to, and the largest, with a column of creation times. Pure."""
    found = [
        (each, column)
        for each in tables
        if (column := _created(each.times)) is not None
        and not _PASSING.search(each.name.name)
        # A key table is written as schema.name: a dot in either would be read otherwise.
        and "." not in each.name.schema + each.name.name
    ]
    found.sort(key=lambda each: (-each[0].referrers, -each[0].rows, each[0].name))
    return tuple(
        KeyTable(table=each.name.name if each.name.schema == "public" else str(each.name), timestamp=column)
        for each, column in found[:_MOST]
    )


def _created(columns: Sequence[str]) -> str | None:
    named = {column.lower(): column for column in reversed(columns)}
    return next((named[each] for each in _CREATED if each in named), None)
