"""Delivers the messages that wait in an outbox."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hackorda_ops.alerts.channel import Channel
from hackorda_ops.alerts.outbox import Outbox
from hackorda_ops.errors import OpsError, RetryableError, Stalled


@dataclass(frozen=True)
class Delivery:
    """The outcome of delivering.

    Attributes:
        outbox: as it was saved last.
        failed: whether a channel did not accept a message just now.
        given_up: messages that a channel did not accept and won't be given again, a sentence each.
    """

    outbox: Outbox
    failed: bool
    given_up: tuple[str, ...]


def deliver(
    outbox: Outbox,
    channels: Sequence[Channel],
    *,
    save: Callable[[Outbox], None],
    clock: Callable[[], datetime],
    budget_seconds: float,
) -> Delivery:
    """Delivers the messages that wait for each channel, in order, until the channel is down.

    Args:
        outbox: what waits.
        channels: where to.
        save: keeps the outbox, after each attempt: a delivery that's forgotten would be repeated. One that is cut
            off between the two is.
        clock: the present, aware.
        budget_seconds: after which no further delivery begins; the rest waits for the next call.
    """
    stop = time.monotonic() + budget_seconds
    failed, given_up = False, list[str]()
    for channel in channels:
        while time.monotonic() < stop and (message := outbox.next_for(channel.name, clock())) is not None:
            lost = False
            try:
                channel.deliver(message)
            except OpsError as error:
                failed = True
                if isinstance(error, Stalled):
                    outbox, lost = outbox.stalled(channel.name, message, error.what, clock())
                elif isinstance(error, RetryableError):
                    outbox = outbox.undelivered(channel.name, error.what, clock())
                else:
                    outbox, lost = outbox.refused(channel.name, message, error.what, clock())
                if lost:
                    given_up.append(f"{channel.name} gave up on: {message.title}: {error.what}")
            else:
                outbox = outbox.delivered(channel.name, message)
            save(outbox)
    return Delivery(outbox, failed, tuple(given_up))
