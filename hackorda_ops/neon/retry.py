"""When to retry a call to Neon, how long to wait, and what an answer means: pure decisions."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

from hackorda_ops.neon.models import ErrorAnswer
from hackorda_ops.neon.refusals import RefusalCode, code_of
from hackorda_ops.rounds import rounds

_LONGEST_DELAY_SECONDS = 15.0
_FIRST_DELAY_SECONDS = 0.5


@dataclass(frozen=True)
class Clock:
    """Clock and randomness, passed in so that tests need not wait.

    Attributes:
        monotonic: seconds that only increase.
        sleep: waits that many seconds.
        chance: a number in [0, 1), for jitter.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    # Jitter spreads clients out; guessing it gains nothing.
    chance: Callable[[], float] = random.random

    def rounds(self, within_seconds: float, *, pause_seconds: float) -> Iterator[None]:
        """`rounds.rounds` by this clock."""
        return rounds(within_seconds, pause_seconds=pause_seconds, monotonic=self.monotonic, sleep=self.sleep)


class CallOutcome(Enum):
    """What a status means for the call that got it."""

    TAKEN = "taken"  # the call's own answer
    AGAIN = "again"  # nothing was done: ask again
    LOST = "lost"  # it's unknown whether it was done
    REFUSED = "refused"  # a retry can't help


def read_status(status: int, answer: ErrorAnswer, *, repeatable: bool) -> CallOutcome:
    """What an HTTP status says about the call.

    Args:
        status: of the answer.
        answer: Neon's error body, empty on success.
        repeatable: whether the call is idempotent.
    """
    if status < 300:
        return CallOutcome.TAKEN
    if status in (423, 429, 503) or code_of(status, answer) is RefusalCode.NOT_READY:
        return CallOutcome.AGAIN
    if status >= 500:
        # Mainly 524: the gateway gave up waiting while the work may continue behind it.
        return CallOutcome.AGAIN if repeatable else CallOutcome.LOST
    return CallOutcome.REFUSED


def delay_seconds(attempt: int, retry_after_seconds: float | None, chance: float) -> float:
    """How long to wait before the next attempt.

    Args:
        attempt: 0 after the first failure.
        retry_after_seconds: what Neon asked for; a lower limit, with a little jitter added.
        chance: in [0, 1).
    """
    backoff = min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2.0 ** min(attempt, 10))
    if retry_after_seconds is not None:
        return retry_after_seconds + chance * _FIRST_DELAY_SECONDS
    return backoff * (0.5 + chance / 2)


def retry_after_seconds(header: str | None, *, now: datetime) -> float | None:
    """The `Retry-After` header in seconds from `now`; None if it is missing or unusable."""
    if header is None:
        return None
    if header.isascii() and header.strip().isdigit():
        return float(header)
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - now).total_seconds())
