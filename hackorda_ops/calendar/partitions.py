"""Nights, weeks and quarters: which one a moment belongs to, and whether a night is still open.

A night is the local date on which its dump is due, a week runs from Monday to Sunday, a quarter
is one of the calendar's. All of them are dates: of the night, of the Monday, of the first day.
"""

import re
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

from hackorda_ops.config.models import Schedule
from hackorda_ops.errors import PartitionGone, UsageError

BEGINNING: Final = date(2026, 1, 1)
"""Before it no database was protected by this product: the first night where nothing says since when one is."""


def first_night(schedule: Schedule) -> date:
    """The first night that there can be."""
    return schedule.since or BEGINNING


def night_of(moment: datetime, schedule: Schedule) -> date:
    """The local date of an aware moment."""
    return moment.astimezone(ZoneInfo(schedule.timezone)).date()


def week_of(night: date) -> date:
    """The Monday of a night's week."""
    return night - timedelta(days=night.weekday())


def quarter_of(night: date) -> date:
    """The first day of a night's quarter."""
    return night.replace(month=night.month - (night.month - 1) % 3, day=1)


def year_of(night: date) -> date:
    """The first day of a night's year."""
    return night.replace(month=1, day=1)


def quarter_name(quarter: date) -> str:
    """A quarter as people write it: "2026-Q4"."""
    return f"{quarter.year}-Q{(quarter.month - 1) // 3 + 1}"


def quarter_named(text: str) -> date:
    """The first day of a quarter given by its name ("2026-Q4").

    Raises:
        UsageError: it isn't a quarter's name.
    """
    match = re.fullmatch(r"(\d{4})-[Qq]([1-4])", text)
    if match is None:
        raise UsageError(
            f"{text!r} is not a quarter.",
            meaning="Nothing was attempted.",
            next_step="Write it as year and quarter: 2026-Q4.",
        )
    return date(int(match[1]), 3 * int(match[2]) - 2, 1)


def year_named(text: str) -> date:
    """The first day of a year given by its number ("2026").

    Raises:
        UsageError: it isn't a year.
    """
    if re.fullmatch(r"[1-9]\d{3}", text) is None:
        raise UsageError(
            f"{text!r} is not a year.",
            meaning="Nothing was attempted.",
            next_step="Write it as its number: 2026.",
        )
    return date(int(text), 1, 1)


def closes_at(night: date, schedule: Schedule) -> datetime:
    """When a night can no longer be dumped: the first scheduled time after its date has passed."""
    zone = ZoneInfo(schedule.timezone)
    # One second before the next midnight, because a schedule's next tick is strictly later.
    end = datetime.combine(night + timedelta(days=1), time(), tzinfo=zone) - timedelta(seconds=1)
    return next(CronSim(schedule.night, end))


def is_over(night: date, now: datetime, schedule: Schedule) -> bool:
    """Whether a dump taken now can no longer stand for a night: the next one is due already.

    Args:
        night: the night's date.
        now: the present, aware.
        schedule: the database's schedule.
    """
    return now >= closes_at(night, schedule)


def scheduled_at(night: date, schedule: Schedule) -> datetime:
    """When a night was due: its date's last scheduled time.

    Raises:
        PartitionGone: nothing was due on that date.
    """
    end = datetime.combine(night + timedelta(days=1), time(), tzinfo=ZoneInfo(schedule.timezone))
    due = next(CronSim(schedule.night, end, reverse=True))
    if due.date() != night:
        raise PartitionGone(
            f"No dump was due on {night}: the schedule is {schedule.night!r}.",
            meaning="That night was not missed.",
            next_step="Backfill the nights that the schedule names.",
        )
    return due


def require_open(night: date, now: datetime, schedule: Schedule) -> bool:
    """Checks that a dump taken now may stand for a night, and says whether it's late.

    Args:
        night: the partition asked for.
        now: the source's own clock, aware.
        schedule: the database's schedule and time zone.

    Returns:
        Whether the night's date has passed already (a dump that was queued past midnight).

    Raises:
        PartitionGone: the night is in the future, or the next one is already due. A dump of the
            present is never backdated.
    """
    today = night_of(now, schedule)
    if night > today:
        raise PartitionGone(
            f"The night of {night} has not begun: it is {today} in {schedule.timezone}.",
            meaning="No dump was taken.",
            next_step=f"Wait for it, or run tonight's: {today}.",
        )
    if is_over(night, now, schedule):
        closes = closes_at(night, schedule)
        raise PartitionGone(
            f"The night of {night} ended at {closes.isoformat()}; the database now holds today's data.",
            meaning="That night has no backup and cannot get one: nothing is ever backdated.",
            next_step=f"Take tonight's dump instead (partition {today}), and find out why that night was missed.",
        )
    return night < today
