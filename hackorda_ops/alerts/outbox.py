"""What waits to be delivered, and on which channels. All pure: the caller keeps it between attempts.

Each channel gets the messages in order. One that is down is left alone for a while, longer each time, and
holds up no other channel; it loses nothing. A message that a channel refuses, or may have accepted, holds up no other
message: it's set aside, tried a few times more, and given up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from hackorda_ops.alerts.message import Message

_FIRST_PAUSE: Final = timedelta(seconds=15)
_LONGEST_PAUSE: Final = timedelta(minutes=15)
# What is refused is rarely accepted later, and some of the people behind a channel may have it already: so only a
# few times. The last is after a day, because a proxy also says "not found" when what is behind it is down.
_SET_ASIDE_FOR: Final = (timedelta(minutes=1), timedelta(hours=1), timedelta(days=1))
# A week covers any outage that somebody works on. The number bounds what is written at each attempt.
KEPT_FOR: Final = timedelta(days=7)
MOST_KEPT: Final = 200


@dataclass(frozen=True)
class RefusedMessage:
    """A message that a channel has refused, or may have accepted.

    Attributes:
        until: when it is tried again.
        times: how often that has happened.
        problem: why, in a sentence without a secret.
    """

    until: datetime
    times: int
    problem: str


@dataclass(frozen=True)
class Waiting:
    """A message that waits.

    Attributes:
        message: what to report.
        channels: the names of those that have not accepted it yet.
        since: when it came, aware.
        refusals: by the name of the channel.
    """

    message: Message
    channels: tuple[str, ...]
    since: datetime
    refusals: Mapping[str, RefusedMessage] = field(default_factory=dict)

    def waits_for(self, channel: str, now: datetime) -> bool:
        """Whether a channel may be given it now."""
        refusal = self.refusals.get(channel)
        # None is set aside for longer, unless a clock was set back.
        set_aside = refusal is not None and timedelta() < refusal.until - now <= _SET_ASIDE_FOR[-1]
        return channel in self.channels and not set_aside

    def without(self, channel: str) -> "Waiting":
        """The message after a channel has accepted it, or has refused it too often."""
        return replace(self, channels=tuple(name for name in self.channels if name != channel))

    def set_aside(self, channel: str, problem: str, now: datetime) -> "Waiting":
        """The message after a channel has refused it once more.

        Args:
            channel: the name of the channel that refused it.
            problem: why, in a sentence.
            now: the present, aware.
        """
        times = self.refusals[channel].times + 1 if channel in self.refusals else 1
        if times > len(_SET_ASIDE_FOR):
            return self.without(channel)
        refusal = RefusedMessage(now + _SET_ASIDE_FOR[times - 1], times, problem)
        return replace(self, refusals={**self.refusals, channel: refusal})


@dataclass(frozen=True)
class Pause:
    """A channel that is down.

    Attributes:
        until: when it is tried again.
        failures: how often it has failed in a row.
        problem: why, in a sentence without a secret.
    """

    until: datetime
    failures: int
    problem: str


@dataclass(frozen=True)
class Outbox:
    """Messages that wait, oldest first, and the channels that are left alone, by name."""

    waiting: tuple[Waiting, ...] = ()
    pauses: Mapping[str, Pause] = field(default_factory=dict)

    def with_message(self, message: Message, channels: Iterable[str], now: datetime) -> "Outbox":
        """The outbox with one more message, for these channels.

        Args:
            message: the message to deliver.
            channels: the names of the channels to deliver it on.
            now: the present, aware.
        """
        return self._holding((*self.waiting, Waiting(message, tuple(channels), now)))

    def next_for(self, channel: str, now: datetime) -> Message | None:
        """The next message for a channel; None where nothing waits for it, or it is left alone."""
        pause = self.pauses.get(channel)
        # No pause is longer, unless a clock was set back.
        if pause is not None and timedelta() < pause.until - now <= _LONGEST_PAUSE:
            return None
        return next((each.message for each in self.waiting if each.waits_for(channel, now)), None)

    def delivered(self, channel: str, message: Message) -> "Outbox":
        """The outbox after a channel has accepted its next message."""
        taken = (each.without(channel) if each.message == message else each for each in self.waiting)
        return self._holding(taken)._answered(channel)

    def refused(self, channel: str, message: Message, problem: str, now: datetime) -> tuple["Outbox", bool]:
        """The outbox after a channel has refused its next message.

        Args:
            channel: the name of the channel that refused it.
            message: the message.
            problem: why, in a sentence.
            now: the present, aware.

        Returns:
            It, and whether the message is given up for this channel.
        """
        outbox, given_up = self._set_aside(channel, message, problem, now)
        return outbox._answered(channel), given_up

    def stalled(self, channel: str, message: Message, problem: str, now: datetime) -> tuple["Outbox", bool]:
        """The outbox after a delivery took too long: the channel may be down, or may still accept the message.

        Returns:
            See `refused`.
        """
        outbox, given_up = self._set_aside(channel, message, problem, now)
        return outbox.undelivered(channel, problem, now), given_up

    def undelivered(self, channel: str, problem: str, now: datetime) -> "Outbox":
        """The outbox after a channel was down for its next message.

        Args:
            channel: the name of the channel that was down.
            problem: why, in a sentence.
            now: the present, aware.
        """
        failures = self.pauses[channel].failures + 1 if channel in self.pauses else 1
        # Capped before it's multiplied: a channel may be down for good.
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(failures - 1, 10))
        return replace(self, pauses={**self.pauses, channel: Pause(now + pause, failures, problem)})

    def limited(self, channels: Iterable[str], now: datetime) -> tuple["Outbox", tuple[Message, ...]]:
        """The outbox without channels that are no longer there, and within its bounds.

        Returns:
            It, and the messages that are given up although existing channels have not accepted them.
        """
        there = set(channels)
        kept = self._holding(
            replace(each, channels=tuple(name for name in each.channels if name in there))
            for each in self.waiting
        ).waiting
        young = [each for each in kept if now - each.since <= KEPT_FOR][-MOST_KEPT:]
        given_up = tuple(each.message for each in kept if each not in young)
        pauses = {name: pause for name, pause in self.pauses.items() if name in there}
        return Outbox(tuple(young), pauses), given_up

    def told(self) -> tuple[str, ...]:
        """What waits for which channel and why, a sentence each; nothing where nothing waits."""
        down = (
            f"{sum(name in each.channels for each in self.waiting)} message(s) wait for {name}, "
            f"tried {pause.failures} time(s), again at {pause.until:%Y-%m-%d %H:%M:%S} UTC: {pause.problem}"
            for name, pause in self.pauses.items()
        )
        refused = (
            f"{name} did not accept a message, tried {refusal.times} time(s), again at "
            f"{refusal.until:%Y-%m-%d %H:%M:%S} UTC: {each.message.title}: {refusal.problem}"
            for each in self.waiting
            for name, refusal in each.refusals.items()
            if name in each.channels
        )
        return (*down, *refused)

    def _set_aside(
        self, channel: str, message: Message, problem: str, now: datetime
    ) -> tuple["Outbox", bool]:
        waiting = [
            each.set_aside(channel, problem, now) if each.message == message else each
            for each in self.waiting
        ]
        given_up = not any(each.message == message and channel in each.channels for each in waiting)
        return self._holding(waiting), given_up

    def _answered(self, channel: str) -> "Outbox":
        return replace(self, pauses={name: pause for name, pause in self.pauses.items() if name != channel})

    def _holding(self, waiting: Iterable[Waiting]) -> "Outbox":
        return replace(self, waiting=tuple(each for each in waiting if each.channels))
