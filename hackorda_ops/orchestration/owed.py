"""What the schedules of a database owe: what was due since they were switched on, and was never begun.

A tick and the sensor of missed work both ask, so that neither takes what builds on something before it.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from dagster import AssetKey, DagsterInstance, RunsFilter

from hackorda_ops.calendar.due import Due, DueKind, due_between, newest_due, partition_of
from hackorda_ops.calendar.partitions import is_over
from hackorda_ops.config.models import Database, Schedule
from hackorda_ops.orchestration import metadata
from hackorda_ops.orchestration.assets import NIGHTLY_DUMP, key
from hackorda_ops.orchestration.runs import PARTITION_TAG, is_of


def of_use_still(
    kind: DueKind, schedule: Schedule, *, since: datetime, until: datetime, now: datetime, history: timedelta
) -> tuple[Due, ...]:
    """What was due, and recently enough to be of use; newest first. Pure.

    A night for as long as a dump taken now may stand for it, or as the provider's history reaches back
    to it; this week and the last; this quarter; this year. A past quarter's or year's proof would say
    nothing of today's backups: it stays open for a person to backfill.

    Args:
        kind: of partition.
        schedule: the database's.
        since: when its schedule was switched on; what was due before then was not missed.
        until: what was due later than this is left out.
        now: the time, aware.
        history: how far back nights can be had from the provider's history; zero where there's none.
    """
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


def begun(instance: DagsterInstance, asset: AssetKey, job_name: str, dues: Sequence[Due]) -> frozenset[date]:
    """Those that are materialized, or had a run, however it ended: a person was told of it, or ended it."""
    partitions = {due.partition.isoformat(): due.partition for due in dues}
    if not partitions:
        return frozenset()
    found = instance.get_materialized_partitions(asset) & partitions.keys()
    # By tag and not by key of the request: schedules, backfills and people start runs as well.
    of_partitions = RunsFilter(tags={PARTITION_TAG: list(partitions)})
    found |= {
        run.tags[PARTITION_TAG] for run in instance.get_runs(of_partitions) if is_of(run, asset, job_name)
    }
    return frozenset(partitions[each] for each in found)


def running_since(instance: DagsterInstance) -> dict[str, datetime]:
    """When each schedule was switched on, by name. One that somebody switched off misses nothing."""
    return {
        state.instigator_name: datetime.fromtimestamp(started, UTC)
        for state in instance.all_instigator_state()
        if state.is_running and (started := getattr(state.instigator_data, "start_timestamp", None))
    }


def is_on(instance: DagsterInstance, sensor: str) -> bool:
    """Whether the daemon looks at a sensor."""
    return any(
        state.is_running and state.instigator_name == sensor for state in instance.all_instigator_state()
    )


def history(instance: DagsterInstance, name: str, database: Database) -> timedelta:
    """How far back past nights are tried: where nights are read from branches, as far as they are relied upon."""
    if database.dump_from is None:
        newest = instance.get_latest_materialization_event(key(name, NIGHTLY_DUMP))
        on_branches = newest is not None and metadata.is_of_a_branch(newest.asset_materialization)
    else:
        on_branches = database.dump_from == "branch"
    return timedelta(days=database.objectives.history_days) if on_branches else timedelta()
