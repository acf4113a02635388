"""COPY read in blocks: the same bytes as row by row, and never an end that wasn't one."""

import threading
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from hackorda_ops.postgres.archives.copied import copied_blocks

pytestmark = pytest.mark.server

BLOCK_BYTES = 1024


@pytest.fixture
def connection(each_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(each_url, autocommit=True) as opened:
        yield opened


def row_by_row(connection: psycopg.Connection, statement: bytes) -> bytes:
    with connection.cursor() as cursor, cursor.copy(statement) as rows:
        return b"".join(bytes(row) for row in rows)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT g, md5(g::text) FROM generate_series(1, 20000) g",
        "SELECT repeat('x', (g * 37) % 4000) FROM generate_series(0, 3000) g",
        "SELECT repeat('wide', 500000) FROM generate_series(1, 3)",
        "SELECT 1",
        "SELECT 1 WHERE false",
        "SELECT FROM generate_series(1, 2000)",
        "SELECT repeat('x', 1023)",
        "SELECT repeat('x', 1022) FROM generate_series(1, 4)",
    ],
    ids=[
        "many rows",
        "rows shorter and longer than a block",
        "rows of 2 MB",
        "one row",
        "no rows",
        "no columns",
        "a row as long as a block",
        "blocks filled exactly",
    ],
)
def test_the_blocks_are_the_bytes_that_come_row_by_row(connection: psycopg.Connection, query: str) -> None:
    statement = f"COPY ({query}) TO STDOUT"

    blocks = list(copied_blocks(connection, statement, block_bytes=BLOCK_BYTES))

    assert b"".join(blocks) == row_by_row(connection, statement.encode())
    assert max(map(len, blocks)) <= 2 * BLOCK_BYTES
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_rows_that_arrive_slowly_are_waited_for(connection: psycopg.Connection) -> None:
    statement = "COPY (SELECT g, repeat('x', 9000), pg_sleep(0.01) FROM generate_series(1, 20) g) TO STDOUT"

    copied = b"".join(copied_blocks(connection, statement, block_bytes=BLOCK_BYTES))

    assert copied.count(b"\n") == 20


@pytest.mark.parametrize("fails_at", [1, 2, 500, 19_999])
def test_a_copy_that_fails_among_its_rows_is_an_error_and_no_end(
    connection: psycopg.Connection, fails_at: int
) -> None:
    statement = f"COPY (SELECT 1 / ({fails_at} - g) FROM generate_series(1, 20000) g) TO STDOUT"

    with pytest.raises(psycopg.errors.DivisionByZero):
        list(copied_blocks(connection, statement, block_bytes=BLOCK_BYTES))
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_goes_away_among_the_rows_is_an_error_and_no_end(
    connection: psycopg.Connection, each_url: str
) -> None:
    with closing(
        copied_blocks(
            connection,
            "COPY (SELECT g, repeat('x', 900) FROM generate_series(1, 1000000) g) TO STDOUT",
            block_bytes=BLOCK_BYTES,
        )
    ) as blocks:
        next(blocks)
        with psycopg.connect(each_url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 10000)", [connection.info.backend_pid])
        with pytest.raises(psycopg.OperationalError):
            list(blocks)


def test_a_copy_that_is_canceled_is_an_error_and_no_end(connection: psycopg.Connection) -> None:
    blocks = copied_blocks(
        connection,
        "COPY (SELECT pg_sleep(0.01) FROM generate_series(1, 100000)) TO STDOUT",
        block_bytes=BLOCK_BYTES,
    )
    next(blocks)
    threading.Timer(0.1, connection.cancel_safe).start()

    with pytest.raises(psycopg.errors.QueryCanceled):
        list(blocks)


def test_a_reader_that_stops_early_leaves_a_session_that_can_be_used(connection: psycopg.Connection) -> None:
    with closing(
        copied_blocks(
            connection, "COPY (SELECT generate_series(1, 3000000)) TO STDOUT", block_bytes=BLOCK_BYTES
        )
    ) as blocks:
        next(blocks)

    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_statement_that_is_refused_is_an_error(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        next(copied_blocks(connection, "COPY nowhere TO STDOUT", block_bytes=BLOCK_BYTES))
