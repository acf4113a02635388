"""Proof that nobody writes to a database: what its server counts, twice, with time in between. Only reads.

Rows changed decide, table by table, the system's own catalogs included: they count DDL, TRUNCATE and large objects
as well. So do transactions of others that have an id, and prepared ones: they may still commit. The WAL's position
does not decide, because an idle server moves it: a checkpoint, a vacuum, a snapshot for standbys every 15 seconds.

A session reports its rows up to ten seconds late. Where transactions have had ids meanwhile, of whatever database, only
an interval longer than that counts.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from hackorda_ops.errors import PermanentError
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.progress import OnProgress, Progress
from hackorda_ops.words import counted, named, size

# What autovacuum's ANALYZE writes: not what an application does.
_COUNTERS: Final = b"""
SELECT pg_catalog.format('%I.%I', schemaname, relname), n_tup_ins + n_tup_upd + n_tup_del
  FROM pg_catalog.pg_stat_all_tables
 WHERE relname NOT IN ('pg_statistic', 'pg_statistic_ext_data') AND schemaname <> 'pg_toast'
"""
_WAL: Final = b"""
SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL
            ELSE pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::bigint END
"""
# By locks and by who has a user (autovacuum has none): any role sees these of all sessions.
_WRITERS: Final = b"""
SELECT DISTINCT a.pid, coalesce(a.usename, '?'), coalesce(a.application_name, '')
  FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
 WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
   AND a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
   AND a.usesysid IS NOT NULL
 ORDER BY 1
"""
_PREPARED: Final = b"""
SELECT count(*) FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database()
"""
_SESSIONS: Final = b"""
SELECT coalesce(nullif(application_name, ''), usename, '?'), count(*)
  FROM pg_catalog.pg_stat_activity
 WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()
   AND usesysid IS NOT NULL
 GROUP BY 1 ORDER BY 2 DESC, 1
"""
_NEXT_XID: Final = b"SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::bigint"
_REPORTED_WITHIN_SECONDS: Final = 12.0
_SHOWN: Final = 5


@dataclass(frozen=True)
class WriteCounters:
    """What a server has counted by a moment.

    Attributes:
        rows: inserted, updated and deleted so far, by table.
        wal_bytes: the insert position; None on a standby.
        writers: open transactions of others that have written, in words.
        prepared: how many transactions are prepared.
        sessions: how many connections there are, by application.
        next_xid: the id that follows the last transaction that has ended, on the whole server.
    """

    rows: Mapping[str, int]
    wal_bytes: int | None
    writers: tuple[str, ...]
    prepared: int
    sessions: Mapping[str, int]
    next_xid: int = 0


@dataclass(frozen=True)
class Stillness:
    """What two looks show.

    Attributes:
        against: why the database isn't still, in sentences; none where it is.
        seen: what was compared, in a sentence.
        too_early: whether nothing speaks against it but that the interval was too short to tell.
    """

    against: tuple[str, ...]
    seen: str
    too_early: bool = False


def read_counters(connection: psycopg.Connection[Any]) -> WriteCounters:
    """Reads what a server has counted.

    Raises:
        psycopg.Error: the caller translates.
    """
    # Within a transaction its statistics would be those of the first look.
    connection.execute("SELECT pg_catalog.pg_stat_clear_snapshot()")
    [(wal,)] = connection.execute(_WAL).fetchall()
    [(next_xid,)] = connection.execute(_NEXT_XID).fetchall()
    [(prepared,)] = connection.execute(_PREPARED).fetchall()
    return WriteCounters(
        rows=dict(connection.execute(_COUNTERS).fetchall()),
        wal_bytes=wal,
        writers=tuple(
            f"process {pid} of {user}" + (f" ({application})" if application else "")
            for pid, user, application in connection.execute(_WRITERS).fetchall()
        ),
        prepared=prepared,
        sessions=dict(connection.execute(_SESSIONS).fetchall()),
        next_xid=next_xid,
    )


def judge(before: WriteCounters, after: WriteCounters, seconds: float) -> Stillness:
    """Whether nobody wrote between two looks. Pure.

    Args:
        before: the first.
        after: the second.
        seconds: between them.
    """
    moved = {
        name: after.rows.get(name, 0) - before.rows.get(name, 0)
        for name in sorted({*before.rows, *after.rows})
        if after.rows.get(name) != before.rows.get(name)
    }
    against = []
    if moved:
        # The application's tables first: what a statement on one does to the catalogs says less.
        tables = sorted(moved, key=lambda name: (name.startswith(("pg_catalog.", "pg_")), name))
        against.append(
            f"Rows changed within {seconds:.0f} s: {named((f'{name} ({moved[name]:+,})' for name in tables), _SHOWN)}."
        )
    if after.writers:
        against.append(f"Transactions that have written are open: {named(after.writers, _SHOWN)}.")
    if after.prepared:
        against.append(
            f"{counted(after.prepared, 'prepared transaction')} may still be committed (pg_prepared_xacts)."
        )
    began = after.next_xid - before.next_xid
    too_early = bool(not against and began and seconds < _REPORTED_WITHIN_SECONDS)
    if too_early:
        against.append(
            f"{counted(began, 'transaction')} with an id ended on the server within {seconds:.0f} s, and what they "
            "changed may not be reported yet."
        )
    return Stillness(tuple(against), _seen(before, after, seconds), too_early)


def _seen(before: WriteCounters, after: WriteCounters, seconds: float) -> str:
    tables = counted(len(after.rows), "table")
    text = f"In {seconds:.0f} s no row of {tables} changed, and no transaction that writes is open"
    if before.wal_bytes is not None and after.wal_bytes is not None:
        moved = after.wal_bytes - before.wal_bytes
        text += (
            "; the WAL did not move"
            if moved == 0
            else f"; the WAL moved by {size(moved)}, which the server's own records and other databases explain"
        )
    if after.sessions:
        each = named((f"{name} {number}" for name, number in after.sessions.items()), _SHOWN)
        text += f". Still connected, without writing: {each}"
    return f"{text}."


def await_stillness(
    source: ConnectionTarget,
    *,
    still_seconds: float,
    within_seconds: float,
    on_progress: OnProgress,
    sleep: Callable[[float], None] = time.sleep,
) -> Stillness:
    """Waits until nothing has been written for a while.

    Args:
        source: the database.
        still_seconds: that while.
        within_seconds: how long to wait for it, at most.
        on_progress: called at each look.
        sleep: waits.

    Raises:
        PermanentError: it goes on being written to; the message says which tables and who.
        OpsError: the login or the connection failed.
    """
    began = time.monotonic()
    with (
        translated_errors(source, "Looking whether anybody writes"),
        closing(
            connect(source, application_name="hackorda_ops cutover", settings=SHORT_SETTINGS)
        ) as connection,
    ):
        before, since = read_counters(connection), time.monotonic()
        while True:
            sleep(still_seconds)
            now = time.monotonic()
            after = read_counters(connection)
            found = judge(before, after, now - since)
            if not found.against:
                return found
            spent = time.monotonic() - began
            on_progress(Progress("wait for stillness", round(spent), round(within_seconds), "seconds"))
            if spent + still_seconds > within_seconds:
                raise PermanentError(
                    f"{source.describe()} is still written to. {' '.join(found.against)}",
                    meaning="A dump taken now would lack what is written after it, so none was taken.",
                    next_step="Stop what writes (a worker, a cron job, another service of the application; a "
                    "prepared transaction is ended with ROLLBACK PREPARED).",
                )
            if not found.too_early:
                before, since = after, now
