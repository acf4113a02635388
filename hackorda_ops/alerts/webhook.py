"""Posts a message to a webhook, in the form that Slack, Mattermost and the like accept.

The URL is a secret, since anyone who has it can post. So nothing that httpx says about it is passed on.
"""

from collections.abc import Iterator
from typing import Final

import httpx

from hackorda_ops.alerts.channel import Channel, ChannelKind
from hackorda_ops.alerts.message import Message
from hackorda_ops.errors import OpsError, PermanentError, RetryableError

TIMEOUT_SECONDS: Final = 10.0
_CONNECTION_ATTEMPTS_MORE: Final = 2


def post(url: str, text: str) -> None:
    """Posts `text` as {"text": …}, within `TIMEOUT_SECONDS` for each step of the exchange.

    Raises:
        RetryableError: there was no answer, or it was "not now" (429 or 5xx).
        PermanentError: the URL is not usable, or the answer was a refusal.
    """
    try:
        with httpx.Client(
            timeout=TIMEOUT_SECONDS, transport=httpx.HTTPTransport(retries=_CONNECTION_ATTEMPTS_MORE)
        ) as client:
            status = client.post(url, json={"text": text}).status_code
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
        raise _undelivered(PermanentError, f"its URL is not usable ({type(error).__name__})") from None
    except httpx.HTTPError as error:
        raise _undelivered(RetryableError, f"it did not answer ({type(error).__name__})") from None
    if not httpx.codes.is_success(status):
        passes = status == httpx.codes.TOO_MANY_REQUESTS or httpx.codes.is_server_error(status)
        raise _undelivered(RetryableError if passes else PermanentError, f"it answered with status {status}")


def _undelivered(kind: type[OpsError], problem: str) -> OpsError:
    return kind(
        f"A message could not be delivered to the webhook: {problem}.",
        meaning="Nobody was alerted on this channel.",
        next_step="Check the variable in alerts.webhook_url_env, and whether this machine can reach the webhook.",
    )


def _channels(variable: str, url: str) -> Iterator[Channel]:
    def deliver(message: Message) -> None:
        post(url, message.text)

    yield Channel(variable, deliver)


KIND: Final = ChannelKind(variables=lambda alerts: (alerts.webhook_url_env,), channels=_channels)
