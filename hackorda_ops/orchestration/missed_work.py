"""What the daemon missed while it was down: a sensor per database that starts it, once and in order.

Dagster does not catch up. The sensor asks what was due, by `backup.due`, and what Dagster ever began.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import dagster as dg
from dagster import AssetKey, DagsterInstance

from hackorda_ops.calendar.due import Due, DueKind
from hackorda_ops.config.models import Database, Schedule
from hackorda_ops.orchestration import clock, owed
from hackorda_ops.orchestration.assets import key
from hackorda_ops.orchestration.jobs import ASSETS, AssetJob
from hackorda_ops.orchestration.runs import NOT_FINISHED, is_of
from hackorda_ops.orchestration.schedules import LATEST_TICK, missed_work_name, schedule_name

_LOOK_EVERY_SECONDS: Final = 300
# Until then a tick of the schedule may still start it: as late as it takes, an hour later where clocks go
# back (Dagster ticks at the second 02:30, `backup.due` at the first), and the time to make a run of it.
GRACE: Final = LATEST_TICK + timedelta(hours=1, minutes=15)
# Each builds on the one before: the copy takes the newest night, the drill the newest copy.
_IN_ORDER: Final[tuple[DueKind, ...]] = ("night", "week", "quarter", "year")


@dataclass(frozen=True)
class Seen:
    """What Dagster knows of the partitions of one kind.

    Attributes:
        begun: those that are materialized, or had a run, however it ended: a person was told of it, or ended it.
        running: whether a run of that kind, of any partition, has not ended.
    """

    begun: frozenset[date]
    running: bool


def can_be_made_up_for(
    kind: DueKind, schedule: Schedule, *, since: datetime, now: datetime, history: timedelta
) -> tuple[Due, ...]:
    """What was due long enough ago for no tick to come, and recently enough to be of use; newest first. Pure.

    Args:
        kind: of partition.
        schedule: the database's.
        since: when its schedule was switched on.
        now: the time, aware.
        history: as `owed.of_use_still` takes it.
    """
    return owed.of_use_still(kind, schedule, since=since, until=now - GRACE, now=now, history=history)


def to_start(candidates: Mapping[DueKind, Sequence[Due]], seen: Mapping[DueKind, Seen]) -> tuple[Due, ...]:
    """What to start now: what is missing of the first kind that misses something, once the kinds before are done.

    Pure.

    Args:
        candidates: per kind what can be made up for.
        seen: per kind of `candidates` what Dagster knows.
    """
    for kind in _IN_ORDER:
        if kind not in candidates:
            continue
        if missing := tuple(due for due in candidates[kind] if due.partition not in seen[kind].begun):
            return missing
        if seen[kind].running:
            return ()
    return ()


def missed_work(name: str, database: Database, jobs: Mapping[DueKind, AssetJob]) -> dg.SensorDefinition:
    """Starts what the schedules of a database missed.

    Args:
        name: the database's name in databases.yaml.
        database: its configuration.
        jobs: what its schedules start.
    """

    @dg.sensor(
        name=missed_work_name(name),
        jobs=list(jobs.values()),
        description=f"Starts the nights, weeks, quarters and exercises of {name} that were due while the daemon "
        "was down, each once: nights first, then the copy, then the drill. What has failed waits for a person.",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_LOOK_EVERY_SECONDS,
    )
    def look(context: dg.SensorEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        instance, now = context.instance, clock.now()
        running_since = owed.running_since(instance)
        history = owed.history(instance, name, database)
        candidates = {
            kind: can_be_made_up_for(kind, database.schedule, since=since, now=now, history=history)
            for kind in jobs
            if (since := running_since.get(schedule_name(kind, name)))
        }
        seen = {
            kind: _seen(instance, key(name, ASSETS[kind]), jobs[kind].name, dues)
            for kind, dues in candidates.items()
        }
        missing = to_start(candidates, seen)
        if not missing:
            return dg.SkipReason("Nothing that was due is missing, or what it builds on still runs.")
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
        begun=owed.begun(instance, asset, job_name, dues),
        running=any(is_of(run, asset, job_name) for run in unfinished),
    )
