"""Watches a database while somebody works on it: connections, waits, replication. One short query at a time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from hackorda_ops.errors import OpsError
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.words import counted, size

_EVERY_SECONDS: Final = 10.0
_STATE: Final = b"""
SELECT count(*) FILTER (WHERE backend_type = 'client backend'),
       count(*) FILTER (WHERE wait_event_type = 'Lock'),
       coalesce(max(extract(epoch FROM now() - xact_start)) FILTER (WHERE backend_type = 'client backend'), 0)::int
  FROM pg_catalog.pg_stat_activity
 WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()
"""
_REPLICAS: Final = b"""
SELECT count(*), coalesce(max(pg_catalog.pg_wal_lsn_diff(sent_lsn, replay_lsn)), 0)::bigint
  FROM pg_catalog.pg_stat_replication
"""
_ERRORS: Final = b"""
SELECT xact_rollback, deadlocks FROM pg_catalog.pg_stat_database
 WHERE datname = pg_catalog.current_database()
"""


@contextmanager
def watching(
    source: ConnectionTarget, say: Callable[[str], None], *, every_seconds: float = _EVERY_SECONDS
) -> Iterator[None]:
    """Shows a line whenever what is seen changes, alongside the block. Its own trouble is a line, too.

    Args:
        source: the database.
        say: shows a line, from another thread.
        every_seconds: how often it looks.
    """
    ended = threading.Event()

    def watch() -> None:
        last = ""
        while True:
            line = look(source)
            if line != last:
                say(f"  watch: {line}")
            last = line
            if ended.wait(every_seconds):
                return

    thread = threading.Thread(target=watch, name="hackorda_ops watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(every_seconds)


def look(source: ConnectionTarget) -> str:
    """What is to be seen, in a sentence; why nothing is, where the server doesn't answer."""
    try:
        with (
            translated_errors(source, "Watching"),
            connect(
                source,
                application_name="hackorda_ops maintenance",
                settings=SHORT_SETTINGS,
                retry_budget_seconds=0,
            ) as connection,
        ):
            return _seen(connection)
    except OpsError as error:
        return error.what


def _seen(connection: psycopg.Connection[Any]) -> str:
    [(sessions, waiting, oldest_seconds)] = connection.execute(_STATE).fetchall()
    [(replicas, behind)] = connection.execute(_REPLICAS).fetchall()
    [(rolled_back, deadlocks)] = connection.execute(_ERRORS).fetchall()
    parts = [counted(sessions, "connection")]
    if waiting:
        parts.append(f"{waiting} waiting for locks")
    if oldest_seconds >= 60:
        parts.append(f"a transaction open for {oldest_seconds // 60} min")
    if replicas:
        parts.append(f"{counted(replicas, 'replica')}, up to {size(behind)} behind")
    parts.append(f"{counted(rolled_back, 'rollback')}, {counted(deadlocks, 'deadlock')} so far")
    return ", ".join(parts)
