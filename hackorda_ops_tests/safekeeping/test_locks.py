"""When a lock is long enough, when it's extended, and what is said where it isn't there."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hackorda_ops.safekeeping.locks import extended_to, judged, shown_of
from hackorda_ops.stores.locks import FileLock, LockMode, ObjectLock

NOW = datetime(2026, 11, 8, 3, tzinfo=UTC)
DAY = timedelta(days=1)
THIRTY = ObjectLock("compliance", 30)


@given(days=st.integers(1, 4000), left=st.integers(-100, 5000))
def test_a_lock_is_never_shortened_and_lasts_for_half_of_what_is_asked_for(days: int, left: int) -> None:
    until = NOW + left * DAY
    extended = extended_to(FileLock(until, "compliance"), ObjectLock("compliance", days), NOW)

    assert extended is None or extended > until
    assert (extended or until) - NOW >= timedelta(days=days) / 2


@pytest.mark.parametrize(("left", "is_extended"), [(29, False), (16, False), (14, True), (-1, True)])
def test_a_lock_of_thirty_days_is_extended_once_half_of_it_is_over(left: int, is_extended: bool) -> None:
    extended = extended_to(FileLock(NOW + left * DAY, "compliance"), THIRTY, NOW)

    assert (extended == NOW + 30 * DAY) is is_extended


def test_a_lock_of_ten_days_outlasts_the_week_until_the_next_run() -> None:
    assert extended_to(FileLock(NOW + 7 * DAY, "compliance"), ObjectLock("compliance", 10), NOW) is not None
    assert extended_to(FileLock(NOW + 9 * DAY, "compliance"), ObjectLock("compliance", 10), NOW) is None


def test_what_isnt_locked_at_all_gets_the_whole_lock() -> None:
    assert extended_to(FileLock(), THIRTY, NOW) == NOW + 30 * DAY


@pytest.mark.parametrize(
    ("asked", "mode", "enough"),
    [
        ("compliance", "compliance", True),
        ("governance", "compliance", True),
        ("governance", "governance", True),
        ("compliance", "governance", False),
    ],
)
def test_a_weaker_mode_is_no_lock_of_that_mode(asked: LockMode, mode: LockMode, enough: bool) -> None:
    found = judged("s3://b/db/a", ObjectLock(asked, 30), {"one": FileLock(NOW + DAY, mode)}, NOW)

    assert (found.not_locked == ()) is enough


def test_one_file_without_its_lock_fails_the_check_and_is_named() -> None:
    locks = {
        "dump/1": FileLock(NOW + DAY, "compliance"),
        "dump/2": FileLock(),
        "old": FileLock(NOW - DAY, "compliance"),
    }

    shown = shown_of(judged("s3://b/db/a", THIRTY, locks, NOW))

    assert not shown.passed
    [finding] = shown.findings or ()
    assert (finding.code, "dump/2, old" in finding.observed) == ("lock missing", True)
    assert "s3:PutObjectRetention" in finding.next_step


@pytest.mark.parametrize(("days", "enough"), [(30, True), (29.5, True), (28, False), (1, False)])
def test_a_lock_must_last_as_long_as_was_asked_for_counted_from_when_the_file_was_written(
    days: float, enough: bool
) -> None:
    written = NOW - 2 * DAY
    locks = {"one": FileLock(written + days * DAY, "compliance")}

    found = judged("s3://b/db/a", THIRTY, locks, NOW - DAY, written={"one": written})

    assert (found.not_locked == ()) is enough


def test_a_lock_of_a_day_may_lack_half_of_it_for_a_clock_that_is_off() -> None:
    locks = {"one": FileLock(NOW + DAY / 2, "compliance")}
    one = ObjectLock("compliance", 1)
    assert judged("s3://b/db/a", one, locks, NOW, written={"one": NOW}).not_locked == ()


def test_a_lock_that_the_key_may_not_read_is_said_to_be_unknown_and_not_to_be_there() -> None:
    shown = shown_of(judged("s3://b/db/a", THIRTY, {"one": FileLock(unread="the bucket answers 403")}, NOW))

    assert shown.passed
    assert [each.code for each in shown.findings or ()] == ["lock not read"]
    assert "not known" in shown.summary


def test_a_legal_hold_counts_as_a_lock() -> None:
    assert judged("s3://b/db/a", THIRTY, {"one": FileLock(held=True)}, NOW).not_locked == ()
