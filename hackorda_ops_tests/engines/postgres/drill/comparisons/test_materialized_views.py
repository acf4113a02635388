"""Refreshing a copy's materialized views: in their order, with nothing of it left, and each failure with its cause."""

import pytest
from psycopg import errors

from hackorda_ops.engines.postgres.drill.comparisons.materialized_views import refresh_findings
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops_tests.postgres.awkward import execute, session

pytestmark = pytest.mark.server

# A view of each sort, and named so that alphabetical order is the wrong one.
CHAIN = """
CREATE TABLE users (id int);
INSERT INTO users VALUES (1), (2);
CREATE MATERIALIZED VIEW z_first AS SELECT count(*) AS n FROM users;
CREATE VIEW between_them AS SELECT n + 1 AS n FROM z_first;
CREATE MATERIALIZED VIEW y_second AS SELECT n FROM between_them;
CREATE MATERIALIZED VIEW a_third AS SELECT y.n FROM y_second y, z_first z;
"""


def refreshed(url: str) -> list[tuple[str, str, str]]:
    with session(url) as connection:
        tables = source_catalog.read_catalog(connection).tables
        found = list(refresh_findings(connection, tables))
        assert source_catalog.read_catalog(connection).tables == tables
    return [(each.code, each.subject, each.observed) for each in found]


def test_views_that_read_each_other_are_refreshed_and_left_as_they_were(new_database: str) -> None:
    execute(new_database, CHAIN, "INSERT INTO users VALUES (3)")
    assert refreshed(new_database) == []
    with session(new_database) as connection:
        assert connection.execute("SELECT n FROM public.z_first").fetchall() == [(2,)]


def test_empty_views_that_read_each_other_are_filled_in_their_order(new_database: str) -> None:
    views = ("a_third", "y_second", "z_first")
    execute(new_database, CHAIN, *(f"REFRESH MATERIALIZED VIEW {view} WITH NO DATA" for view in views))
    assert refreshed(new_database) == []


def test_a_view_whose_query_fails_is_named_with_the_servers_words(new_database: str) -> None:
    execute(
        new_database,
        CHAIN,
        "CREATE MATERIALIZED VIEW ratios AS SELECT 1 / (id - 3) AS ratio FROM users",
        "INSERT INTO users VALUES (3)",
    )
    assert refreshed(new_database) == [
        ("refresh fails", "public.ratios", "division by zero (SQLSTATE 22012)")
    ]


def test_an_empty_view_that_can_not_be_filled_is_only_a_warning_and_so_are_those_that_read_it(
    new_database: str,
) -> None:
    execute(
        new_database,
        "CREATE MATERIALIZED VIEW z_broken AS SELECT 1 / 0 AS n WITH NO DATA",
        "CREATE MATERIALIZED VIEW a_reader AS SELECT n FROM z_broken WITH NO DATA",
    )
    with session(new_database) as connection:
        tables = source_catalog.read_catalog(connection).tables
        found = list(refresh_findings(connection, tables))
    assert [(each.severity, each.subject) for each in found] == [
        ("warning", "public.z_broken"),
        ("warning", "public.a_reader"),
    ]
    assert 'materialized view "z_broken" has not been populated' in found[1].observed


def test_a_server_out_of_resources_is_no_fault_of_the_view(new_database: str) -> None:
    execute(
        new_database,
        "CREATE FUNCTION out_of_room() RETURNS int LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'No space left on device' USING ERRCODE = 'disk_full'; END $$",
        "CREATE MATERIALIZED VIEW sums AS SELECT out_of_room() AS n WITH NO DATA",
    )
    with pytest.raises(errors.DiskFull):
        refreshed(new_database)


@pytest.mark.parametrize(
    "state", ["08006", "25006", "40001", "53200", "54001", "55P03", "55006", "57014", "58030", "XX000"]
)
def test_an_error_of_the_server_or_the_session_says_nothing_of_the_view(
    new_database: str, state: str
) -> None:
    execute(
        new_database,
        f"CREATE FUNCTION fail() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'x' USING ERRCODE = '{state}'; END $$",
        "CREATE MATERIALIZED VIEW sums AS SELECT fail() AS n WITH NO DATA",
    )
    with pytest.raises(errors.Error) as caught:
        refreshed(new_database)
    assert caught.value.sqlstate == state
