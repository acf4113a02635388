"""When nights, weeks, quarters and exercises start: on by default, in the database's time zone.

Written by hand, because Dagster's own schedules for partitioned jobs take no cron of ours and
would name the window that has just ended.
"""

from collections.abc import Callable
from datetime import date, datetime

import dagster as dg

from hackorda_ops.backup.calendar import (
    is_first_tick_of_quarter,
    is_first_tick_of_year,
    night_of,
    quarter_of,
    week_of,
    year_of,
)
from hackorda_ops.config import Schedule
from hackorda_ops.orchestration.jobs import AssetJob


def every_night(name: str, schedule: Schedule, job: AssetJob) -> dg.ScheduleDefinition:
    """Requests the night of each tick: its local date."""
    return _schedule(
        f"{name}_every_night",
        job,
        cron=schedule.night,
        timezone=schedule.timezone,
        description=f"Takes the night of {name}.",
        partition_of=lambda tick: night_of(tick, schedule),
        first=schedule.since,
    )


def every_week(name: str, schedule: Schedule, job: AssetJob) -> dg.ScheduleDefinition:
    """Requests the week that each tick lies in, by its Monday."""
    return _schedule(
        f"{name}_every_week",
        job,
        cron=schedule.week,
        timezone=schedule.timezone,
        description=f"Copies the week of {name} off-site.",
        partition_of=lambda tick: week_of(night_of(tick, schedule)),
        first=week_of(schedule.since),
    )


def every_quarter(name: str, schedule: Schedule, job: AssetJob) -> dg.ScheduleDefinition:
    """Requests a quarter at the first tick that lies in it.

    Cron can't say "the first Sunday of a quarter", so it ticks every week and most ticks are skipped.
    """
    return _schedule(
        f"{name}_every_quarter",
        job,
        cron=schedule.quarter,
        timezone=schedule.timezone,
        description=f"Drills {name}, right after the quarter's first copy.",
        partition_of=lambda tick: quarter_of(night_of(tick, schedule)),
        first=quarter_of(schedule.since),
        due=lambda tick: is_first_tick_of_quarter(tick, schedule),
    )


def every_year(name: str, schedule: Schedule, job: AssetJob) -> dg.ScheduleDefinition:
    """Requests a year at the first tick that lies in it; see `every_quarter`."""
    return _schedule(
        f"{name}_every_year",
        job,
        cron=schedule.exercise,
        timezone=schedule.timezone,
        description=f"Holds the yearly recovery exercise of {name}.",
        partition_of=lambda tick: year_of(night_of(tick, schedule)),
        first=year_of(schedule.since),
        due=lambda tick: is_first_tick_of_year(tick, schedule),
    )


def history_every_week(name: str, schedule: Schedule, job: AssetJob) -> dg.ScheduleDefinition:
    """Checks the provider's history with each week's copy. Nothing can be made up for, so there's no partition."""
    return dg.ScheduleDefinition(
        name=f"{name}_history_every_week",
        job=job,
        cron_schedule=schedule.week,
        execution_timezone=schedule.timezone,
        description=f"Opens a branch near the far end of the history of {name}.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def _schedule(
    name: str,
    job: AssetJob,
    *,
    cron: str,
    timezone: str,
    description: str,
    partition_of: Callable[[datetime], date],
    first: date,
    due: Callable[[datetime], bool] = lambda _tick: True,
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        cron_schedule=cron,
        execution_timezone=timezone,
        job=job,
        description=description,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        partition = partition_of(context.scheduled_execution_time)
        if partition < first:
            return dg.SkipReason(f"Its schedule begins with {first}.")
        if not due(context.scheduled_execution_time):
            return dg.SkipReason("What this tick's partition needs was due at an earlier one.")
        return dg.RunRequest(partition_key=partition.isoformat())

    return tick
