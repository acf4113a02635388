"""One exported snapshot, and its WAL position."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.errors import SnapshotUnavailable
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.pooler import refuse_pooler
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import COMPARABLE_SETTINGS, SHORT_SETTINGS
from hackorda_ops.redaction.server_words import shown_error
from hackorda_ops.rounds import rounds

# All in one round trip, so that little can happen between the two positions. The order inside the first
# SELECT matters: position first, then the transactions in progress. A commit that waits for replication (every
# commit on Neon) is already in the WAL, not yet visible, and still holds the lock on its own transaction id.
_EXPORT: Final = b"""
BEGIN;
SELECT pg_catalog.pg_current_wal_insert_lsn(),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks
         WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted);
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_catalog.pg_export_snapshot(), pg_catalog.pg_current_wal_insert_lsn(),
       pg_catalog.pg_current_snapshot()::text, pg_catalog.clock_timestamp();
"""

_PAUSE_SECONDS: Final = 0.05

# Only a visible commit has to reach the disk. A synchronous one has before it's visible; an asynchronous one does
# within three times wal_writer_delay (Postgres's manual, "Asynchronous Commit"). Readers write WAL too (hint bits,
# pruning) and never flush it: on a quiet server it stays where it is until somebody commits.
_FLUSHED_WITHIN_DELAYS: Final = 3
_FLUSH_MARGIN_SECONDS: Final = 0.2
# However seldom the server's WAL writer runs: a snapshot isn't held for longer.
_MOST_FLUSH_WAIT_SECONDS: Final = 2.0

# A session that waits for a table that a schema change has locked makes others wait for the tables it already has.
_SETTINGS: Final = {**COMPARABLE_SETTINGS, "lock_timeout": "30s"}

_WAL_PAGE_BYTES: Final = 8192
_WAL_PAGE_HEADER_BYTES: Final = 40


@dataclass(frozen=True)
class Snapshot:
    """An exported snapshot.

    Attributes:
        identifier: for SET TRANSACTION SNAPSHOT and pg_dump --snapshot, while the exporting session lives.
        text: `pg_current_snapshot()`: which transactions it sees ("780:784:781,782").
        lsn: WAL insert position read right after the snapshot was taken ("0/1A2B3C8").
        aligned: whether nothing was in progress and nothing was written between snapshot and position.
            False only means "not proven"; the snapshot's text decides later.
        captured_at: the server's clock when the snapshot was taken, in UTC.
    """

    identifier: str
    text: str
    lsn: str
    aligned: bool
    captured_at: datetime


@contextmanager
def exported(
    target: ConnectionTarget, *, application_name: str, alignment_budget_seconds: float = 5
) -> Iterator[tuple[psycopg.Connection[Any], Snapshot]]:
    """Exports a snapshot and keeps it for as long as the block runs; at its end, what it sees is on the server's disk.

    The snapshot ends with the connection's transaction: read and count on that
    connection, but neither commit nor roll back. It is read-only.

    Args:
        target: the source, by its direct endpoint.
        application_name: how the session shows in pg_stat_activity.
        alignment_budget_seconds: how long to try again while other sessions write. A block that ends sooner than the
            server flushes a commit (a second or two, by its settings) is held until then.

    Yields:
        The connection that holds the snapshot, and the snapshot.

    Raises:
        SnapshotUnavailable: a pooler, a balancer over several servers, or a standby.
        OpsError: the connection failed (`session.connect`, `session.translated_errors`).
    """
    connection = connect(target, application_name=application_name, settings=_SETTINGS)
    try:
        with translated_errors(target, "Taking a snapshot"):
            _refuse_standby(connection, target)
            with connect(target, application_name=application_name, settings=SHORT_SETTINGS) as second:
                refuse_pooler(connection, second)
                snapshot = _export(connection, alignment_budget_seconds)
                taken = time.monotonic()
                _require_shared(second, snapshot, target)
        yield connection, snapshot
        if snapshot.aligned:
            # On a quiet server this takes a moment after the snapshot, which the dump need not wait for.
            with suppress(psycopg.Error):
                _wait_until_flushed(connection, snapshot.lsn, since=taken)
    finally:
        with suppress(psycopg.Error):
            connection.close()


def _refuse_standby(connection: psycopg.Connection[Any], target: ConnectionTarget) -> None:
    [(standby,)] = connection.execute("SELECT pg_catalog.pg_is_in_recovery()").fetchall()
    if standby:
        raise SnapshotUnavailable(
            f"{target.describe()} is a standby (a read replica).",
            meaning="It has no WAL position of its own to record, and may cancel a long dump at any time.",
            next_step="Use the primary as the source.",
        )


def _export(connection: psycopg.Connection[Any], alignment_budget_seconds: float) -> Snapshot:
    deadline = time.monotonic() + alignment_budget_seconds
    snapshot = _try_to_export(connection)
    while not snapshot.aligned and time.monotonic() < deadline:
        connection.execute("ROLLBACK")
        time.sleep(_PAUSE_SECONDS)
        snapshot = _try_to_export(connection)
    return snapshot


def _try_to_export(connection: psycopg.Connection[Any]) -> Snapshot:
    cursor = connection.execute(_EXPORT)
    rows: list[tuple[Any, ...]] = []
    while True:
        if cursor.description is not None:
            rows += cursor.fetchall()
        if not cursor.nextset():
            break
    [(lsn_before, in_progress), (identifier, lsn_after, text, captured_at)] = rows
    return Snapshot(
        identifier=identifier,
        text=text,
        lsn=lsn_after,
        aligned=in_progress == 0 and lsn_before == lsn_after,
        captured_at=captured_at.astimezone(UTC),
    )


def flushed_position(connection: psycopg.Connection[Any], target: ConnectionTarget) -> tuple[str, datetime]:
    """A WAL position that is on the server's disk, and the server's clock (UTC) when it was read.

    Every commit that a session could see by then is before it, and no table is touched.

    Raises:
        SnapshotUnavailable: the target is a standby, which has no such position.
        psycopg.Error: the caller translates.
    """
    _refuse_standby(connection, target)
    [(written, now)] = connection.execute(
        "SELECT pg_catalog.pg_current_wal_insert_lsn(), pg_catalog.clock_timestamp()"
    ).fetchall()
    _wait_until_flushed(connection, written, since=time.monotonic())
    [(flushed,)] = connection.execute("SELECT pg_catalog.pg_current_wal_flush_lsn()").fetchall()
    return (written if has_reached(flushed, written) else flushed), now.astimezone(UTC)


def _wait_until_flushed(connection: psycopg.Connection[Any], lsn: str, *, since: float) -> None:
    # With asynchronous commit, a visible row can be beyond what has reached the disk.
    deadline = since + flushed_within_seconds(connection)
    for _ in rounds(deadline - time.monotonic(), pause_seconds=_PAUSE_SECONDS):
        [(flushed,)] = connection.execute("SELECT pg_catalog.pg_current_wal_flush_lsn()").fetchall()
        if has_reached(flushed, lsn):
            return


def flushed_within_seconds(connection: psycopg.Connection[Any]) -> float:
    """How long after it became visible a commit is on the server's disk, whatever else is not; at most 2 seconds.

    Raises:
        psycopg.Error: the caller translates.
    """
    [(delay_milliseconds,)] = connection.execute(
        "SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'wal_writer_delay'"
    ).fetchall()
    seconds = _FLUSHED_WITHIN_DELAYS * int(delay_milliseconds) / 1000 + _FLUSH_MARGIN_SECONDS
    return min(seconds, _MOST_FLUSH_WAIT_SECONDS)


def has_reached(flush_lsn: str, insert_lsn: str) -> bool:
    """Whether everything before an insert position is on disk.

    At the very beginning of a page, the insert position already includes the page's header, which is written with
    the first record only: the flush position then stays at the page's edge, for as long as nobody writes.
    """
    flush, insert = position_bytes(flush_lsn), position_bytes(insert_lsn)
    return insert <= flush or (flush % _WAL_PAGE_BYTES == 0 and insert - flush <= _WAL_PAGE_HEADER_BYTES)


def position_bytes(lsn: str) -> int:
    """A WAL position ("0/1A2B3C8") as a number.

    Raises:
        ValueError: the text is not a WAL position.
    """
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def _require_shared(second: psycopg.Connection[Any], snapshot: Snapshot, target: ConnectionTarget) -> None:
    # What every worker of pg_dump will do. Better to fail here, with the reason, than there.
    try:
        second.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        second.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot.identifier)))
        second.execute("ROLLBACK")
    except (
        psycopg.errors.InvalidParameterValue,
        psycopg.errors.UndefinedObject,
        psycopg.errors.FeatureNotSupported,
    ) as error:
        raise SnapshotUnavailable(
            f"A second connection to {target.describe()} cannot see the snapshot of the first"
            f" ({shown_error(error)}).",
            meaning="A balancer or pooler spreads connections over servers, so no consistent dump can be taken.",
            next_step="Use the source's direct endpoint: the primary's own host and port.",
        ) from None
