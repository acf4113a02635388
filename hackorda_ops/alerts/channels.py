"""The channels that an operator has configured; a line for each kind that there is."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from hackorda_ops.alerts import apprise_channel, webhook
from hackorda_ops.alerts.channel import Channel, ChannelKind
from hackorda_ops.alerts.message import Message
from hackorda_ops.config.alerts import Alerts
from hackorda_ops.given import given
from hackorda_ops.in_time import within

# For connecting, logging in and sending, each of which has a time-out of its own.
_LONGEST_DELIVERY_SECONDS: Final = 20.0

KINDS: Final[dict[str, ChannelKind]] = {
    "webhook": webhook.KIND,
    "apprise": apprise_channel.KIND,
}


def variables(alerts: Alerts) -> tuple[str, ...]:
    """The variables that may hold channels."""
    return tuple(variable for kind in KINDS.values() for variable in kind.variables(alerts))


def configured(alerts: Alerts, environ: Mapping[str, str]) -> tuple[Channel, ...]:
    """The channels whose variables are set. None is contacted, and no URL is validated yet."""
    return tuple(_bounded(channel) for channel in _configured(alerts, environ))


def _configured(alerts: Alerts, environ: Mapping[str, str]) -> Iterator[Channel]:
    for kind in KINDS.values():
        for variable in kind.variables(alerts):
            if value := given(environ, variable):
                yield from kind.channels(variable, value)


def _bounded(channel: Channel) -> Channel:
    def deliver(message: Message) -> None:
        within(_LONGEST_DELIVERY_SECONDS, f"Delivery to {channel.name}", partial(channel.deliver, message))

    return Channel(channel.name, deliver)
