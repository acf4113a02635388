"""What is told and called off, and how often: by runs that end, and by what is overdue."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter

from hackorda_ops.alerts.desk import BLIND_AFTER, LOOKS_BACK, Desk, Missing, RunEnd, begun
from hackorda_ops.alerts.message import Message, Subject
from hackorda_ops.errors import Problem

NOW = datetime(2026, 11, 8, 2, tzinfo=UTC)
CAUSE = Problem("The password is wrong.", "No dump.", "Mend it.")
RISK = "The last proven restore point is from 2026-10-04 02:00 UTC, 35 days old."


def ended(
    partition: str | None = "2026-11-08",
    *,
    what: str = "night",
    cause: Problem | None = None,
    checks: tuple[str, ...] = (),
    repeats: bool = False,
    run_id: str = "run",
    at: datetime = NOW,
) -> RunEnd:
    return RunEnd(
        run_id, Subject("shop", what, partition), at, cause, checks, repeats, f"https://ui/runs/{run_id}"
    )


def missing(partition: str, *, what: str = "night") -> Missing:
    return Missing(Subject("shop", what, partition), f"The {what} of {partition} was not taken.")


def after(desk: Desk, *ends: RunEnd) -> tuple[Desk, list[Message]]:
    told = []
    for end in ends:
        desk, message = desk.after_run(end, at_risk=RISK)
        told += [message] if message else []
    return desk, told


def looked(
    desk: Desk, *found: Missing, unreadable: tuple[str, ...] = (), at: datetime = NOW
) -> tuple[Desk, list[str]]:
    desk, told = desk.after_look("shop", found, unreadable=unreadable, at_risk=RISK, now=at)
    return desk, [message.title for message in told]


def titles(told: list[Message]) -> list[str]:
    return [message.title for message in told]


def test_a_failed_run_says_the_cause_what_is_at_risk_the_next_step_and_where_to_look() -> None:
    _, [told] = after(begun(NOW), ended(cause=CAUSE))

    assert told.text.splitlines() == [
        "FAILED: shop, night of 2026-11-08",
        "The password is wrong.",
        "What it means: No dump.",
        f"At risk: {RISK}",
        "Next step: Mend it.",
        "When: 2026-11-08 02:00:00 UTC",
        "Run: https://ui/runs/run",
    ]


@pytest.mark.parametrize(
    ("what", "partition", "words"),
    [
        ("week", "2026-11-02", "shop, week of 2026-11-02"),
        ("quarter", "2026-10-01", "shop, drill of 2026-Q4"),
        ("year", "2026-01-01", "shop, recovery exercise of 2026"),
        ("sweep", None, "shop, sweep"),
    ],
)
def test_each_subject_has_its_own_words(what: str, partition: str | None, words: str) -> None:
    assert str(Subject("shop", what, partition)) == words


def test_a_long_cause_is_cut_and_the_next_step_and_the_link_stay() -> None:
    _, [told] = after(begun(NOW), ended(cause=Problem("x" * 50_000, "m", "Mend it.")))

    assert len(told.text) < 1500
    assert "Next step: Mend it." in told.body
    assert told.body.endswith("Run: https://ui/runs/run")


def test_a_success_is_told_only_where_something_was_wrong_before_and_then_once() -> None:
    desk, told = after(begun(NOW), ended(run_id="1"))
    assert told == []

    desk, told = after(
        desk,
        ended(run_id="2", cause=CAUSE),
        ended("2026-11-09", run_id="3"),
        ended("2026-11-10", run_id="4"),
    )

    assert titles(told) == ["FAILED: shop, night of 2026-11-08", "RECOVERED: shop, night of 2026-11-09"]
    assert "- FAILED: shop, night of 2026-11-08" in told[1].body
    assert told[1].tone == "success"


def test_another_kinds_success_recovers_nothing() -> None:
    _, told = after(begun(NOW), ended(cause=CAUSE), ended("2026-11-09", what="week", run_id="2"))

    assert titles(told) == ["FAILED: shop, night of 2026-11-08"]


def test_an_old_partition_that_is_made_up_for_does_not_call_off_a_newer_one_that_failed() -> None:
    desk, told = after(begun(NOW), ended(cause=CAUSE), ended("2026-11-07", run_id="2"))
    assert titles(told) == ["FAILED: shop, night of 2026-11-08"]

    _, told = after(desk, ended("2026-11-08", run_id="3"))
    assert titles(told) == ["RECOVERED: shop, night of 2026-11-08"]


def test_an_old_partition_that_fails_is_told_and_does_not_hide_a_newer_one() -> None:
    desk, told = after(
        begun(NOW), ended(cause=CAUSE, run_id="1"), ended("2026-11-01", cause=CAUSE, run_id="2")
    )
    assert len(told) == 2

    _, told = after(desk, ended("2026-11-01", run_id="3"), ended("2026-11-08", run_id="4"))
    assert titles(told) == ["RECOVERED: shop, night of 2026-11-08"]


def test_attempts_after_the_first_are_not_told_and_their_success_is() -> None:
    _, told = after(
        begun(NOW),
        ended(cause=CAUSE, run_id="1"),
        ended(cause=CAUSE, repeats=True, run_id="2"),
        ended(repeats=True, run_id="3"),
    )

    assert titles(told) == ["FAILED: shop, night of 2026-11-08", "RECOVERED: shop, night of 2026-11-08"]


def test_the_failed_checks_of_a_run_that_succeeded_are_one_message_and_are_called_off() -> None:
    _, told = after(
        begun(NOW),
        ended("2026-10-01", what="quarter", checks=("a: gone", "b: too old"), run_id="1"),
        ended("2026-10-01", what="quarter", run_id="2"),
    )

    assert titles(told) == ["CHECK FAILED: shop, drill of 2026-Q4", "RECOVERED: shop, drill of 2026-Q4"]
    assert "- a: gone\n- b: too old" in told[0].body
    assert f"At risk: {RISK}" in told[0].body


def test_a_failed_runs_checks_are_not_told_beside_it() -> None:
    _, told = after(begun(NOW), ended(cause=CAUSE, checks=("no_collapse: gone",)))

    assert titles(told) == ["FAILED: shop, night of 2026-11-08"]


def test_a_run_is_new_once_however_late_its_end_comes_to_light() -> None:
    desk = begun(NOW)
    assert desk.is_new("1", NOW - LOOKS_BACK / 2)
    assert not desk.is_new("0", NOW - LOOKS_BACK)

    desk, _ = after(desk, ended(run_id="1", at=NOW))
    desk = desk.after_runs(NOW + timedelta(seconds=15))

    assert not desk.is_new("1", NOW)
    assert desk.is_new("2", NOW - timedelta(minutes=20))


def test_what_is_remembered_of_runs_is_bounded() -> None:
    desk = begun(NOW)
    for hour in range(100):
        desk, _ = after(desk, ended(run_id=str(hour), at=NOW + timedelta(hours=hour)))
        desk = desk.after_runs(NOW + timedelta(hours=hour))

    assert len(desk.runs) <= 2
    assert not any(desk.is_new(str(hour), NOW + timedelta(hours=hour)) for hour in range(100))


def test_a_clock_that_goes_back_makes_nothing_new() -> None:
    desk = begun(NOW).after_runs(NOW + timedelta(days=1))

    assert desk.after_runs(NOW).done_until == desk.done_until


def test_what_is_overdue_is_told_once_and_again_each_day_for_as_long_as_it_lasts() -> None:
    desk, told = begun(NOW), []
    for look in range(3 * 24 * 12):
        desk, now_told = looked(
            desk, missing("2026-11-02", what="week"), at=NOW + look * timedelta(minutes=5)
        )
        told += now_told

    assert told == [
        "OVERDUE: shop, week of 2026-11-02",
        "STILL OVERDUE: shop, week of 2026-11-02",
        "STILL OVERDUE: shop, week of 2026-11-02",
    ]


def test_the_next_night_that_is_overdue_is_told_as_well() -> None:
    desk, first = looked(begun(NOW), missing("2026-11-07"))
    _, second = looked(desk, missing("2026-11-08"), at=NOW + timedelta(hours=1))

    assert (first, second) == (
        ["OVERDUE: shop, night of 2026-11-07"],
        ["OVERDUE: shop, night of 2026-11-08"],
    )


def test_what_is_no_longer_overdue_is_called_off_once_with_the_failed_run_of_it() -> None:
    desk, _ = after(begun(NOW), ended(cause=CAUSE))
    desk, _ = looked(desk, missing("2026-11-08"), missing("2026-11-02", what="week"))

    desk, told = looked(desk, missing("2026-11-02", what="week"))
    _, later = looked(desk, missing("2026-11-02", what="week"))
    _, next_night = after(desk, ended("2026-11-09", run_id="2"))

    assert told == ["RECOVERED: shop, night of 2026-11-08"]
    assert (later, next_night) == ([], [])


def test_a_run_that_brings_what_was_overdue_calls_it_off_and_the_next_look_has_nothing_to_add() -> None:
    desk, _ = after(begun(NOW), ended(cause=CAUSE, run_id="1"))
    desk, _ = looked(desk, missing("2026-11-08"))

    desk, told = after(desk, ended(run_id="2"))
    desk, later = looked(desk)

    assert titles(told) == ["RECOVERED: shop, night of 2026-11-08"]
    assert "- FAILED: shop, night of 2026-11-08\n- OVERDUE: shop, night of 2026-11-08" in told[0].body
    assert later == []


def test_nothing_is_called_off_while_not_everything_can_be_read() -> None:
    desk, _ = looked(begun(NOW), missing("2026-11-08"))

    desk, told = looked(desk, unreadable=("The store does not answer.",))
    assert told == []
    _, told = looked(desk)
    assert told == ["RECOVERED: shop, night of 2026-11-08"]


def test_what_can_not_be_read_for_hours_is_told_once_a_day_and_called_off() -> None:
    desk, told = begun(NOW), []
    unreadable = ("The store does not answer.",)
    for look in range(2 * 24 * 12):
        desk, now_told = looked(desk, unreadable=unreadable, at=NOW + look * timedelta(minutes=5))
        if look * timedelta(minutes=5) < BLIND_AFTER:
            assert now_told == []
        told += now_told
    desk, called_off = looked(desk)
    _, later = looked(desk)

    assert told == ["NOT SEEN: shop, what is overdue"] * 2
    assert (called_off, later) == (["RECOVERED: shop, what is overdue"], [])


def test_a_store_that_is_away_for_a_moment_alarms_nobody() -> None:
    desk, first = looked(begun(NOW), unreadable=("The store does not answer.",))
    desk, second = looked(desk, at=NOW + timedelta(minutes=5))
    _, third = looked(desk, unreadable=("The store does not answer.",), at=NOW + BLIND_AFTER)

    assert (first, second, third) == ([], [], [])


def test_a_desk_is_the_same_after_it_was_stored() -> None:
    desk, told = after(begun(NOW), ended(cause=CAUSE))
    desk, _ = looked(desk, missing("2026-11-08"), unreadable=("x",))
    outbox, _ = desk.outbox.with_message(told[0], ["a"], NOW).stalled("a", told[0], "It is slow.", NOW)
    desk = Desk(desk.done_until, desk.looked_at, desk.runs, desk.failed, desk.overdue, desk.blind, outbox)
    adapter = TypeAdapter(Desk)

    assert adapter.validate_json(adapter.dump_json(desk)) == desk


def test_the_title_of_a_failed_run_says_what_failed_where_that_is_known() -> None:
    problem = Problem(
        "The drill of shop FAILED: the copy is damaged.", "Do not rely on it.", "Copy it again."
    )
    subject = Subject("shop", "quarter", "2026-10-01")
    end = RunEnd("1", subject, NOW, problem, (), False, "run 1", "the copy is damaged")
    _, told = Desk(done_until=NOW).after_run(end, at_risk=None)
    assert told is not None
    assert told.title == "FAILED: shop, drill of 2026-Q4: the copy is damaged"
    assert "Next step: Copy it again." in told.body


def test_the_runs_of_a_backfill_that_fail_for_one_reason_are_reported_once() -> None:
    def gone(number: int, meaning: str = "It can't be taken.", **more: str) -> RunEnd:
        problem = Problem(f"Night {number} is over.", meaning, "Take tonight's.")
        subject = Subject("shop", "night", f"2026-10-{number:02d}")
        run_id = f"{more.get('backfill')} {number}"
        return RunEnd(run_id, subject, NOW, problem, (), False, f"run {number}", **more)

    desk, told = after(Desk(done_until=NOW), *(gone(number, backfill="abc") for number in range(1, 31)))
    assert [message.title for message in told] == ["FAILED: shop, night of 2026-10-01"]
    assert "It is one of the backfill abc: others of it that fail for the same reason" in told[0].body

    # Another reason, another backfill and a run of none are each their own.
    desk, told = after(
        desk, gone(30, "The disk is full.", backfill="abc"), gone(1, backfill="def"), gone(2), gone(3)
    )
    assert len(told) == 4
    assert "backfill" not in told[-1].body

    # A drill's verdict is about one backup: it's never one of many.
    found = [gone(number, backfill="ghi", headline="the copy is damaged") for number in (1, 2)]
    assert len(after(desk, *found)[1]) == 2
