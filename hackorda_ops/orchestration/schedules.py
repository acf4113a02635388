"""When nights, weeks, quarters and exercises start: on by default, in the database's time zone.

`calendar.due` decides what a tick asks for. Written by hand, because Dagster's own schedules for
partitioned jobs accept no custom cron and would name the window that has just ended.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import dagster as dg
from dagster import DagsterInstance

from hackorda_ops.calendar.catching_up import asked_by, built_on, held_up_by
from hackorda_ops.calendar.due import Due, DueKind, cron_of
from hackorda_ops.config.models import Policy
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration import instance as known
from hackorda_ops.orchestration.held import held_by_maintenance
from hackorda_ops.orchestration.jobs import AssetJob, assets_of
from hackorda_ops.orchestration.labels import labels
from hackorda_ops.orchestration.names import called, for_all

MISSED_WORK: Final = "start_missed_work"
"""The name of the missed-work sensor."""
_DOES: Final[dict[DueKind, str]] = {
    "night": "dump_every_night",
    "week": "copy_every_week",
    "quarter": "drill_every_quarter",
    "year": "exercise_every_year",
}
_DESCRIPTIONS: Final[dict[DueKind, str]] = {
    "night": "Takes the night of {name}.",
    "week": "Copies the week of {name} off-site.",
    "quarter": "Drills {name}, right after the quarter's first copy.",
    "year": "Runs the yearly recovery exercise of {name}.",
}


def schedule_name(kind: DueKind, name: str) -> str:
    """The name of a kind's schedule in Dagster: whose it is, what it does, how often."""
    return called(name, _DOES[kind])


def every(
    kind: DueKind, name: str, database: Policy, jobs: Mapping[DueKind, AssetJob]
) -> dg.ScheduleDefinition:
    """Requests the night, week, quarter or year of each tick that is due, not too late, and in its turn.

    Args:
        kind: of partition.
        name: the database's name in databases.yaml.
        database: its configuration.
        jobs: what its schedules start.
    """
    schedule = database.schedule

    @dg.schedule(
        name=schedule_name(kind, name),
        cron_schedule=cron_of(kind, schedule),
        execution_timezone=schedule.timezone,
        job=jobs[kind],
        description=_DESCRIPTIONS[kind].format(name=name),
        tags=labels(name, kind),
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(
        context: dg.ScheduleEvaluationContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> dg.RunRequest | dg.SkipReason:
        answer = asked_by(kind, schedule, context.scheduled_execution_time, clock.now())
        if isinstance(answer, str):
            return dg.SkipReason(answer)
        if held := held_by_maintenance(name, database, environ):
            return dg.SkipReason(held)
        request = dg.RunRequest(partition_key=answer.isoformat())
        if (before := built_on(kind, jobs)) is None:
            return request
        # In UTC: a second before a local time at which clocks go forward does not exist.
        at = context.scheduled_execution_time.astimezone(UTC)
        missed = _missed(context.instance, before, name, database, jobs[before].name, tick=at)
        if missed is None:
            return request
        return dg.SkipReason(
            f"The {before} {missed.partition} was due before it and never begun. The missed-work sensor starts "
            f"that first, and then {answer}."
        )

    return tick


def _missed(
    instance: DagsterInstance, kind: DueKind, name: str, database: Policy, job_name: str, *, tick: datetime
) -> Due | None:
    """The newest of a kind that was due before a tick, if the missed-work sensor has still to start it."""
    switches = known.switches(instance)
    asset = assets_of(name, database)[kind]
    since = switches.since(schedule_name(kind, name), last_made=known.last_made(instance, asset))
    if since is None or not switches.is_on(for_all(name, MISSED_WORK)):
        return None
    return held_up_by(
        kind,
        database.schedule,
        since=since,
        tick=tick,
        history=known.history(instance, name, database),
        begun=lambda dues: known.begun(instance, asset, job_name, dues),
    )


def without_catching_up(
    job: AssetJob,
    cron: str,
    *,
    name: str,
    description: str,
    timezone: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.ScheduleDefinition:
    """Requests a job at every tick, and is on by default. A missed tick is missed, so there's no partition.

    Args:
        job: what it starts.
        cron: when.
        name: of the schedule.
        description: of the schedule.
        timezone: of `cron`; None for UTC.
        tags: of the schedule, and of the runs that it starts.
    """
    return dg.ScheduleDefinition(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone=timezone,
        description=description,
        tags=tags,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
