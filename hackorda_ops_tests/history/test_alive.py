"""The lock by which a drill shows that it lives, on a server that ends sessions."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime

import psycopg
import pytest

from hackorda_ops.history.alive import kept_alive, lives
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.sessions.connection import parse

pytestmark = pytest.mark.server

DRILL = "20261108T060000Z-a11fe0"


@pytest.fixture
def watcher(scratch_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """Another session of the server that drills show themselves on, more often than they usually do."""
    monkeypatch.setattr("hackorda_ops.postgres.sessions.beside.PING_SECONDS", 0.05)
    with psycopg.connect(scratch_server.url(), autocommit=True) as connection:
        yield connection


def sessions(watcher: psycopg.Connection) -> list[tuple[int, datetime]]:
    """The drill's sessions, with the time of the last thing that each asked."""
    query = "SELECT pid, query_start FROM pg_stat_activity WHERE application_name LIKE %s"
    return watcher.execute(query, (f"%{DRILL}",)).fetchall()


def wait_until(happened: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(600):
        if happened():
            return
        pause.wait(0.05)
    raise AssertionError("it did not happen")


def test_a_lock_that_the_server_lost_is_taken_again_and_ends_with_the_drill(
    scratch_server: PostgresServer, watcher: psycopg.Connection
) -> None:
    with kept_alive(parse(scratch_server.url(), origin="test"), DRILL):
        for _ in range(2):
            [(process, _)] = sessions(watcher)
            [(ended,)] = watcher.execute("SELECT pg_terminate_backend(%s, 10000)", (process,)).fetchall()
            assert ended  # and its lock with it
            wait_until(lambda: lives(watcher, DRILL))

    assert not lives(watcher, DRILL)
    wait_until(lambda: sessions(watcher) == [])


def test_its_session_never_idles_for_long_enough_to_be_suspended(
    scratch_server: PostgresServer, watcher: psycopg.Connection
) -> None:
    with kept_alive(parse(scratch_server.url(), origin="test"), DRILL):
        began = sessions(watcher)

        wait_until(lambda: sessions(watcher)[0][1] > began[0][1])

        assert [process for process, _ in sessions(watcher)] == [process for process, _ in began]


def test_a_drill_that_fails_no_longer_lives(
    scratch_server: PostgresServer, watcher: psycopg.Connection
) -> None:
    with pytest.raises(ZeroDivisionError), kept_alive(parse(scratch_server.url(), origin="test"), DRILL):
        raise ZeroDivisionError

    assert not lives(watcher, DRILL)
