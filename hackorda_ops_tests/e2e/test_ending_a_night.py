"""A night that is ended while it runs: nothing of it goes on, nothing passes for a backup, the next one works."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from hackorda_ops_tests.e2e.processes import ENVIRONMENT, descendants, is_alive, until
from hackorda_ops_tests.e2e.running_dagster import RunningDagster
from hackorda_ops_tests.e2e.shop import Shop

pytestmark = [pytest.mark.server, pytest.mark.e2e]

TONIGHT = datetime.now(UTC).date().isoformat()


@contextmanager
def _locked(shop: Shop, table: str) -> Iterator[None]:
    """Holds a lock that pg_dump waits for."""
    with psycopg.connect(shop.url) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield


def _pg_dump_waits(shop: Shop) -> bool:
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE%'"
    return bool(shop.ask(waiting))


def _the_next_night_works(shop: Shop, dagster: RunningDagster) -> None:
    before = len(shop.artifacts)
    run = dagster.materialize("shop/nightly_dump", TONIGHT)
    assert dagster.end_of(run) == "SUCCESS", dagster.messages(run)
    assert len(shop.artifacts) == before + 1
    assert shop.unfinished() == []


def test_a_night_that_is_terminated_leaves_nothing(shop: Shop, dagster: RunningDagster) -> None:
    before = shop.artifacts
    with _locked(shop, "users"):
        run = dagster.materialize("shop/nightly_dump", TONIGHT)
        until(lambda: _pg_dump_waits(shop), "pg_dump waits for the lock")
        family = descendants(dagster.worker_of(run))
        assert any("pg_dump" in arguments for arguments in family.values())

        dagster.terminate(run)

        assert dagster.end_of(run) == "CANCELED"
        until(lambda: not any(map(is_alive, family)), "the worker and all below it have ended")
    assert shop.artifacts == before
    assert shop.unfinished() == []
    _the_next_night_works(shop, dagster)


def test_a_night_whose_worker_is_killed_leaves_no_child_and_no_backup(
    shop: Shop, dagster: RunningDagster
) -> None:
    before = shop.artifacts
    alarms = len(shop.alarms.texts)
    run = dagster.materialize("shop/nightly_dump", TONIGHT)
    worker = dagster.worker_of(run)
    shop.line.arm(after_bytes=3_000_000)
    assert shop.line.engaged.wait(timeout=60)
    family = descendants(worker)
    assert any("pg_dump" in arguments for arguments in family.values())

    os.kill(worker, signal.SIGKILL)

    assert dagster.end_of(run) == "FAILURE"
    until(lambda: not any(map(is_alive, family)), "the worker and all below it have ended")
    shop.line.release()
    assert shop.artifacts == before
    until(lambda: len(shop.alarms.texts) > alarms, "the webhook is told")
    _the_next_night_works(shop, dagster)
    [alarm] = shop.alarms.texts[alarms:]
    assert f"shop/nightly_dump of {TONIGHT}" in alarm
    assert run in alarm


def test_no_secret_is_on_a_command_line_while_a_night_runs(shop: Shop, dagster: RunningDagster) -> None:
    password = str(psycopg.conninfo.conninfo_to_dict(shop.url)["password"])
    with _locked(shop, "users"):
        run = dagster.materialize("shop/nightly_dump", TONIGHT)
        until(lambda: _pg_dump_waits(shop), "pg_dump waits for the lock")
        everything = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True)
        dagster.terminate(run)
    dagster.end_of(run)

    assert "pg_dump" in everything.stdout
    assert password not in everything.stdout
    assert shop.environ["OFFSITE_SECRET_ACCESS_KEY"] not in everything.stdout


_NIGHT = """
import os, sys
from hackorda_ops import config_file
from hackorda_ops.backup.nightly import take_night

config = config_file.load(Path(sys.argv[1]))
take_night(
    "shop",
    config.databases["shop"],
    environ=os.environ,
    on_progress=lambda progress: print(progress.stage, flush=True),
)
"""


@pytest.mark.parametrize("stage", ["count", "dump", "read back"])
def test_a_night_killed_at_any_stage_leaves_no_child_and_no_backup(shop: Shop, stage: str) -> None:
    before = shop.artifacts
    with subprocess.Popen(
        [sys.executable, "-c", _NIGHT, str(shop.config_file)],
        env={**ENVIRONMENT, **shop.environ},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as night:
        assert night.stdout is not None
        said = next((line.strip() for line in night.stdout if line.strip() == stage), "it ended before")
        family = descendants(night.pid)
        night.kill()
    assert said == stage

    until(lambda: not any(map(is_alive, family)), "the night and all below it have ended")
    assert shop.artifacts == before
