"""Sessions against a real server: patience where it helps, one clear error where it does not."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from hackorda_ops.errors import ConnectionLost, LoginRefused, OpsError, PermanentError, ServerUnreachable
from hackorda_ops.local.postgres import PostgresServer, create_database, delete_server, running_postgres
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, parse
from hackorda_ops.postgres.sessions.session import connect, translated_errors

AWKWARD_PASSWORD = "p@ss:w/rd%41 'n\" \\ ?&#"


@pytest.fixture
def target(new_database: str) -> ConnectionTarget:
    return parse(new_database, origin="DATABASE_URL")


def unused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def setting(connection: psycopg.Connection[tuple[object, ...]], name: str) -> object:
    row = connection.execute("SELECT pg_catalog.current_setting(%s)", [name]).fetchone()
    assert row is not None
    return row[0]


def test_a_session_has_its_name_and_its_settings_whatever_the_database_has_set(
    target: ConnectionTarget, new_database: str
) -> None:
    with psycopg.connect(new_database, autocommit=True) as connection:
        name = sql.Identifier(target.database)
        for change in ("TimeZone = 'Asia/Almaty'", "bytea_output = 'escape'", "statement_timeout = '15s'",
                       "transaction_timeout = '9s'", "idle_session_timeout = '9s'"):  # fmt: skip
            connection.execute(sql.SQL("ALTER DATABASE {} SET ").format(name) + sql.SQL(change))

    with connect(target, application_name="hackorda_ops test") as connection:
        assert setting(connection, "application_name") == "hackorda_ops test"
        assert setting(connection, "TimeZone") == "UTC"
        assert setting(connection, "bytea_output") == "hex"
        assert setting(connection, "search_path") == ""
        for limit in ("statement_timeout", "transaction_timeout", "idle_session_timeout"):
            assert setting(connection, limit) == "0"
        assert setting(connection, "tcp_keepalives_idle") == "60"
        assert connection.autocommit


def test_a_transaction_begins_with_the_first_statement_where_autocommit_is_off(
    target: ConnectionTarget,
) -> None:
    with connect(target, application_name="test", autocommit=False) as connection:
        assert connection.info.transaction_status.name == "IDLE"
        connection.execute("SELECT 1")
        assert connection.info.transaction_status.name == "INTRANS"
        connection.rollback()
        assert setting(connection, "TimeZone") == "UTC"


def test_an_older_server_gets_only_the_settings_it_knows(debian_postgres_server: PostgresServer) -> None:
    target = parse(debian_postgres_server.url(), origin="DATABASE_URL")

    with connect(target, application_name="test") as connection:
        assert setting(connection, "statement_timeout") == "0"
        assert connection.info.server_version < 170000


def test_postgres_variables_of_this_process_lead_nowhere_else(
    target: ConnectionTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PGHOST": "elsewhere.invalid",
        "PGHOSTADDR": "192.0.2.1",
        "PGPORT": "1",
        "PGUSER": "somebody",
        "PGDATABASE": "elsewhere",
        "PGPASSWORD": "wrong",
        "PGOPTIONS": "-c no_such_setting=1",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": "/no/such/file",
        "PGTARGETSESSIONATTRS": "standby",
    }.items():
        monkeypatch.setenv(name, value)

    with connect(target, application_name="test", retry_budget_seconds=0) as connection:
        assert connection.info.dbname == target.database


def test_a_unix_socket_and_a_case_sensitive_name_lead_to_the_database(
    postgres_server: PostgresServer,
) -> None:
    create_database(postgres_server, "honeyDue")
    socket_folder = quote(str(postgres_server.socket_folder), safe="")
    url = postgres_server.url("honeyDue").replace("127.0.0.1", socket_folder)

    with connect(parse(url, origin="DATABASE_URL"), application_name="test") as connection:
        assert connection.info.dbname == "honeyDue"
        assert connection.info.host == str(postgres_server.socket_folder)


def test_a_password_of_awkward_characters_opens_a_session(
    target: ConnectionTarget, new_database: str
) -> None:
    with psycopg.connect(new_database, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE awkward LOGIN PASSWORD {}").format(AWKWARD_PASSWORD))
        try:
            url = (
                f"postgres://awkward:{quote(AWKWARD_PASSWORD, safe='')}@{target.host}:{target.port}/postgres"
            )
            with connect(parse(url, origin="DATABASE_URL"), application_name="test") as connection:
                assert connection.info.user == "awkward"
        finally:
            admin.execute("DROP ROLE awkward")


def refused(target: ConnectionTarget) -> LoginRefused:
    with pytest.raises(LoginRefused) as caught:
        connect(target, application_name="test")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def test_a_wrong_password_ends_at_once_in_one_clear_error_without_the_password(
    target: ConnectionTarget,
) -> None:
    error = refused(replace(target, password=AWKWARD_PASSWORD))

    assert "password authentication failed" in error.what
    assert target.describe() in error.what
    assert AWKWARD_PASSWORD not in str(error)
    assert "rotated" in error.next_step


def test_a_missing_password_is_told_as_such(target: ConnectionTarget) -> None:
    assert "no password supplied" in refused(replace(target, password=None)).what


def test_a_name_in_the_wrong_case_is_told_as_such(postgres_server: PostgresServer) -> None:
    create_database(postgres_server, "honeyDue")

    error = refused(parse(postgres_server.url("honeydue"), origin="DATABASE_URL"))

    assert 'database "honeydue" does not exist' in error.what
    assert "case-sensitive" in error.next_step


def test_an_unknown_role_is_refused_at_once(postgres_server: PostgresServer) -> None:
    url = postgres_server.url(user="no such role", password="x")

    assert 'for user "no such role"' in refused(parse(url, origin="DATABASE_URL")).what


def test_a_setting_that_the_server_does_not_know_is_refused_at_once(target: ConnectionTarget) -> None:
    parameters = {**target.parameters, "options": "-c no_such_setting=1"}

    assert "no_such_setting" in refused(replace(target, parameters=parameters)).what


@pytest.mark.parametrize("budget_seconds", [0, 0.6])
def test_a_port_where_nobody_listens_is_unreachable_when_the_budget_is_spent(budget_seconds: float) -> None:
    target = parse(f"postgres://app:hush@127.0.0.1:{unused_port()}/db", origin="DATABASE_URL")

    with pytest.raises(ServerUnreachable, match="refused") as caught:
        connect(target, application_name="test", retry_budget_seconds=budget_seconds)

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("number", "kind"), [(socket.EAI_NONAME, PermanentError), (socket.EAI_AGAIN, ServerUnreachable)]
)
def test_an_unknown_host_is_permanent_and_a_resolver_out_of_order_is_not(
    target: ConnectionTarget, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[OpsError]
) -> None:
    says = {
        socket.EAI_NONAME: "Name or service not known",
        socket.EAI_AGAIN: "Temporary failure in name resolution",
    }

    def unresolved(*_args: object, **_options: object) -> None:
        raise socket.gaierror(number, says[number])

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    elsewhere = replace(target, parameters={**target.parameters, "host": "no-such-host.example"})

    with pytest.raises(OpsError, match=r"no-such-host\.example") as caught:
        connect(elsewhere, application_name="test", retry_budget_seconds=0.3)
    assert type(caught.value) is kind


def test_a_server_that_never_answers_ends_in_a_timeout() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        target = parse(f"postgres://app:hush@127.0.0.1:{port}/db?connect_timeout=2", origin="DATABASE_URL")

        with pytest.raises(ServerUnreachable, match="timeout"):
            connect(target, application_name="test", retry_budget_seconds=0)


@contextmanager
def running_in_background(folder: Path, port: int, settings: dict[str, str]) -> Iterator[None]:
    """A server whose start is not waited for."""
    ended = threading.Event()

    def run() -> None:
        with running_postgres(folder, port=port, settings=settings):
            ended.wait()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=60)


def test_a_server_that_is_still_starting_up_is_waited_for(server_folder: Path) -> None:
    folder, may_start, port = server_folder / "starting", server_folder / "may-start", unused_port()
    with running_postgres(folder, settings={"fsync": "off"}) as server:
        url = server.url().replace(f":{server.port}/", f":{port}/")
        data = server.data_folder
    # Recovery asks the archive for its files, and the archive answers when it is told to.
    (data / "recovery.signal").touch()
    archive = f"while ! test -e {may_start}; do sleep 0.05; done; false"
    target = parse(url, origin="DATABASE_URL")

    with running_in_background(folder, port, {"restore_command": archive, "fsync": "off"}):
        try:
            while True:
                with pytest.raises(ServerUnreachable) as caught:
                    connect(target, application_name="test", retry_budget_seconds=0)
                if "starting up" in caught.value.what:
                    break
            threading.Timer(0.3, may_start.touch).start()
            with connect(target, application_name="test") as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
        finally:
            may_start.touch()
    delete_server(folder)


def test_a_connection_cut_in_the_middle_is_lost_and_retryable(
    target: ConnectionTarget, postgres_server: PostgresServer
) -> None:
    with connect(target, application_name="test") as connection:
        with psycopg.connect(postgres_server.url(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])

        for _ in range(2):  # told by the server first, then known to the client
            with pytest.raises(ConnectionLost) as caught, translated_errors(target, "Counting the rows"):
                connection.execute("SELECT 1")
            assert caught.value.what.startswith(f"Counting the rows failed on {target.describe()}: ")
            assert caught.value.retryable
