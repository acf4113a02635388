"""Whether the drill that made a scratch still lives: an advisory lock that ends with its process.

A name or an age can't tell a killed drill from a slow one. A lock can: the server frees it when the
drill's connection ends, within two minutes even where its whole machine died (TCP keepalives).
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg

from hackorda_ops.postgres.connection import ConnectionTarget
from hackorda_ops.postgres.session import connect, translated_errors

_CLASS: Final = int.from_bytes(b"dril")


@contextmanager
def kept_alive(target: ConnectionTarget, drill_id: str) -> Iterator[None]:
    """Shows on a server, for as long as the block runs, that this drill lives. Nothing is written.

    Args:
        target: any database of the server; the lock can be seen from all of them.
        drill_id: the drill's.

    Raises:
        OpsError: the login or the connection failed.
    """
    with translated_errors(target, "Showing that the drill lives"):
        connection = connect(target, application_name=f"hackorda_ops drill {drill_id}")
        try:
            connection.execute("SELECT pg_catalog.pg_advisory_lock(%s, %s)", (_CLASS, _number(drill_id)))
            yield
        finally:
            # Unlocked by hand, because the server frees the locks of a closed connection a moment later.
            with suppress(psycopg.Error):
                connection.execute("SELECT pg_catalog.pg_advisory_unlock_all()")
            connection.close()


def lives(connection: psycopg.Connection[Any], drill_id: str) -> bool:
    """Whether a drill shows on this server that it lives.

    Raises:
        psycopg.Error: the connection broke.
    """
    found = connection.execute(
        "SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted"
        " AND classid = %s AND objid = %s",
        (_CLASS, _number(drill_id)),
    )
    return found.fetchone() is not None


def _number(drill_id: str) -> int:
    # 31 bits: the lock's key is signed where it is taken, and not where it is shown.
    return zlib.crc32(drill_id.encode()) & 0x7FFFFFFF
