"""Drills that are cut off in the middle, on both kinds of scratch: nothing stays, and production is untouched."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.archives.table_digest import digest_table
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.definitions import schema_digest
from hackorda_ops.progress import Progress
from hackorda_ops_tests.drill.fixtures import (
    EMPTY,
    Night,
    Shipped,
    check,
    databases_on,
    own_branches,
    roles_on,
)
from hackorda_ops_tests.postgres.awkward import session

pytestmark = pytest.mark.server

# Only what hangs takes as long.
DEADLINE_SECONDS = 600
SESSIONS = "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'hackorda_ops%'"


@dataclass(frozen=True)
class Drilled:
    """A database with one of the two kinds of scratch.

    Attributes:
        protected: the database.
        left: the names of the scratch that is there now.
        witness: the server on which a drill shows that it lives.
    """

    protected: Shipped
    left: Callable[[], set[str]]
    witness: PostgresServer

    @property
    def nothing_is_left(self) -> bool:
        return not self.left() and not self.protected.fetched


@pytest.fixture(params=["server", "neon"])
def drilled(
    request: pytest.FixtureRequest, scratch_server: PostgresServer, postgres_server: PostgresServer
) -> Drilled:
    if request.param == "server":
        protected = request.getfixturevalue("protected")
        return Drilled(protected, lambda: databases_on(scratch_server) - EMPTY, scratch_server)
    branching, neon = request.getfixturevalue("branching"), request.getfixturevalue("neon")
    return Drilled(branching, lambda: set(own_branches(neon)), postgres_server)


@pytest.fixture(autouse=True)
def production_untouched(night: Night, postgres_server: PostgresServer) -> Iterator[None]:
    def everything() -> object:
        with session(night.url) as connection:
            inventory = source_catalog.read_catalog(connection)
            digests = [
                digest_table(connection, table) for table in inventory.tables if table.has_data_in_dump
            ]
            # The server's own housekeeping changes the size.
            return replace(inventory, size_bytes=0), digests, schema_digest.schema_digest(connection)

    before = everything(), databases_on(postgres_server), roles_on(postgres_server)
    yield
    assert (everything(), databases_on(postgres_server), roles_on(postgres_server)) == before


def test_an_interruption_takes_everything_down_and_goes_on_upwards(drilled: Drilled) -> None:
    seen: set[str] = set()

    def interrupt(progress: Progress) -> None:
        if progress.stage == "restore":
            seen.update(drilled.left())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drilled.protected.drill(on_progress=interrupt)
    assert seen
    assert drilled.nothing_is_left


def test_a_terminated_drill_takes_everything_down_before_it_ends(drilled: Drilled, tmp_path: Path) -> None:
    with drilling(drilled.protected, tmp_path) as process:
        seen = drilled.left()
        process.terminate()
        assert process.wait(DEADLINE_SECONDS) == 128 + signal.SIGTERM
    assert seen
    assert drilled.nothing_is_left


def test_after_a_kill_in_mid_drill_the_next_run_cleans_up(drilled: Drilled, tmp_path: Path) -> None:
    with drilling(drilled.protected, tmp_path) as process:
        process.kill()
    left = drilled.left()
    assert left
    assert drilled.protected.fetched
    wait_until(lambda: not sessions_on(drilled.witness))

    result = drilled.protected.drill()

    assert result.verdict == "PASS"
    assert {each.rpartition(" ")[2] for each in result.warnings if "killed drill" in each} == left
    assert check(result, "scratch_gone").outcome == "passed"
    assert drilled.nothing_is_left


@contextmanager
def drilling(protected: Shipped, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An operator's own drill, in a process of its own that has come as far as the team's migrations."""
    reached, config = folder / "reached", folder / "databases.yaml"
    migrate = {"command": f"sh -c 'touch {reached}; exec sleep 600'"}
    # JSON is YAML as well.
    config.write_text(json.dumps({"databases": {"hackorda": protected.written | {"migrate": migrate}}}))
    command = [sys.executable, "-m", "hackorda_ops.cli", "drill", "--config", str(config), "--json"]
    with subprocess.Popen(
        command, env={**os.environ, **protected.environ}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(reached.exists)
            yield process
        finally:
            process.kill()


def sessions_on(server: PostgresServer) -> list[tuple[str]]:
    """Sessions of drills; the server takes a moment to notice that a client is gone."""
    with psycopg.connect(server.url()) as connection:
        return connection.execute(SESSIONS).fetchall()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
