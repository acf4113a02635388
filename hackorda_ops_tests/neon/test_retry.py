from datetime import UTC, datetime

import pytest

from hackorda_ops.neon.models import ErrorAnswer
from hackorda_ops.neon.retry import CallOutcome, delay_seconds, read_status, retry_after_seconds

_NOW = datetime(2026, 11, 20, 3, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "message", "repeatable", "reading"),
    [
        (200, "", True, CallOutcome.TAKEN),
        (201, "", False, CallOutcome.TAKEN),
        (204, "", True, CallOutcome.TAKEN),
        (400, "bad", True, CallOutcome.REFUSED),
        (401, "", True, CallOutcome.REFUSED),
        (404, "", True, CallOutcome.REFUSED),
        (409, "", False, CallOutcome.REFUSED),
        (412, "", False, CallOutcome.REFUSED),
        (422, "branches limit exceeded", False, CallOutcome.REFUSED),
        (422, "branch not ready yet", False, CallOutcome.AGAIN),
        (423, "", False, CallOutcome.AGAIN),
        (429, "", False, CallOutcome.AGAIN),
        (503, "", False, CallOutcome.AGAIN),
        (500, "", True, CallOutcome.AGAIN),
        (500, "", False, CallOutcome.LOST),
        (502, "", False, CallOutcome.LOST),
        (524, "", True, CallOutcome.AGAIN),
        (524, "", False, CallOutcome.LOST),
    ],
)
def test_each_status_is_read_as_neon_means_it(
    status: int, message: str, repeatable: bool, reading: CallOutcome
) -> None:
    assert read_status(status, ErrorAnswer(message=message), repeatable=repeatable) is reading


def test_delays_grow_to_a_limit_and_spread() -> None:
    lowest = [delay_seconds(attempt, None, 0.0) for attempt in range(9)]
    highest = [delay_seconds(attempt, None, 1.0) for attempt in range(9)]

    assert lowest == [0.25, 0.5, 1.0, 2.0, 4.0, 7.5, 7.5, 7.5, 7.5]
    assert highest == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0, 15.0]


def test_what_neon_asks_for_is_never_undercut() -> None:
    assert all(delay_seconds(attempt, 20.0, chance) >= 20.0 for attempt in range(9) for chance in (0.0, 0.9))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("Fri, 20 Nov 2026 03:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 02:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("²", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, now=_NOW) == seconds
