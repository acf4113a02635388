"""Dagster's partitions: the nights, weeks, quarters and years of `calendar.partitions`, one set per database.

`end_offset=1` adds the window that is still open: tonight's dump belongs to today.
"""

from datetime import date

import dagster as dg

from hackorda_ops.calendar.partitions import first_night, quarter_of, week_of, year_of
from hackorda_ops.config.models import Schedule


def nights(schedule: Schedule) -> dg.DailyPartitionsDefinition:
    """One partition per local date, "2026-11-08", from the first one to today."""
    return dg.DailyPartitionsDefinition(
        start_date=first_night(schedule).isoformat(), timezone=schedule.timezone, end_offset=1
    )


def weeks(schedule: Schedule) -> dg.WeeklyPartitionsDefinition:
    """One partition per week, named by its Monday, from that of the first night to the present one."""
    return dg.WeeklyPartitionsDefinition(
        # A start in mid-week would silently move to the next Monday, and lose the first week.
        start_date=week_of(first_night(schedule)).isoformat(),
        timezone=schedule.timezone,
        day_offset=1,
        end_offset=1,
    )


def quarters(schedule: Schedule) -> dg.TimeWindowPartitionsDefinition:
    """One partition per quarter, named by its first day, from that of the first night to the present one."""
    return _from(quarter_of(first_night(schedule)), "0 0 1 1,4,7,10 *", schedule)


def years(schedule: Schedule) -> dg.TimeWindowPartitionsDefinition:
    """One partition per year, named by its first day, from that of the first night to the present one."""
    return _from(year_of(first_night(schedule)), "0 0 1 1 *", schedule)


def _from(first: date, cron: str, schedule: Schedule) -> dg.TimeWindowPartitionsDefinition:
    # As with weeks: a start in mid-quarter would lose the first one, and so `first` begins one.
    return dg.TimeWindowPartitionsDefinition(
        start=first.isoformat(),
        fmt="%Y-%m-%d",
        cron_schedule=cron,
        timezone=schedule.timezone,
        end_offset=1,
    )
