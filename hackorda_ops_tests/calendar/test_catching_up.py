"""What counts as missed, what is started of it, and in which order."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dagster._utils.schedules import schedule_execution_time_iterator
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from hackorda_ops.calendar.catching_up import GRACE, LATEST_TICK, Seen, can_be_made_up_for, to_start
from hackorda_ops.calendar.due import Due, DueKind, cron_of, due_between, is_due, partition_of
from hackorda_ops.calendar.partitions import closes_at
from hackorda_ops.config.models import Schedule
from hackorda_ops.orchestration.upkeep.housekeeping import KEPT

ALMATY = ZoneInfo("Asia/Almaty")
SCHEDULE = Schedule(timezone="Asia/Almaty")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NO_HISTORY = timedelta()
KINDS: tuple[DueKind, ...] = ("night", "week", "quarter", "year")


def _partitions(
    kind: DueKind,
    now: datetime,
    *,
    since: datetime = LONG_AGO,
    history: timedelta = NO_HISTORY,
    schedule: Schedule = SCHEDULE,
) -> list[str]:
    found = can_be_made_up_for(kind, schedule, since=since, now=now, history=history)
    return [str(due.partition) for due in found]


def test_only_the_night_that_a_dump_taken_now_may_stand_for_can_be_made_up_for() -> None:
    assert _partitions("night", datetime(2028, 10, 2, 9, tzinfo=ALMATY)) == ["2028-10-02"]
    # Right before the next one, and while the next one is still the schedule's own.
    assert _partitions("night", datetime(2028, 10, 3, 1, 59, tzinfo=ALMATY)) == ["2028-10-02"]
    assert _partitions("night", datetime(2028, 10, 3, 2, 1, tzinfo=ALMATY)) == []


def test_past_nights_can_be_made_up_for_as_far_as_the_providers_history_is_relied_upon() -> None:
    now = datetime(2028, 10, 2, 9, tzinfo=ALMATY)
    assert _partitions("night", now, history=timedelta(days=3)) == ["2028-10-02", "2028-10-01", "2028-09-30"]


def test_this_week_and_the_last_can_be_made_up_for() -> None:
    assert _partitions("week", datetime(2028, 10, 1, 9, tzinfo=ALMATY)) == ["2028-09-25", "2028-09-18"]
    assert _partitions("week", datetime(2028, 10, 2, 9, tzinfo=ALMATY)) == ["2028-09-25"]


def test_this_quarter_and_this_year_can_be_made_up_for_from_when_they_were_due() -> None:
    assert _partitions("quarter", datetime(2028, 10, 1, 5, tzinfo=ALMATY)) == []
    assert _partitions("quarter", datetime(2028, 10, 1, 9, tzinfo=ALMATY)) == ["2028-10-01"]
    assert _partitions("quarter", datetime(2028, 12, 31, 9, tzinfo=ALMATY)) == ["2028-10-01"]
    assert _partitions("year", datetime(2028, 1, 31, 9, tzinfo=ALMATY)) == []
    assert _partitions("year", datetime(2028, 12, 31, 9, tzinfo=ALMATY)) == ["2028-01-01"]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_was_missed_before_the_schedule_was_switched_on(kind: DueKind) -> None:
    now = datetime(2028, 10, 2, 9, tzinfo=ALMATY)
    assert _partitions(kind, now, history=timedelta(days=30))
    assert _partitions(kind, now, since=now - timedelta(hours=3), history=timedelta(days=30)) == []


def test_nothing_is_missed_while_the_schedule_may_still_start_it() -> None:
    due = datetime(2028, 10, 2, 2, tzinfo=ALMATY)
    assert _partitions("night", due + GRACE - timedelta(seconds=1)) == []
    assert _partitions("night", due + GRACE) == ["2028-10-02"]


@given(
    st.sampled_from(KINDS),
    st.datetimes(datetime(2027, 1, 1), datetime(2029, 1, 1)),  # noqa: DTZ001
)
def test_what_is_asked_for_is_never_so_old_that_its_runs_were_deleted(kind: DueKind, at: datetime) -> None:
    now = at.replace(tzinfo=UTC)
    found = can_be_made_up_for(kind, SCHEDULE, since=LONG_AGO, now=now, history=timedelta(days=30))
    assert all(due.at > now - KEPT for due in found)


def _due(kind: DueKind, *days: int) -> list[Due]:
    return [Due(kind, date(2028, 10, day), datetime(2028, 10, day, 2, tzinfo=ALMATY)) for day in days]


def _seen(*begun: int, running: bool = False) -> Seen:
    return Seen(frozenset(date(2028, 10, day) for day in begun), running)


def _started(candidates: Mapping[DueKind, list[Due]], seen: Mapping[DueKind, Seen]) -> list[str]:
    return [f"{due.kind} {due.partition.day}" for due in to_start(candidates, seen)]


def test_the_copy_waits_for_the_nights_and_the_drill_for_the_copy() -> None:
    missed: dict[DueKind, list[Due]] = {
        "night": _due("night", 2, 1),
        "week": _due("week", 1),
        "quarter": _due("quarter", 1),
    }
    nothing, running, done = _seen(), _seen(1, running=True), _seen(1)
    both, one_of_both = _seen(1, 2), _seen(1, 2, running=True)

    assert _started(missed, {"night": nothing, "week": nothing, "quarter": nothing}) == ["night 2", "night 1"]
    assert _started(missed, {"night": running, "week": nothing, "quarter": nothing}) == ["night 2"]
    assert _started(missed, {"night": one_of_both, "week": nothing, "quarter": nothing}) == []
    assert _started(missed, {"night": both, "week": nothing, "quarter": nothing}) == ["week 1"]
    assert _started(missed, {"night": both, "week": running, "quarter": nothing}) == []
    assert _started(missed, {"night": both, "week": done, "quarter": nothing}) == ["quarter 1"]
    assert _started(missed, {"night": both, "week": done, "quarter": done}) == []


def test_a_kind_whose_schedule_is_switched_off_holds_up_no_other() -> None:
    assert _started({"week": _due("week", 1)}, {"week": _seen()}) == ["week 1"]


_BERLIN = Schedule(
    timezone="Europe/Berlin",
    night="30 2 * * *",
    week="30 3 * * 0",
    quarter="0 6 * * 0",
    since=date(2026, 1, 1),
)
_HOUR = timedelta(hours=1)
_DAYS = 14


def test_a_night_that_was_due_in_the_hour_that_spring_skips_can_be_made_up_for() -> None:
    now = datetime(2026, 3, 30, 0, tzinfo=UTC)
    assert _partitions("night", now, schedule=_BERLIN) == ["2026-03-29"]


# Without shrinking, which would take minutes.
@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
@example(datetime(2026, 3, 20, tzinfo=UTC), [(196, 44)])
@given(
    st.sampled_from([datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 9, 25, tzinfo=UTC)]),
    st.lists(st.tuples(st.integers(0, _DAYS * 24), st.integers(1, 90)), max_size=4),
)
def test_however_often_the_daemon_is_down_nothing_is_started_twice_and_no_night_is_lost_that_could_be_had(
    begin: datetime, downs: list[tuple[int, int]]
) -> None:
    """Across a change of clocks, or the begin of a quarter; Dagster's own ticks, and a look every four hours."""
    end = begin + timedelta(days=_DAYS)
    down = [(begin + from_hour * _HOUR, begin + (from_hour + hours) * _HOUR) for from_hour, hours in downs]

    def is_up(moment: datetime) -> bool:
        return not any(went <= moment < came for went, came in down)

    def back_at(moment: datetime) -> datetime:
        return min((came for _, came in down if came > moment and is_up(came)), default=end)

    started = _by_schedules(begin, end, lambda tick: tick if is_up(tick) else back_at(tick))
    looks = [look for hour in range(0, _DAYS * 24, 4) if is_up(look := begin + hour * _HOUR)]
    for look in looks:
        candidates = {
            kind: can_be_made_up_for(kind, _BERLIN, since=begin, now=look, history=NO_HISTORY)
            for kind in KINDS
        }
        begun = {kind: frozenset(p for k, p, at in started if k == kind and at <= look) for kind in KINDS}
        seen = {kind: Seen(begun[kind], running=False) for kind in KINDS}
        started += [(due.kind, due.partition, look) for due in to_start(candidates, seen)]

    partitions = [(kind, partition) for kind, partition, _ in started]
    assert len(partitions) == len(set(partitions))
    for due in due_between("night", _BERLIN, after=begin, until=end - timedelta(days=2)):
        from_when, until = due.at.astimezone(UTC) + GRACE, closes_at(due.partition, _BERLIN).astimezone(UTC)
        assert ("night", due.partition) in partitions or not any(from_when <= look < until for look in looks)


def _by_schedules(
    begin: datetime, end: datetime, noticed: Callable[[datetime], datetime]
) -> list[tuple[DueKind, date, datetime]]:
    """What the schedules start, and when; the daemon comes to a tick when it is `noticed`."""
    started: list[tuple[DueKind, date, datetime]] = []
    for kind in KINDS:
        for tick in schedule_execution_time_iterator(
            begin.timestamp() + 1, cron_of(kind, _BERLIN), _BERLIN.timezone
        ):
            at = noticed(tick.astimezone(UTC))
            if at >= end:
                break
            if is_due(kind, tick, _BERLIN) and at - tick <= LATEST_TICK:
                started.append((kind, partition_of(kind, tick, _BERLIN), at))
    return started
