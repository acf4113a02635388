"""Servers that stop answering while every socket stays open: tried with a relay that passes nothing on any more."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from hackorda_ops.errors import ConnectionLost, LockLost, ServerUnreachable
from hackorda_ops.postgres.sessions import answering, lock
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, conninfo_of, translated_errors
from hackorda_ops.postgres.sessions.settings import COMPARABLE_SETTINGS, SHORT_SETTINGS
from hackorda_ops.rounds import rounds
from hackorda_ops_tests.postgres import awkward
from hackorda_ops_tests.postgres.sessions import relays
from hackorda_ops_tests.unanswering import black_hole, ends

pytestmark = pytest.mark.server

SOON = {**SHORT_SETTINGS, "statement_timeout": "1s"}


@pytest.fixture
def url(each_url: str) -> str:
    return each_url


@pytest.fixture
def relay(url: str) -> Iterator[relays.Freezable]:
    with relays.freezable(awkward.target_of(url).port) as relay:
        yield relay


@pytest.fixture
def through(url: str, relay: relays.Freezable) -> ConnectionTarget:
    target = awkward.target_of(url)
    return replace(target, parameters={**target.parameters, "port": str(relay.port)})


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "GRACE_SECONDS", 0.5)
    monkeypatch.setattr(answering, "LOOK_EVERY_SECONDS", 0.4)
    monkeypatch.setattr(answering, "LOOK_CONNECT_SECONDS", 2)


def test_a_statement_with_a_limit_is_not_waited_for_much_longer(
    through: ConnectionTarget, relay: relays.Freezable
) -> None:
    session = connect(through, application_name="test", settings=SOON)
    relay.freeze(new_ones_too=True)
    with pytest.raises(ConnectionLost) as lost, translated_errors(through, "Asking"):
        session.execute("SELECT 1")
    assert "has not answered for" in str(lost.value)
    assert lost.value.retryable
    assert session.closed


def test_a_frozen_source_is_a_lost_lock_and_not_an_endless_probe(
    through: ConnectionTarget, relay: relays.Freezable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "SHORT_SETTINGS", SOON)
    with lock.dump_lock(through, application_name="test") as held:
        held.probe()
        relay.freeze(new_ones_too=True)
        with pytest.raises(LockLost):
            held.probe()


def test_a_long_statement_on_a_server_that_is_at_it_may_be_silent(through: ConnectionTarget) -> None:
    with connect(through, application_name="test", settings=COMPARABLE_SETTINGS) as session:
        assert session.execute("SELECT 1 FROM pg_sleep(3)").fetchall() == [(1,)]


def test_a_long_statement_ends_when_the_whole_server_is_silent(
    through: ConnectionTarget, relay: relays.Freezable
) -> None:
    session = connect(through, application_name="test", settings=COMPARABLE_SETTINGS)
    relay.freeze(new_ones_too=True)
    with pytest.raises(ConnectionLost), translated_errors(through, "Counting"):
        session.execute("SELECT count(*) FROM pg_class")


def test_a_long_statement_ends_when_only_its_own_answer_is_lost(
    through: ConnectionTarget, relay: relays.Freezable
) -> None:
    session = connect(through, application_name="test", settings=COMPARABLE_SETTINGS)
    relay.freeze(new_ones_too=False)
    with pytest.raises(ConnectionLost), translated_errors(through, "Counting"):
        session.execute("SELECT count(*) FROM pg_class")


def test_a_server_that_refuses_another_session_is_there(url: str) -> None:
    with awkward.new_role(url, "only_one_session") as role_url:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("ALTER ROLE only_one_session CONNECTION LIMIT 1")
        target = awkward.target_of(role_url)
        with connect(target, application_name="test", settings=COMPARABLE_SETTINGS) as session:
            assert session.execute("SELECT 1 FROM pg_sleep(2.5)").fetchall() == [(1,)]


def test_a_client_tools_server_is_asked_after_and_its_silence_ends_the_tool(
    through: ConnectionTarget, relay: relays.Freezable
) -> None:
    server = answering.WatchedServer(conninfo_of(through))
    for _ in rounds(2, pause_seconds=0.1):
        server.look()
    relay.freeze(new_ones_too=True)
    with pytest.raises(ConnectionLost, match="has not answered"), translated_errors(through, "Restoring"):
        for _ in rounds(60, pause_seconds=0.1):
            server.look()


def test_an_address_that_nobody_answers_at_is_given_up(url: str) -> None:
    with black_hole() as port, ends():
        target = awkward.target_of(url)
        nowhere = {**target.parameters, "host": "127.0.0.1", "port": str(port), "connect_timeout": "2"}
        with pytest.raises(ServerUnreachable):
            connect(replace(target, parameters=nowhere), application_name="test", retry_budget_seconds=0)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("60s", 60), ("5min", 300), ("0", 0), ("1500", 1.5), ("2h", 7200), ("500ms", 0.5)],
)
def test_time_limits_are_read_as_postgres_writes_them(written: str, seconds: float) -> None:
    assert answering.seconds_of(written) == seconds


def test_what_is_no_time_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="not a time limit"):
        answering.seconds_of("soon")
