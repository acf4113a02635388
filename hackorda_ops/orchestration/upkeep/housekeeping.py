"""Dagster's records of old runs: a job that deletes them, since Dagster itself never does.

No backup is touched: manifests, reports and the operations log are in the stores.
"""

from datetime import datetime, timedelta
from typing import Final

import dagster as dg
from dagster import DagsterInstance, MetadataValue

# `delete_run` (1.13) leaves the evaluations of checks behind, and nothing public deletes them.
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.jobs import of_op
from hackorda_ops.orchestration.runs import FINISHED
from hackorda_ops.orchestration.schedules import without_catching_up

# More than a year: the plots show a whole one, and what still asks what was begun (this year's exercise is
# the oldest such question) finds it.
KEPT: Final = timedelta(days=400)


def housekeeping() -> dg.JobDefinition:
    """Deletes old runs of all databases, with their events."""

    @dg.op(
        name="delete_old_runs",
        description=f"Deletes the runs that are older than {KEPT.days} days, with their events and their output. "
        "The run that made an asset's newest materialization stays, however old.",
    )
    def delete(context: dg.OpExecutionContext) -> None:
        deleted = delete_old_runs(context.instance, created_before=clock.now() - KEPT)
        context.add_output_metadata({"deleted runs": MetadataValue.int(deleted)})

    return of_op(
        delete,
        name="housekeeping",
        description="Keeps Dagster's own database from growing without end.",
    )


def every_week(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """When old runs are deleted."""
    return without_catching_up(
        job,
        "30 12 * * 1",
        name="delete_old_runs_every_week",
        description="Deletes Dagster's records of old runs.",
    )


def delete_old_runs(instance: DagsterInstance, *, created_before: datetime) -> int:
    """Deletes runs that have ended, but none that made an asset's newest materialization.

    Args:
        instance: whose runs.
        created_before: runs created from this moment on are kept, aware.

    Returns:
        How many were deleted.
    """
    newest = {
        event.run_id
        for asset in instance.all_asset_keys()
        if (event := instance.get_latest_materialization_event(asset))
    }
    old = instance.get_run_ids(dg.RunsFilter(statuses=FINISHED, created_before=created_before))
    to_delete = [run_id for run_id in old if run_id not in newest]
    for run_id in to_delete:
        # The run itself goes last, and not first as `delete_run` has it: killed in between, it's found again.
        _delete_check_evaluations(instance, run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        instance.event_log_storage.delete_events(run_id)
        instance.delete_run(run_id)
    return len(to_delete)


def _delete_check_evaluations(instance: DagsterInstance, run_id: str) -> None:
    storage = instance.event_log_storage
    if isinstance(storage, SqlEventLogStorage):
        with storage.index_connection() as connection:
            connection.execute(
                AssetCheckExecutionsTable.delete().where(AssetCheckExecutionsTable.c.run_id == run_id)
            )
