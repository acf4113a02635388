"""A scratch on a plain server: what is refused, and what is cleaned up."""

import json
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from hackorda_ops.drilling.declaration import Drilling
from hackorda_ops.drilling.record import Record
from hackorda_ops.engines.postgres.drill.steps import run_steps
from hackorda_ops.errors import TargetRefused
from hackorda_ops.history.alive import kept_alive
from hackorda_ops.local.postgres import PostgresServer, delete_server, running_postgres, wheel_bin_dir
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops.progress import ignore
from hackorda_ops.scratch.place import Place
from hackorda_ops.scratch.server.scratch import ServerScratch
from hackorda_ops.scratch.sweep import sweep
from hackorda_ops_tests.drill.fixtures import EMPTY, Night, Shipped, check, databases_on, night_of
from hackorda_ops_tests.postgres.awkward import execute, target_of

pytestmark = pytest.mark.server

DEAD, LIVING = "20261108T060000Z-dead00", "20261108T060000Z-a11fe0"


@pytest.fixture
def make(scratch_server: PostgresServer) -> Iterator["Maker"]:
    made = Maker(scratch_server)
    yield made
    made.drop()


class Maker:
    """Makes databases on the scratch server as drills or other people would."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.names: list[str] = []

    def __call__(self, name: str, comment: object = None, *, content: bool = False) -> str:
        self.names.append(name)
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            if comment is not None:
                connection.execute(
                    sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                        sql.Identifier(name), sql.Literal(json.dumps(comment))
                    )
                )
        if content:
            with psycopg.connect(self.server.url(name), autocommit=True) as connection:
                connection.execute("CREATE TABLE somebodys ()")
        return name

    def drop(self) -> None:
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            for name in self.names:
                connection.execute(
                    sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
                )


def label(drill_id: str, database: str = "hackorda") -> dict[str, str]:
    return {"app": "hackorda_ops", "database": database, "drill": drill_id}


def name_of(drill_id: str, purpose: str = "restore") -> str:
    return f"hackorda_ops_drill_hackorda_{drill_id.lower().replace('-', '_')}_{purpose}"


def test_only_what_is_provably_ours_and_not_in_use_is_swept(
    protected: Shipped, make: Maker, scratch_server: PostgresServer
) -> None:
    dead = make(name_of(DEAD), label(DEAD), content=True)
    cut_off = make(name_of(DEAD, "twin"))  # killed before it could be labelled
    kept = {
        make(name_of(LIVING), label(LIVING), content=True),
        make("hackorda_ops_drill_honeydue_x", label(DEAD, "honeydue")),
        make("hackorda_ops_drill_of_somebody", {"app": "something else"}),
        make("hackorda_ops_drill_notes", "not even a mapping"),
        make(name_of("20261108T060001Z-dead00"), content=True),  # no label, and somebody's table
        make("hackorda_ops_drill_hackorda_by_hand"),  # empty, and not one of our names
    }
    with kept_alive(parse(scratch_server.url(), origin="test"), LIVING):
        swept = sweep(protected)
    assert set(swept) == {dead, cut_off}
    assert databases_on(scratch_server) >= kept
    assert not databases_on(scratch_server) & {dead, cut_off}
    make.drop()


def test_what_another_administrator_left_is_told_and_walked_around(
    protected: Shipped, scratch_server: PostgresServer
) -> None:
    owner = "hackorda_ops_drill_hackorda_20261108t060000z_dead00"
    name = name_of(DEAD)
    with psycopg.connect(scratch_server.url(), autocommit=True) as connection:
        for role in ("one", "other"):
            connection.execute(f"CREATE ROLE {role} LOGIN CREATEDB CREATEROLE PASSWORD 'pw'".encode())
    with psycopg.connect(scratch_server.url(user="one", password="pw"), autocommit=True) as connection:
        written = sql.Literal(json.dumps(label(DEAD)))
        connection.execute(f"CREATE ROLE {owner}".encode())
        connection.execute(sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(owner), written))
        connection.execute(f"GRANT {owner} TO one WITH INHERIT TRUE, SET TRUE".encode())
        connection.execute(f"CREATE DATABASE {name} OWNER {owner}".encode())
    drilled = {
        role: protected.changed(
            scratch={"server": {}},
            environ={"SCRATCH_ADMIN_URL": scratch_server.url(user=role, password="pw")},
        )
        for role in ("one", "other")
    }
    try:
        assert sweep(drilled["other"]) == ()
        result = drilled["other"].drill()
        assert (result.error, result.findings, result.verdict) == (None, (), "PASS")
        [told] = [
            warning for warning in result.warnings if "another administrator's killed drills" in warning
        ]
        assert f"{name} (of {owner})" in told
        assert name in databases_on(scratch_server)
        # Whose it is drops it.
        assert sweep(drilled["one"]) == (name,)
        assert databases_on(scratch_server) == EMPTY
    finally:
        with psycopg.connect(scratch_server.url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name}".encode())
            for role in (owner, "one", "other"):
                connection.execute(f"DROP ROLE IF EXISTS {role}".encode())


def test_a_role_that_a_killed_drill_left_without_its_databases_is_swept(
    protected: Shipped, scratch_server: PostgresServer
) -> None:
    role = "hackorda_ops_drill_hackorda_20261108t060000z_dead00"
    with psycopg.connect(scratch_server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role}; CREATE ROLE {role}_of_somebody".encode())
        written = sql.Literal(json.dumps(label(DEAD)))
        connection.execute(sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(role), written))
    try:
        assert sweep(protected) == (f"the role {role}",)
    finally:
        with psycopg.connect(scratch_server.url(), autocommit=True) as connection:
            connection.execute(f"DROP ROLE {role}_of_somebody".encode())


def test_a_scratch_with_people_in_it_is_dropped_all_the_same(protected: Shipped, make: Maker) -> None:
    dead = make(name_of(DEAD), label(DEAD))
    with psycopg.connect(make.server.url(dead)):
        assert sweep(protected) == (dead,)


def test_a_scratch_on_the_sources_own_server_is_refused(
    protected: Shipped, postgres_server: PostgresServer
) -> None:
    before = databases_on(postgres_server)
    result = protected.changed(environ={"SCRATCH_ADMIN_URL": postgres_server.url()}).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "on the source's own server" in result.error.what
    assert databases_on(postgres_server) == before


def test_the_source_itself_as_scratch_is_refused(protected: Shipped) -> None:
    result = protected.changed(environ={"SCRATCH_ADMIN_URL": protected.environ["DATABASE_URL"]}).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "might be production" in result.error.meaning


def test_a_role_that_may_not_create_databases_is_an_error_with_the_remedy(
    protected: Shipped, scratch_server: PostgresServer
) -> None:
    with psycopg.connect(scratch_server.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE modest LOGIN CREATEROLE PASSWORD 'pw'")
    try:
        url = scratch_server.url(user="modest", password="pw")
        result = protected.changed(environ={"SCRATCH_ADMIN_URL": url}).drill()
    finally:
        with psycopg.connect(scratch_server.url(), autocommit=True) as connection:
            connection.execute("DROP ROLE modest")
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "permission denied to create database" in result.error.what
    assert "grant modest" in result.error.next_step
    assert check(result, "offsite_equals_manifest").outcome == "passed"
    assert check(result, "scratch_gone").outcome == "passed"


def test_a_wrong_password_is_an_error_that_does_not_show_it(
    protected: Shipped, scratch_server: PostgresServer
) -> None:
    url = scratch_server.url(user="postgres", password="wrong-secret")
    result = protected.changed(environ={"SCRATCH_ADMIN_URL": url}).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "password authentication failed" in result.error.what
    assert "wrong-secret" not in repr(result)


def test_refused_tls_is_an_error(protected: Shipped, scratch_server: PostgresServer) -> None:
    result = protected.changed(
        environ={"SCRATCH_ADMIN_URL": f"{scratch_server.url()}?sslmode=require"}
    ).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "SSL" in result.error.what


def test_a_database_with_anything_in_it_is_refused_and_left_as_it_was(
    protected: Shipped, make: Maker, tmp_path: Path
) -> None:
    url = make.server.url(make("somebodys", content=True))
    with pytest.raises(TargetRefused, match=r"is not empty\. It holds table public\.somebodys"):
        run_steps(drilling_of(protected, tmp_path), place_with(url), ())
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [("somebodys",)]


def test_production_as_the_new_database_is_refused(protected: Shipped, tmp_path: Path) -> None:
    with pytest.raises(TargetRefused, match="is the source itself"):
        run_steps(drilling_of(protected, tmp_path), place_with(protected.environ["DATABASE_URL"]), ())


def drilling_of(protected: Shipped, folder: Path) -> Drilling:
    source = target_of(protected.environ["DATABASE_URL"])
    return Drilling(Record(), protected, protected.manifest, folder, source, ignore)


def place_with(url: str) -> Place:
    return Place("a place that somebody got wrong", lambda purpose: target_of(url), branch=None)


def test_a_database_that_is_there_already_is_refused_and_not_dropped(
    protected: Shipped, make: Maker, scratch_server: PostgresServer
) -> None:
    taken = make(name_of(DEAD), "not ours", content=True)
    scratch = ServerScratch(
        "hackorda", target_of(scratch_server.url()), target_of(protected.environ["DATABASE_URL"]), "postgres"
    )
    with (
        pytest.raises(TargetRefused, match=f"already has a database {taken}"),
        scratch.opened(protected.manifest, DEAD) as place,
    ):
        place.new_database("restore")
    assert databases_on(scratch_server) == {*EMPTY, taken}


def test_an_extension_that_the_scratch_lacks_is_an_error_with_the_remedy(
    new_database: str, ship: Callable[[Night], Shipped], server_folder: Path, tmp_path: Path
) -> None:
    execute(new_database, "CREATE EXTENSION citext", "CREATE TABLE people AS SELECT 'Ann'::citext AS name")
    protected = ship(night_of(new_database, tmp_path / "store"))
    programs = server_folder / "without citext"
    shutil.copytree(wheel_bin_dir().parent, programs)
    (programs / "share" / "extension" / "citext.control").unlink()
    try:
        with running_postgres(
            server_folder / "lacking", bin_dir=programs / "bin", settings={"fsync": "off"}
        ) as lacking:
            result = protected.changed(environ={"SCRATCH_ADMIN_URL": lacking.url()}).drill()
            assert databases_on(lacking) == EMPTY
    finally:
        delete_server(server_folder / "lacking")
        shutil.rmtree(programs)
    assert (result.verdict, result.findings) == ("ERROR", ())
    assert result.error is not None
    assert "does not offer the extension(s) citext" in result.error.what
    assert "Install their packages" in result.error.next_step
    assert check(result, "scratch_gone").outcome == "passed"
    assert protected.fetched == []


@pytest.mark.parametrize(
    ("migration", "complaint"),
    [
        ("CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)", "subscription"),
        ("UPDATE pg_database SET datistemplate = true WHERE datname = current_database()", "template"),
    ],
    ids=["a subscription", "a template"],
)
def test_a_scratch_that_can_not_be_dropped_is_told_and_no_pass(
    protected: Shipped, scratch_server: PostgresServer, tmp_path: Path, migration: str, complaint: str
) -> None:
    as_admin = {"server": {"superuser": "postgres", "restore_as_admin": True}}
    result = protected.changed(scratch=as_admin, migrate=psql(migration, tmp_path)).drill()
    [left] = databases_on(scratch_server) - EMPTY
    with psycopg.connect(scratch_server.url(left), autocommit=True) as connection:
        connection.execute("UPDATE pg_database SET datistemplate = false WHERE datname = current_database()")
        if complaint == "subscription":
            connection.execute("ALTER SUBSCRIPTION s SET (slot_name = NONE)")
            connection.execute("DROP SUBSCRIPTION s")

    assert check(result, "restored_equals_manifest").outcome == "passed"
    # It left no trace that a migration leaves.
    assert check(result, "migrations_apply").outcome == "not measured"
    assert check(result, "scratch_gone").outcome == "failed"
    assert complaint in check(result, "scratch_gone").summary
    assert result.verdict == "ERROR"
    # As soon as it can be dropped, the next drill does it.
    assert sweep(protected) == (left,)


def test_a_migration_that_relabels_the_database_does_not_hide_it_from_us(
    protected: Shipped, tmp_path: Path
) -> None:
    relabelling = psql(
        "DO 'BEGIN EXECUTE format($$COMMENT ON DATABASE %I IS $$ || quote_literal($$the app$$),"
        " current_database()); END'",
        tmp_path,
    )
    result = protected.changed(migrate=relabelling).drill()
    assert (result.verdict, result.error, result.findings) == ("PASS", None, ())
    # It left no trace that a migration leaves.
    assert check(result, "migrations_apply").outcome == "not measured"


def psql(statement: str, folder: Path) -> dict[str, str]:
    """A migrate command that runs one statement, in a folder without any migrations."""
    script = f"import os, psycopg; psycopg.connect(os.environ['DATABASE_URL'], autocommit=True).execute({statement!r})"
    return {"command": shlex.join([sys.executable, "-c", script]), "working_directory": str(folder)}
