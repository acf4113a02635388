"""The row digest of a source's tables, in the snapshot of its dump, while that is being taken.

One session reads table by table, and locks only one table at a time. It never waits: a table that
another session has locked is left out, and when time is up, it ends. If it fails, the dump continues.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.errors import OpsError
from hackorda_ops.postgres.archives.table_digest import TableDigest, digest_table
from hackorda_ops.postgres.catalogs.inventory import Table, TableName
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import COMPARABLE_SETTINGS
from hackorda_ops.progress import OnProgress, Progress

_SETTINGS: Final = {**COMPARABLE_SETTINGS, "lock_timeout": "1s"}
_POLL_SECONDS: Final = 1.0
# If a server doesn't end a statement when asked to, its session is closed.
_END_WITHIN_SECONDS: Final = 10.0

_PAGES: Final = b"""
SELECT c.oid::bigint, (c.relpages::bigint + coalesce(t.relpages, 0)) * current_setting('block_size')::bigint
  FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
 WHERE c.relkind = 'r'
"""


@dataclass
class SourceDigests:
    """What was read, complete once the block of `digesting` has waited for it.

    Attributes:
        digests: of the tables that were read completely.
        seconds: how long each of those took.
        given_up: the table that ran out of time, and how long it was tried.
        spent_seconds: how long the source was read.
        trouble: why it ended early, in a sentence; "" if it didn't.
    """

    digests: dict[TableName, TableDigest] = field(default_factory=dict)
    seconds: dict[TableName, float] = field(default_factory=dict)
    given_up: dict[TableName, float] = field(default_factory=dict)
    spent_seconds: float = 0.0
    trouble: str = ""


def estimated_bytes(connection: psycopg.Connection[Any]) -> dict[int, int]:
    """Every table's pages on disk by its OID, by the planner's last estimate. Locks none of them.

    Raises:
        psycopg.Error: the caller translates.
    """
    return dict(connection.execute(_PAGES).fetchall())


@contextmanager
def digesting(
    target: ConnectionTarget,
    tables: Sequence[Table],
    *,
    snapshot_identifier: str,
    limit_seconds: float | None,
    application_name: str,
    on_progress: OnProgress,
) -> Iterator[Callable[[Callable[[], None]], SourceDigests]]:
    """Digests tables alongside the block, in this order. If the block fails, the server is left at once.

    Args:
        target: the source.
        tables: as the inventory has them: their column lists decide what is read. Without any, no session is opened.
        snapshot_identifier: of the exported snapshot, whose session must outlive the block.
        limit_seconds: when it stops; None for no limit.
        application_name: of the session.
        on_progress: called with the tables that were read.

    Yields:
        A function that waits until it's done, and returns the result. It takes a callback for every second.
    """
    if not tables:
        yield lambda _: SourceDigests()
        return
    reader = _TableReader(target, tables, snapshot_identifier, limit_seconds, application_name, on_progress)
    with ThreadPoolExecutor(1, thread_name_prefix="source digests") as beside:
        running = beside.submit(reader.read)
        try:
            yield lambda poll: _waited_for(running, poll)
        finally:
            reader.leave(running)


def _waited_for(running: Future[SourceDigests], poll: Callable[[], None]) -> SourceDigests:
    while True:
        try:
            return running.result(timeout=_POLL_SECONDS)
        except NotYet:
            poll()


@dataclass
class _TableReader:
    """One session, one table after the other."""

    _target: ConnectionTarget
    _tables: Sequence[Table]
    _snapshot_identifier: str
    _limit_seconds: float | None
    _application_name: str
    _on_progress: OnProgress
    _leaving: threading.Event = field(default_factory=threading.Event)
    _connection: psycopg.Connection[Any] | None = None

    def read(self) -> SourceDigests:
        """Reads until everything is read, time is up, or something fails. Raises no server errors."""
        found = SourceDigests()
        began = time.monotonic()
        try:
            with translated_errors(self._target, "Reading values to compare them with the dump's"):
                self._connection = connect(
                    self._target,
                    application_name=self._application_name,
                    settings=_SETTINGS,
                    retry_budget_seconds=0,
                )
                began = time.monotonic()
                with closing(self._connection) as connection:
                    self._read_all(connection, found, began)
        except OpsError as error:
            found.trouble = error.what
        found.spent_seconds = time.monotonic() - began
        return found

    def _read_all(self, connection: psycopg.Connection[Any], found: SourceDigests, began: float) -> None:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute(
            sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(self._snapshot_identifier))
        )
        connection.execute("SAVEPOINT one_table")
        for done, table in enumerate(self._tables, start=1):
            began_table = time.monotonic()
            left_seconds = None
            if self._limit_seconds is not None:
                left_seconds = self._limit_seconds - (began_table - began)
                if left_seconds <= 0:
                    break
            if self._leaving.is_set():
                break
            # Rolled back rather than released: that frees the lock on the previous table.
            timeout = 0 if left_seconds is None else max(1, round(left_seconds * 1000))
            connection.execute(
                f"ROLLBACK TO SAVEPOINT one_table; SET LOCAL statement_timeout = {timeout}".encode()
            )
            try:
                digest = digest_table(connection, table)
            except psycopg.errors.QueryCanceled:
                found.given_up[table.name] = time.monotonic() - began_table
                break
            except (
                psycopg.errors.LockNotAvailable,
                psycopg.errors.UndefinedTable,
                psycopg.errors.UndefinedColumn,
                psycopg.errors.InvalidSchemaName,
            ):
                continue
            found.digests[table.name] = digest
            found.seconds[table.name] = time.monotonic() - began_table
            self._on_progress(Progress("compare with the source", done, len(self._tables), "tables"))

    def leave(self, running: Future[SourceDigests]) -> None:
        """Stops it, wherever it is."""
        self._leaving.set()
        deadline = time.monotonic() + _END_WITHIN_SECONDS
        while not running.done() and time.monotonic() < deadline:
            if (connection := self._connection) is not None:
                with suppress(psycopg.Error):
                    connection.cancel_safe(timeout=_POLL_SECONDS)
            with suppress(NotYet):
                running.exception(timeout=0.1)
