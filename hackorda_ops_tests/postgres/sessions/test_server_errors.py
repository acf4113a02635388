"""What a server's errors mean: real ones from a real server, and those that only a provider gives."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from hackorda_ops.errors import (
    DiskFull,
    LoginRefused,
    OpsError,
    PermanentError,
    RetryableError,
    RightsMissing,
    ServerUnreachable,
    Stalled,
)
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, parse
from hackorda_ops.postgres.sessions.server_errors import connection_error
from hackorda_ops.postgres.sessions.session import connect, translated_errors


@pytest.fixture
def target(new_database: str) -> ConnectionTarget:
    return parse(new_database, origin="DATABASE_URL")


@pytest.fixture
def plain_role(new_database: str) -> Iterator[str]:
    """A role without any rights of its own; its password is `hush`."""
    with psycopg.connect(new_database, autocommit=True) as connection:
        connection.execute("CREATE ROLE \"plain role\" LOGIN PASSWORD 'hush'")
    yield "plain role"
    with psycopg.connect(new_database, autocommit=True) as connection:
        connection.execute('DROP OWNED BY "plain role"')
        connection.execute('DROP ROLE "plain role"')


def translated(target: ConnectionTarget, *statements: str) -> OpsError:
    with (
        connect(target, application_name="test") as connection,
        pytest.raises(OpsError) as caught,
        translated_errors(target, "Testing"),
    ):
        for statement in statements:
            connection.execute(statement.encode())
    assert caught.value.__suppress_context__
    return caught.value


def test_missing_rights_and_hidden_rows_are_told_as_such(target: ConnectionTarget, plain_role: str) -> None:
    with connect(target, application_name="test") as connection:
        connection.execute("CREATE TABLE public.closed (id int)")
        connection.execute("CREATE TABLE public.partly (id int)")
        connection.execute("ALTER TABLE public.partly ENABLE ROW LEVEL SECURITY")
        connection.execute(f'GRANT SELECT ON public.partly TO "{plain_role}"'.encode())
    theirs = replace(target, parameters={**target.parameters, "user": plain_role}, password="hush")

    closed = translated(theirs, "SELECT * FROM public.closed")
    partly = translated(theirs, "SELECT * FROM public.partly")

    assert isinstance(closed, RightsMissing)
    assert "permission denied for table closed" in closed.what
    assert isinstance(partly, RightsMissing)
    assert "row-level security" in partly.what


@pytest.mark.parametrize(
    ("statements", "kind"),
    [
        (["SET statement_timeout = 1", "SELECT pg_sleep(5)"], Stalled),
        (["DO $$ BEGIN RAISE 'no room' USING ERRCODE = '53100'; END $$"], DiskFull),
        (["DO $$ BEGIN RAISE 'conflict' USING ERRCODE = '40001'; END $$"], RetryableError),
        (["SELECT * FROM public.nowhere"], PermanentError),
    ],
)
def test_each_kind_of_server_error_has_its_meaning(
    target: ConnectionTarget, statements: list[str], kind: type[OpsError]
) -> None:
    assert type(translated(target, *statements)) is kind


def test_what_a_server_quotes_of_rows_and_passwords_stays_out_of_the_error(target: ConnectionTarget) -> None:
    secret = target.password
    assert secret is not None

    quoted = translated(target, f"DO $$ BEGIN RAISE 'cannot reach postgres://app:{secret}@h/db'; END $$")
    row = translated(
        target,
        "CREATE TABLE public.users (email text PRIMARY KEY)",
        "INSERT INTO public.users VALUES ('aigerim@example.kz'), ('aigerim@example.kz')",
    )

    assert secret not in str(quoted)
    assert "aigerim" not in str(row)
    assert "users_pkey" in row.what


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        # Neon's proxy quotes with apostrophes, and waits for computes that we cannot start here.
        ("connection failed: ERROR:  password authentication failed for user 'neondb_owner'", LoginRefused),
        ("connection failed: ERROR:  The requested endpoint could not be found", LoginRefused),
        ("connection failed: ERROR:  Couldn't connect to compute node", ServerUnreachable),
        ('connection failed: FATAL:  no pg_hba.conf entry for host "192.0.2.1", no encryption', LoginRefused),
        ('connection failed: FATAL:  sorry, too many clients already', ServerUnreachable),
        ('connection to server at "certificate.example.com", port 5432 failed: Connection refused', ServerUnreachable),
    ],
)  # fmt: skip
def test_refusals_that_only_a_provider_gives_are_told_apart(said: str, kind: type[OpsError]) -> None:
    target = ConnectionTarget({"host": "h", "user": "app", "dbname": "db"}, "hush")

    assert type(connection_error(target, psycopg.OperationalError(said))) is kind
