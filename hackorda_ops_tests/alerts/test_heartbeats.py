"""The outside monitor is called around what is done, and nothing that it does changes the outcome."""

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from hackorda_ops.alerts import heartbeats
from hackorda_ops.alerts.heartbeats import counts, heartbeat
from hackorda_ops.calendar.due import DueKind, newest_due
from hackorda_ops.config.models import Heartbeats, Policy, Schedule
from hackorda_ops.environment import Protected
from hackorda_ops.errors import LockHeld, OpsError
from hackorda_ops_tests.alerts.sink import Sink, free_port, running_sink

DATABASE = Policy(
    heartbeats=Heartbeats(night_env="NIGHT_HEARTBEAT"), schedule=Schedule(timezone="Asia/Almaty")
)
HELD = LockHeld("Another dump runs.", meaning="b", next_step="c")


def beat(
    url: str,
    error: BaseException | None = None,
    *,
    problem: str | None = None,
    partition: date | None = None,
    is_last: Callable[[OpsError], bool] = lambda _: True,
) -> list[str]:
    """Does something with a heartbeat around it; what was logged."""
    logged: list[str] = []
    monitor = Protected("shop", DATABASE, {"NIGHT_HEARTBEAT": url}).monitor("night")
    with heartbeat(
        "night", partition, DATABASE.schedule, monitor=monitor, log=logged.append, is_last=is_last
    ) as said:
        if error is not None:
            raise error
        said.problem = problem
    return logged


def ends_of(sink: Sink) -> list[str]:
    return [call.path.removeprefix("/hooks/hunter2-is-a-secret") for call in sink.calls]


def test_a_success_is_told_at_the_start_and_at_the_end() -> None:
    with running_sink() as sink:
        assert beat(sink.url) == []

    assert ends_of(sink) == ["/start", ""]
    assert [call.body for call in sink.calls] == ["The night begins.", "The night is done."]


@pytest.mark.parametrize(
    ("error", "body"),
    [
        (HELD, "Another dump runs."),
        (ZeroDivisionError("hunter2"), "Unexpected error: ZeroDivisionError."),
        (KeyboardInterrupt(), "It was interrupted."),
        (SystemExit(143), "It was interrupted."),
    ],
)
def test_what_fails_is_told_and_goes_on_upwards(error: BaseException, body: str) -> None:
    with running_sink() as sink, pytest.raises(type(error)):
        beat(sink.url, error)

    assert ends_of(sink) == ["/start", "/fail"]
    assert sink.calls[-1].body == body


def test_what_is_no_success_although_nothing_was_raised_is_told_as_a_failure() -> None:
    with running_sink() as sink:
        beat(sink.url, problem="The nightly backup failed its checks.")

    assert ends_of(sink) == ["/start", "/fail"]
    assert sink.calls[-1].body == "The nightly backup failed its checks."


def test_an_attempt_that_another_one_follows_is_not_told_as_a_failure() -> None:
    with running_sink() as sink, pytest.raises(LockHeld):
        beat(sink.url, HELD, is_last=lambda error: not error.retryable)

    assert ends_of(sink) == ["/start"]


def test_a_past_night_that_is_made_up_for_does_not_stand_in_for_tonights() -> None:
    newest = newest_due("night", DATABASE.schedule, datetime.now(UTC))
    assert newest is not None
    with running_sink() as sink:
        beat(sink.url, partition=newest.partition - timedelta(days=1))
        assert sink.calls == []
        beat(sink.url, partition=newest.partition)

    assert ends_of(sink) == ["/start", ""]


@pytest.mark.parametrize(
    ("kind", "partition", "expected"),
    [
        ("night", date(2026, 11, 10), False),
        ("night", date(2026, 11, 11), True),
        ("night", date(2026, 11, 12), True),
        ("week", date(2026, 10, 26), False),
        ("week", date(2026, 11, 2), True),
        ("week", date(2026, 11, 9), True),
        ("quarter", date(2026, 7, 1), False),
        ("quarter", date(2026, 10, 1), True),
        ("year", date(2025, 1, 1), False),
        ("year", date(2026, 1, 1), True),
        ("night", None, True),
    ],
)
def test_only_the_newest_partition_that_was_due_or_a_newer_one_counts(
    kind: DueKind, partition: date | None, expected: bool
) -> None:
    wednesday = datetime(2026, 11, 11, 12, tzinfo=UTC)

    assert counts(kind, partition, Schedule(), wednesday) is expected


def test_without_a_variable_nobody_is_called() -> None:
    assert beat("") == []
    monitor = Protected("shop", DATABASE, {"NIGHT_HEARTBEAT": "x"}).monitor("week")
    with heartbeat("week", None, DATABASE.schedule, monitor=monitor, log=pytest.fail):
        pass


@pytest.mark.parametrize(("status", "calls"), [(404, 2), (500, 4), (429, 4)])
def test_a_monitor_that_says_no_is_asked_at_most_twice_and_changes_nothing(
    status: int, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeats, "_PAUSE_SECONDS", 0)
    with running_sink() as sink:
        sink.status = status
        logged = beat(sink.url)

    assert len(sink.calls) == calls
    assert [f"answered with status {status}" in line for line in logged] == [True, True]
    assert "NIGHT_HEARTBEAT" in logged[0]
    assert "hunter2" not in "".join(logged)


def test_a_monitor_that_is_down_or_never_answers_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(heartbeats, "_LONGEST_SECONDS", 0.2)
    logged = beat(f"http://127.0.0.1:{free_port()}/hunter2")
    with running_sink() as sink:
        sink.silent.set()
        logged += beat(sink.url)

    assert len(logged) == 4
    assert "took longer than 0.2 seconds" in logged[-1]
    assert "hunter2" not in "".join(logged)


@pytest.mark.parametrize(
    "url", ["hunter2", "ftp://hunter2", "http://[hunter2]/", "https://", "http://x:hunter2/"]
)
def test_what_is_no_url_changes_nothing_and_is_not_shown(url: str) -> None:
    logged = beat(url)

    assert len(logged) == 2
    assert "not usable" in logged[0]
    assert "hunter2" not in "".join(logged)


def test_a_query_stays_behind_the_path() -> None:
    with running_sink() as sink:
        beat(f"{sink.url}/?create=1")

    assert ends_of(sink) == ["/start?create=1", "?create=1"]


def test_the_url_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), running_sink() as sink:
        beat(sink.url)

    assert "hunter2" not in caplog.text
