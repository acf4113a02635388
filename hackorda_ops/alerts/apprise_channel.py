"""Delivers a message by an apprise URL: Slack, e-mail, Telegram, PagerDuty, a webhook, and some hundred others.

The URL is a secret, since it holds passwords and tokens. Apprise logs hosts, recipients and, for debugging, whole
URLs; so nothing that it says is passed on, but what kind of problem it had.
"""

import logging
import re
import warnings
from typing import TYPE_CHECKING, Final

from hackorda_ops.alerts.message import Message
from hackorda_ops.errors import PermanentError, RetryableError

if TYPE_CHECKING:
    from apprise import AppriseAsset, AppriseResult, NotifyBase

TIMEOUT_SECONDS: Final = 10.0


def send(url: str, message: Message) -> None:
    """Delivers a message, within `TIMEOUT_SECONDS` for each step of the exchange.

    Raises:
        PermanentError: the URL is none that apprise understands.
        RetryableError: it was not delivered, or not to every target that the URL names.
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
        result = _notify(service, asset, message) if isinstance(service, apprise.NotifyBase) else None
    except Exception as error:  # noqa: BLE001  # some hundred plugins, and any of their words may hold the URL
        raise _undelivered(f"its service failed ({type(error).__name__})") from None
    if result is None:
        raise PermanentError(
            "A message was not delivered: apprise does not understand the channel's URL.",
            meaning="Nobody is told on this channel.",
            next_step="Compare the URL in its variable with https://github.com/caronc/apprise/wiki.",
        )
    if not result:
        raise _undelivered(_problem(result))


def _notify(service: "NotifyBase", asset: "AppriseAsset", message: Message) -> "AppriseResult":
    import apprise  # noqa: PLC0415

    service.socket_connect_timeout = min(service.socket_connect_timeout, TIMEOUT_SECONDS)
    service.socket_read_timeout = min(service.socket_read_timeout, TIMEOUT_SECONDS)
    channels = apprise.Apprise(asset=asset)
    channels.add(service)
    return channels.notify(
        title=message.title,
        body=message.body,
        notify_type=apprise.NotifyType(message.tone),
        body_format=apprise.NotifyFormat.TEXT,
    )


def _hush() -> None:
    for name in ("urllib3", "requests_oauthlib", "oauthlib"):
        logging.getLogger(name).setLevel(logging.WARNING)
    apprise = logging.getLogger("apprise")
    apprise.setLevel(logging.WARNING)
    apprise.propagate = False


def _problem(result: "AppriseResult") -> str:
    said = " ".join(entry.message for entry in result.logs())
    if status := re.search(r"\berror=(\d{3})\b", said):
        return f"its service answered with status {status[1]}"
    if "onnection error" in said:
        return "its service could not be reached, or hung up"
    return "its service did not take it"


def _undelivered(problem: str) -> RetryableError:
    return RetryableError(
        f"A message was not delivered: {problem}.",
        meaning="Nobody was told on this channel.",
        next_step="Check the URL in its variable, and whether this machine reaches the service.",
    )
