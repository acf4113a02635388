"""What the daemon missed while it was down: a sensor that starts it, of each database once and in order.

Dagster does not catch up. The sensor asks what was due (`calendar.catching_up`), and what Dagster ever began.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import dagster as dg
from dagster import AssetKey, DagsterInstance

from hackorda_ops.calendar.catching_up import Seen, can_be_made_up_for, to_start
from hackorda_ops.calendar.due import Due, DueKind
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration import instance as known
from hackorda_ops.orchestration.held import held_by_maintenance
from hackorda_ops.orchestration.jobs import AssetJob, assets_of
from hackorda_ops.orchestration.names import for_all
from hackorda_ops.orchestration.runs import NOT_FINISHED, is_of
from hackorda_ops.orchestration.schedules import MISSED_WORK, schedule_name
from hackorda_ops.orchestration.sensors.side_by_side import SideBySide, answered

_LOOK_EVERY_SECONDS: Final = 300


def missed_work(config: Config, jobs: Mapping[str, Mapping[DueKind, AssetJob]]) -> dg.SensorDefinition:
    """Starts what the schedules missed.

    Args:
        config: of every protected database.
        jobs: per database, what its schedules start.
    """
    databases = SideBySide(config.databases)

    @dg.sensor(
        name=for_all(config, MISSED_WORK),
        jobs=[job for of_kinds in jobs.values() for job in of_kinds.values()],
        description="Starts the nights, weeks, quarters and exercises that were due while the daemon was down, each "
        "once: of each database nights first, then the copy, then the drill. What has failed waits for a person.",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_LOOK_EVERY_SECONDS,
    )
    def look(
        context: dg.SensorEvaluationContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> list[dg.RunRequest] | dg.SkipReason:
        instance, now = context.instance, clock.now()
        switches = known.switches(instance)

        def at(name: str) -> list[dg.RunRequest] | str:
            database = config.databases[name]
            with databases.storage:
                missing = _missing(instance, switches, name, database, jobs=jobs[name], now=now)
            if not missing:
                return "Nothing that was due is missing, or what it builds on is still running."
            if held := held_by_maintenance(name, database, environ):
                return held
            return [
                dg.RunRequest(
                    run_key=f"{name} {due.kind} {due.partition}",
                    job_name=jobs[name][due.kind].name,
                    partition_key=due.partition.isoformat(),
                )
                for due in missing
            ]

        return answered(context, databases.look(at))

    return look


def _missing(
    instance: DagsterInstance,
    switches: known.Switches,
    name: str,
    database: Policy,
    *,
    jobs: Mapping[DueKind, AssetJob],
    now: datetime,
) -> tuple[Due, ...]:
    assets = assets_of(name, database)
    history = known.history(instance, name, database)
    candidates = {
        kind: can_be_made_up_for(kind, database.schedule, since=since, now=now, history=history)
        for kind in jobs
        if (
            since := switches.since(
                schedule_name(kind, name), last_made=known.last_made(instance, assets[kind])
            )
        )
    }
    seen = {kind: _seen(instance, assets[kind], jobs[kind].name, dues) for kind, dues in candidates.items()}
    return to_start(candidates, seen)


def _seen(instance: DagsterInstance, asset: AssetKey, job_name: str, dues: Sequence[Due]) -> Seen:
    unfinished = instance.get_runs(dg.RunsFilter(statuses=NOT_FINISHED))
    return Seen(
        begun=known.begun(instance, asset, job_name, dues),
        running=any(is_of(run, asset, job_name) for run in unfinished),
    )
