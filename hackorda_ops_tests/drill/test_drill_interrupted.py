"""Drills that are cut off in the middle: nothing of theirs stays, and production is untouched."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.progress import Progress
from hackorda_ops_tests.drill.conftest import Protected, check, databases_on, files_in

pytestmark = pytest.mark.server

EMPTY = {"postgres", "template0", "template1"}
DEADLINE_SECONDS = 60
DRILL = """
import json, os, sys
from hackorda_ops.config import Database
from hackorda_ops.drill.drill import run_drill
run_drill("hackorda", Database.model_validate(json.load(sys.stdin)), environ=os.environ)
"""


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_takes_everything_down_and_goes_on_upwards(
    protected: Protected, scratch_server: PostgresServer, interruption: type[BaseException]
) -> None:
    seen: list[str] = []

    def interrupt(progress: Progress) -> None:
        if progress.stage == "restore":
            seen.extend(databases_on(scratch_server) - EMPTY)
            raise interruption

    with pytest.raises(interruption):
        protected.drill(on_progress=interrupt)
    assert seen
    assert databases_on(scratch_server) == EMPTY
    assert files_in(protected.policy["dump"]["work_folder"]) == []


def test_after_a_kill_in_mid_drill_the_next_run_cleans_up(
    protected: Protected, scratch_server: PostgresServer, tmp_path: Path
) -> None:
    reached = tmp_path / "reached"
    killed = protected.changed(migrate={"command": f"sh -c 'touch {reached}; exec sleep 600'"})
    with subprocess.Popen(
        [sys.executable, "-c", DRILL], stdin=subprocess.PIPE, env={**os.environ, **protected.environ}
    ) as process:
        assert process.stdin is not None
        process.stdin.write(killed.database.model_dump_json().encode())
        process.stdin.close()
        wait_until(reached.exists)
        process.send_signal(signal.SIGKILL)
    left = databases_on(scratch_server) - EMPTY
    assert left
    assert files_in(protected.policy["dump"]["work_folder"])
    wait_until(lambda: not sessions_on(scratch_server))

    result = protected.drill()

    assert result.verdict == "PASS"
    assert {each.rpartition(" ")[2] for each in result.warnings if "killed drill" in each} == left
    assert check(result, "scratch_gone").outcome == "passed"
    assert databases_on(scratch_server) == EMPTY
    assert files_in(protected.policy["dump"]["work_folder"]) == []


def sessions_on(server: PostgresServer) -> list[tuple[str, ...]]:
    """Sessions of drills; the server takes a moment to notice that a client is gone."""
    with psycopg.connect(server.url()) as connection:
        return connection.execute(
            "SELECT application_name FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchall()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
