"""A long reading of a live database that doesn't block others.

Every session that reads tables holds ACCESS SHARE on them. A schema change waits behind that, and later sessions
wait behind the schema change. So a separate session checks who waits, and when one has waited for long enough,
the whole reading gives way: all of its sessions are ended on the server.

Every session for the reading is named with `Reading.application_name`: that is how it is found.
"""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

import psycopg

from hackorda_ops.errors import ConnectionLost, OpsError, SourceBusy
from hackorda_ops.postgres.sessions import beside, waiting
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.rounds import rounds

# Twice in the second after which Postgres checks for deadlocks, so that it never ends another's work instead of ours.
_LOOK_EVERY_SECONDS: Final = 0.4
_LET_GO_EVERY_SECONDS: Final = 0.1
# Others must not be kept waiting because the check is blind.
_BLIND_FOR_SECONDS: Final = 60.0
_GONE_WITHIN_SECONDS: Final = 10.0
_LAST_CONNECT_SECONDS: Final = 5
_LONGEST_NAME: Final = 63
# The session that checks, and the one that holds the dump lock or stands for it.
_BESIDE_THE_READING: Final = 1
# A check that has to wait is useless.
_LOOKING_SETTINGS: Final = {**SHORT_SETTINGS, "statement_timeout": "3s", "lock_timeout": "500ms"}


@dataclass(frozen=True)
class Burden:
    """What a reading cost the database that was read.

    Attributes:
        attempts: how often it was started.
        longest_wait_seconds: the longest observed wait of another session behind it.
        xmin_held_seconds: the longest that one snapshot held back the removal of dead rows.
        connections: the most seen at once, the checking session included.
    """

    attempts: int = 1
    longest_wait_seconds: float = 0.0
    xmin_held_seconds: float = 0.0
    connections: int = 0

    def and_then(self, later: "Burden") -> "Burden":
        """Two attempts as one."""
        return Burden(
            self.attempts + later.attempts,
            max(self.longest_wait_seconds, later.longest_wait_seconds),
            max(self.xmin_held_seconds, later.xmin_held_seconds),
            max(self.connections, later.connections),
        )


@dataclass
class Reading:
    """One attempt at reading a database, and what is seen of the sessions that wait behind it.

    Attributes:
        target: the database that is read.
        yield_after_seconds: how long others may wait behind it, and how long it waits for others.
        seen: who last waited behind it, or kept it from a lock, in words; "" if nobody did.
        in_the_way: the processes of the sessions that waited.
    """

    target: ConnectionTarget
    yield_after_seconds: float
    seen: str = ""
    in_the_way: frozenset[int] = frozenset()
    _token: str = field(default_factory=lambda: secrets.token_hex(4))
    _began: float = field(default_factory=time.monotonic)
    _snapshot_at: float | None = None
    _ended: float | None = None
    _longest_wait: float = 0.0
    _connections: int = 0
    _given_up: bool = False
    _looked_at: float = field(default_factory=time.monotonic)

    def application_name(self, what: str) -> str:
        """A session's name by which it is found: what it does, and this reading's token.

        Every session that holds a lock or a snapshot for the reading must have one, client tools included
        (PGAPPNAME, or `application_name` in the options).
        """
        return f"{what[: _LONGEST_NAME - len(self._token) - 1]} {self._token}"

    def snapshot_taken(self) -> None:
        """Notes that the server keeps, from now on, the rows that a snapshot sees."""
        self._snapshot_at = time.monotonic()

    @property
    def let_go(self) -> bool:
        """Whether its sessions have been ended, or are being ended."""
        return self._given_up

    @property
    def burden(self) -> Burden:
        """Its cost so far."""
        until = self._ended or time.monotonic()
        return Burden(
            longest_wait_seconds=round(self._longest_wait, 3),
            xmin_held_seconds=round(until - (self._snapshot_at or until), 3),
            connections=self._connections,
        )

    def raise_if_in_the_way(self) -> None:
        """Stops the current work if the reading has given way; call it every second of a long wait.

        Raises:
            SourceBusy: it has.
            ConnectionLost: who waits can no longer be checked, so it must not continue.
        """
        if self.let_go:
            raise self._busy()
        if time.monotonic() - self._looked_at > _BLIND_FOR_SECONDS:
            raise ConnectionLost(
                f"For {_BLIND_FOR_SECONDS:g} seconds it was impossible to check who waits behind the reading of "
                f"{self.target.describe()}.",
                meaning="It might have blocked others unnoticed, so it was aborted.",
                next_step="Try again; if it happens again, check the network, the server's load and its log.",
            )

    def _busy(self) -> SourceBusy:
        return SourceBusy(
            f"Reading {self.target.describe()} was aborted, because it was in the way: {self.seen}.",
            meaning="All its locks were released, so nobody waits for them; what was read does not count.",
            next_step="Try again when no schema change is running there.",
        )

    def _look(self, connection: psycopg.Connection[Any]) -> None:
        queue = waiting.look(connection, self._token)
        self._connections = max(self._connections, len(queue.ours) + _BESIDE_THE_READING)
        # A session that waited for somebody else before this began has not waited for us.
        longest = min(
            max((each.seconds for each in queue.behind), default=0.0), time.monotonic() - self._began
        )
        self._longest_wait = max(self._longest_wait, longest)
        if self.let_go:
            return
        if queue.behind:
            worst = max(queue.behind, key=lambda each: each.seconds)
            self.in_the_way = frozenset(each.pid for each in queue.behind)
            self.seen = f"{waiting.describe(connection, worst)} waited {worst.seconds:.1f} seconds"
            self._given_up = queue.entangled or longest >= self.yield_after_seconds
        held_up = [each for each in queue.held_up if each.seconds >= self.yield_after_seconds]
        if held_up and not self._given_up:
            self.seen = waiting.describe_holders(connection, held_up[0])
            self._given_up = True

    def _watch(self, connection: psycopg.Connection[Any], ended: threading.Event) -> None:
        while not ended.wait(_LET_GO_EVERY_SECONDS if self.let_go else _LOOK_EVERY_SECONDS):
            try:
                if connection.closed:
                    connection = self._opened(retry_budget_seconds=0)
                self._look(connection)
                if self.let_go:
                    waiting.end_sessions(connection, self._token)
                self._looked_at = time.monotonic()
            except (psycopg.Error, OpsError):
                continue  # `raise_if_in_the_way` notices when that lasts
        with suppress(psycopg.Error):
            connection.close()

    def _opened(self, *, retry_budget_seconds: float) -> psycopg.Connection[Any]:
        return connect(
            self.target,
            application_name="hackorda_ops looks who waits",
            settings=_LOOKING_SETTINGS,
            retry_budget_seconds=retry_budget_seconds,
        )

    def _end(self) -> None:
        """Ends the remaining sessions, and waits until they are gone from the server."""
        # If the connection is dead, don't wait long for its end: the server notices by itself.
        soon = {**self.target.parameters, "connect_timeout": str(_LAST_CONNECT_SECONDS)}
        with (
            suppress(psycopg.Error, OpsError),
            replace(self, target=replace(self.target, parameters=soon))._opened(
                retry_budget_seconds=0
            ) as connection,
        ):
            for _ in rounds(_GONE_WITHIN_SECONDS, pause_seconds=_LET_GO_EVERY_SECONDS):
                if not waiting.look(connection, self._token).ours:
                    break
                waiting.end_sessions(connection, self._token)


@contextmanager
def reading(target: ConnectionTarget, *, yield_after_seconds: float) -> Iterator[Reading]:
    """Checks, for as long as the block runs, who waits behind the sessions that it opens.

    When another session has waited too long, those sessions are ended: what the block does then fails, or is
    stopped by `raise_if_in_the_way`. However the block fails, none of its sessions is left on the server.

    Args:
        target: the database that is read.
        yield_after_seconds: how long others may wait.

    Raises:
        SourceBusy: the block failed because its sessions were ended.
        OpsError: the server can't be reached; or what the block raised.
    """
    current = Reading(target, yield_after_seconds)
    connection = current._opened(retry_budget_seconds=60)
    try:
        with beside.beside(lambda ended: current._watch(connection, ended)):
            try:
                yield current
            finally:
                current._ended = time.monotonic()
    except BaseException as error:
        current._end()
        if current.let_go and isinstance(error, Exception):
            # Its sessions were ended: the resulting error says less than the reason.
            raise current._busy() from None
        raise


def wait_until_free(target: ConnectionTarget, pids: frozenset[int], *, at_most_seconds: float) -> bool:
    """Waits, without holding any lock, until nobody changes the schema of a database.

    Args:
        target: the database.
        pids: of the sessions that were kept waiting: their weaker locks count too.
        at_most_seconds: how long.

    Returns:
        Whether the way is clear.

    Raises:
        OpsError: the server can't be reached.
    """
    with (
        translated_errors(target, "Checking whether a schema change is running"),
        connect(
            target, application_name="hackorda_ops looks who waits", settings=_LOOKING_SETTINGS
        ) as session,
    ):
        for _ in rounds(at_most_seconds, pause_seconds=_LOOK_EVERY_SECONDS):
            if not waiting.is_busy(session, pids):
                return True
    return False
