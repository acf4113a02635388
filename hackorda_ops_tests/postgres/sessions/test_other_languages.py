"""A server whose messages are in another language: nothing is decided by its words."""

import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from hackorda_ops.errors import LoginRefused, ServerUnreachable
from hackorda_ops.local.postgres import PostgresServer, delete_server, running_postgres
from hackorda_ops.postgres.sessions import session
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, parse
from hackorda_ops.postgres.sessions.failed_login import sqlstate_of_refusal
from hackorda_ops.postgres.sessions.server_errors import connection_error, is_unknown_answer
from hackorda_ops.postgres.sessions.session import connect
from hackorda_ops_tests.zoo.servers import programs_of

_GERMAN = "de_DE.UTF-8"


@pytest.fixture(scope="module")
def german_server(server_folder: Path) -> Iterator[PostgresServer]:
    """Debian's Postgres, whose package has the translations that wheels lack."""
    known = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=True, timeout=30).stdout
    if "de_de.utf8" not in known.lower():
        message = f"no locale {_GERMAN} (apt install locales; localedef -i de_DE -f UTF-8 {_GERMAN})"
        if "CI" in os.environ:
            pytest.fail(message)
        pytest.skip(message)
    folder = server_folder / "german"
    settings = {"lc_messages": _GERMAN, "fsync": "off", "max_connections": "20"}
    with running_postgres(folder, bin_dir=programs_of(15), settings=settings) as server:
        yield server
    delete_server(folder)


@pytest.fixture
def target(german_server: PostgresServer) -> ConnectionTarget:
    return parse(german_server.url(), origin="DATABASE_URL")


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting is a failure: what is refused is refused at the first answer."""

    def fail(seconds: float) -> None:
        pytest.fail(f"waited for {seconds} s")

    monkeypatch.setattr(session.time, "sleep", fail)


def refused(target: ConnectionTarget) -> LoginRefused:
    with pytest.raises(LoginRefused) as caught:
        connect(target, application_name="test")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


@pytest.mark.usefixtures("no_pause")
def test_a_wrong_password_is_refused_at_once_in_german_too(target: ConnectionTarget) -> None:
    error = refused(replace(target, password="not-the-password"))

    assert "Passwort-Authentifizierung" in error.what
    assert "28P01" in error.what
    assert "rotated" in error.next_step
    assert "not-the-password" not in str(error)


@pytest.mark.usefixtures("no_pause")
def test_an_unknown_database_role_or_setting_is_refused_at_once_in_german_too(
    target: ConnectionTarget,
) -> None:
    elsewhere = replace(target, parameters={**target.parameters, "dbname": "nowhere"})
    nobody = replace(target, parameters={**target.parameters, "user": "nobody"})
    odd = replace(target, parameters={**target.parameters, "options": "-c no_such_setting=1"})

    assert "letter by letter" in refused(elsewhere).next_step
    assert "password" in refused(nobody).next_step  # the server doesn't give away that there is no such role
    assert "parameters" in refused(odd).next_step


@pytest.mark.usefixtures("no_pause")
def test_a_role_that_may_not_log_in_is_refused_at_once_in_german_too(target: ConnectionTarget) -> None:
    with connect(target, application_name="test") as connection:
        connection.execute("CREATE ROLE closed PASSWORD 'hush'")
    closed = replace(target, parameters={**target.parameters, "user": "closed"}, password="hush")

    assert "lacks the right to log in" in refused(closed).meaning


def test_a_role_without_a_free_connection_is_waited_for_in_german_too(target: ConnectionTarget) -> None:
    with connect(target, application_name="test") as admin:
        admin.execute("CREATE ROLE narrow LOGIN PASSWORD 'hush' CONNECTION LIMIT 1")
    narrow = replace(target, parameters={**target.parameters, "user": "narrow"}, password="hush")

    with connect(narrow, application_name="test") as first:
        with pytest.raises(ServerUnreachable):
            connect(narrow, application_name="test", retry_budget_seconds=0)
        threading.Timer(0.3, first.close).start()
        with connect(narrow, application_name="test") as second:
            assert second.execute("SELECT 1").fetchone() == (1,)


def test_a_sessions_messages_are_in_english_where_its_role_may_ask_for_them(target: ConnectionTarget) -> None:
    with connect(target, application_name="test") as admin:
        with pytest.raises(psycopg.Error, match="division by zero"):
            admin.execute("SELECT 1/0")
        admin.execute(sql.SQL("CREATE ROLE plain LOGIN PASSWORD 'hush'"))
    plain = replace(target, parameters={**target.parameters, "user": "plain"}, password="hush")
    with (
        connect(plain, application_name="test") as connection,
        pytest.raises(psycopg.errors.DivisionByZero, match="Division durch Null"),
    ):
        connection.execute("SELECT 1/0")


def test_finding_out_why_a_login_failed_leaves_no_file_open(german_server: PostgresServer) -> None:
    conninfo = german_server.url("nowhere")
    before = len(list(Path("/proc/self/fd").iterdir()))

    assert [sqlstate_of_refusal(conninfo) for _ in range(3)] == ["3D000"] * 3
    assert sqlstate_of_refusal(german_server.url()) is None
    assert sqlstate_of_refusal("host=127.0.0.1 port=1 user=app dbname=db") is None

    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_where_no_sqlstate_can_be_found_out_an_unknown_answer_is_a_refusal_in_the_end(
    target: ConnectionTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "sqlstate_of_refusal", lambda _conninfo: None)
    monkeypatch.setattr(session, "_UNKNOWN_ANSWER_BUDGET_SECONDS", 0.4)

    error = refused(replace(target, password="not-the-password"))

    assert "unknown message" in error.meaning


@pytest.mark.parametrize(
    ("said", "sqlstate", "kind"),
    [
        ("FATAL:  das Datenbanksystem startet", "57P03", ServerUnreachable),
        ("FATAL:  tut mir leid, schon zu viele Verbindungen", "53300", ServerUnreachable),
        ("FATAL:  Verbindung wird abgebrochen", "57P01", ServerUnreachable),
        ("FATAL:  用户 \"app\" Password 认证失败", "28P01", LoginRefused),
        ("ВАЖНО:  роль \"app\" не существует", "28000", LoginRefused),
        ("FATAL:  la base de données « db » n'existe pas", "3D000", LoginRefused),
    ],
)  # fmt: skip
def test_an_answer_is_judged_by_its_sqlstate_in_every_language(
    said: str, sqlstate: str, kind: type[Exception]
) -> None:
    error = psycopg.OperationalError(f'connection to server at "h", port 5432 failed: {said}')
    target = ConnectionTarget({"host": "h", "user": "app", "dbname": "db"}, "hush")

    assert is_unknown_answer(error)
    assert type(connection_error(target, error, sqlstate=sqlstate)) is kind


@pytest.mark.parametrize(
    "said",
    [
        "FATAL:  the database system is starting up",
        "FATAL:  sorry, too many clients already",
        'FATAL:  password authentication failed for user "app"',
        "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?",
        "timeout expired",
    ],
)
def test_nothing_more_is_asked_of_a_server_whose_answer_is_clear_or_that_gave_none(said: str) -> None:
    assert not is_unknown_answer(
        psycopg.OperationalError(f'connection to server at "h", port 5432 failed: {said}')
    )
