"""The outside monitor hears of nights, weeks and drills that Dagster runs, and of nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from dagster import DagsterInstance

from hackorda_ops.calendar.partitions import quarter_of
from hackorda_ops.config.models import Config, Policy
from hackorda_ops_tests.alerts.sink import Sink, running_sink
from hackorda_ops_tests.orchestration.protected import CodeLocation, log_lines

pytestmark = pytest.mark.server


@pytest.fixture
def monitor() -> Iterator[Sink]:
    with running_sink() as sink:
        yield sink


@pytest.fixture
def watched(protected: CodeLocation, monitor: Sink) -> CodeLocation:
    """The database with a monitor that hears of each kind under an address of its own."""
    kinds = ("night", "week", "quarter")
    shop = protected.config.databases["shop"].model_dump()
    heartbeats = {f"{kind}_env": f"{kind.upper()}_HEARTBEAT" for kind in kinds}
    config = Config(databases={"shop": Policy.model_validate({**shop, "heartbeats": heartbeats})})
    urls = {f"{kind.upper()}_HEARTBEAT": f"{monitor.url}/{kind}" for kind in kinds}
    return replace(protected, config=config, environ={**protected.environ, **urls})


def heard(monitor: Sink) -> list[str]:
    return [call.path.removeprefix("/hooks/hunter2-is-a-secret/") for call in monitor.calls]


def test_a_night_a_week_and_a_drill_are_told_with_their_outcome(
    watched: CodeLocation, instance: DagsterInstance, monitor: Sink
) -> None:
    assert watched.run("shop_night", watched.tonight, instance).success
    assert watched.run("shop_week", watched.this_week, instance).success
    this_quarter = quarter_of(watched.tonight)
    assert not watched.run("shop_quarter", this_quarter, instance).success  # its scratch isn't configured

    assert heard(monitor) == ["night/start", "night", "week/start", "week", "quarter/start", "quarter/fail"]


def test_an_unsound_night_is_a_failure_and_one_of_the_past_is_not_spoken_of(
    watched: CodeLocation, instance: DagsterInstance, monitor: Sink
) -> None:
    assert watched.run("shop_night", watched.tonight, instance).success
    watched.execute("TRUNCATE orders")
    assert not watched.run("shop_night", watched.tonight, instance).success
    assert not watched.run("shop_night", watched.tonight - timedelta(days=2), instance).success

    assert heard(monitor) == ["night/start", "night", "night/start", "night/fail"]


def test_a_monitor_that_is_down_costs_no_night_and_its_address_is_nowhere(
    watched: CodeLocation, instance: DagsterInstance, monitor: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    monitor.status = 404

    result = watched.run("shop_night", watched.tonight, instance)

    assert result.success
    said = list(log_lines(instance, result))
    assert sum("The monitor of $NIGHT_HEARTBEAT was not reached" in line for line in said) == 2
    events = "".join(map(str, instance.all_logs(result.run_id)))
    captured = capsys.readouterr()
    assert "hunter2" not in events + captured.out + captured.err
