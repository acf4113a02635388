"""The databases that are measured: each made by the server itself, so that it takes seconds."""

from collections.abc import Callable
from dataclasses import dataclass

import psycopg

# About 200 bytes of COPY text: a number, a short text, a time, a longer text, and what compresses badly.
_ROW = (
    "g AS id, 'user ' || g AS name, timestamptz '2026-01-01' + g * interval '1 second' AS at, "
    "repeat('lorem ipsum ', 4 + g % 8) AS note, md5(g::text) || md5((g + 1)::text) AS token"
)
ROW_BYTES = 215


@dataclass(frozen=True)
class Shape:
    """How the rows of a database lie.

    Attributes:
        title: as the table names it.
        tables: with their rows, for a number of rows altogether.
    """

    title: str
    tables: Callable[[int], dict[str, int]]


SHAPES = {
    "even": Shape("eight even tables", lambda rows: {f"even_{number}": rows // 8 for number in range(8)}),
    "uneven": Shape(
        "one table of 90%",
        lambda rows: {"large": rows * 9 // 10, **{f"small_{number}": rows // 70 for number in range(7)}},
    ),
    "many": Shape("5,000 small tables", lambda _: {f"many_{number}": 10 for number in range(5_000)}),
    "empty": Shape("an empty database", lambda _: {}),
}


def fill(url: str, shape: str, size_bytes: int) -> None:
    """Makes a database of a shape with about so many bytes of rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table, rows in SHAPES[shape].tables(size_bytes // ROW_BYTES).items():
            connection.execute(f"CREATE TABLE {table} AS SELECT {_ROW} FROM generate_series(1, {rows}) g")
            connection.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (id)")
        connection.execute("ANALYZE")
