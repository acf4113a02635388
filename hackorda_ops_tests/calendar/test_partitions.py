"""Which night, week and quarter a moment belongs to."""

from datetime import UTC, date, datetime

import pytest

from hackorda_ops.calendar.partitions import (
    closes_at,
    is_over,
    night_of,
    quarter_name,
    quarter_named,
    quarter_of,
    require_open,
    scheduled_at,
    week_of,
)
from hackorda_ops.config.models import Schedule
from hackorda_ops.errors import PartitionGone, UsageError

ALMATY = Schedule(timezone="Asia/Almaty", night="0 2 * * *")  # UTC+5
BERLIN = Schedule(timezone="Europe/Berlin", night="30 2 * * *")


def test_a_night_is_the_local_date_and_not_the_one_in_utc() -> None:
    assert night_of(datetime(2026, 11, 20, 21, 0, tzinfo=UTC), ALMATY) == date(2026, 11, 21)


def test_a_week_begins_on_its_monday() -> None:
    assert {week_of(date(2026, 11, day)) for day in range(16, 23)} == {date(2026, 11, 16)}
    assert week_of(date(2026, 11, 23)) == date(2026, 11, 23)


def test_a_quarter_begins_on_the_calendars_first_day_and_is_named_as_people_do() -> None:
    starts = {quarter_of(date(2026, month, 28)) for month in range(1, 13)}
    assert starts == {date(2026, 1, 1), date(2026, 4, 1), date(2026, 7, 1), date(2026, 10, 1)}
    assert [quarter_name(start) for start in sorted(starts)] == ["2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4"]


def test_a_quarter_is_found_by_its_name() -> None:
    assert quarter_named("2026-Q4") == date(2026, 10, 1)
    assert quarter_named("2027-q1") == date(2027, 1, 1)
    for wrong in ("2026-Q5", "Q4", "2026-10-01", ""):
        with pytest.raises(UsageError, match="is not a quarter"):
            quarter_named(wrong)


def test_tonight_is_open_and_on_time() -> None:
    assert require_open(date(2026, 11, 21), datetime(2026, 11, 20, 21, 0, tzinfo=UTC), ALMATY) is False


def test_a_night_queued_past_midnight_is_late_but_open_until_the_next_is_due() -> None:
    one_minute_before = datetime(2026, 11, 21, 20, 59, tzinfo=UTC)
    assert require_open(date(2026, 11, 21), one_minute_before, ALMATY) is True


def test_a_night_is_over_the_moment_the_next_is_due() -> None:
    with pytest.raises(PartitionGone, match="2026-11-21 ended") as caught:
        require_open(date(2026, 11, 21), datetime(2026, 11, 21, 21, 0, tzinfo=UTC), ALMATY)
    assert "nothing is ever backdated" in caught.value.meaning


def test_a_night_to_come_is_refused() -> None:
    with pytest.raises(PartitionGone, match="has not begun"):
        require_open(date(2026, 11, 22), datetime(2026, 11, 20, 21, 0, tzinfo=UTC), ALMATY)


def test_a_nightly_time_at_midnight_closes_the_night_at_once() -> None:
    midnight = Schedule(timezone="UTC", night="0 0 * * *")
    assert closes_at(date(2026, 11, 21), midnight) == datetime(2026, 11, 22, tzinfo=UTC)


def test_summer_time_does_not_move_a_night() -> None:
    # On 2026-03-29 02:30 does not exist in Berlin; the night before stays open until the tick that replaces it.
    assert closes_at(date(2026, 3, 28), BERLIN).date() == date(2026, 3, 29)
    assert closes_at(date(2026, 10, 24), BERLIN).astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_weekly_nights_stay_open_until_the_next_scheduled_one() -> None:
    weekdays = Schedule(timezone="UTC", night="0 2 * * 1-5")
    assert closes_at(date(2026, 11, 20), weekdays) == datetime(2026, 11, 23, 2, tzinfo=UTC)


def test_a_night_was_due_at_its_dates_last_scheduled_time() -> None:
    assert scheduled_at(date(2026, 11, 21), ALMATY) == datetime(2026, 11, 20, 21, tzinfo=UTC)
    assert scheduled_at(date(2026, 11, 21), Schedule(night="0 0 * * *")) == datetime(2026, 11, 21, tzinfo=UTC)
    assert scheduled_at(date(2026, 11, 21), Schedule(night="0 */6 * * *")) == datetime(
        2026, 11, 21, 18, tzinfo=UTC
    )


def test_a_date_on_which_nothing_was_due_was_not_missed() -> None:
    with pytest.raises(PartitionGone, match="No dump was due on 2026-11-21"):
        scheduled_at(date(2026, 11, 21), Schedule(night="0 2 * * 1-5"))


def test_a_night_is_past_from_the_moment_the_next_is_due() -> None:
    assert not is_over(date(2026, 11, 21), datetime(2026, 11, 21, 20, 59, tzinfo=UTC), ALMATY)
    assert is_over(date(2026, 11, 21), datetime(2026, 11, 21, 21, 0, tzinfo=UTC), ALMATY)
