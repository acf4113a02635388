"""A third kind of channel, a pager's API: written outside the package, with nothing but what the seam asks for."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Final

from hackorda_ops.alerts.channel import Channel, ChannelKind
from hackorda_ops.alerts.message import Message
from hackorda_ops.errors import OpsError, PermanentError, RetryableError

VARIABLE: Final = "PAGER_URL"


def _channels(variable: str, url: str) -> Iterator[Channel]:
    def deliver(message: Message) -> None:
        body = json.dumps({"title": message.title, "message": message.body}).encode()
        try:
            request = urllib.request.Request(url, data=body, method="POST")
            with urllib.request.urlopen(request, timeout=10):
                pass
        except urllib.error.HTTPError as error:
            error.close()
            passes = error.code == 429 or error.code >= 500
            raise _undelivered(RetryableError if passes else PermanentError, f"status {error.code}") from None
        except urllib.error.URLError:
            raise _undelivered(RetryableError, "it did not answer") from None
        except ValueError:
            raise _undelivered(PermanentError, "its URL is none") from None

    yield Channel(variable, deliver)


def _undelivered(kind: type[OpsError], problem: str) -> OpsError:
    return kind(
        f"The pager was not called: {problem}.", meaning="Nobody is told.", next_step="Check its URL."
    )


KIND: Final = ChannelKind(variables=lambda _alerts: (VARIABLE,), channels=_channels)
