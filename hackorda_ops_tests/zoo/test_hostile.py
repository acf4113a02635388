"""A compromised source reaches nothing on the scratch but the copy of itself."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops_tests.zoo.conftest import Servers, make
from hackorda_ops_tests.zoo.hostile import ATTACKS, PLACES, loud, swallowing

pytestmark = pytest.mark.server

# Of the loudest: one for each way that a refusal is worded.
LOUD = ("a program", "a large object", "a superuser", "a library", "the administrator's role")


@pytest.fixture
def canary() -> Iterator[Path]:
    """A folder that any user of this machine can write to."""
    with tempfile.TemporaryDirectory(prefix="hackorda-canary-") as folder:
        path = Path(folder)
        path.chmod(0o777)
        yield path


@pytest.fixture
def hostile(servers: Servers) -> Iterator[Callable[[str, str], str]]:
    """Makes a database of an ordinary role's, who runs the statements given in it."""
    urls: list[str] = []
    with psycopg.connect(servers.source.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE gardener LOGIN PASSWORD 'pw'")

    def plant(name: str, statements: str) -> str:
        urls.append(name)
        make(servers.source, name, "OWNER gardener")
        with psycopg.connect(
            servers.source.url(name, user="gardener", password="pw"), autocommit=True
        ) as session:
            session.execute("CREATE TABLE seeds AS SELECT 1 AS n")
            session.execute(statements.encode())
        return servers.source.url(name)

    yield plant
    with psycopg.connect(servers.source.url(), autocommit=True) as connection:
        for name in urls:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute("DROP ROLE gardener")


@pytest.mark.parametrize("servers", [15, 18], indirect=True)
def test_what_hides_that_it_was_refused_has_done_nothing_and_is_told(
    servers: Servers,
    hostile: Callable[[str, str], str],
    as_restorer: Callable[[str], DrillResult],
    canary: Path,
) -> None:
    function = swallowing(ATTACKS, canary, f"{_login(servers.scratch)}")
    places = "; ".join(place.format(function="quiet") for place in PLACES.values())
    url = hostile("quiet", f"{function}; {places}")
    before = everything_on(servers.scratch)

    result = as_restorer(url)

    assert list(canary.iterdir()) == []
    assert everything_on(servers.scratch) == before
    assert (result.verdict, result.error, result.findings) == ("PASS", None, ())
    told = "\n".join(result.warnings)
    for reach in ("a program of", "files of", "settings of", "other servers", "other roles"):
        assert f"Code in the dump names {reach}" in told
    assert "public.quiet_acts()" in told


@pytest.mark.parametrize("servers", [15, 18], indirect=True)
def test_what_is_refused_aloud_is_an_error_that_names_it_and_no_fail(
    servers: Servers,
    hostile: Callable[[str, str], str],
    as_restorer: Callable[[str], DrillResult],
    canary: Path,
) -> None:
    for number, attack in enumerate(LOUD):
        function = loud(attack, canary, _login(servers.scratch))
        url = hostile(f"loud {number}", f"{function}; {PLACES['an index'].format(function='loud')}")
        before = everything_on(servers.scratch)

        result = as_restorer(url)

        assert list(canary.iterdir()) == []
        assert everything_on(servers.scratch) == before
        assert (result.verdict, result.findings) == ("ERROR", ())
        assert result.error is not None
        assert "INDEX" in result.error.what
        if attack == "a program":
            assert "to COPY to or from an external program" in result.error.what
        assert "restore_as_admin" in result.error.next_step, result.error.what


@pytest.mark.parametrize("servers", [15], indirect=True)
def test_the_same_code_runs_where_the_administrator_restores(
    servers: Servers, hostile: Callable[[str, str], str], drilled: Callable[[str], DrillResult], canary: Path
) -> None:
    # So that the others can fail.
    function = loud("a program", canary, _login(servers.scratch))
    result = drilled(hostile("trusted", f"{function}; {PLACES['an index'].format(function='loud')}"))
    assert [path.name for path in canary.iterdir()] == ["loud"]
    assert "Code in the dump names a program of the server's machine" in "\n".join(result.warnings)


@pytest.mark.parametrize("servers", [15], indirect=True)
def test_the_administrator_that_is_a_superuser_is_refused_where_it_is_not_named(
    servers: Servers, hostile: Callable[[str, str], str], drilled_with: Callable[..., DrillResult]
) -> None:
    url = hostile("unnamed", "SELECT 1")
    for section in ({}, {"superuser": "somebody"}, {"restore_as_admin": True}):
        result = drilled_with(url, section)
        assert result.verdict == "ERROR"
        assert result.error is not None
        assert "The role postgres of the scratch server is a superuser" in result.error.what
        assert "scratch.server.superuser: postgres" in result.error.next_step


@pytest.mark.parametrize("servers", [15, 18], indirect=True)
def test_an_administrator_that_is_no_superuser_is_enough(
    servers: Servers, hostile: Callable[[str, str], str], drilled_with: Callable[..., DrillResult]
) -> None:
    url = hostile(
        "modest", "CREATE INDEX ON seeds (n); CREATE EXTENSION citext; ALTER TABLE seeds ADD t citext"
    )
    with psycopg.connect(servers.scratch.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE modest LOGIN CREATEDB CREATEROLE PASSWORD 'pw'")
        try:
            before = everything_on(servers.scratch)
            result = drilled_with(url, {}, admin=servers.scratch.url(user="modest", password="pw"))
            assert everything_on(servers.scratch) == before
        finally:
            connection.execute("DROP ROLE modest")
    assert (result.error, result.findings, result.verdict) == (None, (), "PASS")


@pytest.mark.parametrize("servers", [15, 18], indirect=True)
def test_what_only_a_superuser_can_create_is_there_and_switched_off(
    servers: Servers, as_restorer: Callable[[str], DrillResult]
) -> None:
    url = make(servers.source, "published")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            """
            CREATE SCHEMA "Odd one"; CREATE TABLE "Odd one".seeds AS SELECT 1 AS n; CREATE TABLE others AS SELECT 1 AS n;
            CREATE FUNCTION "Odd one".fires() RETURNS event_trigger LANGUAGE plpgsql AS
            'BEGIN RAISE EXCEPTION ''fired''; END';
            CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert, update');
            COMMENT ON PUBLICATION everything IS 'it''s all';
            CREATE PUBLICATION "of one" FOR TABLES IN SCHEMA "Odd one", TABLE public.others WHERE (n > 0);
            CREATE EVENT TRIGGER "on ""it"" too" ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE')
            EXECUTE FUNCTION "Odd one".fires();
            CREATE EVENT TRIGGER always ON sql_drop EXECUTE FUNCTION "Odd one".fires();
            ALTER EVENT TRIGGER always ENABLE ALWAYS; COMMENT ON EVENT TRIGGER always IS 'whenever';
            """
        )
    result = as_restorer(url)
    assert (result.error, result.findings, result.verdict) == (None, (), "PASS")
    assert "Event triggers were restored switched off" in "\n".join(result.warnings)


def everything_on(server: PostgresServer) -> list[tuple[object, ...]]:
    """What code of one database could change for others, and for the server."""
    with psycopg.connect(server.url()) as connection:
        return [
            row
            for query in (
                "SELECT datname::text, shobj_description(oid, 'pg_database'), datacl::text FROM pg_database",
                "SELECT r.*::text FROM pg_authid r WHERE rolname !~ '^hackorda'",
                "SELECT m.*::text FROM pg_auth_members m",
                "SELECT setting, '', '' FROM pg_settings WHERE name = 'work_mem'",
                "SELECT f.*::text FROM pg_file_settings f WHERE sourcefile ~ 'auto.conf'",
                "SELECT s.*::text FROM pg_db_role_setting s",
                "SELECT slot_name::text FROM pg_replication_slots",
                "SELECT evtname::text FROM pg_event_trigger",
            )
            for row in sorted(connection.execute(query.encode()).fetchall(), key=str)
        ]


def _login(server: PostgresServer) -> str:
    return f"host=127.0.0.1 port={server.port} dbname=postgres user={server.superuser}"
