"""What a Dagster instance knows of a database's schedules: what is switched on, and what was ever begun."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from dagster import AssetKey, DagsterInstance, RunsFilter

# The state of switches is public in Dagster's storage, and its type isn't.
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus

from hackorda_ops.calendar.due import Due
from hackorda_ops.config.models import Policy
from hackorda_ops.orchestration import metadata
from hackorda_ops.orchestration.assets import night_key
from hackorda_ops.orchestration.runs import PARTITION_TAG, is_of

_RUN_KEY_TAG: Final = "dagster/run_key"


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


@dataclass(frozen=True)
class Switches:
    """Which schedules and sensors are on, and since when.

    Attributes:
        states: by name, what Dagster keeps of each.
    """

    states: Mapping[str, InstigatorState]

    def since(self, schedule: str, *, last_made: datetime | None) -> datetime | None:
        """Since when what a schedule starts is owed; None while it's off: then nothing is missed.

        Since it was switched on. Where no person did that, since something was last made: Dagster forgets when a
        schedule began whenever its name or that of the code location changes, and what was due during such an
        upgrade was missed all the same.

        Args:
            schedule: its name.
            last_made: when what it starts was last materialized; None for never.
        """
        state = self.states.get(schedule)
        started = getattr(state.instigator_data, "start_timestamp", None) if state else None
        if state is None or not state.is_running or not started:
            return None
        since = datetime.fromtimestamp(started, UTC)
        by_default = state.status is InstigatorStatus.DECLARED_IN_CODE
        return min(since, last_made) if by_default and last_made else since

    def is_on(self, sensor: str) -> bool:
        """Whether the daemon runs a sensor."""
        state = self.states.get(sensor)
        return state is not None and state.is_running


def switches(instance: DagsterInstance) -> Switches:
    """What is on in an instance."""
    return Switches({state.instigator_name: state for state in instance.all_instigator_state()})


def last_made(instance: DagsterInstance, asset: AssetKey) -> datetime | None:
    """When an asset was last materialized, whichever of its partitions."""
    event = instance.get_latest_materialization_event(asset)
    return datetime.fromtimestamp(event.timestamp, UTC) if event else None


def requested(instance: DagsterInstance, run_key: str) -> bool:
    """Whether a sensor has started a run for this key, under whatever name the sensor had then."""
    return bool(instance.get_runs(RunsFilter(tags={_RUN_KEY_TAG: run_key}), limit=1))


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
