import threading

import psycopg
import pytest

from hackorda_ops.errors import RetryableError, Stalled
from hackorda_ops.postgres.catalogs.counting import count_rows
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.source_catalog import read_catalog
from hackorda_ops.progress import Progress, ignore
from hackorda_ops_tests.postgres import awkward

pytestmark = pytest.mark.server
ODD = TableName("Odd Schema", 'He said "hi" & left')


def test_rows_are_counted_exactly_and_a_parent_counts_only_its_own(awkward_url: str) -> None:
    seen: list[Progress] = []
    with awkward.session(awkward_url) as connection:
        inventory = read_catalog(connection)
        rows = count_rows(connection, inventory.tables, seen.append)
    assert {str(name): count for name, count in rows.items() if "moods" not in name.name} == {
        str(ODD): 3,
        "drizzle.__drizzle_migrations": 2,
        "public._prisma_migrations": 3,
        "public.cache": 1,
        "public.child": 3,
        "public.events_new_rest": 2,
        "public.events_old": 1,
        "public.goose_db_version": 5,
        "public.no columns": 2,
        "public.parent": 2,
        "public.serials": 1,
        "public.users": 7,
    }
    assert rows[TableName("public", "moods_0")] + rows[TableName("public", "moods_1")] == 4
    assert seen[-1] == Progress("count", len(rows), len(rows), "tables")

    counted = {str(table.name): table for table in inventory.with_rows(rows).tables}
    assert counted["public.users"].rows == 7
    assert counted["public.events"].rows is None
    assert counted["public.stale"].rows is None


def test_a_statement_timeout_of_the_database_does_not_end_a_count(each_url: str) -> None:
    awkward.execute(
        each_url,
        "CREATE TABLE busy AS SELECT 1 AS n",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = ''300ms''"
        "', current_database()); END $$",
    )

    def hold_the_table(locked: threading.Event, counting: threading.Event) -> None:
        with psycopg.connect(each_url, options="-c statement_timeout=0") as migration:
            migration.execute("LOCK TABLE busy")
            locked.set()
            counting.wait(30)
            migration.execute("SELECT pg_sleep(0.6)")  # the count waits for longer than the database allows

    locked, counting = threading.Event(), threading.Event()
    thread = threading.Thread(target=hold_the_table, args=(locked, counting))
    with awkward.session(each_url) as connection:
        inventory = read_catalog(connection)
        thread.start()
        assert locked.wait(30)
        with pytest.raises(psycopg.errors.QueryCanceled), psycopg.connect(each_url) as application:
            application.execute("SELECT count(*) FROM busy")
        counting.set()
        assert count_rows(connection, inventory.tables, ignore) == {TableName("public", "busy"): 1}
    thread.join(30)
    assert inventory.database_settings == ("statement_timeout=300ms",)


def test_a_policy_makes_a_count_fail_instead_of_hiding_rows(each_url: str) -> None:
    awkward.execute(
        each_url, "CREATE TABLE private AS SELECT 1 AS n", "ALTER TABLE private ENABLE ROW LEVEL SECURITY"
    )
    with awkward.new_role(each_url, "policed") as role_url:
        awkward.execute(each_url, "GRANT SELECT ON private TO policed")
        with awkward.session(role_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            count_rows(connection, read_catalog(connection).tables, ignore)


def test_a_table_dropped_before_its_count_asks_for_another_try(each_url: str) -> None:
    awkward.execute(each_url, "CREATE TABLE short_lived ()")
    with awkward.session(each_url) as connection:
        inventory = read_catalog(connection)
        awkward.execute(each_url, "DROP TABLE short_lived")
        with pytest.raises(RetryableError, match=r"public\.short_lived was dropped or renamed"):
            count_rows(connection, inventory.tables, ignore)


def test_a_table_that_stays_locked_does_not_hold_up_the_count_for_ever(each_url: str) -> None:
    awkward.execute(each_url, "CREATE TABLE busy ()")
    with awkward.session(each_url) as connection, psycopg.connect(each_url) as migration:
        inventory = read_catalog(connection)
        migration.execute("LOCK TABLE busy")
        connection.execute("SET lock_timeout = '50ms'")
        with pytest.raises(Stalled, match=r"public\.busy stayed locked"):
            count_rows(connection, inventory.tables, ignore)
