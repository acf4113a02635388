"""A scratch on a plain server: what is refused, and what is cleaned up."""

import json
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from hackorda_ops.drill.alive import kept_alive
from hackorda_ops.drill.drill import sweep
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.connection import parse
from hackorda_ops_tests.drill.conftest import Protected, check, databases_on

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
    protected: Protected, make: Maker, scratch_server: PostgresServer
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
        swept = sweep("hackorda", protected.database, environ=protected.environ)
    assert set(swept) == {dead, cut_off}
    assert databases_on(scratch_server) >= kept
    assert not databases_on(scratch_server) & {dead, cut_off}
    make.drop()


def test_a_scratch_with_people_in_it_is_dropped_all_the_same(protected: Protected, make: Maker) -> None:
    dead = make(name_of(DEAD), label(DEAD))
    with psycopg.connect(make.server.url(dead)):
        assert sweep("hackorda", protected.database, environ=protected.environ) == (dead,)


def test_a_scratch_on_the_sources_own_server_is_refused(
    protected: Protected, postgres_server: PostgresServer
) -> None:
    before = databases_on(postgres_server)
    result = protected.changed(environ={"SCRATCH_ADMIN_URL": postgres_server.url()}).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "on the source's own server" in result.error.what
    assert databases_on(postgres_server) == before


def test_the_source_itself_as_scratch_is_refused(protected: Protected) -> None:
    result = protected.changed(environ={"SCRATCH_ADMIN_URL": protected.environ["DATABASE_URL"]}).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "might be production" in result.error.meaning


def test_a_role_that_may_not_create_databases_is_an_error_with_the_remedy(
    protected: Protected, scratch_server: PostgresServer
) -> None:
    with psycopg.connect(scratch_server.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE modest LOGIN PASSWORD 'pw'")
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
    protected: Protected, scratch_server: PostgresServer
) -> None:
    url = scratch_server.url(user="postgres", password="wrong-secret")
    result = protected.changed(environ={"SCRATCH_ADMIN_URL": url}).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "password authentication failed" in result.error.what
    assert "wrong-secret" not in repr(result)


def test_refused_tls_is_an_error(protected: Protected, scratch_server: PostgresServer) -> None:
    result = protected.changed(
        environ={"SCRATCH_ADMIN_URL": f"{scratch_server.url()}?sslmode=require"}
    ).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "SSL" in result.error.what
