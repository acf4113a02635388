"""A drill of a database with everything in it that a restore or a comparison may stumble over."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops_tests.drill.fixtures import EMPTY, Night, Shipped, databases_on, night_of
from hackorda_ops_tests.postgres import awkward

pytestmark = pytest.mark.server

# Written otherwise by pg_dump after its first restore, so that only a twin can tell that nothing changed.
REWRITTEN = """
CREATE TABLE states (state varchar(10) CHECK (state IN ('open', 'shut')), n int,
    CHECK (n BETWEEN 1 AND 9 AND state IN ('open')));
CREATE INDEX ON states (n) WHERE state IN ('open', 'shut');
CREATE VIEW open_states AS SELECT * FROM states WHERE state IN ('open', 'x');
INSERT INTO states VALUES ('open', 3);
CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (password 'of the far server');
CREATE TABLE watched (id int PRIMARY KEY, note text);
INSERT INTO watched VALUES (1, 'a');
CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'never touched'; END $$;
CREATE TRIGGER no_change BEFORE UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION forbid();
"""


@pytest.fixture(scope="module")
def awkward_night(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Night:
    with awkward.shared_database(postgres_server, "Awkward to drill") as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER EXTENSION plpgsql DROP TABLE owned_by_extension")
            connection.execute(REWRITTEN.encode())
        yield night_of(url, tmp_path_factory.mktemp("awkward") / "store")


@pytest.fixture
def awkward_one(
    awkward_night: Night, ship: Callable[[Night], Shipped], scratch_server: PostgresServer
) -> Iterator[Shipped]:
    # Only a superuser can create its foreign-data wrapper.
    as_admin = {"server": {"superuser": "postgres", "restore_as_admin": True}}
    yield ship(awkward_night).changed(scratch=as_admin)
    assert databases_on(scratch_server) == EMPTY


def test_an_awkward_database_passes(awkward_one: Shipped) -> None:
    result = awkward_one.drill()

    assert (result.verdict, result.error, result.findings) == ("PASS", None, ())
    told = "\n".join(each.what for each in result.not_compared)
    assert "2 large objects" in told
    assert "public.fresh" in told
    assert "public.far_away" in told
    assert "of the far server" not in repr(result)
