"""Who is told when a run fails. Tell it once: by the run, not by its failed checks as well."""

from collections.abc import Mapping

import dagster as dg
from dagster import DagsterRun

from hackorda_ops.alerts import message, webhook
from hackorda_ops.config import Alerts
from hackorda_ops.errors import OpsError
from hackorda_ops.orchestration.failures import cause_of

_RETRY_NUMBER_TAG = "dagster/retry_number"


def failed_runs(alerts: Alerts) -> dg.SensorDefinition:
    """Logs every failed run with its cause, and posts it to the webhook where one is configured."""

    @dg.run_failure_sensor(
        name="failed_runs",
        description="Tells of every failed run once, with its cause and the next step: here, and at the webhook "
        f"of the environment variable {alerts.webhook_url_env}.",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=10,
    )
    def tell(
        context: dg.RunFailureSensorContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> dg.SkipReason | None:
        run = context.dagster_run
        if run.tags.get(_RETRY_NUMBER_TAG, "0") != "0":
            return dg.SkipReason(f"Run {run.run_id} repeats one that was told of.")
        failed = message.FailedRun(
            subject=_subject(run),
            partition=context.partition_key,
            run_id=run.run_id,
            cause=cause_of(context.get_step_failure_events(), context.failure_event),
        )
        text = message.text(failed)
        context.log.error(text)
        url = environ.get(alerts.webhook_url_env)
        problem = _post(url, text) if url else None
        if problem:
            context.log.error(problem)
        return None

    return tell


def _post(url: str, text: str) -> str | None:
    """Posts a message; what went wrong is an answer and no error, or it would cost the next run's message."""
    try:
        webhook.post(url, text)
    except OpsError as error:
        return str(error)
    return None


def _subject(run: DagsterRun) -> str:
    if run.asset_selection:
        return ", ".join(sorted(asset.to_user_string() for asset in run.asset_selection))
    return run.job_name
