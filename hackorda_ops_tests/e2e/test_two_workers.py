"""Scale-out: the nights of ten databases on two Celery workers that share no disk, with an S3 store."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from hackorda_ops.config import file as config_file
from hackorda_ops.environment import Protected
from hackorda_ops.errors import LockHeld
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.night import night
from hackorda_ops_tests.e2e.fleet import NAMES, Fleet, running_fleet
from hackorda_ops_tests.e2e.nights import tonight
from hackorda_ops_tests.e2e.processes import descendants, is_alive, until

pytestmark = [pytest.mark.server, pytest.mark.e2e]


@pytest.fixture(scope="module")
def fleet(
    postgres_server: PostgresServer, s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    with running_fleet(tmp_path_factory.mktemp("fleet"), postgres_server, s3_server) as running:
        yield running


def test_the_nights_of_ten_databases_on_two_workers_all_succeed_each_once(fleet: Fleet) -> None:
    night = tonight()
    runs = {name: fleet.dagster.materialize(f"{name}/nightly_dump", night) for name in NAMES}

    ended = {name: fleet.dagster.end_of(run) for name, run in runs.items()}

    assert ended == dict.fromkeys(NAMES, "SUCCESS"), [fleet.dagster.messages(run) for run in runs.values()]
    for number, name in enumerate(NAMES):
        [artifact] = fleet.artifacts(name)
        assert artifact.night.isoformat() == night
        assert [table.rows for table in artifact.inventory.tables] == [number + 1]
        assert fleet.dagster.messages(runs[name], kind="RunStartEvent") != []
    # Each ran on one of the two, both had work, and neither Dagster's own machine nor the other knows of it.
    did = [fleet.worker_of(run).folder.name for run in runs.values()]
    assert set(did) == {"worker-1", "worker-2"}
    assert not any((fleet.dagster_home / "storage" / run).exists() for run in runs.values())
    for worker in fleet.workers:
        for secret in fleet.secrets:
            assert secret not in "\n".join(worker.said)


@contextmanager
def _a_night_that_waits(fleet: Fleet, name: str) -> Iterator[tuple[str, int, dict[int, str]]]:
    """A night that waits for a lock; gives its run, its worker's process and that with all below it."""
    with psycopg.connect(fleet.environ[f"{name.upper()}_URL"]) as somebody:
        somebody.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        run = fleet.dagster.materialize(f"{name}/nightly_dump", tonight())
        pid = fleet.dagster.worker_of(run)
        until(
            lambda: any("pg_dump" in arguments for arguments in descendants(pid).values()),
            "the night has begun to dump",
        )
        yield run, pid, {below: arguments for below, arguments in descendants(pid).items() if below != pid}


def _the_next_night_works(fleet: Fleet, name: str, *, artifacts_before: int) -> None:
    assert len(fleet.artifacts(name)) == artifacts_before
    again = fleet.dagster.materialize(f"{name}/nightly_dump", tonight())
    assert fleet.dagster.end_of(again) == "SUCCESS", fleet.dagster.messages(again)
    assert len(fleet.artifacts(name)) == artifacts_before + 1


def test_a_dump_from_elsewhere_is_refused_while_a_worker_takes_the_night(fleet: Fleet) -> None:
    before = len(fleet.artifacts("db3"))
    policy = config_file.load(fleet.config_file).databases["db3"]
    with _a_night_that_waits(fleet, "db3") as (run, _, _), pytest.raises(LockHeld):
        night.take_night(Protected("db3", policy, fleet.environ))

    assert fleet.dagster.end_of(run) == "SUCCESS", fleet.dagster.messages(run)
    assert len(fleet.artifacts("db3")) == before + 1


def test_a_night_terminated_on_its_worker_leaves_no_child_and_no_backup(fleet: Fleet) -> None:
    before = len(fleet.artifacts("db1"))
    with _a_night_that_waits(fleet, "db1") as (run, _, below):
        fleet.dagster.terminate(run)

        # Celery's launcher does not tell Dagster that somebody asked for it, which it then takes for a failure.
        assert fleet.dagster.end_of(run) == "FAILURE"
        until(lambda: not any(map(is_alive, below)), "all below the night's process have ended")
    _the_next_night_works(fleet, "db1", artifacts_before=before)


def test_a_night_whose_process_is_killed_fails_and_leaves_no_child_and_no_backup(fleet: Fleet) -> None:
    before = len(fleet.artifacts("db2"))
    with _a_night_that_waits(fleet, "db2") as (run, pid, below):
        os.kill(pid, signal.SIGKILL)

        assert fleet.dagster.end_of(run) == "FAILURE"
        until(lambda: not any(map(is_alive, below)), "all below the night's process have ended")
    _the_next_night_works(fleet, "db2", artifacts_before=before)
