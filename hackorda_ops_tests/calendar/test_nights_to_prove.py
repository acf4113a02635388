"""Which nights are to be proven now."""

from datetime import UTC, date, datetime, timedelta
from typing import Literal

from hackorda_ops.calendar.nights_to_prove import Materialized, to_prove

# A Wednesday.
NOW = datetime(2026, 11, 11, 12, tzinfo=UTC)


def made(day: int, event_id: int, *, hours_ago: float = 10) -> Materialized:
    return Materialized(date(2026, 11, day), NOW - timedelta(hours=hours_ago), event_id)


def wanted(
    nights: list[Materialized], proofs: list[Materialized], every: Literal["night", "week"] = "night"
) -> list[int]:
    return [each.partition.day for each in to_prove(nights, proofs, every=every, now=NOW)]


def test_a_night_is_proven_once_it_is_there_and_not_again() -> None:
    assert wanted([], []) == []
    assert wanted([made(11, 1)], []) == [11]
    assert wanted([made(11, 1)], [made(11, 2)]) == []


def test_a_night_that_was_taken_again_is_another_artifact() -> None:
    assert wanted([made(11, 1), made(11, 3)], [made(11, 2)]) == [11]


def test_a_past_night_that_was_made_up_for_today_is_proven_as_well() -> None:
    assert wanted([made(11, 1), made(7, 3, hours_ago=1)], [made(11, 2)]) == [7]


def test_of_what_was_missed_for_long_only_the_newest_is_proven() -> None:
    nights = [made(day, day, hours_ago=24 * (11 - day) + 30) for day in (6, 7, 8, 9)]
    assert wanted(nights, []) == [9]


def test_one_a_week_is_the_first_that_passed() -> None:
    nights = [made(9, 1), made(10, 2), made(11, 3)]
    assert wanted(nights, [], "week") == [11]
    assert wanted(nights, [made(9, 4)], "week") == []
    # That of the week before says nothing of this one.
    assert wanted(nights, [made(8, 4)], "week") == [11]
