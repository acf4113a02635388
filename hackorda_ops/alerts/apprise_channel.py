"""Delivers a message by an apprise URL: Slack, e-mail, Telegram, PagerDuty, a webhook, and some hundred others.

The URL is a secret, since it holds passwords and tokens. Apprise logs hosts, recipients and, for debugging, whole
URLs; so nothing that it logs is passed on except the kind of problem.
"""

import logging
import re
import warnings
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hackorda_ops.alerts.channel import Channel, ChannelKind
from hackorda_ops.alerts.message import Message
from hackorda_ops.errors import OpsError, PermanentError, RetryableError

if TYPE_CHECKING:
    from apprise import AppriseAsset, AppriseResult, NotifyBase

TIMEOUT_SECONDS: Final = 10.0


def send(url: str, message: Message) -> None:
    """Delivers a message, within `TIMEOUT_SECONDS` for each step of the exchange.

    Raises:
        PermanentError: apprise does not understand the URL, the service refused, or not every target that the
            URL names got the message.
        RetryableError: the service could not be reached, or its answer was "not now" (429 or 5xx).
    """
    _hush()
    # Apprise takes a third of a second to load, which no code location should wait for.
    import apprise  # noqa: PLC0415

    asset = apprise.AppriseAsset(
        app_id="hackorda_ops",
        app_desc="hackorda_ops",
        app_url="",
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        async_mode=False,
    )
    try:
        # One of apprise's modules imports what Python 3.13 no longer has.
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            service = apprise.Apprise.instantiate(url, asset=asset)
        result, taken = (
            _notify(service, asset, message) if isinstance(service, apprise.NotifyBase) else (None, 0)
        )
    except Exception as error:  # noqa: BLE001  # some hundred plugins, and any of their messages may contain the URL
        raise _undelivered(PermanentError, f"its service failed ({type(error).__name__})") from None
    if result is None:
        raise PermanentError(
            "A message was not delivered: apprise does not understand the channel's URL.",
            meaning="Nobody is alerted on this channel.",
            next_step="Compare the URL in its variable with https://github.com/caronc/apprise/wiki.",
        )
    if not result and taken:
        raise PermanentError(
            f"A message was not delivered to every target of the channel's URL: {taken} of them accepted it.",
            meaning="Those who listen on the other channels were not alerted.",
            next_step="Find the target that is wrong. Give each a URL of its own: a bad one then affects no other.",
        )
    if not result:
        raise _undelivered(*_problem(result))


def _notify(service: "NotifyBase", asset: "AppriseAsset", message: Message) -> tuple["AppriseResult", int]:
    """Delivers a message; how many of several targets accepted it, which services with a single one don't say."""
    import apprise  # noqa: PLC0415

    taken = list[Any]()
    mark_delivered = service.mark_delivered

    def marked(key: Any, per_message: bool = False) -> None:
        taken.append(key)
        mark_delivered(key, per_message)

    # Its result is just "failed" even where some of the targets accepted it.
    service.mark_delivered = marked  # type: ignore[method-assign]
    service.socket_connect_timeout = min(service.socket_connect_timeout, TIMEOUT_SECONDS)
    service.socket_read_timeout = min(service.socket_read_timeout, TIMEOUT_SECONDS)
    channels = apprise.Apprise(asset=asset)
    channels.add(service)
    result = channels.notify(
        title=message.title,
        body=message.body,
        notify_type=apprise.NotifyType(message.tone),
        body_format=apprise.NotifyFormat.TEXT,
    )
    return result, len(taken)


def _hush() -> None:
    for name in ("urllib3", "requests_oauthlib", "oauthlib"):
        logging.getLogger(name).setLevel(logging.WARNING)
    apprise = logging.getLogger("apprise")
    apprise.setLevel(logging.WARNING)
    apprise.propagate = False


def _problem(result: "AppriseResult") -> tuple[type[OpsError], str]:
    said = " ".join(entry.message for entry in result.logs())
    if statuses := re.findall(r"\berror=(\d{3})\b", said):
        passes = any(status == "429" or status.startswith("5") for status in statuses)
        return RetryableError if passes else PermanentError, f"its service answered with status {statuses[0]}"
    if re.search("connection error|exception", said, re.IGNORECASE):
        return RetryableError, "its service could not be reached, or closed the connection"
    return PermanentError, "its service did not accept it"


def _undelivered(kind: type[OpsError], problem: str) -> OpsError:
    return kind(
        f"A message was not delivered: {problem}.",
        meaning="Nobody was alerted on this channel.",
        next_step="Check the URL in its variable, and whether this machine can reach the service.",
    )


def split_urls(value: str) -> list[str]:
    """The URLs in a variable, separated by white space or commas; a URL may hold commas itself."""
    found = re.split(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+.-]*://)|\s+", value)
    return [url for each in found if (url := each.strip(" ,"))]


def _channels(variable: str, value: str) -> Iterator[Channel]:
    for number, url in enumerate(split_urls(value), start=1):
        yield Channel(f"{variable} {number}", partial(send, url))


KIND: Final = ChannelKind(variables=lambda alerts: alerts.channels_env, channels=_channels)
