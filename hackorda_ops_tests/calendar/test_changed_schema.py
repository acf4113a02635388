"""What a change of the schema asks for."""

from datetime import UTC, date, datetime

import pytest

from hackorda_ops.calendar.changed_schema import (
    NightSeen,
    RequestedWork,
    SchemaSeen,
    asked_for,
    has_to_wait,
    what_is_missing,
)
from hackorda_ops.config.models import Schedule

# A Wednesday; the week's copy is due on Sunday, the quarter's drill was due on 4 October.
NOW = datetime(2026, 11, 11, 12, tzinfo=UTC)
OLD, NEW = "20261108T020000Z-aaaaaa", "20261111T020000Z-bbbbbb"
SCHEDULE = Schedule()


def test_a_schema_that_was_drilled_asks_for_nothing() -> None:
    night = NightSeen(NEW, "one", date(2026, 11, 11))
    assert what_is_missing(night, SchemaSeen(OLD, "one"), SchemaSeen(OLD, "one")) is None


def test_another_schema_asks_for_its_copy_and_then_for_the_drill() -> None:
    night, old, new = (
        NightSeen(NEW, "two", date(2026, 11, 11)),
        SchemaSeen(OLD, "one"),
        SchemaSeen(NEW, "two"),
    )
    assert what_is_missing(night, old, old) == "week"
    assert what_is_missing(night, None, old) == "week"
    assert what_is_missing(night, new, old) == "quarter"
    assert what_is_missing(night, new, new) is None


def test_a_schema_that_was_changed_and_changed_back_asks_for_nothing() -> None:
    night = NightSeen("20261112T020000Z-cccccc", "one", date(2026, 11, 12))
    assert what_is_missing(night, SchemaSeen(NEW, "two"), SchemaSeen(OLD, "one")) is None


def test_where_nothing_was_drilled_the_quarters_own_drill_is_waited_for() -> None:
    night, old = NightSeen(NEW, "two", date(2026, 11, 11)), SchemaSeen(OLD, "one")
    assert what_is_missing(night, old, None) is None
    assert what_is_missing(None, old, old) is None


@pytest.mark.parametrize(
    ("kind", "now", "busy", "drilled_today", "why"),
    [
        ("week", NOW, False, False, None),
        ("quarter", NOW, False, False, None),
        ("week", NOW, True, False, "still running"),
        ("quarter", NOW, False, True, "one a day is enough"),
        # A copy may go off-site while a drill of the day before is fresh.
        ("week", NOW, False, True, None),
        ("week", datetime(2026, 11, 14, 12, tzinfo=UTC), False, False, "due within 24 hours"),
        ("quarter", datetime(2027, 1, 2, 12, tzinfo=UTC), False, False, "due within 24 hours"),
    ],
)
def test_it_waits_for_what_runs_and_for_what_is_due_anyway(
    kind: str, now: datetime, busy: bool, drilled_today: bool, why: str | None
) -> None:
    assert kind in ("week", "quarter")
    reason = has_to_wait(kind, SCHEDULE, now=now, busy=busy, drilled_today=drilled_today)
    assert reason is None if why is None else why in str(reason)


def test_the_copy_is_of_the_nights_own_week_and_the_drill_of_the_present_quarter() -> None:
    now = datetime(2027, 1, 4, 12, tzinfo=UTC)
    night, old = NightSeen(NEW, "two", date(2026, 12, 31)), SchemaSeen(OLD, "one")
    copied = SchemaSeen("20261230T020000Z-cccccc", "two")
    assert asked_for(night, old, old, schedule=SCHEDULE, now=now) == RequestedWork(
        "week", date(2026, 12, 28), NEW
    )
    assert asked_for(night, copied, old, schedule=SCHEDULE, now=now) == RequestedWork(
        "quarter", date(2027, 1, 1), copied.artifact_id
    )
    assert asked_for(night, copied, copied, schedule=SCHEDULE, now=now) is None
