"""A Hackorda database with made-up rows: what the demo protects, and what the tests dump and restore."""

import psycopg
from psycopg import sql

from hackorda_ops.local.hackorda_rows import TableRows, tables
from hackorda_ops.local.migrate import migrate, read_migrations
from hackorda_ops.progress import OnProgress, Progress, ignore

_ROWS_PER_REPORT = 5_000


def seed(url: str, *, scale: float = 1.0, on_progress: OnProgress = ignore) -> None:
    """Fills an empty database: the schema by migrations, then about 200,000 rows at scale 1.

    The rows come all at once or not at all; after an interrupted seeding, it can be called again.
    The newest migration is left pending, as when a deploy is being prepared. The rows are the same every
    time; only their times move, so that the newest ones are minutes old.

    Args:
        url: of an empty database, for a role that may create schemas and the citext extension in it.
        scale: of the number of rows; every table has some.
        on_progress: called with the rows written.

    Raises:
        psycopg.Error: the database isn't empty, or the role lacks a right.
    """
    migrate(url, read_migrations()[:-1])
    with psycopg.connect(url) as connection:
        [(now, database)] = connection.execute(
            "SELECT date_trunc('milliseconds', now()), current_database()"
        ).fetchall()
        parts = tables(scale, now)
        total = sum(part.count for part in parts)
        done = 0
        for part in parts:
            _fill(connection, part, done, total, on_progress)
            done += part.count
        _advance_sequences(connection)
        connection.execute("REFRESH MATERIALIZED VIEW cycle_summary")
        connection.execute("ANALYZE")
        # As on Hackorda's operations page; a dump has to cope with it.
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET statement_timeout = '15s'").format(sql.Identifier(database))
        )
    on_progress(Progress("seed", total, total, "rows"))


def _fill(
    connection: psycopg.Connection, part: TableRows, done: int, total: int, on_progress: OnProgress
) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(*part.table.split(".")), sql.SQL(", ").join(map(sql.Identifier, part.columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for number, row in enumerate(part.rows()):
            if number % _ROWS_PER_REPORT == 0:
                on_progress(Progress("seed", done + number, total, "rows"))
            copy.write_row(row)


def _advance_sequences(connection: psycopg.Connection) -> None:
    # The rows came with their numbers, which the sequences don't know.
    for table, column in (
        ("projects", "id"),
        ("devices", "id"),
        ("test_cycles", "id"),
        ("issues", "id"),
        ("comments", "id"),
        ("issue_payouts", "id"),
        ("issue_payouts", "reference"),
        ("audit.events", "id"),
    ):
        connection.execute(
            sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), (SELECT max({}) FROM {}))").format(
                table, column, sql.Identifier(column), sql.Identifier(*table.split("."))
            )
        )
