"""Calls the application's URLs until each answers as expected."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import httpx

from hackorda_ops.config.cutover import SmokeCheck
from hackorda_ops.errors import PermanentError, Stalled
from hackorda_ops.in_time import within
from hackorda_ops.words import named

_TIMEOUT_SECONDS: Final = 10.0
ATTEMPT_SECONDS: Final = 30.0
"""How long one attempt may take in all, also where only a byte comes now and then."""

_PAUSE_SECONDS: Final = 1.0


def shown_url(url: str) -> str:
    """A URL without its query, in which a token may be. Pure."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + ("?…" if parts.query else "")


def require_answers(
    checks: Sequence[SmokeCheck], *, within_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> str:
    """Calls every URL until it answers as expected; an application needs time to start.

    Args:
        checks: what is called, and the status that is expected.
        within_seconds: how long that may take, for all of them together.
        sleep: waits.

    Returns:
        What answered, in a sentence.

    Raises:
        PermanentError: one doesn't answer as expected.
    """
    began = time.monotonic()
    with httpx.Client(timeout=_TIMEOUT_SECONDS) as client:
        while True:
            against = [why for check in checks if (why := _against(client, check))]
            if not against:
                return (
                    "As expected: "
                    + named((f"{shown_url(check.url)} {check.expect}" for check in checks), between=", ")
                    if checks
                    else "No URL is configured (cutover.smoke)."
                )
            if time.monotonic() - began + _PAUSE_SECONDS > within_seconds:
                raise PermanentError(
                    f"The application does not answer as expected: {named(against, between='; ')}.",
                    meaning="It may not work on the new database, so users were not let back.",
                    next_step="Read the application's log. If it can be fixed, fix it.",
                )
            sleep(_PAUSE_SECONDS)


def _against(client: httpx.Client, check: SmokeCheck) -> str:
    try:
        # The status alone: a body may be large, and hold rows.
        status = within(ATTEMPT_SECONDS, "The application", partial(_status, client, check.url))
    except (httpx.HTTPError, httpx.InvalidURL, Stalled) as error:
        return f"{shown_url(check.url)} did not answer ({type(error).__name__})"
    return (
        ""
        if status == check.expect
        else f"{shown_url(check.url)} answered {status} instead of {check.expect}"
    )


def _status(client: httpx.Client, url: str) -> int:
    with client.stream("GET", url) as answer:
        return answer.status_code
