"""When nights, weeks, quarters and exercises start: on by default, in the database's time zone.

What a tick asks for is `backup.due`'s to say. Written by hand, because Dagster's own schedules for
partitioned jobs take no cron of ours and would name the window that has just ended.
"""

from datetime import datetime, timedelta
from typing import Final

import dagster as dg

from hackorda_ops.backup.due import Kind, cron_of, first_partition, is_due, partition_of
from hackorda_ops.config import Schedule
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.jobs import AssetJob

# A daemon that was down starts the newest tick of every schedule at once, however old: a copy beside the
# night that it should take. What is later than this is left to `missed_work`, which keeps the order.
LATEST_TICK: Final = timedelta(hours=1)

_DESCRIPTIONS: Final[dict[Kind, str]] = {
    "night": "Takes the night of {name}.",
    "week": "Copies the week of {name} off-site.",
    "quarter": "Drills {name}, right after the quarter's first copy.",
    "year": "Holds the yearly recovery exercise of {name}.",
}


def schedule_name(kind: Kind, name: str) -> str:
    """What the schedule of a kind is called in Dagster."""
    return f"{name}_every_{kind}"


def every(kind: Kind, name: str, schedule: Schedule, job: AssetJob) -> dg.ScheduleDefinition:
    """Requests the night, week, quarter or year of each tick that is due and not too late."""

    @dg.schedule(
        name=schedule_name(kind, name),
        cron_schedule=cron_of(kind, schedule),
        execution_timezone=schedule.timezone,
        job=job,
        description=_DESCRIPTIONS[kind].format(name=name),
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return _answer(kind, schedule, context.scheduled_execution_time, clock.now())

    return tick


def _answer(kind: Kind, schedule: Schedule, tick: datetime, now: datetime) -> dg.RunRequest | dg.SkipReason:
    partition = partition_of(kind, tick, schedule)
    if partition < (first := first_partition(kind, schedule)):
        return dg.SkipReason(f"Its schedule begins with {first}.")
    if not is_due(kind, tick, schedule):
        return dg.SkipReason("What this tick's partition needs was due at an earlier one.")
    if now - tick > LATEST_TICK:
        return dg.SkipReason(
            f"The daemon came to it {now - tick} late. The sensor of missed work starts {partition} in its turn."
        )
    return dg.RunRequest(partition_key=partition.isoformat())


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
