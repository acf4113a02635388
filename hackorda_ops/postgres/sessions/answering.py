"""A session that notices when nobody answers any more, although its socket is still open.

TCP's keepalives find a dead network. They find neither a server that was frozen (its kernel still acknowledges), nor a
proxy that keeps our side open after the other has gone: libpq would wait for both without end. So every wait for an
answer is watched by a clock of its own. Where the server limits a statement, nothing can take much longer than that.
Where it doesn't, because a count or a COPY may take hours, another session asks the server from time to time whether it
is still at it.
"""

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, LiteralString

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.rows import TupleRow

GRACE_SECONDS: Final = 30.0
"""How much longer than its limit on the server a statement is waited for."""

LOOK_EVERY_SECONDS: Final = 60.0
"""How long a statement without a limit may be silent until another session asks after it, and how often again."""

LOOK_CONNECT_SECONDS: Final = 10
LOOK_LIMIT_SECONDS: Final = 15.0
# A server that restarts or is busy gets this many chances before its silence counts.
LOOKS: Final = 3
SETTING_UP_SECONDS: Final = 60.0
_UNITS: Final = {"": 0.001, "ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
_AT_WORK: Final = """
SELECT coalesce(state, '') NOT LIKE 'idle%%' FROM pg_catalog.pg_stat_activity WHERE pid = %s
"""


class Answering(psycopg.Connection[TupleRow]):
    """A connection none of whose waits is endless."""

    # Until it's set up, and for good where the server limits its statements.
    _limit_seconds: float | None = SETTING_UP_SECONDS
    _conninfo: str = ""
    _pid: int = 0

    def watch(self, conninfo: str, pid: int, settings: Mapping[str, str]) -> None:
        """Says how to ask after this session, and for how long its statements may be silent.

        Args:
            conninfo: where the other session, which asks, connects to.
            pid: this session's process, as the server knows it; a proxy may have put another into the protocol.
            settings: those of this session.
        """
        self._conninfo, self._pid = conninfo, pid
        limit_seconds = seconds_of(settings.get("statement_timeout", "0"))
        self._limit_seconds = limit_seconds + GRACE_SECONDS if limit_seconds else None

    def wait(self, gen: PQGen[RV], *arguments: Any, **options: Any) -> RV:
        """Waits as psycopg does, and gives up where no answer will come.

        Raises:
            OperationalError: nobody answers any more; the connection is closed.
        """
        return super().wait(self._unless_silent(gen), *arguments, **options)

    def _unless_silent(self, gen: PQGen[RV]) -> PQGen[RV]:
        looks, silent_since = 0, time.monotonic()
        try:
            waited_for = next(gen)
            while True:
                ready = yield waited_for
                if ready:
                    looks, silent_since = 0, time.monotonic()
                elif self._limit_seconds is not None:
                    if time.monotonic() - silent_since > self._limit_seconds:
                        self._give_up(self._limit_seconds)
                elif time.monotonic() - silent_since > LOOK_EVERY_SECONDS * (looks + 1):
                    looks = 0 if self._is_at_work() else looks + 1
                    if looks == LOOKS:
                        self._give_up(time.monotonic() - silent_since)
                    if not looks:
                        silent_since = time.monotonic()
                waited_for = gen.send(ready)
        except StopIteration as ended:
            return ended.value  # type: ignore[no-any-return]

    def _give_up(self, seconds: float) -> None:
        # Whatever is sent from here on would wait as well.
        self.pgconn.finish()
        raise psycopg.OperationalError(_silence(seconds))

    def _is_at_work(self) -> bool:
        """Whether the server, asked by another session, is still at this session's statement."""
        return _asked(self._conninfo, _AT_WORK, self._pid)


class WatchedServer:
    """A server that a client tool works on: libpq would wait for its answer without end.

    Args:
        conninfo: where the tool connects to.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._silent_since = self._looked_at = time.monotonic()
        self._looks = 0

    def look(self) -> None:
        """Asks the server whether it is there, where it's time for that; called about every second.

        Raises:
            OperationalError: it has not answered several times in a row.
        """
        if time.monotonic() - self._looked_at < LOOK_EVERY_SECONDS:
            return
        if _asked(self._conninfo, "SELECT %s > 0", 1):
            self._silent_since, self._looks = time.monotonic(), 0
        else:
            self._looks += 1
        self._looked_at = time.monotonic()
        if self._looks == LOOKS:
            raise psycopg.OperationalError(_silence(self._looked_at - self._silent_since))


def _asked(conninfo: str, question: LiteralString, about: int) -> bool:
    """What a session of its own is answered, within its limits; a server that refuses us is there."""
    try:
        asking = Answering.connect(
            conninfo,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=LOOK_CONNECT_SECONDS,
            application_name="hackorda_ops looks whether it is answered",
        )
    except psycopg.Error as error:
        return "FATAL" in str(error)
    asking._limit_seconds = LOOK_LIMIT_SECONDS
    try:
        found = asking.execute(question, (about,)).fetchone()
    except psycopg.Error:
        return False
    finally:
        with suppress(psycopg.Error):
            asking.close()
    return found is not None and bool(found[0])


def _silence(seconds: float) -> str:
    return f"the server has not answered for {seconds:.0f} seconds, although the connection is still open"


def seconds_of(setting: str) -> float:
    """A time limit as Postgres writes it ("60s", "5min", "0", "1500"), in seconds.

    Raises:
        ValueError: it isn't one.
    """
    found = re.fullmatch(r"\s*(\d+)\s*(|ms|s|min|h)\s*", setting)
    if not found:
        raise ValueError(f"{setting!r} is not a time limit")
    return int(found[1]) * _UNITS[found[2]]
