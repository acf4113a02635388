"""A proof after each night: a sensor that starts it once the night has materialized, however late that was."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final

import dagster as dg
from dagster import AssetKey, DagsterInstance

from hackorda_ops.calendar.nights_to_prove import Materialized, to_prove
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration import instance as known
from hackorda_ops.orchestration.assets import NIGHT_PROOF, night_key
from hackorda_ops.orchestration.held import held_by_maintenance
from hackorda_ops.orchestration.jobs import AssetJob
from hackorda_ops.orchestration.names import for_all, key
from hackorda_ops.orchestration.runs import NOT_FINISHED, is_of
from hackorda_ops.orchestration.sensors.side_by_side import SideBySide, answered

NAME: Final = "prove_nights"
_LOOK_EVERY_SECONDS: Final = 60
# Backfills of past nights, and nights that were taken again, are materialized in between.
_LOOKED_AT: Final = 50


def nights_to_prove(config: Config, jobs: Mapping[str, AssetJob]) -> dg.SensorDefinition:
    """Starts the proof of each night that has materialized.

    Args:
        config: of every protected database.
        jobs: per database that is proven, what proves a night.
    """
    databases = SideBySide(jobs)

    @dg.sensor(
        name=for_all(config, NAME),
        jobs=list(jobs.values()),
        description="Proves each night once it's there, and the newest one that was missed while the daemon was down; "
        "with `proof: {every: week}` one of each week.",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_LOOK_EVERY_SECONDS,
    )
    def look(
        context: dg.SensorEvaluationContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> list[dg.RunRequest] | dg.SkipReason:
        instance, now = context.instance, clock.now()

        def at(name: str) -> list[dg.RunRequest] | str:
            database = config.databases[name]
            with databases.storage:
                requests = _asked(instance, name, database, jobs[name].name, now)
            if requests and (held := held_by_maintenance(name, database, environ)):
                return held
            return requests or "Every night that is to be proven was."

        return answered(context, databases.look(at))

    return look


def _asked(
    instance: DagsterInstance, name: str, database: Policy, job_name: str, now: datetime
) -> list[dg.RunRequest]:
    own = key(name, NIGHT_PROOF)
    wanted = to_prove(
        _materialized(instance, night_key(name, database)),
        _materialized(instance, own),
        every="week" if database.proof.every == "week" else "night",
        now=now,
    )
    requests = []
    for each in wanted:
        # Once for a night as it was taken; taken again, it's another artifact. What failed waits for a person.
        run_key = f"{own.to_user_string()} {each.partition} {each.event_id}"
        if not known.requested(instance, run_key):
            requests.append(
                dg.RunRequest(run_key=run_key, job_name=job_name, partition_key=each.partition.isoformat())
            )
    if requests and database.proof.every == "week":
        # One that runs may be the week's.
        unfinished = instance.get_runs(dg.RunsFilter(statuses=NOT_FINISHED))
        if any(is_of(run, own, job_name) for run in unfinished):
            return []
    return requests


def _materialized(instance: DagsterInstance, asset: AssetKey) -> list[Materialized]:
    return [
        Materialized(
            date.fromisoformat(record.partition_key),
            datetime.fromtimestamp(record.timestamp, UTC),
            record.storage_id,
        )
        for record in instance.fetch_materializations(asset, limit=_LOOKED_AT).records
        if record.partition_key
    ]
