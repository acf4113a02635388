"""What waits to be delivered: in order, once per channel, tried again later and later, and not for ever."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hackorda_ops.alerts.channel import Channel
from hackorda_ops.alerts.delivery import deliver
from hackorda_ops.alerts.message import Message
from hackorda_ops.alerts.outbox import KEPT_FOR, MOST_KEPT, Outbox
from hackorda_ops.errors import OpsError, PermanentError, RetryableError, Stalled

NOW = datetime(2026, 11, 8, 2, tzinfo=UTC)


def message(title: str, at: datetime = NOW) -> Message:
    return Message(title, "", "failure", at)


class Line:
    """A channel that is up or down, what it took, and what it never takes."""

    def __init__(self, name: str, *, up: bool = True) -> None:
        self.up = up
        self.never: dict[str, type[OpsError]] = {}
        self.tried: list[str] = []
        self.took: list[str] = []
        self.channel = Channel(name, self._deliver)

    def _deliver(self, given: Message) -> None:
        self.tried.append(given.title)
        if not self.up:
            raise RetryableError("It is down.", meaning="", next_step="")
        if given.title in self.never:
            raise self.never[given.title]("It said no.", meaning="", next_step="")
        self.took.append(given.title)


def holding(*titles: str, channels: tuple[str, ...] = ("a", "b")) -> Outbox:
    outbox = Outbox()
    for title in titles:
        outbox = outbox.with_message(message(title), channels, NOW)
    return outbox


def delivered(
    outbox: Outbox, *lines: Line, now: datetime = NOW, budget_seconds: float = 60
) -> tuple[Outbox, bool]:
    saved = [outbox]
    delivery = deliver(
        outbox,
        [line.channel for line in lines],
        save=saved.append,
        clock=lambda: now,
        budget_seconds=budget_seconds,
    )
    assert saved[-1] == delivery.outbox
    return delivery.outbox, delivery.failed


def delivered_for_days(outbox: Outbox, line: Line, days: int) -> tuple[Outbox, list[str]]:
    """Tries every minute; what is left, and what was given up."""
    given_up: list[str] = []
    for minute in range(days * 24 * 60):
        delivery = deliver(
            outbox,
            [line.channel],
            save=lambda _: None,
            clock=lambda now=NOW + timedelta(minutes=minute): now,  # type: ignore[misc]
            budget_seconds=60,
        )
        outbox = delivery.outbox
        given_up += delivery.given_up
    return outbox, given_up


def test_each_channel_gets_each_message_once_and_in_order() -> None:
    a, b = Line("a"), Line("b")

    outbox, failed = delivered(holding("1", "2", "3"), a, b)
    delivered(outbox, a, b)

    assert a.took == b.took == ["1", "2", "3"]
    assert outbox == Outbox()
    assert not failed


def test_a_channel_that_is_down_holds_up_no_other_and_nobody_hears_twice() -> None:
    a, b = Line("a", up=False), Line("b")

    outbox, failed = delivered(holding("1", "2"), a, b)
    assert failed
    assert (a.tried, b.took) == (["1"], ["1", "2"])

    a.up = True
    outbox, failed = delivered(outbox, a, b, now=NOW + timedelta(minutes=1))
    assert not failed
    assert (a.took, b.took) == (["1", "2"], ["1", "2"])
    assert outbox == Outbox()


def test_a_channel_that_is_down_is_left_alone_for_longer_and_longer_up_to_a_quarter_of_an_hour() -> None:
    a, outbox, now = Line("a", up=False), holding("1", channels=("a",)), NOW
    pauses = []
    for _ in range(12):
        tried = len(a.tried)
        outbox, _ = delivered(outbox, a, now=now)
        assert len(a.tried) == tried + 1
        until = outbox.pauses["a"].until
        delivered(outbox, a, now=until - timedelta(seconds=1))
        assert len(a.tried) == tried + 1
        pauses.append((until - now).total_seconds())
        now = until

    assert pauses == [15, 30, 60, 120, 240, 480, 900, 900, 900, 900, 900, 900]
    assert outbox.told() == (
        f"1 message(s) wait for a, tried 12 time(s), again at {now:%Y-%m-%d %H:%M:%S} UTC: It is down.",
    )


def test_a_clock_that_is_set_back_keeps_no_channel_waiting() -> None:
    a, b = Line("a", up=False), Line("b")
    outbox, _ = delivered(holding("1"), a, b, now=NOW + timedelta(days=30))
    a.up = True

    delivered(outbox, a, b, now=NOW)

    assert a.took == ["1"]


def test_after_a_whole_day_down_everything_arrives_in_order_and_once() -> None:
    a, outbox, now = Line("a", up=False), Outbox(), NOW
    for minute in range(24 * 60):
        now = NOW + timedelta(minutes=minute)
        if minute % 60 == 0:
            outbox = outbox.with_message(message(f"{minute // 60}", now), ["a"], now)
        outbox, _ = delivered(outbox, a, now=now)
    assert len(a.tried) < 120

    a.up = True
    outbox, _ = delivered(outbox, a, now=now + timedelta(minutes=15))

    assert a.took == [str(hour) for hour in range(24)]
    assert outbox == Outbox()


def test_what_is_saved_after_each_delivery_is_all_that_a_restart_needs() -> None:
    a, saved = Line("a"), list[Outbox]()
    deliver(
        holding("1", "2", "3", channels=("a",)),
        [a.channel],
        save=saved.append,
        clock=lambda: NOW,
        budget_seconds=60,
    )

    assert [[each.message.title for each in outbox.waiting] for outbox in saved] == [["2", "3"], ["3"], []]


def test_when_the_time_is_up_the_rest_waits() -> None:
    a = Line("a")

    outbox, failed = delivered(holding("1", "2"), a, budget_seconds=0)

    assert not a.tried
    assert not failed
    assert len(outbox.waiting) == 2


def test_without_a_channel_nothing_waits() -> None:
    assert holding("1", channels=()) == Outbox()


def test_a_channel_that_is_no_longer_there_is_forgotten_and_a_new_one_hears_only_of_what_is_new() -> None:
    down, _ = delivered(holding("1"), Line("a", up=False), Line("b", up=False))

    outbox, given_up = down.limited(["b", "c"], NOW)

    assert given_up == ()
    assert outbox.pauses.keys() == {"b"}
    assert outbox.next_for("c", NOW) is None
    assert [each.channels for each in outbox.waiting] == [("b",)]


def test_what_nobody_took_for_a_week_is_given_up_and_named() -> None:
    outbox = holding("old").with_message(message("young"), ["a"], NOW + timedelta(seconds=1))

    outbox, given_up = outbox.limited(["a", "b"], NOW + KEPT_FOR + timedelta(seconds=1))

    assert [each.title for each in given_up] == ["old"]
    assert [each.message.title for each in outbox.waiting] == ["young"]


def test_it_holds_no_more_than_a_bounded_number_and_gives_up_the_oldest() -> None:
    titles = [str(number) for number in range(MOST_KEPT + 5)]

    outbox, given_up = holding(*titles).limited(["a", "b"], NOW)

    assert [each.title for each in given_up] == titles[:5]
    assert [each.message.title for each in outbox.waiting] == titles[5:]


def test_the_same_message_twice_is_delivered_once() -> None:
    a, outbox = Line("a"), holding("1", "1", channels=("a",))

    delivered(outbox, a)

    assert a.took == ["1"]


def test_a_message_that_is_refused_holds_up_no_other_and_is_given_up_after_a_few_tries() -> None:
    a = Line("a")
    a.never["1"] = PermanentError

    outbox, failed = delivered(holding("1", "2", "3", channels=("a",)), a)
    assert failed
    assert a.took == ["2", "3"]
    assert outbox.told() == (
        "a did not accept a message, tried 1 time(s), again at 2026-11-08 02:01:00 UTC: 1: It said no.",
    )
    outbox, given_up = delivered_for_days(outbox, a, 7)

    assert a.tried.count("1") == 4
    assert given_up == ["a gave up on: 1: It said no."]
    assert outbox == Outbox()


def test_what_one_channel_refuses_the_others_get_and_once() -> None:
    a, b = Line("a"), Line("b")
    a.never["1"] = PermanentError

    outbox, _ = delivered(holding("1"), a, b)
    outbox, _ = delivered(outbox, a, b, now=NOW + timedelta(minutes=1))

    assert (a.tried, b.took) == (["1", "1"], ["1"])
    assert [each.channels for each in outbox.waiting] == [("a",)]


def test_a_channel_that_refuses_everything_for_a_day_loses_nothing() -> None:
    a, titles = Line("a"), [str(number) for number in range(5)]
    a.never = dict.fromkeys(titles, PermanentError)

    outbox, given_up = delivered_for_days(holding(*titles, channels=("a",)), a, 1)
    assert (a.took, given_up) == ([], [])

    a.never = {}
    delivered(outbox, a, now=NOW + timedelta(hours=26))
    assert a.took == titles


def test_a_delivery_that_stalls_may_have_arrived_so_it_is_repeated_only_a_few_times() -> None:
    a = Line("a")
    a.never["1"] = Stalled

    outbox, failed = delivered(holding("1", "2", channels=("a",)), a)
    assert failed
    # It's slow, and others wait for what comes after it.
    assert (a.tried, list(outbox.pauses)) == (["1"], ["a"])
    outbox, given_up = delivered_for_days(outbox, a, 7)

    assert (a.tried.count("1"), a.took) == (4, ["2"])
    assert len(given_up) == 1
    assert outbox.waiting == ()


def test_being_down_counts_as_no_refusal() -> None:
    a = Line("a")
    a.never["1"] = PermanentError
    outbox, _ = delivered(holding("1", channels=("a",)), a)
    a.up = False

    outbox, given_up = delivered_for_days(outbox, a, 6)
    assert given_up == []

    a.up, a.never = True, {}
    delivered(outbox, a, now=NOW + timedelta(days=6, minutes=15))
    assert a.took == ["1"]


def test_a_clock_that_is_set_back_sets_no_message_aside_for_longer() -> None:
    a = Line("a")
    a.never["1"] = PermanentError
    outbox, _ = delivered(holding("1", channels=("a",)), a, now=NOW + timedelta(days=30))
    a.never = {}

    delivered(outbox, a, now=NOW)

    assert a.took == ["1"]


def test_the_pause_of_a_channel_that_answers_again_is_over_although_it_refuses() -> None:
    a = Line("a", up=False)
    outbox, _ = delivered(holding("1", channels=("a",)), a)
    a.up, a.never = True, {"1": PermanentError}

    outbox, _ = delivered(outbox, a, now=NOW + timedelta(minutes=1))

    assert outbox == replace(outbox, pauses={})
    assert len(outbox.told()) == 1
