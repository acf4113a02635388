"""Which of an instance's runs are about a partition of an asset, whatever started them."""

from collections.abc import Mapping
from typing import Final

from dagster import AssetKey, DagsterRun, DagsterRunStatus

from hackorda_ops.config.alerts import Alerts
from hackorda_ops.given import given

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


def ui_url_of(alerts: Alerts, environ: Mapping[str, str]) -> str | None:
    """Where Dagster's web server is, for people; None where nothing says so."""
    return alerts.ui_url or given(environ, alerts.ui_url_env) or None


def link(run_id: str, ui_url: str | None) -> str:
    """A link to a run, or its id where the web server isn't known."""
    return f"{ui_url.rstrip('/')}/runs/{run_id}" if ui_url else run_id
