import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from hackorda_ops.errors import SnapshotUnavailable
from hackorda_ops.local.postgres import PostgresServer, delete_server, running_postgres
from hackorda_ops.postgres.catalogs.counting import count_rows
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.source_catalog import read_catalog
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops.postgres.sessions.snapshot import exported, flushed_within_seconds, has_reached
from hackorda_ops.progress import ignore
from hackorda_ops_tests.postgres import awkward
from hackorda_ops_tests.postgres.sessions import relays

pytestmark = pytest.mark.server
NOTES = TableName("public", "notes")


@pytest.fixture
def url(each_url: str) -> str:
    awkward.execute(each_url, "CREATE TABLE notes (n int)", "INSERT INTO notes SELECT generate_series(1, 10)")
    return each_url


@contextmanager
def writing(url: str, pause_seconds: float) -> Iterator[None]:
    """Another session that inserts and commits, over and over, while the block runs."""
    over = threading.Event()

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not over.wait(pause_seconds):
                connection.execute("INSERT INTO notes VALUES (0)")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=30)


def count_in(url: str, identifier: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(identifier)))
        [(count,)] = connection.execute("SELECT count(*) FROM public.notes").fetchall()
        return int(count)


def test_a_row_inserted_after_the_export_is_in_no_session_of_the_snapshot(url: str) -> None:
    with exported(awkward.target_of(url), application_name="test") as (connection, snapshot):
        with psycopg.connect(url, autocommit=True) as writer:
            writer.execute("INSERT INTO notes VALUES (11)")
        inventory = read_catalog(connection)
        assert count_rows(connection, inventory.tables, ignore) == {NOTES: 10}
        assert count_in(url, snapshot.identifier) == 10
    with awkward.session(url) as afterwards:
        assert count_rows(afterwards, inventory.tables, ignore) == {NOTES: 11}


def test_a_quiet_server_gives_a_position_that_belongs_to_the_snapshot(url: str) -> None:
    with psycopg.connect(url) as connection:
        clock = "SELECT clock_timestamp()"
        before = connection.execute(clock).fetchall()[0][0]
        connection.rollback()
        with exported(awkward.target_of(url), application_name="test", alignment_budget_seconds=30) as (
            _,
            snapshot,
        ):
            after = connection.execute(clock).fetchall()[0][0]
    assert snapshot.aligned
    assert snapshot.captured_at.tzinfo is UTC
    assert before <= snapshot.captured_at <= after
    xmin, xmax, in_progress = snapshot.text.split(":")
    assert (xmin, in_progress) == (xmax, "")
    assert "/" in snapshot.lsn


def test_a_position_at_the_edge_of_a_page_does_not_wait_for_bytes_that_nobody_writes(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_switch_wal()")
    with exported(awkward.target_of(url), application_name="test", alignment_budget_seconds=30) as (
        _,
        snapshot,
    ):
        assert snapshot.aligned


def test_an_asynchronous_commit_that_the_snapshot_sees_is_on_disk_when_the_block_ends(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as writer:
        writer.execute("SET synchronous_commit = off")
        writer.execute("INSERT INTO notes VALUES (11)")
        [(committed,)] = writer.execute("SELECT pg_current_wal_insert_lsn()").fetchall()
        with exported(awkward.target_of(url), application_name="test", alignment_budget_seconds=30) as (
            _,
            snapshot,
        ):
            assert snapshot.aligned
            assert count_in(url, snapshot.identifier) == 11
        [(flushed,)] = writer.execute("SELECT pg_current_wal_flush_lsn()").fetchall()
    assert has_reached(flushed, committed)


@pytest.mark.parametrize(("delay", "seconds"), [("200ms", 0.8), ("500ms", 1.7), ("10s", 2.0)])
def test_a_commits_way_to_the_disk_is_as_long_as_the_servers_wal_writer_pauses_but_at_most_two_seconds(
    postgres_server: PostgresServer, delay: str, seconds: float
) -> None:
    with psycopg.connect(postgres_server.url(), autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER SYSTEM SET wal_writer_delay = {}").format(sql.Literal(delay)))
        try:
            admin.execute("SELECT pg_reload_conf()")
            _wait_until(lambda: admin.execute("SHOW wal_writer_delay").fetchall() == [(delay,)])
            assert flushed_within_seconds(admin) == pytest.approx(seconds)
        finally:
            admin.execute("ALTER SYSTEM RESET wal_writer_delay")
            admin.execute("SELECT pg_reload_conf()")


@pytest.mark.parametrize(
    ("flush", "insert", "reached"),
    [
        ("0/3000000", "0/3000000", True),
        ("0/3000028", "0/3000010", True),
        ("0/3000000", "0/3000028", True),  # the long header of a segment's first page
        ("0/3002000", "0/3002018", True),  # the short header of any other page
        ("0/3002000", "0/3002040", False),
        ("0/3001FF8", "0/3002018", False),
        ("1/0", "0/FFFFFFFF", True),
        ("0/FFFFFFFF", "1/10", False),
    ],
)
def test_a_position_is_on_disk_when_only_a_page_header_is_missing(
    flush: str, insert: str, reached: bool
) -> None:
    assert has_reached(flush, insert) is reached


def test_an_open_transaction_that_has_written_is_not_called_aligned(url: str) -> None:
    with psycopg.connect(url) as writer:
        writer.execute("INSERT INTO notes VALUES (11)")
        with exported(awkward.target_of(url), application_name="test", alignment_budget_seconds=0.2) as (
            connection,
            snapshot,
        ):
            [(own,)] = writer.execute("SELECT pg_current_xact_id()::text").fetchall()
            assert connection.execute("SELECT count(*) FROM public.notes").fetchall() == [(10,)]
    assert not snapshot.aligned
    # What the drill asks pg_xact_status for.
    xmax, in_progress = snapshot.text.split(":")[1:]
    assert own in in_progress.split(",") or int(own) >= int(xmax)


def test_a_commit_that_waits_for_replication_is_not_called_aligned(url: str) -> None:
    """It is in the WAL and not yet visible, as every commit on Neon is for a moment."""

    def commit() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.add_notice_handler(lambda _: None)
            connection.execute("SET synchronous_commit = on")
            connection.execute("SET application_name = 'waits for replication'")
            connection.execute("INSERT INTO notes VALUES (11)")

    waiting = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE application_name = 'waits for replication' AND wait_event = 'SyncRep'"
    )
    thread = threading.Thread(target=commit)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        admin.execute("SELECT pg_reload_conf()")
        try:
            _wait_until(lambda: admin.execute("SHOW synchronous_standby_names").fetchall() == [("nobody",)])
            _wait_until(
                lambda: (
                    not admin.execute(
                        "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
                        " AND backend_type = 'client backend'"
                    ).fetchall()
                )
            )
            thread.start()
            _wait_until(lambda: bool(admin.execute(waiting).fetchall()))
            with exported(awkward.target_of(url), application_name="test", alignment_budget_seconds=0.2) as (
                connection,
                snapshot,
            ):
                assert connection.execute("SELECT count(*) FROM public.notes").fetchall() == [(10,)]
        finally:
            admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
            admin.execute("SELECT pg_reload_conf()")
            thread.join(timeout=30)
    assert not snapshot.aligned


def _wait_until(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(600):
        if true():
            return
        pause.wait(0.05)
    pytest.fail("waited 30 seconds in vain")


def test_beside_writers_the_export_finds_a_quiet_moment(url: str) -> None:
    with (
        writing(url, pause_seconds=0.05),
        exported(awkward.target_of(url), application_name="test", alignment_budget_seconds=30) as (
            connection,
            snapshot,
        ),
    ):
        [(count,)] = connection.execute("SELECT count(*) FROM public.notes").fetchall()
        assert count_in(url, snapshot.identifier) == count
        assert snapshot.aligned


def test_without_a_quiet_moment_the_export_goes_on_and_the_snapshot_is_still_one(url: str) -> None:
    with psycopg.connect(url) as writer, writing(url, pause_seconds=0):
        writer.execute("INSERT INTO notes VALUES (11)")
        with exported(awkward.target_of(url), application_name="test", alignment_budget_seconds=0.2) as (
            connection,
            snapshot,
        ):
            [(count,)] = connection.execute("SELECT count(*) FROM public.notes").fetchall()
            assert count_in(url, snapshot.identifier) == count
            assert connection.execute("SELECT count(*) FROM public.notes").fetchall() == [(count,)]
    assert not snapshot.aligned


def test_no_time_limit_of_the_database_ends_the_snapshots_transaction(url: str) -> None:
    limits = ["statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout"]
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.info.server_version >= 170000:
            limits.append("transaction_timeout")
        for limit in limits:
            connection.execute(
                sql.SQL("ALTER DATABASE {} SET {} = '9s'").format(
                    sql.Identifier(connection.info.dbname), sql.Identifier(limit)
                )
            )
    with exported(awkward.target_of(url), application_name="test") as (connection, _):
        for limit in limits:
            assert connection.execute(f"SELECT current_setting('{limit}')").fetchall() == [("0",)], limit
        [(lock_timeout,)] = connection.execute("SELECT current_setting('lock_timeout')").fetchall()
        assert lock_timeout == "30s"


def test_nothing_can_be_written_in_the_snapshots_transaction(url: str) -> None:
    with (
        exported(awkward.target_of(url), application_name="test") as (connection, _),
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        connection.execute("INSERT INTO public.notes VALUES (1)")


def test_the_snapshot_is_gone_after_the_block_even_when_the_block_fails(url: str) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        exported(awkward.target_of(url), application_name="leaves nothing") as (connection, snapshot),
    ):
        raise ZeroDivisionError
    assert connection.closed
    with pytest.raises((psycopg.errors.InvalidParameterValue, psycopg.errors.UndefinedObject)):
        count_in(url, snapshot.identifier)


def test_a_pooler_in_transaction_mode_is_refused_with_the_remedy(url: str) -> None:
    with relays.transaction_pooler(url) as port:
        target = parse(f"postgresql://postgres:x@127.0.0.1:{port}/any?sslmode=disable", origin="the test")
        with (
            pytest.raises(SnapshotUnavailable, match="pooler in transaction mode") as refusal,
            exported(target, application_name="test"),
        ):
            pass
    assert "direct endpoint" in refusal.value.next_step


def test_a_balancer_over_two_servers_is_refused_with_the_remedy(
    postgres_server: PostgresServer, debian_postgres_server: PostgresServer
) -> None:
    servers = (postgres_server, debian_postgres_server)
    for each in servers:
        with psycopg.connect(each.url(), autocommit=True) as connection:
            connection.execute("CREATE ROLE everywhere LOGIN PASSWORD 'pw'")
    try:
        with relays.balancer(*(each.port for each in servers)) as port:
            target = parse(f"postgresql://everywhere:pw@127.0.0.1:{port}/postgres", origin="the test")
            with (
                pytest.raises(SnapshotUnavailable, match="cannot see the snapshot") as refusal,
                exported(target, application_name="test"),
            ):
                pass
        assert "direct endpoint" in refusal.value.next_step
    finally:
        for each in servers:
            with psycopg.connect(each.url(), autocommit=True) as connection:
                connection.execute("DROP ROLE everywhere")


def test_a_standby_is_refused_with_the_remedy(server_folder: Path) -> None:
    folder = server_folder / "standby"
    with running_postgres(folder, settings={"fsync": "off"}) as primary:
        data = primary.data_folder
    (data / "standby.signal").touch()
    try:
        with running_postgres(folder, settings={"fsync": "off"}) as standby:
            with (
                pytest.raises(SnapshotUnavailable, match="is a standby") as refusal,
                exported(awkward.target_of(standby.url()), application_name="test"),
            ):
                pass
            assert "primary" in refusal.value.next_step
    finally:
        delete_server(folder)
