"""What killed runs left behind, looked for and removed by Dagster: a real scratch server, and Neon's API."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import dagster as dg
import psycopg
import pytest
from dagster import DagsterInstance
from dagster._core.definitions.sensor_definition import SensorExecutionData

from hackorda_ops.config.models import Config, Policy
from hackorda_ops.history.labels import Label, source_id
from hackorda_ops.local.neon import LocalNeon, running_local_neon
from hackorda_ops.local.neon.faults import Fault
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.neon.client import open_client
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.resources import ENVIRON
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops_tests.orchestration.protected import CodeLocation, log_lines

pytestmark = pytest.mark.server

SENSOR, JOB = "sweep_left_behind", "sweep"
DRILL = "20261108T060000Z-dead00"
BRANCH = "hackorda-ops-shop-drill-20261108-060000-dead00"


@pytest.fixture(scope="module")
def neon(postgres_server: PostgresServer, server_folder: Path) -> Iterator[LocalNeon]:
    with running_local_neon(postgres_server, server_folder / "neon-swept") as neon:
        yield neon


@pytest.fixture
def on_neon(protected: CodeLocation, neon: LocalNeon) -> Iterator[CodeLocation]:
    environ = {
        "NEON_PROJECT_ID": neon.project_id,
        "NEON_API_KEY": neon.api_key,
        "NEON_API_URL": neon.base_url,
    }
    yield replace(protected, environ={**protected.environ, **environ})
    neon.forget_faults()
    with open_client(neon.project_id, neon.api_key, base_url=neon.base_url) as client:
        for found in client.branches():
            if not found.branch.default:
                client.delete_branch(found.branch.id)


@pytest.fixture
def on_a_server(protected: CodeLocation, scratch_server: PostgresServer) -> CodeLocation:
    shop = protected.config.databases["shop"]
    drilled = Policy.model_validate({**dict(shop), "scratch": {"server": {"superuser": "postgres"}}})
    return replace(
        protected,
        config=Config(databases={"shop": drilled}),
        environ={**protected.environ, "SCRATCH_ADMIN_URL": scratch_server.url()},
    )


def look(protected: CodeLocation, instance: DagsterInstance, **environ: str) -> SensorExecutionData:
    definitions = protected.definitions(**environ)
    context = dg.build_sensor_context(
        instance=instance, definitions=definitions, resources={ENVIRON: {**protected.environ, **environ}}
    )
    return definitions.resolve_sensor_def(SENSOR).evaluate_tick(context)


def label_of(protected: CodeLocation) -> Label:
    """What a killed drill of it has labelled its branch with."""
    return Label("shop", source_id(parse(protected.url, origin="test")), DRILL, "drill")


def make_branch(neon: LocalNeon, name: str, annotation: Mapping[str, str]) -> None:
    with open_client(neon.project_id, neon.api_key, base_url=neon.base_url) as client:
        client.create_branch({"branch": {"name": name}, "annotation_value": annotation}, name=name)


def branches(neon: LocalNeon) -> set[str]:
    with open_client(neon.project_id, neon.api_key, base_url=neon.base_url) as client:
        return {found.branch.name for found in client.branches() if not found.branch.default}


def test_it_looks_unless_somebody_switches_it_off(protected: CodeLocation) -> None:
    sensor = protected.definitions().resolve_sensor_def(SENSOR)

    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


def test_a_branch_of_a_killed_drill_is_listed_and_removed_and_a_persons_stays(
    on_neon: CodeLocation, neon: LocalNeon, instance: DagsterInstance
) -> None:
    make_branch(neon, BRANCH, label_of(on_neon).annotation())
    make_branch(neon, f"{BRANCH}-of-a-person", {})

    requested = look(on_neon, instance).run_requests or []
    again = look(on_neon, instance).run_requests or []
    with mock.patch.object(clock, "now", return_value=datetime(2030, 1, 1, tzinfo=UTC)):
        later = look(on_neon, instance).run_requests or []
    result = on_neon.run(JOB, None, instance)

    assert len(requested) == 1
    # Dagster starts no second run for the same key.
    assert requested[0].run_key == again[0].run_key
    assert str(later[0].run_key).startswith("2030-01-01 ")
    assert result.success
    assert branches(neon) == {f"{BRANCH}-of-a-person"}
    assert f"Removed {BRANCH}, which a killed run of shop had left behind." in set(
        log_lines(instance, result)
    )
    [output] = result.filter_events(lambda event: event.is_successful_output)
    assert output.step_output_data.metadata["removed"].value == 1
    assert not look(on_neon, instance).run_requests


def test_a_database_of_a_killed_drill_is_listed_and_removed(
    on_a_server: CodeLocation, scratch_server: PostgresServer, instance: DagsterInstance
) -> None:
    name = "hackorda_ops_drill_shop_20261108t060000z_dead00_restore"
    label = {"app": "hackorda_ops", "database": "shop", "drill": DRILL}
    with psycopg.connect(scratch_server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        connection.execute(f"COMMENT ON DATABASE {name} IS '{json.dumps(label)}'")

    requested = look(on_a_server, instance).run_requests or []
    result = on_a_server.run(JOB, None, instance)

    assert len(requested) == 1
    assert result.success
    with psycopg.connect(scratch_server.url()) as connection:
        assert not connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone()


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"NEON_API_KEY": "napi_hunter2"}, "HTTP 401"),
        ({"NEON_API_KEY": ""}, "not set"),
        ({"NEON_API_URL": "http://127.0.0.1:1/api/v2"}, "ConnectError"),
    ],
)
def test_where_nobody_can_look_the_tick_says_why_and_does_not_fail(
    on_neon: CodeLocation,
    instance: DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    told: str,
) -> None:
    monkeypatch.setattr("hackorda_ops.orchestration.upkeep.sweeping._BUDGET_SECONDS", 1.0)

    ticked = look(on_neon, instance, **environ)

    assert not ticked.run_requests
    assert told in str(ticked.skip_message)
    assert "hunter2" not in str(ticked.skip_message)


def test_a_branch_that_neon_keeps_fails_the_run_and_keeps_none_of_the_others(
    on_neon: CodeLocation, neon: LocalNeon, instance: DagsterInstance
) -> None:
    for number in range(2):
        make_branch(neon, f"{BRANCH}-{number}", label_of(on_neon).annotation())
    neon.misbehave(
        Fault("deleteProjectBranch", 422, message="cannot delete branch that has children", times=2)
    )

    result = on_neon.run(JOB, None, instance)

    assert not result.success
    # The newest goes first, and it was refused.
    assert branches(neon) == {f"{BRANCH}-1"}
    assert "1 of 2 branches" in "\n".join(
        str(event.step_failure_data.user_failure_data)
        for event in result.filter_events(lambda event: event.is_step_failure)
    )
