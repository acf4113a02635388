"""What the daemon missed while it was down: a sensor per database that starts it, once and in order.

Dagster does not catch up. The sensor asks what was due (`calendar.catching_up`), and what Dagster ever began.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import dagster as dg
from dagster import AssetKey, DagsterInstance

from hackorda_ops.calendar.catching_up import Seen, can_be_made_up_for, to_start
from hackorda_ops.calendar.due import Due, DueKind
from hackorda_ops.config.models import Policy
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration import instance as known
from hackorda_ops.orchestration.held import held_by_maintenance
from hackorda_ops.orchestration.jobs import AssetJob, assets_of
from hackorda_ops.orchestration.runs import NOT_FINISHED, is_of
from hackorda_ops.orchestration.schedules import missed_work_name, schedule_name

_LOOK_EVERY_SECONDS: Final = 300


def missed_work(name: str, database: Policy, jobs: Mapping[DueKind, AssetJob]) -> dg.SensorDefinition:
    """Starts what the schedules of a database missed.

    Args:
        name: the database's name in databases.yaml.
        database: its configuration.
        jobs: what its schedules start.
    """
    assets = assets_of(name, database)

    @dg.sensor(
        name=missed_work_name(name),
        jobs=list(jobs.values()),
        description=f"Starts the nights, weeks, quarters and exercises of {name} that were due while the daemon "
        "was down, each once: nights first, then the copy, then the drill. What has failed waits for a person.",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_LOOK_EVERY_SECONDS,
    )
    def look(
        context: dg.SensorEvaluationContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> list[dg.RunRequest] | dg.SkipReason:
        instance, now = context.instance, clock.now()
        running_since = known.running_since(instance)
        history = known.history(instance, name, database)
        candidates = {
            kind: can_be_made_up_for(kind, database.schedule, since=since, now=now, history=history)
            for kind in jobs
            if (since := running_since.get(schedule_name(kind, name)))
        }
        seen = {
            kind: _seen(instance, assets[kind], jobs[kind].name, dues) for kind, dues in candidates.items()
        }
        missing = to_start(candidates, seen)
        if not missing:
            return dg.SkipReason("Nothing that was due is missing, or what it builds on is still running.")
        if held := held_by_maintenance(name, database, environ):
            return held
        return [
            dg.RunRequest(
                run_key=f"{due.kind} {due.partition}",
                job_name=jobs[due.kind].name,
                partition_key=due.partition.isoformat(),
            )
            for due in missing
        ]

    return look


def _seen(instance: DagsterInstance, asset: AssetKey, job_name: str, dues: Sequence[Due]) -> Seen:
    unfinished = instance.get_runs(dg.RunsFilter(statuses=NOT_FINISHED))
    return Seen(
        begun=known.begun(instance, asset, job_name, dues),
        running=any(is_of(run, asset, job_name) for run in unfinished),
    )
