"""Reads the key tables in the restored copy and, strictly read-only, in production."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from hackorda_ops.config.expectations import KeyTable, Tolerances
from hackorda_ops.drilling.result import KeyTableResult, NotCompared
from hackorda_ops.engines.postgres.drill.comparisons import key_tables
from hackorda_ops.engines.postgres.drill.comparisons.key_tables import Look, Newest
from hackorda_ops.errors import ConfigError, OpsError, Stalled
from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.time_columns import exists, time_columns
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.reading import reading
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS

# A table whose rows can't be counted within this time is not compared.
_SETTINGS = {**SHORT_SETTINGS, "statement_timeout": "5min", "default_transaction_read_only": "on"}


@dataclass(frozen=True)
class BesideProduction:
    """What the key tables showed.

    Attributes:
        tables: one per key table that both sides have.
        count_findings: of the numbers of rows.
        newest_findings: of the newest rows.
        newest_measured: of how many tables the newest row could be compared.
        not_compared: what could not be, and why.
        problems: what kept tables from being compared and has to be mended: a wrong name, a missing right, a
            production that doesn't answer.
    """

    tables: tuple[KeyTableResult, ...]
    count_findings: tuple[Finding, ...]
    newest_findings: tuple[Finding, ...]
    newest_measured: int
    not_compared: tuple[NotCompared, ...]
    problems: tuple[OpsError, ...] = ()


def compare_key_tables(
    wanted: Sequence[KeyTable],
    restored: psycopg.Connection[Any],
    source: ConnectionTarget,
    *,
    captured_at: datetime,
    tolerances: Tolerances,
    past: Sequence[PostgresManifest] = (),
    yield_after_seconds: float = 5,
) -> BesideProduction:
    """Compares the key tables of the restored copy with those of production.

    Args:
        wanted: the key tables, as configured.
        restored: a session on the restored copy.
        source: the live database.
        captured_at: when the artifact's snapshot was taken, by the source's clock.
        tolerances: as configured.
        past: the database's artifacts, which show how fast its tables grow.
        yield_after_seconds: how long anybody may wait for a lock behind a table's counting; then it isn't compared.

    Raises:
        OpsError: the restored copy could not be read.
    """
    problems: list[OpsError] = []
    results: list[KeyTableResult] = []
    count_findings: list[Finding] = []
    newest_findings: list[Finding] = []
    not_compared: list[NotCompared] = []
    newest_measured = 0
    nights = [(each.captured_at, each.rows_by_table) for each in past]
    with translated_errors(source, "Comparing the key tables with production"):
        for key_table in wanted:
            name = key_tables.name_of(key_table.table)
            try:
                now, column, there = _in_production(
                    source,
                    restored,
                    name,
                    timestamp=key_table.timestamp,
                    captured_at=captured_at,
                    yield_after_seconds=yield_after_seconds,
                )
            except Stalled as stalled:
                # A drill is no reason to keep anybody waiting, and a table that can't be counted is no finding.
                not_compared.append(NotCompared(f"{name} with production", stalled.what))
                continue
            except OpsError as error:
                not_compared.append(NotCompared(f"{name} with production", error.what))
                problems.append(error)
                if error.retryable:
                    break  # nothing answers: the others would wait as long, for nothing
                continue
            here = _look(restored, name, column, captured_at)
            if here is None or there is None:
                if here is there:
                    problems.append(_unknown(key_table.table))
                    not_compared.append(NotCompared(f"{name} with production", problems[-1].what))
                    continue
                count_findings.append(_missing(name, from_backup=here is None))
                continue
            result = key_tables.beside(
                name,
                column,
                here,
                there,
                age=now - captured_at,
                growth_rows_per_day=key_tables.daily_growth(
                    (taken_at, rows[name]) for taken_at, rows in nights if name in rows
                ),
                tolerances=tolerances,
            )
            results.append(result)
            count_findings += key_tables.count_findings(result)
            if here.newest is None or there.newest is None:
                if key_table.timestamp is not None:
                    not_compared.append(
                        NotCompared(
                            f"the newest row of {name}",
                            f"there is no column {key_table.timestamp} with a time on both sides",
                        )
                    )
                continue
            newest_measured += 1
            newest_findings += key_tables.newest_row_findings(
                name, here.newest, there.newest, captured_at=captured_at, tolerances=tolerances
            )
    return BesideProduction(
        tuple(results),
        tuple(count_findings),
        tuple(newest_findings),
        newest_measured,
        tuple(not_compared),
        tuple(problems),
    )


def _in_production(
    source: ConnectionTarget,
    restored: psycopg.Connection[Any],
    table: TableName,
    *,
    timestamp: str | None,
    captured_at: datetime,
    yield_after_seconds: float,
) -> tuple[datetime, str | None, Look | None]:
    """Production's clock, the timestamp column that both sides have, and what production has of the table.

    Each table is read in a transaction of its own, so that no lock is held for longer than its count.

    Raises:
        Stalled: a session waited behind it or kept a lock from it, or the table is too large to be counted in time.
    """
    with (
        reading(source, yield_after_seconds=yield_after_seconds) as current,
        connect(
            source,
            application_name=current.application_name("hackorda_ops drill, read-only"),
            settings=_SETTINGS,
        ) as production,
        translated_errors(source, f"Counting {table} in production"),
    ):
        [(now,)] = production.execute("SELECT pg_catalog.now()").fetchall()
        column = _common_column(table, timestamp, restored, production)
        return now, column, _look(production, table, column, captured_at)


def _common_column(table: TableName, column: str | None, *connections: psycopg.Connection[Any]) -> str | None:
    if column is None or not all(column in time_columns(connection, table) for connection in connections):
        return None
    return column


def _look(
    connection: psycopg.Connection[Any], table: TableName, column: str | None, captured_at: datetime
) -> Look | None:
    if not exists(connection, table):
        return None
    name = sql.Identifier(table.schema, table.name)
    if column is None:
        [(rows,)] = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchall()
        return Look(rows, None)
    # An "infinity" has no place in Python's calendar, and is no row's time.
    [(rows, overall, at_capture)] = connection.execute(
        sql.SQL(
            "SELECT count(*), max(t) FILTER (WHERE isfinite(t)), max(t) FILTER (WHERE isfinite(t) AND t <= {at})"
            " FROM (SELECT {column}::timestamptz FROM {name}) AS times (t)"
        ).format(at=sql.Literal(captured_at), column=sql.Identifier(column), name=name)
    ).fetchall()
    return Look(rows, Newest(overall, at_capture))


def _missing(table: TableName, *, from_backup: bool) -> Finding:
    places = ("in production", "not in the backup") if from_backup else ("in the backup", "not in production")
    return Finding(
        "key table missing",
        str(table),
        f"a table that is {places[0]}",
        places[1],
        "If it was made, renamed or dropped since the backup, correct key_tables; otherwise find out what happened.",
    )


def _unknown(table: str) -> ConfigError:
    return ConfigError(
        f"key_tables names {table!r}, which is neither in production nor in the backup.",
        meaning="The drill could not compare it, so it could not judge; it went on with the rest.",
        next_step="Correct the name in databases.yaml (case matters; other schemas than public are written "
        "schema.table), then drill again.",
    )
