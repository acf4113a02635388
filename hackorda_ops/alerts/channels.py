"""The channels that an operator has configured: the webhook, and whatever apprise URLs the variables hold."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from hackorda_ops.alerts import apprise_channel, webhook
from hackorda_ops.alerts.in_time import within
from hackorda_ops.alerts.message import Message
from hackorda_ops.config.models import Alerts
from hackorda_ops.given import given

# For connecting, logging in and sending, each of which has a time-out of its own.
_LONGEST_DELIVERY_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Channel:
    """Somewhere that messages go.

    Attributes:
        name: its variable, and its place in one that may hold several ("ALERT_URLS 2"). It stays when the URL is
            corrected, so that what waits goes to the new one.
        deliver: delivers a message within half a minute; raises an OpsError without a secret where it could not.
    """

    name: str
    deliver: Callable[[Message], None]


def configured(alerts: Alerts, environ: Mapping[str, str]) -> tuple[Channel, ...]:
    """The channels whose variables are set. Nothing is asked of them, and no URL is judged yet."""
    return tuple(_bounded(channel) for channel in _configured(alerts, environ))


def _configured(alerts: Alerts, environ: Mapping[str, str]) -> Iterator[Channel]:
    if url := given(environ, alerts.webhook_url_env):
        yield Channel(alerts.webhook_url_env, partial(_post, url))
    for variable in alerts.channels_env:
        for number, url in enumerate(split_urls(given(environ, variable)), start=1):
            yield Channel(f"{variable} {number}", partial(apprise_channel.send, url))


def _post(url: str, message: Message) -> None:
    webhook.post(url, message.text)


def split_urls(value: str) -> list[str]:
    """The URLs in a variable, separated by white space or commas; a URL may hold commas itself."""
    found = re.split(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+.-]*://)|\s+", value)
    return [url for each in found if (url := each.strip(" ,"))]


def _bounded(channel: Channel) -> Channel:
    def deliver(message: Message) -> None:
        within(_LONGEST_DELIVERY_SECONDS, f"Delivery to {channel.name}", partial(channel.deliver, message))

    return Channel(channel.name, deliver)
