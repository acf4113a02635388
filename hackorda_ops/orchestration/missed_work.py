"""What the daemon missed while it was down: a sensor per database that starts it, once and in order.

Dagster does not catch up. The sensor asks what was due, by `backup.due`, and what Dagster ever began.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import dagster as dg
from dagster import AssetKey, DagsterInstance

from hackorda_ops.backup.calendar import is_over
from hackorda_ops.backup.due import Due, Kind, due_between, newest_due, partition_of
from hackorda_ops.config import Database, Schedule
from hackorda_ops.orchestration import clock, metadata
from hackorda_ops.orchestration.assets import NIGHTLY_DUMP, key
from hackorda_ops.orchestration.jobs import ASSETS, AssetJob
from hackorda_ops.orchestration.runs import NOT_FINISHED, PARTITION_TAG, is_of
from hackorda_ops.orchestration.schedules import LATEST_TICK, schedule_name

_LOOK_EVERY_SECONDS: Final = 300
# Until then a tick of the schedule may still start it: as late as it takes, an hour later where clocks go
# back (Dagster ticks at the second 02:30, `backup.due` at the first), and the time to make a run of it.
GRACE: Final = LATEST_TICK + timedelta(hours=1, minutes=15)
# Each builds on the one before: the copy takes the newest night, the drill the newest copy.
_IN_ORDER: Final[tuple[Kind, ...]] = ("night", "week", "quarter", "year")


@dataclass(frozen=True)
class Seen:
    """What Dagster knows of the partitions of one kind.

    Attributes:
        begun: those that are materialized, or had a run, however it ended: a person was told of it.
        running: whether a run of that kind, of any partition, has not ended.
    """

    begun: frozenset[date]
    running: bool


def can_be_made_up_for(
    kind: Kind, schedule: Schedule, *, since: datetime, now: datetime, history: timedelta
) -> tuple[Due, ...]:
    """What was due long enough ago for no tick to come, and recently enough to be of use; newest first. Pure.

    A night for as long as a dump taken now may stand for it, or as the provider's history reaches back
    to it; this week and the last; this quarter; this year. A past quarter's or year's proof would say
    nothing of today's backups: it stays open for a person to backfill.

    Args:
        kind: of partition.
        schedule: the database's.
        since: when its schedule was switched on; what was due before then was not missed.
        now: the time, aware.
        history: how far back nights can be had from the provider's history; zero where there's none.
    """
    until = now - GRACE
    newest = newest_due(kind, schedule, until)
    if newest is None:
        return ()
    back = {"night": history, "week": timedelta(days=14)}.get(kind, timedelta())
    present = partition_of(kind, now, schedule)

    def of_use(due: Due) -> bool:
        if kind == "night":
            return due.at > now - history or not is_over(due.partition, now, schedule)
        return due.partition >= (present - timedelta(days=7) if kind == "week" else present)

    # In UTC: a second before the local time at which clocks went forward there was no local time.
    after = max(since, min(newest.at.astimezone(UTC) - timedelta(seconds=1), now - back))
    found = {due.partition: due for due in due_between(kind, schedule, after=after, until=until)}
    return tuple(sorted(filter(of_use, found.values()), key=lambda due: due.partition, reverse=True))


def to_start(candidates: Mapping[Kind, Sequence[Due]], seen: Mapping[Kind, Seen]) -> tuple[Due, ...]:
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


def missed_work(name: str, database: Database, jobs: Mapping[Kind, AssetJob]) -> dg.SensorDefinition:
    """Starts what the schedules of a database missed.

    Args:
        name: the database's name in databases.yaml.
        database: its configuration.
        jobs: what its schedules start.
    """

    @dg.sensor(
        name=f"{name}_missed_work",
        jobs=list(jobs.values()),
        description=f"Starts the nights, weeks, quarters and exercises of {name} that were due while the daemon "
        "was down, each once: nights first, then the copy, then the drill. What has failed waits for a person.",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_LOOK_EVERY_SECONDS,
    )
    def look(context: dg.SensorEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        instance, now = context.instance, clock.now()
        running_since = _running_since(instance)
        history = _history(instance, name, database)
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


def _running_since(instance: DagsterInstance) -> dict[str, datetime]:
    """When each schedule was switched on, by name. One that somebody switched off misses nothing."""
    return {
        state.instigator_name: datetime.fromtimestamp(started, UTC)
        for state in instance.all_instigator_state()
        if state.is_running and (started := getattr(state.instigator_data, "start_timestamp", None))
    }


def _history(instance: DagsterInstance, name: str, database: Database) -> timedelta:
    """How far back past nights are tried: where nights are read from branches, as far as they are relied upon."""
    if database.dump_from is None:
        newest = instance.get_latest_materialization_event(key(name, NIGHTLY_DUMP))
        on_branches = newest is not None and metadata.is_of_a_branch(newest.asset_materialization)
    else:
        on_branches = database.dump_from == "branch"
    return timedelta(days=database.objectives.history_days) if on_branches else timedelta()


def _seen(instance: DagsterInstance, asset: AssetKey, job_name: str, dues: Sequence[Due]) -> Seen:
    partitions = {due.partition.isoformat(): due.partition for due in dues}
    begun = instance.get_materialized_partitions(asset) & partitions.keys() if partitions else set()
    if partitions:
        # By tag and not by key of the request: schedules, backfills and people start runs as well.
        of_partitions = dg.RunsFilter(tags={PARTITION_TAG: list(partitions)})
        begun |= {
            run.tags[PARTITION_TAG] for run in instance.get_runs(of_partitions) if is_of(run, asset, job_name)
        }
    unfinished = instance.get_runs(dg.RunsFilter(statuses=NOT_FINISHED))
    return Seen(
        begun=frozenset(partitions[each] for each in begun),
        running=any(is_of(run, asset, job_name) for run in unfinished),
    )
