"""Who hears of a failed run, and what."""

from datetime import timedelta

import dagster as dg
import pytest
from dagster import DagsterEvent, DagsterInstance, DagsterRun, ExecuteInProcessResult

from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops_tests.alerts.sink import running_sink
from hackorda_ops_tests.orchestration.protected import Protected

pytestmark = pytest.mark.server


def _a_failed_night(protected: Protected, instance: DagsterInstance) -> ExecuteInProcessResult:
    result = protected.run("shop_night", protected.tonight - timedelta(days=2), instance)
    assert not result.success
    return result


def _tell(
    protected: Protected, instance: DagsterInstance, run: DagsterRun, ended: DagsterEvent, url: str
) -> object:
    definitions = protected.definitions()
    context = dg.build_run_status_sensor_context(
        sensor_name="failed_runs",
        dagster_event=ended,
        dagster_instance=instance,
        dagster_run=run,
        resources={ENVIRON: {"ALERT_WEBHOOK_URL": url}},
        partition_key=run.tags.get("dagster/partition"),
    ).for_run_failure()
    return definitions.resolve_sensor_def("failed_runs")(context)


def _ended(result: ExecuteInProcessResult) -> DagsterEvent:
    [ended] = result.filter_events(lambda event: event.is_job_failure)
    return ended


def test_a_failed_run_is_told_of_with_its_cause_and_the_next_step(
    protected: Protected, instance: DagsterInstance
) -> None:
    result = _a_failed_night(protected, instance)

    with running_sink() as sink:
        _tell(protected, instance, result.dagster_run, _ended(result), sink.url)

    [text] = sink.texts
    lines = text.splitlines()
    assert lines[0] == f"FAILED: shop_night of {protected.tonight - timedelta(days=2)}"
    assert "was over at" in lines[1]
    assert lines[2].startswith("What it means: That night has no backup")
    assert lines[3].startswith("Next step: Take tonight's dump instead")
    assert lines[4] == f"Run: {result.run_id}"


def test_a_run_that_was_killed_left_no_step_failure_and_is_told_of(
    protected: Protected, instance: DagsterInstance
) -> None:
    run = instance.create_run_for_job(
        protected.definitions().resolve_job_def("shop_night"),
        tags={"dagster/partition": protected.tonight.isoformat()},
    )
    ended = instance.report_run_failed(run, "Run worker process exited with code -9")

    with running_sink() as sink:
        _tell(protected, instance, run, ended, sink.url)

    [text] = sink.texts
    assert f"FAILED: shop_night of {protected.tonight}" in text
    assert "exited with code -9" in text
    assert "materialize the same partition again" in text


def test_only_the_first_attempt_is_told_of(protected: Protected, instance: DagsterInstance) -> None:
    result = _a_failed_night(protected, instance)
    again = result.dagster_run.with_tags({**result.dagster_run.tags, "dagster/retry_number": "1"})

    with running_sink() as sink:
        answer = _tell(protected, instance, again, _ended(result), sink.url)

    assert isinstance(answer, dg.SkipReason)
    assert not sink.texts


def test_a_webhook_that_is_down_is_logged_and_does_not_stop_the_sensor(
    protected: Protected, instance: DagsterInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    result = _a_failed_night(protected, instance)

    with running_sink() as sink:
        sink.status = 500
        _tell(protected, instance, result.dagster_run, _ended(result), sink.url)

    logged = capsys.readouterr().err
    assert "answered with status 500" in logged
    assert "hunter2" not in logged


def test_without_a_webhook_the_failure_is_logged(
    protected: Protected, instance: DagsterInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    result = _a_failed_night(protected, instance)

    _tell(protected, instance, result.dagster_run, _ended(result), "")

    assert "FAILED: shop_night" in capsys.readouterr().err
