"""Whether the source has the key tables that databases.yaml names, and their time columns."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg

from hackorda_ops.concerns import Concern, Looked
from hackorda_ops.config.expectations import KeyTable
from hackorda_ops.engines.postgres.drill.comparisons.key_tables import name_of
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.time_columns import exists, time_columns
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import translated_errors
from hackorda_ops.words import named


def look_at_key_tables(
    connection: psycopg.Connection[Any],
    target: ConnectionTarget,
    wanted: Sequence[KeyTable],
    tables: Sequence[TableName],
) -> Looked:
    """Whether a drill will find the key tables, and the columns by which it dates their newest rows.

    Args:
        connection: a session on the source.
        target: the source, for messages.
        wanted: the key tables, as configured.
        tables: those that the source has, to name what may be meant.
    """
    with translated_errors(target, "Looking for the key tables"):
        times = {
            name: time_columns(connection, name) if exists(connection, name) else None
            for name in (name_of(each.table) for each in wanted)
        }
    there = sum(each is not None for each in times.values())
    return Looked(
        "key tables", f"{there} of {len(times)} there", tuple(key_table_concerns(wanted, times, tables))
    )


def key_table_concerns(
    wanted: Sequence[KeyTable],
    times: Mapping[TableName, Sequence[str] | None],
    tables: Sequence[TableName],
) -> Iterator[Concern]:
    """What is wrong with the key tables. Pure.

    Args:
        wanted: the key tables, as configured.
        times: the time columns of each; None for a table that isn't there.
        tables: those that the source has.
    """
    known = {_short(each): each for each in tables}
    for each in wanted:
        name = name_of(each.table)
        columns = times[name]
        if columns is None:
            meant = difflib.get_close_matches(
                _short(name).lower(), list(known), n=1
            ) or difflib.get_close_matches(_short(name), list(known), n=1)
            hint = f"It may be {meant[0]}. " if meant else ""
            yield Concern(
                "stops the drill",
                f"key_tables names {each.table}, and the source has no such table.",
                "A drill can't compare it with production, so it ends with ERROR.",
                f"Correct the name in databases.yaml. {hint}Case matters; other schemas than public are written "
                "schema.table.",
            )
        elif each.timestamp is not None and each.timestamp not in columns:
            others = f"it has {named(columns)}" if columns else "it has none"
            yield Concern(
                "worth knowing",
                f"{each.table} has no column {each.timestamp} that holds a time.",
                "A drill counts its rows, and can't say how recent the newest of them is.",
                f"Name a column with a row's creation time as its timestamp ({others}), or write timestamp: null.",
            )


def _short(name: TableName) -> str:
    return name.name if name.schema == "public" else str(name)
