"""A reading lets go when somebody waits behind it, on the server as well as here."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from hackorda_ops.errors import SourceBusy
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.reading import Burden, Reading, reading, wait_until_free
from hackorda_ops.postgres.sessions.session import connect
from hackorda_ops_tests.postgres.awkward import target_of

YIELD_AFTER = 1.0
# What a look, the ending and a busy machine may take on top.
MARGIN = 2.0


@pytest.fixture
def url(each_url: str) -> str:
    with psycopg.connect(each_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE users (id int PRIMARY KEY, name text)")
        connection.execute("CREATE TABLE jobs (id int)")
        connection.execute("CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM jobs")
    return each_url


def waits(url: str, statement: str, name: str = "deploy") -> Callable[[], float]:
    """Runs a statement in a thread; the function that is returned waits for its end and gives its seconds."""
    took: list[float] = []

    def run() -> None:
        with psycopg.connect(url, autocommit=True, application_name=name) as connection:
            began = time.monotonic()
            connection.execute(statement.encode())
            took.append(time.monotonic() - began)

    thread = threading.Thread(target=run)
    thread.start()

    def ended() -> float:
        thread.join(30)
        assert took, f"{statement} still waits, or failed"
        return took[0]

    return ended


def read_until_in_the_way(current: Reading) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        current.raise_if_in_the_way()
        time.sleep(0.05)
    pytest.fail("nobody was in the way")


@contextmanager
def snapshot_on(current: Reading, target: ConnectionTarget, *statements: str) -> Iterator[None]:
    with connect(target, application_name=current.application_name("hackorda_ops test")) as session:
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for statement in statements:
            session.execute(statement.encode())
        yield


def sessions(url: str) -> int:
    with psycopg.connect(url) as connection:
        [(found,)] = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'hackorda_ops test%'"
            " AND datname = current_database()"
        ).fetchall()
    return int(found)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE users ADD COLUMN age int",
        "TRUNCATE users",
        "REFRESH MATERIALIZED VIEW totals",
        # It waits for the snapshot, not for a lock on any table.
        "CREATE INDEX CONCURRENTLY ON jobs (id)",
    ],
)
def test_whatever_waits_behind_a_reading_goes_on_within_seconds(url: str, statement: str) -> None:
    target = target_of(url)
    with (
        pytest.raises(SourceBusy, match="deploy") as caught,
        reading(target, yield_after_seconds=YIELD_AFTER) as current,
        snapshot_on(current, target, "SELECT FROM public.users", "SELECT FROM public.totals"),
    ):
        ended = waits(url, statement)
        read_until_in_the_way(current)

    assert ended() < YIELD_AFTER + MARGIN
    assert sessions(url) == 0
    assert "released" in caught.value.meaning
    assert YIELD_AFTER <= current.burden.longest_wait_seconds < YIELD_AFTER + MARGIN


def test_a_reader_behind_a_schema_change_behind_a_reading_goes_on_too(url: str) -> None:
    target = target_of(url)
    with (
        pytest.raises(
            SourceBusy, match=r"deploy \(process \d+, role \w+\) for AccessExclusiveLock on (public\.)?users"
        ),
        reading(target, yield_after_seconds=YIELD_AFTER) as current,
        snapshot_on(current, target, "SELECT FROM public.users"),
    ):
        first = waits(url, "ALTER TABLE users ADD COLUMN age int")
        second = waits(url, "SELECT FROM users", "a user")
        read_until_in_the_way(current)

    assert max(first(), second()) < YIELD_AFTER + MARGIN


def test_a_role_without_any_privilege_sees_who_waits_and_lets_go(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("DROP ROLE IF EXISTS plain_reader")
        owner.execute("CREATE ROLE plain_reader LOGIN PASSWORD 'plain' NOSUPERUSER")
        owner.execute("GRANT SELECT ON users TO plain_reader")
        target = target_of(url)
        plain = ConnectionTarget({**target.parameters, "user": "plain_reader"}, "plain")
        with (
            pytest.raises(SourceBusy, match="deploy"),
            reading(plain, yield_after_seconds=YIELD_AFTER) as current,
            snapshot_on(current, plain, "SELECT FROM public.users"),
        ):
            ended = waits(url, "ALTER TABLE users ADD COLUMN age int")
            read_until_in_the_way(current)
        assert ended() < YIELD_AFTER + MARGIN
        owner.execute("REVOKE ALL ON users FROM plain_reader")
        owner.execute("DROP ROLE plain_reader")


def test_a_circle_that_the_server_cannot_see_is_ended_and_the_other_goes_on(url: str) -> None:
    target = target_of(url)
    with (
        pytest.raises(SourceBusy),
        reading(target, yield_after_seconds=YIELD_AFTER) as current,
        snapshot_on(current, target, "SELECT FROM public.totals"),
        connect(target, application_name=current.application_name("hackorda_ops test")) as second,
    ):
        ended = waits(url, "REFRESH MATERIALIZED VIEW totals")
        time.sleep(0.2)
        second.execute("SELECT FROM public.totals")

    assert ended() < YIELD_AFTER + MARGIN


def test_a_circle_in_which_the_server_might_end_the_others_work_is_left_at_once(url: str) -> None:
    target = target_of(url)
    with psycopg.connect(url, application_name="deploy") as other:
        other.execute("LOCK TABLE users")
        with (
            pytest.raises(SourceBusy),
            reading(target, yield_after_seconds=15) as current,
            snapshot_on(current, target, "SELECT FROM public.jobs"),
            connect(target, application_name=current.application_name("hackorda_ops test")) as second,
            ThreadPoolExecutor(1) as beside,
        ):
            second.execute("BEGIN")
            second.execute("SELECT FROM public.jobs")
            waiting_first = beside.submit(second.execute, "SELECT FROM public.users")
            time.sleep(0.2)
            other.execute("LOCK TABLE jobs")
            waiting_first.result()


def test_a_reading_does_not_wait_for_long_behind_another_either(url: str) -> None:
    target = target_of(url)
    with (
        psycopg.connect(url, application_name="a migration") as other,
        pytest.raises(
            SourceBusy, match=r"a migration \(.*\) kept it from AccessShareLock on (public\.)?users"
        ),
        reading(target, yield_after_seconds=YIELD_AFTER) as current,
        connect(target, application_name=current.application_name("hackorda_ops test")) as session,
    ):
        other.execute("LOCK TABLE users")
        session.execute("SELECT FROM public.users")

    assert current.burden.longest_wait_seconds == 0


def test_a_block_that_fails_leaves_no_session_of_the_reading_behind(url: str) -> None:
    target = target_of(url)
    kept = None
    with pytest.raises(ZeroDivisionError), reading(target, yield_after_seconds=YIELD_AFTER) as current:
        kept = connect(target, application_name=current.application_name("hackorda_ops test"))
        kept.execute("SELECT 1")
        raise ZeroDivisionError
    assert sessions(url) == 0
    assert kept is not None
    kept.close()


def test_a_reading_that_nobody_waits_for_ends_as_it_would_alone(url: str) -> None:
    target = target_of(url)
    with (
        reading(target, yield_after_seconds=YIELD_AFTER) as current,
        snapshot_on(current, target, "SELECT FROM public.users"),
    ):
        current.snapshot_taken()
        time.sleep(1.2)
        current.raise_if_in_the_way()

    burden = current.burden
    assert (burden.attempts, burden.longest_wait_seconds, burden.connections) == (1, 0, 2)
    assert burden.xmin_held_seconds > 1


def test_the_way_is_free_when_the_schema_change_has_ended(url: str) -> None:
    target = target_of(url)
    with psycopg.connect(url) as other:
        other.execute("CREATE TABLE another (id int)")  # nobody else can see it yet
        assert wait_until_free(target, frozenset(), at_most_seconds=0)
        other.execute("ALTER TABLE users ADD COLUMN age int")
        assert not wait_until_free(target, frozenset(), at_most_seconds=0)
        other.rollback()
        other.execute("LOCK TABLE users IN SHARE UPDATE EXCLUSIVE MODE")  # as CREATE INDEX CONCURRENTLY does
        assert wait_until_free(target, frozenset(), at_most_seconds=0)
        assert not wait_until_free(target, frozenset({other.info.backend_pid}), at_most_seconds=0)


def test_attempts_add_up_to_the_worst_of_each() -> None:
    assert Burden(1, 5.1, 60, 5).and_then(Burden(1, 0.2, 90, 4)) == Burden(2, 5.1, 90, 5)
