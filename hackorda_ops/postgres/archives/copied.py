"""What COPY … TO STDOUT writes, in blocks of many rows.

psycopg's own iterator waits for each row by itself, which costs more than all that is done with the rows. Here it is
asked once for a block, and only waits where none of the block's rows has arrived yet.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.generators import copy_from, fetch_many
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn

_AT_END: Final = -1


@dataclass(frozen=True)
class _Received:
    """A block, and what ended it.

    Attributes:
        rows: whole rows.
        large_row: a row longer than a block, which follows them; still where libpq put it.
        ended: whether these were the last rows.
    """

    rows: bytes
    large_row: memoryview | None = None
    ended: bool = False


def copied_blocks(
    connection: psycopg.Connection[Any], statement: str, *, block_bytes: int
) -> Generator[bytes, None, None]:
    """Everything that a COPY … TO STDOUT writes.

    Close it where it isn't read to its end: a COPY left open keeps the session from ending.

    Args:
        connection: the session, in whatever transaction it is in.
        statement: the COPY.
        block_bytes: about how long a block is: its last row may make it longer. A row longer than that comes in pieces.

    Raises:
        psycopg.Error: the statement fails, or the connection broke.
    """
    with connection.cursor() as cursor, cursor.copy(sql.SQL(statement)):
        ended = False
        while not ended:
            received = connection.wait(_receive(connection.pgconn, block_bytes))
            yield received.rows
            if received.large_row is not None:
                # A row of 1 GB is already in memory completely, and must not be there in one piece a second time.
                for start in range(0, len(received.large_row), block_bytes):
                    yield bytes(received.large_row[start : start + block_bytes])
            ended = received.ended


def _receive(pgconn: PGconn, block_bytes: int) -> PQGen[_Received]:
    block = bytearray()
    while len(block) < block_bytes:
        size, row = pgconn.get_copy_data(1)
        if size == 0:
            # Nothing has arrived: psycopg waits, and reads what comes next.
            came = yield from copy_from(pgconn)
            if not isinstance(came, memoryview):
                return _Received(bytes(block), ended=True)
            row = came
        elif size == _AT_END:
            yield from _end(pgconn)
            return _Received(bytes(block), ended=True)
        if len(row) > block_bytes:
            return _Received(bytes(block), large_row=row)
        block += row
    return _Received(bytes(block))


def _end(pgconn: PGconn) -> PQGen[None]:
    # The server may have failed in the middle of the rows: only the result after them says that these were all.
    for result in (yield from fetch_many(pgconn)):
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)
