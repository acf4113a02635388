"""Whether the drill that made a scratch is still running: an advisory lock that ends with its process.

A name or an age can't tell a killed drill from a slow one. A lock can: the server frees it when the
drill's connection ends, within two minutes even where its whole machine died (TCP keepalives). A lock that a
server has lost by restarting is taken again within seconds.
"""

import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg

from hackorda_ops.errors import OpsError
from hackorda_ops.history.labels import NIGHT
from hackorda_ops.postgres.sessions import beside
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.lock import is_locked
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS

_CLASS: Final = int.from_bytes(b"dril")


@contextmanager
def kept_alive(target: ConnectionTarget, drill_id: str) -> Iterator[None]:
    """Shows on a server, for as long as the block runs, that this drill is running. Nothing is written.

    Args:
        target: any database of the server; the lock can be seen from all of them.
        drill_id: the drill's.

    Raises:
        OpsError: the login or the connection failed.
    """
    shown = _show(target, drill_id, retry_budget_seconds=60)

    def keep(ended: threading.Event) -> None:
        connection = shown
        try:
            while not ended.wait(beside.PING_SECONDS):
                with suppress(OpsError, psycopg.Error):
                    if connection.closed:
                        connection = _show(target, drill_id, retry_budget_seconds=0)
                    else:
                        _take(connection, drill_id)
        finally:
            # Unlocked explicitly, because the server frees the locks of a closed connection a moment later.
            with suppress(psycopg.Error):
                connection.execute("SELECT pg_catalog.pg_advisory_unlock_all()")
            connection.close()

    with beside.beside(keep):
        yield


def lives(connection: psycopg.Connection[Any], drill_id: str) -> bool:
    """Whether a drill shows on this server that it is running.

    Raises:
        psycopg.Error: the connection broke.
    """
    found = connection.execute(
        "SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted"
        " AND classid = %s AND objid = %s",
        (_CLASS, _number(drill_id)),
    )
    return found.fetchone() is not None


def owner_lives(connection: psycopg.Connection[Any], label: Mapping[str, str]) -> bool:
    """Whether the run that made a copy of the source is still running.

    Args:
        connection: to the source.
        label: what was written to the copy (`Label.annotation`).

    Raises:
        psycopg.Error: the connection broke.
    """
    if label.get("purpose") == NIGHT:
        # A night holds the dump lock for longer than it has its copy.
        return is_locked(connection)
    return lives(connection, label.get("run", ""))


def _show(target: ConnectionTarget, drill_id: str, *, retry_budget_seconds: float) -> psycopg.Connection[Any]:
    with translated_errors(target, "Marking the drill as running"):
        connection = connect(
            target,
            application_name=f"hackorda_ops drill {drill_id}",
            settings=SHORT_SETTINGS,
            retry_budget_seconds=retry_budget_seconds,
        )
        try:
            _take(connection, drill_id)
        except BaseException:
            connection.close()
            raise
    return connection


def _take(connection: psycopg.Connection[Any], drill_id: str) -> None:
    # A session can take its own lock repeatedly. Where it isn't free, a connection of ours that the server has
    # not yet recognized as dead holds it, and shows the same.
    connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s, %s)", (_CLASS, _number(drill_id)))


def _number(drill_id: str) -> int:
    # 31 bits: the lock's key is signed where it is taken, but not where it is shown.
    return zlib.crc32(drill_id.encode()) & 0x7FFFFFFF
