"""Nobody waits for a night: whatever is deployed or read meanwhile, and however slow the dump is."""

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.engines.postgres.night.attempts import Attempts
from hackorda_ops.environment import Protected
from hackorda_ops.errors import SourceBusy
from hackorda_ops.local.postgres import PostgresServer, create_database, delete_server, running_postgres
from hackorda_ops.night.night import Night, take_night
from hackorda_ops.orchestration.metadata import of_night
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.tools import dump
from hackorda_ops.postgres.tools.dump import DumpResult
from hackorda_ops_tests.engines.postgres.night.storms import SCHEMA, Storm, dumping, send, slowed, storm
from hackorda_ops_tests.forms import LONG
from hackorda_ops_tests.postgres.awkward import execute
from hackorda_ops_tests.zoo.animals import MAJORS
from hackorda_ops_tests.zoo.servers import programs_of

QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
# In the short form everything goes five times as fast, and the bound is as much tighter.
YIELD_AFTER, LONGEST_WAIT, LONGEST_STOP = (5.0, 7.0, 12.0) if LONG else (1.0, 3.0, 2.5)
STORMS = 20 if LONG else 5
SHORT_PAUSES = Attempts(pauses_seconds=(0.2, 0.5, 1), free_within_seconds=3)


def policy(folder: Path, server: PostgresServer, *, yield_after: float = YIELD_AFTER) -> Policy:
    return Policy.model_validate(
        {
            "store": str(folder / "store"),
            "source": {"client_folders": [str(server.bin_dir)]},
            "dump": {"yield_after_seconds": yield_after},
        }
    )


def night_of(database: Policy, url: str, patience: Attempts = SHORT_PAUSES) -> Night:
    environ = {"DATABASE_URL": url, "PATH": "/usr/bin:/bin"}
    return take_night(Protected("shop", database, environ), patience=patience)


def left_in_staging(folder: Path) -> list[Path]:
    return [path for path in (folder / "store" / ".staging").rglob("*") if path.is_file()]


def artifacts(folder: Path) -> list[Path]:
    return list((folder / "store").rglob("dump"))


def sessions_left(url: str) -> list[str]:
    with psycopg.connect(url) as session:
        rows = session.execute(
            "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'hackorda_ops%'"
            " AND datname = current_database()"
        )
        return [name for (name,) in rows]


def gone(url: str) -> bool:
    # A session's end reaches the server a moment after us.
    until = time.monotonic() + 10
    while sessions_left(url) and time.monotonic() < until:
        time.sleep(0.05)
    return not sessions_left(url)


@pytest.fixture
def url(new_database: str) -> str:
    execute(new_database, SCHEMA)
    return new_database


def taking(statement: str, url: str, name: str, delay: float = 0) -> Callable[[], float]:
    """Runs a statement in a thread; the function that is returned gives how long it took."""
    took: list[float] = []

    def run() -> None:
        time.sleep(delay)
        with psycopg.connect(url, autocommit=True, application_name=name) as session:
            began = time.monotonic()
            session.execute(statement.encode())
            took.append(time.monotonic() - began)

    thread = threading.Thread(target=run)
    thread.start()

    def ended() -> float:
        thread.join(60)
        return took[0]

    return ended


@contextmanager
def stopped_in_the_middle(folder: Path, url: str) -> Iterator[None]:
    """Stops the pg_dump below a folder as soon as it has locked the tables, until the block ends."""
    locked = (
        "SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE relation = 'a_users'::regclass AND application_name LIKE 'hackorda_ops pg_dump of shop %'"
    )
    with psycopg.connect(url, autocommit=True) as session:
        until = time.monotonic() + 30
        while session.execute(locked).fetchone() is None:
            assert time.monotonic() < until
            time.sleep(0.01)
    pids = dumping(folder)
    send(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        send(pids, signal.SIGCONT)


def test_a_users_select_behind_a_deploy_behind_a_stopped_dump_waits_seven_seconds_at_the_most(
    url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    database = policy(tmp_path, postgres_server, yield_after=5)
    with ThreadPoolExecutor(1) as beside:
        night = beside.submit(night_of, database, url)
        with stopped_in_the_middle(tmp_path, url):
            deploy = taking("ALTER TABLE a_users ADD COLUMN age int", url, "deploy")
            user = taking("SELECT count(*) FROM a_users", url, "a user", delay=1)
            assert (deploy() <= 7, user() <= 7) == (True, True)
        manifest = night.result().manifest

    assert manifest.sound
    assert manifest.burden is not None
    assert manifest.burden.attempts == 2
    assert 5 <= manifest.burden.longest_wait_seconds <= 7
    assert manifest.burden.xmin_held_seconds >= 5
    # The dump lock's, the one that looks, the snapshot's and pg_dump's; perhaps its two workers'.
    assert 4 <= manifest.burden.connections <= 6
    assert any("gave way to others" in warning for warning in manifest.warnings)
    # The second attempt began after the deploy.
    assert "age" in manifest.table(TableName("public", "a_users")).columns
    shown = of_night(night.result())
    assert shown["longest wait it caused in seconds"].value == manifest.burden.longest_wait_seconds
    assert shown["oldest xmin it held in seconds"].value == manifest.burden.xmin_held_seconds
    assert (shown["attempts"].value, shown["connections it took"].value) == (2, manifest.burden.connections)


@dataclass(frozen=True)
class Weathered:
    """A night in a storm."""

    seed: int
    night: Night | None
    seconds: float
    others: Storm
    folder: Path
    url: str


def weather(server: PostgresServer, folder: Path, seed: int) -> Weathered:
    url = create_database(server, f"storm {seed}")
    execute(url, SCHEMA)
    folder.mkdir()
    # Some blow over before the night gives up, others don't.
    longest = random.Random(seed).uniform(2, 12) * YIELD_AFTER
    began, night = time.monotonic(), None
    with (
        storm(url, seed, longest_seconds=longest) as others,
        slowed(folder, seed, longest_stop_seconds=LONGEST_STOP),
    ):
        try:
            night = night_of(policy(folder, server), url)
        except SourceBusy as busy:
            assert "too busy to be read, in 4 attempts" in busy.what
    return Weathered(seed, night, time.monotonic() - began, others, folder, url)


@pytest.mark.server
@pytest.mark.parametrize("major", MAJORS)
def test_in_storms_of_schema_changes_and_reads_nobody_waits_and_every_night_ends_whole_or_named(
    server_folder: Path, tmp_path: Path, major: int
) -> None:
    folder = server_folder / f"storms {major}"
    try:
        with running_postgres(folder, bin_dir=programs_of(major), settings=QUICK) as server:
            with ThreadPoolExecutor(STORMS if not LONG else 5) as at_once:
                seeds = [major * 100 + n for n in range(STORMS)]
                weathered = list(at_once.map(lambda seed: weather(server, tmp_path / str(seed), seed), seeds))
            for each in weathered:
                print(
                    major,
                    f"seed {each.seed}: {each.night.manifest.burden if each.night else 'given up'}",
                    f"after {each.seconds:.1f} s, {len(each.others.waits)} statements, longest {each.others.longest}",
                )
                assert each.others.errors == []
                assert each.others.longest[0] <= LONGEST_WAIT
                assert left_in_staging(each.folder) == []
                assert len(artifacts(each.folder)) == (1 if each.night else 0)
                assert gone(each.url)
                if each.night is not None:
                    assert each.night.manifest.sound
                    assert each.night.manifest.burden is not None
                    assert each.night.manifest.burden.longest_wait_seconds <= LONGEST_WAIT
    finally:
        delete_server(folder)


def test_a_night_that_never_gets_through_names_who_was_in_the_way_for_what_and_what_to_do(
    url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    database = policy(tmp_path, postgres_server, yield_after=0.5)
    with psycopg.connect(url, application_name="a migration that hangs") as other:
        other.execute("LOCK TABLE a_users")
        with pytest.raises(SourceBusy) as caught:
            night_of(database, url, Attempts(pauses_seconds=()))

    told = str(caught.value)
    assert "in 1 attempt" in told
    assert "a migration that hangs" in told
    assert "a_users" in told
    for way_out in ("schedule.night", "dump_from: branch", "logical replica"):
        assert way_out in caught.value.next_step
    assert caught.value.retryable
    assert (left_in_staging(tmp_path), artifacts(tmp_path)) == ([], [])
    assert gone(url)


def test_a_refresh_between_the_snapshot_and_the_dump_is_not_waited_for(
    url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    # What the catalogs' texts lock is free again before the dump begins.
    with ThreadPoolExecutor(1) as beside:
        night = beside.submit(night_of, policy(tmp_path, postgres_server), url)
        while not night.done():
            assert taking("REFRESH MATERIALIZED VIEW totals", url, "cron")() <= LONGEST_WAIT

    assert night.result().manifest.sound


def test_a_table_that_is_emptied_after_the_snapshot_and_before_the_dump_is_read_again(
    url: str, postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, truncated = dump.dump, []

    def empty_it_first(*args: Any, **options: Any) -> DumpResult:
        if not truncated:
            truncated.append(
                execute(url, "TRUNCATE c_events", "INSERT INTO c_events SELECT generate_series(1, 7)")
            )
        return taken(*args, **options)

    execute(url, "INSERT INTO c_events SELECT generate_series(1, 100)")
    monkeypatch.setattr(dump, "dump", empty_it_first)
    manifest = night_of(policy(tmp_path, postgres_server), url).manifest

    assert manifest.burden is not None
    assert manifest.burden.attempts == 2
    # And neither 100, which nobody has any more, nor none, which an older snapshot sees in the new file.
    assert manifest.rows_by_table[TableName("public", "c_events")] == 7
