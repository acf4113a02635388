"""A drill after a schema change on a source: a sensor that starts it, once.

It uses the metadata of what Dagster has materialized, so a look needs no store and no network.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

import dagster as dg
from dagster import AssetKey, AssetMaterialization, DagsterInstance

from hackorda_ops.artifacts.ids import id_is_ahead
from hackorda_ops.calendar.changed_schema import A_DAY, NightSeen, SchemaSeen, asked_for, has_to_wait
from hackorda_ops.calendar.due import DueKind
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.orchestration import clock, metadata
from hackorda_ops.orchestration import instance as known
from hackorda_ops.orchestration.assets import DRILL_REPORT, night_key
from hackorda_ops.orchestration.held import held_by_maintenance
from hackorda_ops.orchestration.jobs import AssetJob, assets_of
from hackorda_ops.orchestration.names import for_all, key
from hackorda_ops.orchestration.runs import NOT_FINISHED, is_of
from hackorda_ops.orchestration.sensors.side_by_side import SideBySide, answered

NAME: Final = "drill_changed_schemas"
_STARTED: Final[tuple[DueKind, ...]] = ("week", "quarter")
_LOOK_EVERY_SECONDS: Final = 900
# Backfills of past nights are materialized after newer ones: this many are searched for the newest artifact.
_NIGHTS_LOOKED_AT: Final = 50
# And so do backfills of past weeks and quarters.
_COPIES_LOOKED_AT: Final = 10
_REPORTS_LOOKED_AT: Final = 10


def schema_change(config: Config, jobs: Mapping[str, Mapping[DueKind, AssetJob]]) -> dg.SensorDefinition:
    """Starts a drill of this quarter where the schema differs from the one drilled last.

    Args:
        config: of every protected database.
        jobs: per database, what its schedules start.
    """
    databases = SideBySide(config.databases)

    @dg.sensor(
        name=for_all(config, NAME),
        jobs=[of_kinds[kind] for of_kinds in jobs.values() for kind in _STARTED if kind in of_kinds],
        description="When a night of a database has a different schema from the artifact that was drilled last: has "
        "it copied off-site, and drills the copy. At most one drill of a database a day.",
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
                answer = _asked(instance, name, database, jobs[name], now)
            if isinstance(answer, list) and (held := held_by_maintenance(name, database, environ)):
                return held
            return answer

        return answered(context, databases.look(at))

    return look


def _asked(
    instance: DagsterInstance, name: str, database: Policy, jobs: Mapping[DueKind, AssetJob], now: datetime
) -> list[dg.RunRequest] | str:
    assets = {
        kind: asset for kind, asset in assets_of(name, database).items() if kind in _STARTED and kind in jobs
    }
    night = _newest_night(instance, night_key(name, database), now)
    # A night that went straight off-site is its own copy.
    copied = _newest(instance, assets["week"], _COPIES_LOOKED_AT, now) if "week" in assets else night
    drilled = _newest(instance, key(name, DRILL_REPORT), _REPORTS_LOOKED_AT, now)
    asked = asked_for(night, copied, drilled, schedule=database.schedule, now=now)
    if asked is None:
        return "The newest night's schema is the one that was drilled last, or nothing was drilled yet."
    busy = instance.get_runs(dg.RunsFilter(statuses=NOT_FINISHED))
    recent = instance.get_runs(dg.RunsFilter(created_after=now - A_DAY))
    reason = has_to_wait(
        asked.kind,
        database.schedule,
        now=now,
        busy=any(is_of(run, asset, jobs[each].name) for run in busy for each, asset in assets.items()),
        drilled_today=any(is_of(run, assets["quarter"], jobs["quarter"].name) for run in recent),
    )
    if reason:
        return f"The newest night's schema was never drilled. {reason}"
    # Once for an artifact: a copy or a drill that fails raises an alarm, and waits for a person. Dagster itself
    # remembers that only for as long as the sensor keeps its name.
    run_key = f"{asked.kind} of {asked.artifact_id}"
    if known.requested(instance, run_key):
        return "The newest night's schema was never drilled, and what was started for that did not succeed."
    return [
        dg.RunRequest(
            run_key=run_key, job_name=jobs[asked.kind].name, partition_key=asked.partition.isoformat()
        )
    ]


def _newest_night(instance: DagsterInstance, asset: AssetKey, now: datetime) -> NightSeen | None:
    nights = [
        NightSeen(artifact.artifact_id, artifact.schema, date.fromisoformat(found.partition))
        for found in _materialized(instance, asset, _NIGHTS_LOOKED_AT)
        if (artifact := _artifact(found, now)) and found.partition
    ]
    return max(nights, key=lambda night: night.artifact_id, default=None)


def _newest(instance: DagsterInstance, asset: AssetKey, limit: int, now: datetime) -> SchemaSeen | None:
    artifacts = [
        artifact for found in _materialized(instance, asset, limit) if (artifact := _artifact(found, now))
    ]
    return max(artifacts, key=lambda artifact: artifact.artifact_id, default=None)


def _artifact(found: AssetMaterialization, now: datetime) -> SchemaSeen | None:
    """What was materialized; None for what lacks an id or a digest, and for what is dated in the future."""
    artifact_id, schema = metadata.artifact_id(found), metadata.schema_digest(found)
    if not artifact_id or not schema or id_is_ahead(artifact_id, now):
        return None
    return SchemaSeen(artifact_id, schema)


def _materialized(instance: DagsterInstance, asset: AssetKey, limit: int) -> list[AssetMaterialization]:
    records = instance.fetch_materializations(asset, limit=limit).records
    return [record.asset_materialization for record in records if record.asset_materialization]
