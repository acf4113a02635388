"""Calls an outside monitor around a night, a copy, a drill or an exercise, in the manner of healthchecks.io.

A dead scheduler can't report itself. The monitor expects a call after each success, and raises the alarm where
none comes. So only work for the newest partition counts: a past night that is backfilled must not stand in
for tonight's. A killed process reports nothing, which is the point.

Dagster's assets and the command line both call it, around the same core functions: what is done by hand counts as
well. Nothing that happens here changes the outcome of the work that it reports.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from hackorda_ops.calendar.due import DueKind, newest_due
from hackorda_ops.config.models import Schedule
from hackorda_ops.errors import OpsError
from hackorda_ops.given import Variable
from hackorda_ops.in_time import within
from hackorda_ops.proof.verdict import Verdict

_TIMEOUT_SECONDS: Final = 5.0
_ATTEMPTS: Final = 2
_PAUSE_SECONDS: Final = 1.0
# The work waits for it, so all attempts together are bounded as well.
_LONGEST_SECONDS: Final = 12.0
_LONGEST_BODY: Final = 500


@dataclass
class Heartbeat:
    """What will be reported at the end.

    Attributes:
        problem: why it's no success, in a sentence without a secret; None for a success.
    """

    problem: str | None = None

    def of_verdict(self, verdict: Verdict) -> None:
        """Records the verdict of a drill or an exercise."""
        self.problem = None if verdict == "PASS" else f"The verdict is {verdict}."


@contextmanager
def heartbeat(
    kind: DueKind,
    partition: date | None,
    schedule: Schedule,
    *,
    monitor: Variable | None,
    log: Callable[[str], None],
    is_last: Callable[[OpsError], bool] = lambda _error: True,
) -> Iterator[Heartbeat]:
    """Calls the monitor of a database's nights, weeks, quarters or years: at the start, and with the outcome.

    Args:
        kind: which of them.
        partition: what is made; None for the present one.
        schedule: the database's.
        monitor: the variable with the URL for this kind; without one nothing is called.
        log: is called, without the URL, where the monitor could not be reached.
        is_last: whether an error ends it for good; after any other, another attempt follows, and nothing is reported.

    Yields:
        Where to record that what was made is no success although nothing was raised.
    """
    if monitor is None or not counts(kind, partition, schedule, datetime.now(UTC)):
        yield Heartbeat()
        return

    def call(suffix: str, body: str) -> None:
        problem = _called(monitor.value, suffix, body)
        if problem:
            log(f"The monitor of ${monitor.name} was not reached ({suffix or '/'}): {problem}.")

    call("/start", f"The {kind} begins.")
    said = Heartbeat()
    try:
        yield said
    except OpsError as error:
        if is_last(error):
            call("/fail", error.what)
        raise
    except Exception as error:
        call("/fail", f"Unexpected error: {type(error).__name__}.")
        raise
    except BaseException:
        call("/fail", "It was interrupted.")
        raise
    if said.problem is None:
        call("", f"The {kind} is done.")
    else:
        call("/fail", said.problem)


def counts(kind: DueKind, partition: date | None, schedule: Schedule, now: datetime) -> bool:
    """Whether a partition is the newest that was due, or a newer one: whether making it shows that all is well.

    Args:
        kind: which kind of partition.
        partition: the one that was made; None for the present one.
        schedule: the database's schedule.
        now: the present, aware.
    """
    newest = newest_due(kind, schedule, now)
    return partition is None or newest is None or partition >= newest.partition


def _called(url: str, suffix: str, body: str) -> str | None:
    """Calls a URL; returns what went wrong instead of raising it."""
    try:
        return within(_LONGEST_SECONDS, "The monitor", lambda: _call(url, suffix, body))
    except OpsError as error:
        return error.what.rstrip(".")
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not fail a night
        return type(error).__name__


def _call(url: str, suffix: str, body: str) -> str | None:
    # Few databases have a monitor, and no command should wait until this is loaded.
    import httpx  # noqa: PLC0415

    problem = None
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE_SECONDS)
        try:
            address = httpx.URL(url)
            address = address.copy_with(path=address.path.rstrip("/") + suffix)
            status = httpx.post(address, content=body[:_LONGEST_BODY], timeout=_TIMEOUT_SECONDS).status_code
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            return f"its URL is not usable ({type(error).__name__})"
        except httpx.HTTPError as error:
            problem = f"it did not answer ({type(error).__name__})"
            continue
        if httpx.codes.is_success(status):
            return None
        problem = f"it answered with status {status}"
        if not httpx.codes.is_server_error(status) and status != httpx.codes.TOO_MANY_REQUESTS:
            return problem
    return problem
