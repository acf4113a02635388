"""Reading a source's values beside its dump: in its snapshot, in nobody's way, and within its time."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
import pytest

from hackorda_ops.errors import OpsError
from hackorda_ops.postgres.archives.row_digest import BLOCK_BYTES, RowDigest, digest_of
from hackorda_ops.postgres.archives.source_digests import SourceDigests, digesting, estimated_bytes
from hackorda_ops.postgres.archives.table_digest import TableDigest, digest_table
from hackorda_ops.postgres.catalogs.inventory import Table
from hackorda_ops.postgres.catalogs.source_catalog import read_catalog
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect
from hackorda_ops.postgres.sessions.snapshot import exported
from hackorda_ops.progress import OnProgress, Progress, ignore
from hackorda_ops_tests.postgres.awkward import target_of

SCHEMA = """
CREATE TABLE a (id int PRIMARY KEY, t text);
INSERT INTO a SELECT n, repeat('x', 50) FROM generate_series(1, 100000) n;
CREATE TABLE b (id int); INSERT INTO b VALUES (1), (2);
CREATE TABLE c (id int); INSERT INTO c VALUES (3);
VACUUM ANALYZE a;
"""
_LOCKS = """
SELECT c.relname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_stat_activity s USING (pid)
 WHERE s.application_name = 'values' AND s.datname = current_database() AND c.relnamespace = 'public'::regnamespace
"""


@pytest.fixture
def url(new_database: str) -> str:
    with psycopg.connect(new_database, autocommit=True) as session:
        for statement in SCHEMA.split(";\n"):
            session.execute(statement)  # type: ignore[call-overload]  # a test's own constant text
    return new_database


@pytest.fixture
def watcher(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as session:
        yield session


def read(
    url: str,
    *names: str,
    limit_seconds: float | None = None,
    meanwhile: str = "",
    on_progress: OnProgress = ignore,
) -> tuple[SourceDigests, list[Table]]:
    """Digests these tables in a snapshot that is older than what happens meanwhile."""
    target = target_of(url)
    with exported(target, application_name="snapshot", alignment_budget_seconds=0) as (connection, snapshot):
        by_name = {table.name.name: table for table in read_catalog(connection).tables}
        tables = [by_name[name] for name in names]
        if meanwhile:
            with psycopg.connect(url) as session:
                session.execute(meanwhile)  # type: ignore[call-overload]  # a test's own constant text
        with digesting(
            target,
            tables,
            snapshot_identifier=snapshot.identifier,
            limit_seconds=limit_seconds,
            application_name="values",
            on_progress=on_progress,
        ) as found:
            return found(lambda: None), tables


def test_what_is_read_is_what_the_snapshot_holds(url: str, watcher: psycopg.Connection[Any]) -> None:
    found, tables = read(url, "b", "c", meanwhile="UPDATE b SET id = 7; DELETE FROM c")
    assert {name.name: digest.rows for name, digest in found.digests.items()} == {"b": 2, "c": 1}
    assert found.seconds.keys() == found.digests.keys()
    assert (found.given_up, found.trouble) == ({}, "")
    assert digest_table(watcher, tables[0]) != found.digests[tables[0].name]


def test_a_lock_is_held_on_one_table_at_a_time(url: str, watcher: psycopg.Connection[Any]) -> None:
    held: list[list[str]] = []

    def look(_: Progress) -> None:
        held.append([name for (name,) in watcher.execute(_LOCKS)])

    read(url, "a", "b", "c", on_progress=look)
    assert held == [["a"], ["b"], ["c"]]


def test_it_stops_when_its_time_is_up(url: str) -> None:
    found, [a, *_] = read(url, "a", "b", "c", limit_seconds=0.001)
    assert found.digests == {}
    assert found.given_up.keys() <= {a.name}
    assert found.trouble == ""


def test_a_table_that_somebody_has_locked_is_left_out(url: str, watcher: psycopg.Connection[Any]) -> None:
    with watcher.transaction():
        watcher.execute("LOCK TABLE b IN ACCESS EXCLUSIVE MODE")
        found, _ = read(url, "b", "c")
    assert [name.name for name in found.digests] == ["c"]
    assert found.trouble == ""


def test_a_table_that_is_gone_is_left_out(url: str) -> None:
    found, _ = read(url, "b", "c", meanwhile="DROP TABLE b")
    assert [name.name for name in found.digests] == ["c"]


def test_a_session_that_is_ended_stops_nothing_and_is_told(
    url: str, watcher: psycopg.Connection[Any]
) -> None:
    def end(_: Progress) -> None:
        watcher.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'values' AND datname = current_database()"
        )

    found, _ = read(url, "c", "b", on_progress=end)
    assert [name.name for name in found.digests] == ["c"]
    assert found.trouble


def test_a_block_that_fails_leaves_no_session(url: str, watcher: psycopg.Connection[Any]) -> None:
    target: ConnectionTarget = target_of(url)
    with exported(target, application_name="snapshot", alignment_budget_seconds=0) as (connection, snapshot):
        tables = [table for table in read_catalog(connection).tables if table.name.name == "a"] * 10_000
        with (
            pytest.raises(OpsError),
            digesting(
                target,
                tables,
                snapshot_identifier=snapshot.identifier,
                limit_seconds=None,
                application_name="values",
                on_progress=ignore,
            ),
        ):
            raise OpsError("The dump failed.", meaning="", next_step="")
    # The server needs a moment to see that its client has gone.
    for _ in range(100):
        left = watcher.execute("SELECT FROM pg_stat_activity WHERE application_name = 'values'").fetchall()
        if not left:
            break
        time.sleep(0.05)
    assert left == []


def test_sizes_are_those_that_the_planner_knows(url: str, watcher: psycopg.Connection[Any]) -> None:
    [(oid, size_bytes)] = watcher.execute("SELECT 'a'::regclass::oid::bigint, pg_relation_size('a')")
    assert estimated_bytes(watcher)[oid] == size_bytes


def test_reading_that_is_interrupted_leaves_its_session_usable(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(blocks: Iterable[bytes]) -> RowDigest:
        next(iter(blocks))
        raise KeyboardInterrupt

    monkeypatch.setattr("hackorda_ops.postgres.archives.table_digest.digest_of", interrupted)
    with connect(target_of(url), application_name="values") as session:
        [a] = [table for table in read_catalog(session).tables if table.name.name == "a"]
        with pytest.raises(KeyboardInterrupt):
            digest_table(session, a)
        assert session.execute("SELECT 1").fetchall() == [(1,)]


def test_rows_larger_than_a_block_are_digested_as_a_whole(url: str, watcher: psycopg.Connection[Any]) -> None:
    lengths = [1, BLOCK_BYTES - 2, BLOCK_BYTES - 1, BLOCK_BYTES, 3 * BLOCK_BYTES + 7, 5]
    watcher.execute("CREATE TABLE wide (t text)")
    watcher.cursor().executemany("INSERT INTO wide VALUES (repeat('x', %s))", [(each,) for each in lengths])
    found, [wide] = read(url, "wide")
    expected = digest_of(("x" * each + "\n").encode() for each in lengths)
    assert found.digests[wide.name] == TableDigest(expected.rows, expected.hexdigest())
