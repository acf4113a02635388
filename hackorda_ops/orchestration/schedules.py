"""When nights and weeks start: on by default, in the database's time zone.

Written by hand, because Dagster's own schedules for partitioned jobs take no cron of ours and
would name the window that has just ended.
"""

from collections.abc import Callable
from datetime import date, datetime

import dagster as dg

from hackorda_ops.backup.calendar import night_of, week_of
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


def _schedule(
    name: str,
    job: AssetJob,
    *,
    cron: str,
    timezone: str,
    description: str,
    partition_of: Callable[[datetime], date],
    first: date,
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
        return dg.RunRequest(partition_key=partition.isoformat())

    return tick
