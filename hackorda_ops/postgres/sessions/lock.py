"""One dump of a database at a time, wherever it runs: an advisory lock on the source itself."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from hackorda_ops.errors import LockHeld, LockLost, OpsError
from hackorda_ops.postgres.sessions import beside
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.pooler import refuse_pooler
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS

# The two halves of the key as pg_locks shows them. Advisory locks belong to one database of a server, so every
# database can have the same key.
_KEY: Final = (int.from_bytes(b"hack"), int.from_bytes(b"orda"))

# The form with two numbers shows as objsubid 2.
_LOCKS: Final = """
FROM pg_catalog.pg_locks l
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = %s AND l.objid = %s
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
"""


@dataclass
class Lock:
    """A held lock. It is on a connection of its own, and is lost with it.

    Attributes:
        target: the database that is locked.
        application_name: what others see of the holder.
    """

    target: ConnectionTarget
    application_name: str
    _connection: psycopg.Connection[Any] = field(repr=False)

    def probe(self) -> None:
        """Makes sure that the lock is still held; call it every 30 seconds and before the manifest.

        Raises:
            LockLost: it is not, or that's unknown: another dump may have started.
        """
        try:
            held = self._connection.execute(
                f"SELECT {_LOCKS} AND l.pid = pg_catalog.pg_backend_pid()", _KEY
            ).fetchall()
        except psycopg.Error as error:
            reason = f"its connection broke ({type(error).__name__})"
        else:
            if held:
                return
            reason = "the server no longer has it"
        raise LockLost(
            f"The lock on {self.target.describe()} is lost: {reason}.",
            meaning="Another dump may have started in parallel, so this one is aborted.",
            next_step="Run the backup again; if it happens often, look for what ends idle connections.",
        )

    def retake(self) -> None:
        """Takes the lock again if it is lost and nobody has it: once the source is no longer read, a gap does no harm.

        Raises:
            LockLost: another dump has started, or that's unknown.
        """
        try:
            self.probe()
        except LockLost as lost:
            with suppress(psycopg.Error):
                self._connection.close()
            try:
                self._connection = connect(
                    self.target, application_name=self.application_name, settings=SHORT_SETTINGS
                )
                with translated_errors(self.target, "Taking the dump lock again"):
                    _take(self._connection, self.target)
            except OpsError:
                raise lost from None

    def _stay_awake(self, ended: threading.Event) -> None:
        while not ended.wait(beside.PING_SECONDS):
            # A loss is reported by `probe`.
            with suppress(psycopg.Error):
                self._connection.execute("SELECT 1")

    def _release(self) -> None:
        # Unlocked explicitly, because the server frees the locks of a closed connection a moment later.
        with suppress(psycopg.Error):
            self._connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s, %s)", _KEY)
        with suppress(psycopg.Error):
            self._connection.close()


@contextmanager
def dump_lock(target: ConnectionTarget, *, application_name: str) -> Iterator[Lock]:
    """Holds the database's dump lock for as long as the block runs.

    The server frees it when the block ends or the connection does, so a killed worker leaves none behind.

    Args:
        target: the source, by its direct endpoint; for a dump from a branch, the branch's parent.
        application_name: what a second dump reports about the holder: say who and where.

    Raises:
        LockHeld: another session holds it; the message names it.
        SnapshotUnavailable: the target is a pooler, through which no lock can be held.
        OpsError: the connection failed (`session.connect`, `session.translated_errors`).
    """
    connection = connect(target, application_name=application_name, settings=SHORT_SETTINGS)
    lock = Lock(target, application_name, connection)
    try:
        with translated_errors(target, "Taking the dump lock"):
            with connect(target, application_name=application_name, settings=SHORT_SETTINGS) as second:
                refuse_pooler(connection, second)
            _take(connection, target)
        with beside.beside(lock._stay_awake):
            yield lock
    finally:
        lock._release()


def is_locked(connection: psycopg.Connection[Any]) -> bool:
    """Whether a dump of the connection's database is running.

    Raises:
        psycopg.Error: the connection broke.
    """
    return connection.execute(f"SELECT {_LOCKS}", _KEY).fetchone() is not None


def _take(connection: psycopg.Connection[Any], target: ConnectionTarget) -> None:
    [(taken,)] = connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s, %s)", _KEY).fetchall()
    if taken:
        return
    holders = connection.execute(
        "SELECT a.application_name, coalesce(a.client_addr::text, 'a local socket or hidden'),"
        " coalesce(to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"'),"
        f" 'an unknown time'), l.pid FROM pg_catalog.pg_stat_activity a JOIN (SELECT l.pid {_LOCKS}) l USING (pid)",
        _KEY,
    ).fetchall()
    holder = "; ".join(
        f"{name or 'a session without a name'} from {address}, connected since {since}, process {process}"
        for name, address, since, process in holders
    )
    raise LockHeld(
        f"Another dump of {target.describe()} is running: {holder or 'its session has just ended'}.",
        meaning="Two dumps at once would only slow each other down, so this one did not start.",
        next_step="Wait for it to end. If its machine is dead, the server notices within minutes; to free the lock"
        " at once, run SELECT pg_terminate_backend(<process>) on the server.",
    )
