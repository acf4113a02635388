"""What waits to be delivered, and on which channels. All pure: whoever delivers keeps it between attempts.

Each channel gets the messages in their order. One that doesn't take a message is left alone for a while, longer
each time, and holds up no other channel.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from hackorda_ops.alerts.message import Message

_FIRST_PAUSE: Final = timedelta(seconds=15)
_LONGEST_PAUSE: Final = timedelta(minutes=15)
# A week bridges any outage that somebody works on. The number bounds what is written at each attempt.
KEPT_FOR: Final = timedelta(days=7)
MOST_KEPT: Final = 200


@dataclass(frozen=True)
class Waiting:
    """A message, the names of the channels that have not taken it yet, and since when it waits (aware)."""

    message: Message
    channels: tuple[str, ...]
    since: datetime


@dataclass(frozen=True)
class Pause:
    """A channel that did not take a message.

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
        """The outbox with one more message, for these channels."""
        return self._holding((*self.waiting, Waiting(message, tuple(channels), now)))

    def next_for(self, channel: str, now: datetime) -> Message | None:
        """What a channel is given now; None where nothing waits for it, or it is left alone."""
        pause = self.pauses.get(channel)
        # No pause is longer, unless a clock was set back.
        if pause is not None and timedelta() < pause.until - now <= _LONGEST_PAUSE:
            return None
        return next((each.message for each in self.waiting if channel in each.channels), None)

    def delivered(self, channel: str, message: Message) -> "Outbox":
        """The outbox after a channel has taken its next message."""
        waiting = tuple(
            replace(each, channels=tuple(name for name in each.channels if name != channel))
            if each.message == message
            else each
            for each in self.waiting
        )
        pauses = {name: pause for name, pause in self.pauses.items() if name != channel}
        return replace(self._holding(waiting), pauses=pauses)

    def undelivered(self, channel: str, problem: str, now: datetime) -> "Outbox":
        """The outbox after a channel has not taken its next message."""
        failures = self.pauses[channel].failures + 1 if channel in self.pauses else 1
        # Capped before it's multiplied: a channel may be down for good.
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(failures - 1, 10))
        return replace(self, pauses={**self.pauses, channel: Pause(now + pause, failures, problem)})

    def limited(self, channels: Iterable[str], now: datetime) -> tuple["Outbox", tuple[Message, ...]]:
        """The outbox without channels that are no longer there, and within its bounds.

        Returns:
            It, and the messages that are given up although channels that are there have not taken them.
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
        return tuple(
            f"{sum(name in each.channels for each in self.waiting)} message(s) wait for {name}, "
            f"tried {pause.failures} time(s), again at {pause.until:%Y-%m-%d %H:%M:%S} UTC: {pause.problem}"
            for name, pause in self.pauses.items()
        )

    def _holding(self, waiting: Iterable[Waiting]) -> "Outbox":
        return replace(self, waiting=tuple(each for each in waiting if each.channels))
