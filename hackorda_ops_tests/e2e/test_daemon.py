"""The daemon on Postgres, as dagster.yaml has it: what is switched on, and whether it ticks."""

from typing import Any

import pytest

from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops_tests.e2e.processes import until

pytestmark = [pytest.mark.server, pytest.mark.e2e]

_ASKED = """
query($at: RepositorySelector!) {
  sensorsOrError(repositorySelector: $at) { ... on Sensors { results { name sensorState { status
    ticks(limit: 20) { status skipReason error { message } } } } } }
  schedulesOrError(repositorySelector: $at) { ... on Schedules { results { name scheduleState { status
    ticks(limit: 20) { status error { message } } } } } }
}
"""


def _switched_on(dagster: RunningDagster) -> dict[str, list[dict[str, Any]]]:
    """The ticks of every sensor and schedule that is on, by name."""
    data = dagster.ask(
        _ASKED, at={"repositoryLocationName": "hackorda_ops", "repositoryName": "__repository__"}
    )
    states = {
        **{each["name"]: each["sensorState"] for each in data["sensorsOrError"]["results"]},
        **{each["name"]: each["scheduleState"] for each in data["schedulesOrError"]["results"]},
    }
    return {name: state["ticks"] for name, state in states.items() if state["status"] == "RUNNING"}


def test_schedules_and_sensors_are_on_and_no_tick_of_theirs_fails(dagster: RunningDagster) -> None:
    looking = ("start_missed_work", "drill_changed_schemas", "sweep_left_behind")
    until(
        lambda: all(
            any(tick["status"] != "STARTED" for tick in _switched_on(dagster)[name]) for name in looking
        ),
        "the sensors have looked",
    )

    ticks = _switched_on(dagster)
    assert {
        "shop_dump_every_night",
        "shop_copy_every_week",
        "shop_drill_every_quarter",
        "delete_old_runs_every_week",
    } <= set(ticks)
    assert [
        (name, tick) for name, told in ticks.items() for tick in told if tick["status"] == "FAILURE"
    ] == []
    # A Dagster that was only just started has missed nothing.
    assert {tick["status"] for tick in ticks["start_missed_work"]} == {"SKIPPED"}
