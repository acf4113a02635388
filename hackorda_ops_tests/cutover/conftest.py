"""A database to move from Postgres 15 to 17, for each test."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops_tests.cutover.moving import SCHEMA, Move, execute, move
from hackorda_ops_tests.drill.fixtures import PROGRAMS


@pytest.fixture
def shop(
    debian_postgres_server: PostgresServer,
    postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
    tmp_path: Path,
) -> Move:
    old, new = database_on(debian_postgres_server), database_on(postgres_server)
    execute(old, SCHEMA)
    return move(old, new, tmp_path, PROGRAMS)
