"""Delivers what waits in an outbox."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from hackorda_ops.alerts.channels import Channel
from hackorda_ops.alerts.outbox import Outbox
from hackorda_ops.errors import OpsError


def deliver(
    outbox: Outbox,
    channels: Sequence[Channel],
    *,
    save: Callable[[Outbox], None],
    clock: Callable[[], datetime],
    budget_seconds: float,
) -> tuple[Outbox, bool]:
    """Gives each channel the messages that wait for it, in their order, until it doesn't take one.

    Args:
        outbox: what waits.
        channels: where to.
        save: keeps the outbox, after each attempt: a delivery that's forgotten would be repeated. One that is cut
            off between the two is.
        clock: the present, aware.
        budget_seconds: after which no further delivery begins; the rest waits for the next call.

    Returns:
        The outbox as it was saved last, and whether a channel did not take a message just now.
    """
    give_up = time.monotonic() + budget_seconds
    refused = False
    for channel in channels:
        while time.monotonic() < give_up and (message := outbox.next_for(channel.name, clock())) is not None:
            try:
                channel.deliver(message)
            except OpsError as error:
                refused = True
                outbox = outbox.undelivered(channel.name, error.what, clock())
            else:
                outbox = outbox.delivered(channel.name, message)
            save(outbox)
    return outbox, refused
