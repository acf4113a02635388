"""What is due when: the nights, weeks, quarters and years of a schedule, between two moments.

The schedules, catching up after a daemon was down, and the checks for overdue work all use this.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim

from hackorda_ops.calendar.partitions import first_night, night_of, quarter_of, week_of, year_of
from hackorda_ops.config.models import Schedule

DueKind = Literal["night", "week", "quarter", "year"]


@dataclass(frozen=True)
class Due:
    """A partition and the moment that it's due.

    Attributes:
        kind: what is due.
        partition: the night, the week's Monday, the first day of the quarter or year.
        at: the scheduled time, aware, in the schedule's time zone.
    """

    kind: DueKind
    partition: date
    at: datetime


def cron_of(kind: DueKind, schedule: Schedule) -> str:
    """The cron expression that a kind's schedule ticks by."""
    return {
        "night": schedule.night,
        "week": schedule.week,
        "quarter": schedule.quarter,
        "year": schedule.exercise,
    }[kind]


def partition_of(kind: DueKind, moment: datetime, schedule: Schedule) -> date:
    """The night, week, quarter or year that an aware moment lies in.

    Args:
        kind: which kind of partition.
        moment: the moment, aware.
        schedule: the schedule whose time zone decides the day.
    """
    night = night_of(moment, schedule)
    return {"night": night, "week": week_of(night), "quarter": quarter_of(night), "year": year_of(night)}[
        kind
    ]


def first_partition(kind: DueKind, schedule: Schedule) -> date:
    """The partition that the first night lies in: nothing before it is due."""
    since = first_night(schedule)
    return {"night": since, "week": week_of(since), "quarter": quarter_of(since), "year": year_of(since)}[
        kind
    ]


def is_due(kind: DueKind, tick: datetime, schedule: Schedule) -> bool:
    """Whether a tick of a kind's cron asks for its partition.

    Cron can't say "the first Sunday of a quarter": quarters and years tick more often, and only
    the first tick in each of them counts.

    Args:
        kind: which kind of partition.
        tick: a scheduled time, aware.
        schedule: the database's schedule.
    """
    partition = partition_of(kind, tick, schedule)
    if partition < first_partition(kind, schedule):
        return False
    if kind in {"night", "week"}:
        return True
    before = next(
        CronSim(cron_of(kind, schedule), tick.astimezone(ZoneInfo(schedule.timezone)), reverse=True)
    )
    return partition_of(kind, before, schedule) != partition


def due_between(kind: DueKind, schedule: Schedule, *, after: datetime, until: datetime) -> Iterator[Due]:
    """What became due after one aware moment and until another (inclusive), oldest first.

    Args:
        kind: which kind of partition.
        schedule: the database's schedule.
        after: aware; what was due exactly then is left out.
        until: aware; what is due exactly then is included.
    """
    zone = ZoneInfo(schedule.timezone)
    # Two times in one zone would be compared by local wall-clock time, which is set back in autumn.
    until = until.astimezone(UTC)
    for tick in CronSim(cron_of(kind, schedule), after.astimezone(zone)):
        if tick > until:
            return
        if is_due(kind, tick, schedule):
            yield Due(kind, partition_of(kind, tick, schedule), tick)


def newest_due(kind: DueKind, schedule: Schedule, now: datetime) -> Due | None:
    """What was due last, at `now` or before; None if the schedule begins later.

    Args:
        kind: which kind of partition.
        schedule: the database's schedule.
        now: the present, aware.
    """
    # A tick is strictly before the moment that CronSim starts from, and what is due now is due.
    start = (now.astimezone(UTC) + timedelta(seconds=1)).astimezone(ZoneInfo(schedule.timezone))
    for tick in CronSim(cron_of(kind, schedule), start.replace(microsecond=0), reverse=True):
        partition = partition_of(kind, tick, schedule)
        if partition < first_partition(kind, schedule):
            return None
        if is_due(kind, tick, schedule):
            return Due(kind, partition, tick)
    return None
