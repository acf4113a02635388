"""Random databases pass their drills as well; the same ones each time, so that a failure can be repeated."""

from collections.abc import Callable
from typing import Final

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from psycopg import sql

from hackorda_ops.drilling.result import DrillResult
from hackorda_ops_tests.zoo.conftest import Servers, make, told
from hackorda_ops_tests.zoo.random_schemas import databases

pytestmark = pytest.mark.server

_SCHEMAS: Final = 40


@pytest.mark.parametrize("servers", [18], indirect=True)
def test_random_databases_pass(servers: Servers, drilled: Callable[[str], DrillResult]) -> None:
    # All of them in one database, a schema each: a drill takes seconds, a schema nothing.
    url = make(servers.source, "random")
    with psycopg.connect(url, autocommit=True) as connection:
        made = 0

        @settings(
            max_examples=_SCHEMAS,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(databases())
        def create(statements: str) -> None:
            nonlocal made
            made += 1
            schema = sql.Identifier(f"random {made}")
            connection.execute(sql.SQL("CREATE SCHEMA {0}; SET search_path TO {0}").format(schema))
            connection.execute(statements.encode())

        create()

    assert made == _SCHEMAS
    assert "\n".join(told(drilled(url))) == "PASS"
