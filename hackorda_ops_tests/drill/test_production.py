"""Reading the key tables on both sides, on real databases."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from hackorda_ops.config import KeyTable, Tolerances
from hackorda_ops.drill.production import BesideProduction, compare_key_tables
from hackorda_ops.errors import ConfigError
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops_tests.postgres.awkward import execute, session, target_of

pytestmark = pytest.mark.server

SCHEMA = (
    "CREATE TABLE users (id int, created_at timestamptz)",
    "INSERT INTO users SELECT n, now() - interval '1 hour' FROM generate_series(1, 10) n",
    'CREATE TABLE "honeyDue" ("createdAt" date)',
    "INSERT INTO \"honeyDue\" VALUES (current_date), ('infinity')",
    "CREATE TABLE plain (created_at text)",
    "CREATE TABLE events (at timestamp) PARTITION BY RANGE (at)",
    "CREATE TABLE events_all PARTITION OF events DEFAULT",
    "INSERT INTO events VALUES (now())",
)


@pytest.fixture
def copy(postgres_server: PostgresServer, database_on: Callable[[PostgresServer], str]) -> str:
    url = database_on(postgres_server)
    execute(url, *SCHEMA)
    return url


@pytest.fixture
def live(new_database: str) -> str:
    execute(new_database, *SCHEMA)
    return new_database


@pytest.fixture
def compare(copy: str, live: str) -> Iterator[Callable[..., BesideProduction]]:
    with session(copy) as restored:

        def compare(*tables: Any) -> BesideProduction:
            return compare_key_tables(
                [KeyTable.model_validate(table) for table in tables],
                restored,
                target_of(live),
                captured_at=datetime.now(UTC) + timedelta(seconds=5),
                tolerances=Tolerances(),
            )

        yield compare


def test_rows_and_newest_times_are_read_on_both_sides(
    compare: Callable[..., BesideProduction], live: str
) -> None:
    execute(live, "INSERT INTO users VALUES (11, now())")
    seen = compare(
        "users",
        {"table": "honeyDue", "timestamp": "createdAt"},
        {"table": "public.events", "timestamp": "at"},
    )
    assert (seen.count_findings, seen.newest_findings, seen.newest_measured) == ((), (), 3)
    users, honey_due, _ = seen.tables
    assert (users.restored_rows, users.production_rows, users.drift_percent) == (10, 11, 10)
    assert users.newest_restored is not None
    assert users.newest_production is not None
    assert users.newest_restored < users.newest_production
    assert honey_due.newest_restored is not None  # and not the infinity beside it


def test_a_column_that_holds_no_time_is_told_as_not_compared(
    compare: Callable[..., BesideProduction],
) -> None:
    seen = compare("plain", {"table": "users", "timestamp": None})
    assert seen.newest_measured == 0
    assert [each.what for each in seen.not_compared] == ["the newest row of public.plain"]
    assert [table.timestamp_column for table in seen.tables] == [None, None]


def test_a_table_on_one_side_only_is_a_finding_and_on_neither_a_mistake_in_the_configuration(
    compare: Callable[..., BesideProduction], live: str
) -> None:
    execute(live, "DROP TABLE plain", "CREATE TABLE added (id int)")
    assert [(each.code, each.observed) for each in compare("plain", "added").count_findings] == [
        ("key table missing", "not in production"),
        ("key table missing", "not in the backup"),
    ]
    with pytest.raises(ConfigError, match="'Users', which is neither"):
        compare("Users")


def test_production_is_only_read(compare: Callable[..., BesideProduction], live: str) -> None:
    with psycopg.connect(live, autocommit=True) as connection:
        # A transaction that writes anything takes a number; one that reads doesn't.
        before = connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone()
        compare("users", "plain")
        assert connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone() == before
