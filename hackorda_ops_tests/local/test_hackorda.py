"""The seeded Hackorda database."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from hackorda_ops.local.hackorda import seed
from hackorda_ops.local.hackorda_rows import tables
from hackorda_ops.local.hackorda_values import AWKWARD_TEXTS
from hackorda_ops.local.migrate import migrate, read_migrations
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.progress import Progress

_SCALE = 0.05
_NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def seeded(postgres_server: PostgresServer) -> tuple[str, list[Progress]]:
    """The URL of a small seeded database, and what was heard while it was seeded."""
    heard: list[Progress] = []
    url = create_database(postgres_server, "seeded hackorda")
    seed(url, scale=_SCALE, on_progress=heard.append)
    return url, heard


def test_the_whole_database_has_about_200_000_rows() -> None:
    assert 190_000 < sum(each.count for each in tables(1, _NOW)) < 210_000


def test_the_rows_are_the_same_every_time() -> None:
    for first, second in zip(tables(0.01, _NOW), tables(0.01, _NOW), strict=True):
        rows = list(first.rows())
        assert repr(rows) == repr(list(second.rows()))
        assert len(rows) == first.count
        assert {len(row) for row in rows} == {len(first.columns)}


def test_no_row_is_dated_in_the_future_and_the_newest_are_minutes_old() -> None:
    for table in tables(0.01, _NOW):
        if "created_at" in table.columns:
            place = table.columns.index("created_at")
            newest = max(time for row in table.rows() if isinstance(time := row[place], datetime))
            assert _NOW - timedelta(minutes=10) < newest < _NOW


@pytest.mark.server
def test_every_table_has_the_rows_that_were_made_for_it(seeded: tuple[str, list[Progress]]) -> None:
    with psycopg.connect(seeded[0]) as connection:
        for table in tables(_SCALE, _NOW):
            assert connection.execute(f"SELECT count(*) FROM {table.table}".encode()).fetchone() == (
                table.count,
            )


@pytest.mark.server
def test_awkward_texts_arrive_as_they_were(seeded: tuple[str, list[Progress]]) -> None:
    with psycopg.connect(seeded[0]) as connection:
        stored = {body for (body,) in connection.execute("SELECT body FROM comments").fetchall()}

    assert stored.issuperset(AWKWARD_TEXTS)


@pytest.mark.server
def test_only_the_newest_migration_is_pending_and_it_applies(seeded: tuple[str, list[Progress]]) -> None:
    url = seeded[0]

    assert migrate(url, read_migrations()) == [read_migrations()[-1].tag]

    with psycopg.connect(url) as connection:
        watchers = connection.execute("SELECT count(*) FROM issue_watchers").fetchone()
    assert watchers is not None
    assert watchers[0] > 0


@pytest.mark.server
def test_new_rows_get_numbers_of_their_own(seeded: tuple[str, list[Progress]]) -> None:
    with psycopg.connect(seeded[0]) as connection:
        connection.execute(
            "INSERT INTO comments (issue_id, author_id, body) SELECT 1, id, 'new' FROM users LIMIT 1"
        )
        connection.execute(
            "INSERT INTO issue_payouts (issue_id, user_id, amount) SELECT 1, id, 5 FROM users LIMIT 1"
        )
        connection.execute("INSERT INTO audit.events (action, subject) VALUES ('a', 'b')")
        connection.execute("INSERT INTO labels (name, color) VALUES ('new', '#000000')")
        connection.rollback()


@pytest.mark.server
def test_the_database_has_the_statement_timeout_of_hackordas_operations_page(
    seeded: tuple[str, list[Progress]],
) -> None:
    with psycopg.connect(seeded[0]) as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("15s",)


@pytest.mark.server
def test_progress_counts_the_rows_up_to_the_total(seeded: tuple[str, list[Progress]]) -> None:
    heard = seeded[1]
    total = sum(each.count for each in tables(_SCALE, _NOW))

    assert [each.done for each in heard] == sorted(each.done for each in heard)
    assert heard[-1] == Progress("seed", total, total, "rows")
