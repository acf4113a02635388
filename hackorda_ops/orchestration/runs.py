"""Which of an instance's runs are about a partition of an asset, whatever started them."""

from typing import Final

from dagster import AssetKey, DagsterRun, DagsterRunStatus

PARTITION_TAG: Final = "dagster/partition"
FINISHED: Final = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
NOT_FINISHED: Final = tuple(status for status in DagsterRunStatus if status not in FINISHED)


def is_of(run: DagsterRun, asset: AssetKey, job_name: str) -> bool:
    """Whether a run is of an asset: started by a schedule or sensor as its job, or by a person or backfill.

    Args:
        run: the run.
        asset: the asset's key.
        job_name: the job that the schedules start for it.
    """
    return run.job_name == job_name or asset in (run.asset_selection or ())
