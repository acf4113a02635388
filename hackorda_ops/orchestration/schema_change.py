"""A drill after a change of the source's schema: a sensor per database that starts it, once.

It goes by the metadata of what Dagster has materialized, so a look costs no store and no network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

import dagster as dg
from dagster import AssetKey, AssetMaterialization, DagsterInstance

from hackorda_ops.calendar.due import DueKind, due_between, partition_of
from hackorda_ops.calendar.partitions import week_of
from hackorda_ops.config.models import Database, Schedule
from hackorda_ops.orchestration import clock, metadata
from hackorda_ops.orchestration.assets import DRILL_REPORT, NIGHTLY_DUMP, OFFSITE_COPY, RESTORE_DRILL, key
from hackorda_ops.orchestration.jobs import AssetJob
from hackorda_ops.orchestration.runs import NOT_FINISHED, is_of

_LOOK_EVERY_SECONDS: Final = 900
_A_DAY: Final = timedelta(days=1)
# Backfills of past nights are materialized after newer ones: so many are asked which artifact is newest.
_NIGHTS_LOOKED_AT: Final = 10
# And so do backfills of past weeks and quarters.
_COPIES_LOOKED_AT: Final = 10
_REPORTS_LOOKED_AT: Final = 10


@dataclass(frozen=True)
class Artifact:
    """An artifact that was copied off-site, or drilled, or a night that may be.

    Attributes:
        artifact_id: which sorts by the time that it was captured.
        schema: the digest of its schema.
    """

    artifact_id: str
    schema: str


@dataclass(frozen=True)
class Night(Artifact):
    """The newest sound night.

    Attributes:
        night: its partition.
    """

    night: date


def what_is_missing(
    night: Night | None, copied: Artifact | None, drilled: Artifact | None
) -> Literal["week", "quarter"] | None:
    """What has to be done until the newest night's schema has been drilled: its copy first, since drills restore that.

    Pure. Nothing where no drill was held yet: the quarter's own is the first.

    Args:
        night: the newest sound night.
        copied: the newest artifact that was copied off-site.
        drilled: the newest artifact that was drilled, whatever the verdict: a person was told of it.
    """
    if night is None or drilled is None or drilled.schema == night.schema:
        return None
    return "quarter" if copied is not None and copied.schema == night.schema else "week"


def has_to_wait(
    kind: DueKind, schedule: Schedule, *, now: datetime, busy: bool, drilled_today: bool
) -> str | None:
    """Why it's not started now, in a sentence; None where it may be. Pure.

    Args:
        kind: what is missing.
        schedule: the database's.
        now: the time, aware.
        busy: whether a copy or a drill of the database has not ended.
        drilled_today: whether a drill was started in the last 24 hours.
    """
    if busy:
        return "A copy or a drill still runs."
    if kind == "quarter" and drilled_today:
        return "A drill was started in the last 24 hours, and one a day is enough."
    if next(due_between(kind, schedule, after=now, until=now + _A_DAY), None):
        return f"The {kind}'s own is due within 24 hours."
    return None


def schema_change(name: str, database: Database, jobs: Mapping[DueKind, AssetJob]) -> dg.SensorDefinition:
    """Starts a drill of this quarter when the schema is another than the one drilled last.

    Args:
        name: the database's name in databases.yaml.
        database: its configuration.
        jobs: what its schedules start.
    """
    assets: Final[dict[DueKind, AssetKey]] = {
        "week": key(name, OFFSITE_COPY),
        "quarter": key(name, RESTORE_DRILL),
    }

    @dg.sensor(
        name=f"{name}_schema_change",
        jobs=[jobs[kind] for kind in assets],
        description=f"When a night of {name} has another schema than the artifact that was drilled last: has it "
        "copied off-site, and drills the copy. At most one drill a day.",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_LOOK_EVERY_SECONDS,
    )
    def look(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        instance, now = context.instance, clock.now()
        night = _newest_night(instance, name)
        copied = _newest(instance, key(name, OFFSITE_COPY), _COPIES_LOOKED_AT)
        drilled = _newest(instance, key(name, DRILL_REPORT), _REPORTS_LOOKED_AT)
        kind = what_is_missing(night, copied, drilled)
        if kind is None or night is None:
            return dg.SkipReason(
                "The newest night's schema is the one that was drilled last, or nothing was yet."
            )
        busy = instance.get_runs(dg.RunsFilter(statuses=NOT_FINISHED))
        recent = instance.get_runs(dg.RunsFilter(created_after=now - _A_DAY))
        reason = has_to_wait(
            kind,
            database.schedule,
            now=now,
            busy=any(is_of(run, asset, jobs[each].name) for run in busy for each, asset in assets.items()),
            drilled_today=any(is_of(run, assets["quarter"], jobs["quarter"].name) for run in recent),
        )
        if reason:
            return dg.SkipReason(f"The newest night's schema was never drilled. {reason}")
        # Once for an artifact: a copy or a drill that fails is told of, and waits for a person.
        if kind == "quarter" and copied is not None:
            partition, artifact_id = partition_of(kind, now, database.schedule), copied.artifact_id
        else:
            partition, artifact_id = week_of(night.night), night.artifact_id
        return dg.RunRequest(
            run_key=f"{kind} of {artifact_id}", job_name=jobs[kind].name, partition_key=partition.isoformat()
        )

    return look


def _newest_night(instance: DagsterInstance, name: str) -> Night | None:
    nights = [
        Night(artifact.artifact_id, artifact.schema, date.fromisoformat(found.partition))
        for found in _materialized(instance, key(name, NIGHTLY_DUMP), _NIGHTS_LOOKED_AT)
        if (artifact := _artifact(found)) and found.partition
    ]
    return max(nights, key=lambda night: night.artifact_id, default=None)


def _newest(instance: DagsterInstance, asset: AssetKey, limit: int) -> Artifact | None:
    artifacts = filter(None, map(_artifact, _materialized(instance, asset, limit)))
    return max(artifacts, key=lambda artifact: artifact.artifact_id, default=None)


def _artifact(found: AssetMaterialization) -> Artifact | None:
    artifact_id, schema = metadata.artifact_id(found), metadata.schema_digest(found)
    return Artifact(artifact_id, schema) if artifact_id and schema else None


def _materialized(instance: DagsterInstance, asset: AssetKey, limit: int) -> list[AssetMaterialization]:
    records = instance.fetch_materializations(asset, limit=limit).records
    return [record.asset_materialization for record in records if record.asset_materialization]
