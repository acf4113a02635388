"""A long reading of a live database that stands in nobody's way.

Whatever reads tables holds ACCESS SHARE on them. A schema change waits behind that, and everybody who comes later
waits behind the schema change. So a session of its own looks who waits, and when somebody has waited for long enough,
the whole reading lets go: every one of its sessions is ended on the server.

Whoever opens a session for the reading names it with `Reading.application_name`: that is how it is found.
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

# Twice in the second after which Postgres looks for deadlocks: then it's never another's work that is ended for ours.
_LOOK_EVERY_SECONDS: Final = 0.4
_LET_GO_EVERY_SECONDS: Final = 0.1
# Nobody must be kept waiting because nobody can look.
_BLIND_FOR_SECONDS: Final = 60.0
_GONE_WITHIN_SECONDS: Final = 10.0
_LAST_CONNECT_SECONDS: Final = 5
_LONGEST_NAME: Final = 63
# The session that looks, and the one that holds the dump lock or stands for it.
_BESIDE_THE_READING: Final = 1
# A look that has to wait is no look.
_LOOKING_SETTINGS: Final = {**SHORT_SETTINGS, "statement_timeout": "3s", "lock_timeout": "500ms"}


@dataclass(frozen=True)
class Burden:
    """What a reading cost the database that was read.

    Attributes:
        attempts: how often it was begun.
        longest_wait_seconds: the longest that anybody was seen to wait behind it.
        xmin_held_seconds: the longest that one snapshot held back the removal of dead rows.
        connections: the most that were seen at once, the session that looks included.
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
    """One attempt at reading a database, and what is seen of those who wait behind it.

    Attributes:
        target: the database that is read.
        yield_after_seconds: how long anybody may wait behind it, and how long it waits for anybody.
        seen: who was seen to wait behind it last, or kept it from a lock, in words; "" where nobody was.
        in_the_way: the processes of those who waited.
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

        Every session that holds a lock or a snapshot for the reading has to have one, client tools included
        (PGAPPNAME, or `application_name` in the options).
        """
        return f"{what[: _LONGEST_NAME - len(self._token) - 1]} {self._token}"

    def snapshot_taken(self) -> None:
        """Notes that the server keeps, from now on, the rows that a snapshot sees."""
        self._snapshot_at = time.monotonic()

    @property
    def let_go(self) -> bool:
        """Whether its sessions have been ended, or are being."""
        return self._given_up

    @property
    def burden(self) -> Burden:
        """What it has cost so far."""
        until = self._ended or time.monotonic()
        return Burden(
            longest_wait_seconds=round(self._longest_wait, 3),
            xmin_held_seconds=round(until - (self._snapshot_at or until), 3),
            connections=self._connections,
        )

    def raise_if_in_the_way(self) -> None:
        """Ends what is going on where the reading has let go; call it every second of a long wait.

        Raises:
            SourceBusy: it has.
            ConnectionLost: nobody can look any more who waits, so it must not go on.
        """
        if self.let_go:
            raise self._busy()
        if time.monotonic() - self._looked_at > _BLIND_FOR_SECONDS:
            raise ConnectionLost(
                f"For {_BLIND_FOR_SECONDS:g} seconds nobody could look who waits behind the reading of "
                f"{self.target.describe()}.",
                meaning="It might have been in somebody's way unnoticed, so it was given up.",
                next_step="Try again; if it happens again, look at the network, the server's load and its log.",
            )

    def _busy(self) -> SourceBusy:
        return SourceBusy(
            f"Reading {self.target.describe()} was given up, because it was in the way: {self.seen}.",
            meaning="Its locks were all let go, so that nobody waits for them; what had been read does not count.",
            next_step="Try again when no schema change is running there.",
        )

    def _look(self, connection: psycopg.Connection[Any]) -> None:
        queue = waiting.look(connection, self._token)
        self._connections = max(self._connections, len(queue.ours) + _BESIDE_THE_READING)
        # Who waited for somebody else before this began has not waited for us.
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
        """Ends what sessions are left, and waits until the server has none of them."""
        # Where the line is dead, nobody should wait for its end for long: the server notices by itself.
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
    """Looks, for as long as the block runs, who waits behind the sessions that it opens.

    When somebody has waited for too long, those sessions are ended: what the block does then fails, or is
    ended by `raise_if_in_the_way`. However the block fails, none of its sessions is left on the server.

    Args:
        target: the database that is read.
        yield_after_seconds: how long anybody may wait.

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
            # Its sessions were ended: whatever came of that says less than the reason.
            raise current._busy() from None
        raise


def wait_until_free(target: ConnectionTarget, pids: frozenset[int], *, at_most_seconds: float) -> bool:
    """Waits, holding nothing, until nobody changes the schema of a database.

    Args:
        target: the database.
        pids: of those who were kept waiting: they count with milder locks as well.
        at_most_seconds: how long.

    Returns:
        Whether the way is free.

    Raises:
        OpsError: the server can't be reached.
    """
    with (
        translated_errors(target, "Looking whether a schema change goes on"),
        connect(
            target, application_name="hackorda_ops looks who waits", settings=_LOOKING_SETTINGS
        ) as session,
    ):
        for _ in rounds(at_most_seconds, pause_seconds=_LOOK_EVERY_SECONDS):
            if not waiting.is_busy(session, pids):
                return True
    return False
