"""What a schedule asks for between two moments."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hackorda_ops.calendar.due import Due, due_between, is_due, newest_due
from hackorda_ops.config.models import Schedule

ALMATY = Schedule(timezone="Asia/Almaty", since=date(2026, 1, 1))
BERLIN = Schedule(timezone="Europe/Berlin", night="30 2 * * *", since=date(2026, 1, 1))


def test_a_week_away_missed_seven_nights_and_one_week() -> None:
    friday = datetime(2026, 11, 13, 12, tzinfo=UTC)
    nights = list(due_between("night", ALMATY, after=friday, until=friday + timedelta(days=7)))
    assert [due.partition.day for due in nights] == [14, 15, 16, 17, 18, 19, 20]
    [week] = due_between("week", ALMATY, after=friday, until=friday + timedelta(days=7))
    assert (week.partition, week.at.date()) == (date(2026, 11, 9), date(2026, 11, 15))


def test_a_quarter_is_due_at_the_first_tick_in_it_only() -> None:
    begin = datetime(2026, 9, 25, tzinfo=UTC)
    dues = due_between("quarter", ALMATY, after=begin, until=datetime(2027, 1, 31, tzinfo=UTC))
    assert [(due.partition, due.at.date()) for due in dues] == [
        (date(2026, 10, 1), date(2026, 10, 4)),
        (date(2027, 1, 1), date(2027, 1, 3)),
    ]


def test_the_time_that_spring_skips_is_due_all_the_same_and_the_one_that_autumn_repeats_once() -> None:
    spring = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert [
        due.partition for due in due_between("night", BERLIN, after=spring, until=spring + timedelta(days=1))
    ] == [date(2026, 3, 29)]
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert [
        due.partition for due in due_between("night", BERLIN, after=autumn, until=autumn + timedelta(days=1))
    ] == [date(2026, 10, 25)]


def test_what_was_due_before_autumn_put_the_clocks_back_is_due_after_it() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    evening = datetime(2026, 10, 24, 20, tzinfo=berlin)
    # Later than the first 02:30, though the clock on the wall shows less.
    second_0215 = datetime(2026, 10, 25, 2, 15, tzinfo=berlin, fold=1)
    [due] = due_between("night", BERLIN, after=evening, until=second_0215)
    assert due.partition == date(2026, 10, 25)


def test_what_is_due_at_this_very_second_is_the_newest_due() -> None:
    at = datetime(2026, 11, 20, 21, tzinfo=UTC)
    due = newest_due("night", ALMATY, at)
    assert due is not None
    assert (due, due.at) == (Due("night", date(2026, 11, 21), due.at), at)
    earlier = newest_due("night", ALMATY, at - timedelta(seconds=1))
    assert earlier is not None
    assert earlier.partition == date(2026, 11, 20)


def test_nothing_is_due_before_the_schedule_begins() -> None:
    later = Schedule(since=date(2026, 11, 1))
    assert newest_due("night", later, datetime(2026, 10, 31, 12, tzinfo=UTC)) is None
    assert not is_due("night", datetime(2026, 10, 31, 2, tzinfo=UTC), later)
    dues = due_between(
        "night", later, after=datetime(2026, 10, 1, tzinfo=UTC), until=datetime(2026, 11, 2, 12, tzinfo=UTC)
    )
    assert [due.partition for due in dues] == [date(2026, 11, 1), date(2026, 11, 2)]
