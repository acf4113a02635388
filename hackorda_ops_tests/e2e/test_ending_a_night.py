"""A night that is ended while it runs: nothing of it goes on, nothing passes for a backup, the next one works."""

import os
import signal
import subprocess
import sys
from collections.abc import Collection
from datetime import UTC, datetime

import psycopg
import pytest

from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops_tests.e2e.processes import ENVIRONMENT, descendants, is_alive, until
from hackorda_ops_tests.e2e.shop import Shop

pytestmark = [pytest.mark.server, pytest.mark.e2e]

TONIGHT = datetime.now(UTC).date().isoformat()


def _in_mid_dump(shop: Shop, dagster: RunningDagster) -> tuple[str, dict[int, str]]:
    """Starts a night and stops the line in the middle of pg_dump's data; returns the run and its processes."""
    run = dagster.materialize("shop/nightly_dump", TONIGHT)
    worker = dagster.worker_of(run)
    shop.line.arm(after_bytes=3_000_000)
    assert shop.line.engaged.wait(timeout=60), dagster.messages(run)
    family = descendants(worker)
    assert any("pg_dump" in arguments for arguments in family.values()), family
    return run, family


def _all_end(family: Collection[int]) -> None:
    until(lambda: not any(map(is_alive, family)), "the worker and all below it have ended")


def _the_next_night_works(shop: Shop, dagster: RunningDagster) -> None:
    before = len(shop.artifacts)
    run = dagster.materialize("shop/nightly_dump", TONIGHT)
    assert dagster.end_of(run) == "SUCCESS", dagster.messages(run)
    assert len(shop.artifacts) == before + 1
    assert shop.unfinished() == []


def test_a_night_terminated_in_mid_dump_leaves_nothing(shop: Shop, dagster: RunningDagster) -> None:
    before = shop.artifacts
    run, family = _in_mid_dump(shop, dagster)
    on_command_lines = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True)

    dagster.terminate(run)

    _all_end([pid for pid, arguments in family.items() if "pg_dump" in arguments])
    shop.line.release()
    assert dagster.end_of(run) == "CANCELED", dagster.messages(run)
    _all_end(family)
    assert shop.artifacts == before
    assert shop.unfinished() == []
    _the_next_night_works(shop, dagster)

    assert "pg_dump" in on_command_lines.stdout
    for secret in shop.secrets:
        assert secret not in on_command_lines.stdout


def test_a_night_terminated_while_it_waits_for_a_lock_leaves_nothing(
    shop: Shop, dagster: RunningDagster
) -> None:
    before = shop.artifacts
    with psycopg.connect(shop.url) as somebody:
        somebody.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        run = dagster.materialize("shop/nightly_dump", TONIGHT)
        family = descendants(dagster.worker_of(run))
        waiting = (
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        until(lambda: bool(shop.ask(waiting)), "the night waits for the lock")

        dagster.terminate(run)

        assert dagster.end_of(run) == "CANCELED", dagster.messages(run)
        _all_end(family)
    assert shop.artifacts == before
    assert shop.unfinished() == []


def test_a_night_whose_worker_is_killed_in_mid_dump_leaves_no_child_and_no_backup(
    shop: Shop, dagster: RunningDagster
) -> None:
    before, alarms_before = shop.artifacts, len(shop.alarms.texts)
    run, family = _in_mid_dump(shop, dagster)

    os.kill(dagster.worker_of(run), signal.SIGKILL)

    assert dagster.end_of(run) == "FAILURE"
    _all_end(family)
    shop.line.release()
    assert shop.artifacts == before
    until(lambda: len(shop.alarms.texts) > alarms_before, "the webhook is told")
    _the_next_night_works(shop, dagster)
    [alarm] = shop.alarms.texts[alarms_before:]
    assert f"shop/nightly_dump of {TONIGHT}" in alarm
    assert run in alarm


_NIGHT = """
import os, sys
from pathlib import Path
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
