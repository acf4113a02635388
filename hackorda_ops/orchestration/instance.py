"""What a Dagster instance knows of a database's schedules: what is switched on, and what was ever begun."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from dagster import AssetKey, DagsterInstance, RunsFilter

from hackorda_ops.calendar.due import Due
from hackorda_ops.config.models import Policy
from hackorda_ops.orchestration import metadata
from hackorda_ops.orchestration.assets import night_key
from hackorda_ops.orchestration.runs import PARTITION_TAG, is_of


def begun(instance: DagsterInstance, asset: AssetKey, job_name: str, dues: Sequence[Due]) -> frozenset[date]:
    """Those that are materialized, or had a run, however it ended: a person was alerted, or ended it.

    Args:
        instance: Dagster's instance.
        asset: the asset's key.
        job_name: the job that the schedules start for it.
        dues: the partitions in question.
    """
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
    """Whether the daemon runs a sensor."""
    return any(
        state.is_running and state.instigator_name == sensor for state in instance.all_instigator_state()
    )


def history(instance: DagsterInstance, name: str, database: Policy) -> timedelta:
    """How far back past nights are tried: where nights are read from branches, as far back as is relied on.

    Args:
        instance: Dagster's instance.
        name: the database's name in databases.yaml.
        database: the database's configuration.
    """
    if database.dump_from is None:
        newest = instance.get_latest_materialization_event(night_key(name, database))
        on_branches = newest is not None and metadata.is_of_a_branch(newest.asset_materialization)
    else:
        on_branches = database.dump_from == "branch"
    return timedelta(days=database.objectives.history_days) if on_branches else timedelta()
