"""Reading the key tables on both sides, on real databases."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.config.expectations import KeyTable, Tolerances
from hackorda_ops.engines.postgres.drill.comparisons import production
from hackorda_ops.engines.postgres.drill.comparisons.production import BesideProduction, compare_key_tables
from hackorda_ops.errors import ConfigError
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops_tests.builders import manifest
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

        def compare(*tables: Any, past: Sequence[Manifest] = ()) -> BesideProduction:
            return compare_key_tables(
                [KeyTable.model_validate(table) for table in tables],
                restored,
                target_of(live),
                captured_at=datetime.now(UTC) + timedelta(seconds=5),
                tolerances=Tolerances(),
                past=past,
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


def test_what_past_nights_show_of_a_tables_growth_is_allowed(
    compare: Callable[..., BesideProduction], live: str
) -> None:
    execute(live, "INSERT INTO users SELECT n FROM generate_series(1, 60) n")
    now = datetime.now(UTC)
    past = [
        manifest({"users": rows}, captured_at=now - timedelta(days=days)) for days, rows in ((2, 10), (1, 40))
    ]
    assert [each.code for each in compare("users").count_findings] == ["key table drifted"]
    seen = compare("users", past=past)
    assert seen.count_findings == ()
    assert (seen.tables[0].growth_rows_per_day, seen.tables[0].allowed_rows) == (pytest.approx(30), 100)


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


def test_a_name_that_neither_side_knows_is_a_problem_and_the_others_are_compared(
    compare: Callable[..., BesideProduction],
) -> None:
    seen = compare("Users", "users")

    [problem] = seen.problems
    assert isinstance(problem, ConfigError)
    assert "'Users', which is neither" in problem.what
    assert [each.what for each in seen.not_compared] == ["public.Users with production"]
    assert [each.table for each in seen.tables] == ["public.users"]
    assert seen.count_findings == ()


def test_a_production_that_does_not_answer_is_a_problem_once_for_all_tables(copy: str) -> None:
    gone = target_of("postgresql://somebody:secret@no-such-host.invalid/x")
    with session(copy) as restored:
        seen = compare_key_tables(
            [KeyTable(table="users"), KeyTable(table="plain", timestamp=None)],
            restored,
            gone,
            captured_at=datetime.now(UTC),
            tolerances=Tolerances(),
        )

    assert seen.problems
    assert "no-such-host.invalid" in seen.problems[0].what
    assert (seen.tables, seen.count_findings) == ((), ())


def test_production_is_only_read(compare: Callable[..., BesideProduction], live: str) -> None:
    with psycopg.connect(live, autocommit=True) as connection:
        # A transaction that writes anything takes a number; one that reads doesn't.
        before = connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone()
        compare("users", "plain")
        assert connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone() == before


# A table whose counting takes its time, as a large one's does.
SLOW = "CREATE VIEW slow AS SELECT id, created_at, pg_sleep(3)::text FROM users"


def test_a_key_table_that_a_deploy_waits_for_is_let_go_and_not_compared(copy: str, live: str) -> None:
    execute(live, SLOW)
    execute(copy, "CREATE VIEW slow AS SELECT id, created_at FROM users")
    with session(copy) as restored, ThreadPoolExecutor(1) as beside:
        compared = beside.submit(
            compare_key_tables,
            [KeyTable(table="slow"), KeyTable(table="plain", timestamp=None)],
            restored,
            target_of(live),
            captured_at=datetime.now(UTC) + timedelta(seconds=5),
            tolerances=Tolerances(),
            yield_after_seconds=0.5,
        )
        with psycopg.connect(live, autocommit=True, application_name="deploy") as deploy:
            while (
                deploy.execute("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'").fetchone() is None
            ):
                assert not compared.done()
            deploy.execute("SET lock_timeout = '2500ms'")
            deploy.execute("ALTER TABLE users ADD COLUMN age int")
        seen = compared.result()

    [slow] = seen.not_compared
    assert slow.what == "public.slow with production"
    assert "deploy" in slow.why
    assert [each.table for each in seen.tables] == ["public.plain"]
    assert seen.count_findings == ()


def test_a_key_table_that_is_locked_in_production_is_not_waited_for(
    compare: Callable[..., BesideProduction], live: str
) -> None:
    with psycopg.connect(live) as migration:
        migration.execute("LOCK TABLE users")
        seen = compare("users")

    assert [each.what for each in seen.not_compared] == ["public.users with production"]
    assert (seen.tables, seen.count_findings) == ((), ())


def test_a_key_table_too_large_to_be_counted_in_time_is_not_compared(
    compare: Callable[..., BesideProduction], copy: str, live: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(live, SLOW)
    execute(copy, "CREATE VIEW slow AS SELECT id, created_at FROM users")
    monkeypatch.setattr(production, "_SETTINGS", production._SETTINGS | {"statement_timeout": "200ms"})

    seen = compare("slow")

    assert [each.what for each in seen.not_compared] == ["public.slow with production"]
    assert seen.count_findings == ()
