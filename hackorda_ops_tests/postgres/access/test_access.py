"""Roles, owners, grants and settings: captured on one database, and made again on another."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.access import access
from hackorda_ops.postgres.access.access import Access
from hackorda_ops_tests.postgres import awkward
from hackorda_ops_tests.postgres.access.examples import drop_roles, give_access, objects_on
from hackorda_ops_tests.postgres.dumping import clients_of, execute

TEAM_OBJECTS = """
CREATE SCHEMA work;
CREATE TABLE work.done (id int);
CREATE TABLE plans (id int);
CREATE TABLE notes (id int);
"""
TEAM_ACCESS = """
CREATE ROLE worker LOGIN;
CREATE ROLE reader;
GRANT worker, reader TO lead;
GRANT reader TO worker;
GRANT CREATE ON SCHEMA public TO worker;
ALTER SCHEMA work OWNER TO worker;
ALTER TABLE work.done OWNER TO worker;
ALTER TABLE plans OWNER TO worker;
GRANT SELECT ON plans, notes TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE worker GRANT SELECT ON TABLES TO reader;
ALTER ROLE worker SET work_mem = '9MB';
ALTER DATABASE team_one SET statement_timeout = '15s';
REVOKE worker, reader FROM lead;
"""


@pytest.fixture(scope="module")
def captured(each_server: PostgresServer) -> Access:
    """What a database on each server told, whose roles are gone from the server since."""
    with objects_on(each_server, "Access 100%") as url:
        give_access(url)
        return captured_in(url)


@pytest.fixture
def restored(each_server: PostgresServer, captured: Access) -> Iterator[str]:
    """The objects as a restore brings them back, on a server without the roles."""
    with objects_on(each_server, "Restored") as url:
        yield url


def captured_in(url: str) -> Access:
    with awkward.session(url) as connection:
        return access.capture(connection)


def given(url: str, told: Access) -> tuple[access.Refused, ...]:
    with awkward.session(url) as connection:
        assert access.make_roles(connection, told.roles) == ()
        return access.apply(connection, told.statements)


def test_all_of_it_comes_back_and_doing_it_twice_changes_nothing(captured: Access, restored: str) -> None:
    assert given(restored, captured) == ()
    first = captured_in(restored)
    assert access.differences(captured.statements, first) == ((), ())
    assert given(restored, captured) == ()
    assert captured_in(restored) == first


def test_psql_runs_the_files_twice_to_the_same_end(
    captured: Access, restored: str, each_server: PostgresServer, tmp_path: Path
) -> None:
    for name, data in captured.files().items():
        (tmp_path / name).write_bytes(data)
    for name in ("roles.sql", "access.sql", "roles.sql", "access.sql"):
        subprocess.run(
            [
                clients_of(each_server).psql,
                "--quiet",
                "--no-psqlrc",
                "--set=ON_ERROR_STOP=1",
                f"--file={tmp_path / name}",
                restored,
            ],
            check=True,
        )
    assert access.differences(captured.statements, captured_in(restored)) == ((), ())


def test_a_file_is_read_as_the_statements_that_made_it(captured: Access) -> None:
    files = captured.files()
    read = [access.statements_in(files[name]) for name in ("roles.sql", "access.sql")]
    assert (*read[0], *read[1]) == captured.statements


def test_no_password_and_no_value_of_the_applications_own_settings_is_captured(captured: Access) -> None:
    assert "secret word" not in repr(captured)
    assert "SCRAM" not in repr(captured)
    assert captured.by_hand == (
        """ALTER ROLE ALL SET "gin_fuzzy_search_limit" TO '7';""",
        'ALTER ROLE "app" SET "app"."token" TO ...;',
        'ALTER DATABASE ... SET "app"."jwt_secret" TO ...;',
    )


def test_the_roles_of_a_databases_host_are_left_out(captured: Access) -> None:
    assert "cloud_admin" not in repr(captured)
    assert "neon_superuser" not in repr(captured)


def test_a_role_that_is_there_already_is_left_as_it_is_and_told(captured: Access, restored: str) -> None:
    execute(restored, "CREATE ROLE app NOLOGIN")
    assert given(restored, captured) == ()
    findings, [note] = access.differences(captured.statements, captured_in(restored))
    assert findings == ()
    assert 'CREATE ROLE "app" LOGIN' in note
    with psycopg.connect(restored) as session:
        logs_in = session.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'app'").fetchone()
        assert logs_in == (False,)


def test_any_role_captures_the_same_as_a_superuser(each_server: PostgresServer) -> None:
    with objects_on(each_server, "Two readers") as url:
        give_access(url)
        with awkward.new_role(url, "bystander") as bystanders_url:
            execute(url, 'GRANT "Жұмыс 100%" TO bystander')  # who may connect
            assert captured_in(bystanders_url) == captured_in(url)


def test_a_role_that_may_make_roles_gives_it_all_back_and_keeps_nothing(each_server: PostgresServer) -> None:
    with (
        objects_on(each_server, "Of a team") as url,
        awkward.new_role(url, "lead") as leads_url,
        psycopg.connect(each_server.url(), autocommit=True) as admin,
    ):
        try:
            admin.execute("ALTER ROLE lead CREATEROLE CREATEDB")
            for name in ("team_one", "team_two"):
                admin.execute(f"CREATE DATABASE {name} OWNER lead")
            one, two = (leads_url.replace("Of%20a%20team", name) for name in ("team_one", "team_two"))
            for each in (one, two):
                execute(each, TEAM_OBJECTS)
            execute(one, TEAM_ACCESS)
            told = captured_in(one)
            admin.execute("DROP DATABASE team_one WITH (FORCE)")
            drop_roles(admin, "reader", "worker")

            assert given(two, told) == ()
            assert access.differences(told.statements, captured_in(two)) == ((), ())
            # Whoever makes a role may hand it out since 16, and is no member of it all the same.
            members = admin.execute(
                "SELECT count(*) FROM pg_roles r WHERE rolname IN ('reader', 'worker')"
                " AND pg_has_role('lead', r.oid, 'USAGE')"
            ).fetchone()
            assert members == (0,)
        finally:
            for name in ("team_one", "team_two"):
                admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            drop_roles(admin, "reader", "worker")


def test_a_role_that_may_not_make_roles_makes_none_and_is_told_of_each(
    captured: Access, restored: str, each_server: PostgresServer
) -> None:
    with awkward.new_role(restored, "guest") as guests_url, awkward.session(guests_url) as connection:
        refused = access.make_roles(connection, captured.roles)
        assert len(refused) == 3
        assert {each.reason for each in refused} == {"permission denied to create role"}
        # Objects of a superuser stay its own: each refusal is told, and none stops another.
        execute(restored, "CREATE ROLE app; GRANT app TO guest; ALTER TABLE users OWNER TO guest")
        told = access.apply(connection, ['ALTER TABLE public.users OWNER TO "app";', *captured.owners])
        assert {each.reason for each in told} >= {"must be owner of view names"}
        execute(restored, "REASSIGN OWNED BY guest TO postgres")


def test_restored_event_triggers_do_not_act_on_what_is_given_back(captured: Access, restored: str) -> None:
    execute(
        restored,
        "CREATE TABLE heard (tag text)",
        "CREATE FUNCTION hear() RETURNS event_trigger LANGUAGE plpgsql"
        " AS 'BEGIN INSERT INTO public.heard VALUES (tg_tag); END'",
        "CREATE EVENT TRIGGER ears ON ddl_command_end EXECUTE FUNCTION hear()",
    )
    assert given(restored, captured) == ()
    with psycopg.connect(restored) as session:
        assert session.execute("SELECT count(*) FROM public.heard").fetchone() == (0,)


def test_names_of_a_database_without_an_encoding_come_back_byte_for_byte(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    with psycopg.connect(postgres_server.url(), autocommit=True) as admin:
        try:
            for name in ("bytes_1", "bytes_2"):
                admin.execute(
                    f"CREATE DATABASE {name} TEMPLATE template0 ENCODING SQL_ASCII LOCALE_PROVIDER libc LOCALE 'C'"
                )
                with psycopg.connect(postgres_server.url(name), autocommit=True) as session:
                    session.execute("SET client_encoding TO 'LATIN1'")
                    session.execute('CREATE TABLE "na\xefve" (id int)'.encode("latin-1"))
            execute(
                postgres_server.url("bytes_1"),
                "CREATE ROLE latin",
                "DO $$ BEGIN EXECUTE (SELECT format('GRANT SELECT ON %I TO latin', relname)"
                " FROM pg_class WHERE relname LIKE 'na%ve'); END $$",
            )
            told = captured_in(postgres_server.url("bytes_1"))
            file = told.files()["access.sql"]
            assert b'GRANT SELECT ON TABLE public."na\xefve" TO "latin";\n' in file
            assert given(postgres_server.url("bytes_2"), told) == ()
            there = captured_in(postgres_server.url("bytes_2"))
            assert access.differences(told.statements, there) == ((), ())
            assert access.statements_in(file) == told.statements[len(told.roles) :]
        finally:
            for name in ("bytes_1", "bytes_2"):
                admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            drop_roles(admin, "latin")


def test_it_comes_back_on_a_server_of_a_later_version(
    debian_postgres_server: PostgresServer, postgres_server: PostgresServer
) -> None:
    with objects_on(debian_postgres_server, "Old") as old, objects_on(postgres_server, "New") as new:
        give_access(old)
        told = captured_in(old)
        assert given(new, told) == ()
        assert access.differences(told.statements, captured_in(new)) == ((), ())
