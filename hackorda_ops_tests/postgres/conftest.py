"""What tests on Postgres share: each runs on both majors that every developer's machine has."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops_tests.postgres import awkward


@pytest.fixture(scope="module", params=["postgres_server", "debian_postgres_server"])
def each_server(request: pytest.FixtureRequest) -> PostgresServer:
    """One server after the other."""
    server: PostgresServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def each_url(each_server: PostgresServer, database_on: Callable[[PostgresServer], str]) -> str:
    """The superuser's URL of a fresh, empty database on each server."""
    return database_on(each_server)


@pytest.fixture(scope="module")
def awkward_url(each_server: PostgresServer) -> Iterator[str]:
    """A database with `awkward.SCHEMA` on each server, for tests that leave it as it is."""
    with awkward.shared_database(each_server, "Awkward") as url:
        yield url


@pytest.fixture
def own_awkward_url(each_url: str) -> str:
    """The same, for a test that changes it."""
    with psycopg.connect(each_url, autocommit=True) as connection:
        connection.execute(awkward.SCHEMA.encode())
    return each_url
