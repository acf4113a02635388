"""The key tables of a restored copy next to production's: what is a finding, and what isn't. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from hackorda_ops.config.expectations import Tolerances
from hackorda_ops.drilling.result import KeyTableResult
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.catalogs.inventory import TableName

# A busy Monday after a quiet Sunday is no reason to doubt a backup.
_USUAL_DAYS_GROWTH: Final = 3
_LEAST_APART: Final = timedelta(hours=12)

_EMPTY = (
    "Check in production when the rows came: unless all are newer than this artifact, look for an older artifact "
    "that has them, and for what emptied the table by that night."
)
_DRIFTED = (
    "Find out which side lost or duplicated rows before you replace one with the other. If it really grows so fast, "
    "raise tolerances.key_table_drift_percent_per_day."
)
_NOT_RECENT = (
    "Check which database the artifact was taken from (its manifest has host and database): a lagging replica, or a "
    "staging server, looks like this. If it is the right one, find out what deleted the rows."
)


@dataclass(frozen=True)
class Newest:
    """The newest values of a table's timestamp column.

    Attributes:
        overall: of all rows.
        at_capture: of the rows that are not newer than the artifact.
    """

    overall: datetime | None
    at_capture: datetime | None


@dataclass(frozen=True)
class Look:
    """One key table, in one database.

    Attributes:
        rows: exact count.
        newest: None where the table has no such column.
    """

    rows: int
    newest: Newest | None


def name_of(table: str) -> TableName:
    """The name of a key table as configured; without a schema it's in public."""
    schema, dot, name = table.partition(".")
    return TableName(schema, name) if dot else TableName("public", table)


def beside(
    table: TableName,
    column: str | None,
    restored: Look,
    production: Look,
    *,
    age: timedelta,
    growth_rows_per_day: float | None,
    tolerances: Tolerances,
) -> KeyTableResult:
    """Compares a restored key table with production's.

    Args:
        table: its name.
        column: its timestamp column, where both have it.
        restored: what is in the restored copy.
        production: what is in production now.
        age: of the artifact.
        growth_rows_per_day: see `daily_growth`.
        tolerances: as configured.
    """
    allowed_rows = drift_budget(
        restored.rows, age=age, growth_rows_per_day=growth_rows_per_day, tolerances=tolerances
    )
    return KeyTableResult(
        table=str(table),
        restored_rows=restored.rows,
        production_rows=production.rows,
        drift_percent=(
            round(100 * abs(production.rows - restored.rows) / restored.rows, 3)
            if restored.rows and production.rows
            else None
        ),
        allowed_percent=round(100 * allowed_rows / restored.rows, 3) if restored.rows else 0.0,
        timestamp_column=column,
        newest_restored=restored.newest.overall if restored.newest else None,
        newest_production=production.newest.overall if production.newest else None,
        allowed_rows=allowed_rows,
        growth_rows_per_day=None if growth_rows_per_day is None else round(growth_rows_per_day, 3),
    )


def drift_budget(
    restored_rows: int, *, age: timedelta, growth_rows_per_day: float | None, tolerances: Tolerances
) -> int:
    """By how many rows production may have moved on from an artifact, in either direction.

    Whichever is more: the configured share for each day, or a multiple of what the table's own past
    nights show plus a few rows. Of an artifact younger than a day a day's drift is allowed.

    Args:
        restored_rows: in the artifact.
        age: of the artifact.
        growth_rows_per_day: see `daily_growth`.
        tolerances: as configured.
    """
    days = max(age / timedelta(days=1), 1.0)
    share = restored_rows * tolerances.key_table_drift_percent_per_day / 100 * days
    usual = _USUAL_DAYS_GROWTH * (growth_rows_per_day or 0.0) * days
    return int(max(share, usual + tolerances.key_table_drift_rows))


def daily_growth(counts: Iterable[tuple[datetime, int]]) -> float | None:
    """Rows that a table gains or loses on a usual day: the median over its nights.

    The median, because one import of a million rows must not make a loss of as many look usual.

    Args:
        counts: when each artifact was taken, and the table's rows in it; in any order.

    Returns:
        Rows, never negative; None where no two artifacts are half a day apart.
    """
    rates: list[float] = []
    before: tuple[datetime, int] | None = None
    for taken_at, rows in sorted(set(counts)):
        if before is None:
            before = (taken_at, rows)
        # Dumps on demand minutes apart would make any change look like thousands a day.
        elif (apart := taken_at - before[0]) >= _LEAST_APART:
            rates.append(abs(rows - before[1]) / (apart / timedelta(days=1)))
            before = (taken_at, rows)
    return median(rates) if rates else None


def count_findings(result: KeyTableResult) -> Iterator[Finding]:
    """A finding where production's count can't have grown out of the restored one."""
    rows = f"{result.production_rows:,} rows in production"
    if result.restored_rows == 0 and result.production_rows > 0:
        yield Finding("key table empty", result.table, rows, "no row in the backup", _EMPTY)
    elif result.production_rows == 0 and result.restored_rows > 0:
        yield Finding(
            "key table empty in production",
            result.table,
            f"about {result.restored_rows:,} rows, as in the backup",
            "no row in production",
            "Look at production at once: its rows may be lost. The backup has them.",
        )
    elif (away := abs(result.production_rows - result.restored_rows)) > (result.allowed_rows or 0):
        yield Finding(
            "key table drifted",
            result.table,
            f"at most {result.allowed_rows or 0:,} rows away from production's {result.production_rows:,}",
            f"{result.restored_rows:,} rows, {away:,} away",
            _DRIFTED,
        )


def newest_row_findings(
    table: TableName, restored: Newest, production: Newest, *, captured_at: datetime, tolerances: Tolerances
) -> Iterator[Finding]:
    """A finding where the backup lacks the recent rows that production had when it was taken.

    A table that was quiet in production as well is not held against the backup.

    Args:
        table: the key table's name.
        restored: the newest rows in the backup.
        production: the newest rows in production.
        captured_at: when the backup was captured, aware.
        tolerances: how far they may be apart.
    """
    if restored.overall is None:
        if production.at_capture is not None:
            yield Finding(
                "no recent row",
                str(table),
                f"rows up to {production.at_capture}",
                "no row with a time",
                _NOT_RECENT,
            )
        return
    oldest_allowed = captured_at - timedelta(hours=tolerances.newest_row_age_hours)
    was_quiet = production.at_capture is None or production.at_capture <= restored.overall
    if restored.overall < oldest_allowed and not was_quiet:
        yield Finding(
            "no recent row",
            str(table),
            f"a row of {production.at_capture}, as production has it",
            f"the newest is of {restored.overall}",
            _NOT_RECENT,
        )
