"""A night that is ended while it runs: nothing of it goes on, nothing passes for a backup, the next one works."""

import os
import signal
import subprocess
from collections.abc import Collection

import psycopg
import pytest

from hackorda_ops.local.dagster_api import RunningDagster
from hackorda_ops_tests.e2e.nights import night, tonight, until_it_says
from hackorda_ops_tests.e2e.processes import PATIENCE_SECONDS, descendants, is_alive, until
from hackorda_ops_tests.e2e.shop import MID_DUMP_BYTES, Shop

pytestmark = [pytest.mark.server, pytest.mark.e2e]


def _in_mid_dump(shop: Shop, dagster: RunningDagster, partition: str) -> tuple[str, dict[int, str]]:
    """Starts a night and stops the line in the middle of pg_dump's data; returns the run and its processes."""
    run = dagster.materialize("shop/nightly_dump", partition)
    worker = dagster.worker_of(run)
    shop.line.arm(after_bytes=MID_DUMP_BYTES)
    assert shop.line.engaged.wait(timeout=PATIENCE_SECONDS), dagster.messages(run)
    family = descendants(worker)
    assert any("pg_dump" in arguments for arguments in family.values()), family
    return run, family


def _all_end(family: Collection[int]) -> None:
    until(lambda: not any(map(is_alive, family)), "the worker and all below it have ended")


def _the_next_night_works(shop: Shop, dagster: RunningDagster, partition: str) -> str:
    before = len(shop.artifacts)
    run = dagster.materialize("shop/nightly_dump", partition)
    assert dagster.end_of(run) == "SUCCESS", dagster.messages(run)
    assert len(shop.artifacts) == before + 1
    assert shop.unfinished() == []
    return run


def test_a_night_terminated_in_mid_dump_leaves_nothing(shop: Shop, dagster: RunningDagster) -> None:
    before, partition = shop.artifacts, tonight()
    run, family = _in_mid_dump(shop, dagster, partition)
    on_command_lines = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True)

    dagster.terminate(run)

    _all_end([pid for pid, arguments in family.items() if "pg_dump" in arguments])
    shop.line.release()
    assert dagster.end_of(run) == "CANCELED", dagster.messages(run)
    _all_end(family)
    assert shop.artifacts == before
    assert shop.unfinished() == []
    _the_next_night_works(shop, dagster, partition)

    assert "pg_dump" in on_command_lines.stdout
    for secret in shop.secrets:
        assert secret not in on_command_lines.stdout


def test_a_night_terminated_while_it_waits_for_a_lock_leaves_nothing(
    shop: Shop, dagster: RunningDagster
) -> None:
    before = shop.artifacts
    with psycopg.connect(shop.url) as somebody:
        somebody.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        run = dagster.materialize("shop/nightly_dump", tonight())
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
    before, partition = shop.artifacts, tonight()
    run, family = _in_mid_dump(shop, dagster, partition)

    os.kill(dagster.worker_of(run), signal.SIGKILL)

    assert dagster.end_of(run) == "FAILURE"
    _all_end(family)
    shop.line.release()
    assert shop.artifacts == before
    until(lambda: all(shop.alarms_of(run)), "the webhook and the mail server are told")
    again = _the_next_night_works(shop, dagster, partition)
    until(lambda: all(shop.alarms_of(again)), "they are told that it's over")
    for told in zip(*map(shop.alarms_of, (run, again)), strict=True):
        [alarm], [over] = told
        assert alarm.startswith(f"FAILED: shop, night of {partition}\n")
        assert "At risk: " in alarm
        assert over.startswith(f"RECOVERED: shop, night of {partition}\n")


@pytest.mark.parametrize("stage", ["count", "dump", "read back"])
def test_a_night_killed_at_any_stage_leaves_no_child_and_no_backup(shop: Shop, stage: str) -> None:
    before = shop.artifacts
    with night(shop) as killed:
        until_it_says(killed, stage)
        family = descendants(killed.pid)
        killed.kill()

    until(lambda: not any(map(is_alive, family)), "the night and all below it have ended")
    assert shop.artifacts == before
