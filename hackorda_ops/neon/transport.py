"""One call of Neon's control API: sent with timeouts, retried within a budget, and interpreted.

Neon has no idempotency keys. A call that only reads, or that is idempotent, is retried until it is
answered or its budget is spent. A call that must not be done twice is retried only if Neon says that nothing
was done; otherwise it ends in `AnswerLost`, and the caller looks before it acts again (`creation.py` does).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import httpx

from hackorda_ops.errors import NeonRefused, NeonUnavailable, Stalled
from hackorda_ops.hosts import is_local_host
from hackorda_ops.in_time import within
from hackorda_ops.neon import refusals
from hackorda_ops.neon.models import ErrorAnswer
from hackorda_ops.neon.retry import CallOutcome, Clock, delay_seconds, read_status, retry_after_seconds
from hackorda_ops.postgres.sessions.connection import redact

# A conflicting operation (423) of Neon's own may hold a project for two minutes.
RETRY_BUDGET_SECONDS = 120.0
# Creating a branch took 12 s in practice, and can take longer: the answer is worth waiting for.
_READ_TIMEOUT_SECONDS = 75.0
ATTEMPT_SECONDS = 110.0
"""How long one attempt may take in all: finding the host, connecting, sending, and an answer that only trickles."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Failures before the request was sent: nothing can have been done.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_NOT_JSON: Final = object()
_NO_CONTENT = 204


class AnswerLost(NeonUnavailable):
    """It's unknown whether the call was carried out: check before doing it again."""


@dataclass(frozen=True)
class Response:
    """An answer that its caller understands: a success, or a status that it asked for."""

    status: int
    body: object = field(repr=False)
    error: ErrorAnswer


@dataclass(frozen=True)
class Transport:
    """Sends calls. Made by `open_transport`; its repr holds no secret."""

    clock: Clock
    budget_seconds: float
    _http: httpx.Client = field(repr=False)
    _api_key: str = field(repr=False)

    def send(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        repeatable: bool = True,
        also: tuple[int, ...] = (),
    ) -> Response:
        """Makes one call, and retries it where that is safe and may help.

        Args:
            method: HTTP's.
            path: below the API's base, quoted.
            doing: what is attempted, for messages: "create the branch x".
            query: the query's parameters.
            body: sent as JSON.
            repeatable: whether it is idempotent.
            also: statuses that the caller wants to see instead of an error.

        Raises:
            NeonRefused: a retry can't help.
            NeonUnavailable: the budget was spent without a usable answer.
            AnswerLost: it is not repeatable, and it's unknown whether it was done.
        """
        started = self.clock.monotonic()
        attempt = 0
        while True:
            wanted_delay: float | None = None
            try:
                answer = within(
                    min(ATTEMPT_SECONDS, self.budget_seconds),
                    "Neon's API",
                    partial(self._http.request, method, path, params=query, json=body),
                )
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise _unusable(error) from None
            except httpx.RequestError as error:
                reading = (
                    CallOutcome.AGAIN if repeatable or isinstance(error, _NEVER_SENT) else CallOutcome.LOST
                )
                reason = self._redacted(f"{type(error).__name__} {error}".strip())
            except Stalled as error:
                reading = CallOutcome.AGAIN if repeatable else CallOutcome.LOST
                reason = error.what
            else:
                content = _json(answer)
                told = self._error_in(answer.status_code, content)
                reading = read_status(answer.status_code, told, repeatable=repeatable)
                reason = refusals.describe(answer.status_code, told)
                if reading is CallOutcome.TAKEN and content is _NOT_JSON:
                    # Truncated, or a gateway's own page: the request may have been carried out.
                    reading = CallOutcome.AGAIN if repeatable else CallOutcome.LOST
                    reason = f"{reason}, with a body that is not JSON"
                if reading is CallOutcome.REFUSED and answer.status_code not in also:
                    raise refusals.refused(doing, answer.status_code, told)
                if reading in (CallOutcome.TAKEN, CallOutcome.REFUSED):
                    return Response(answer.status_code, None if content is _NOT_JSON else content, told)
                wanted_delay = retry_after_seconds(answer.headers.get("Retry-After"), now=datetime.now(UTC))
            if reading is CallOutcome.LOST:
                raise AnswerLost(
                    f"Neon's answer to the request to {doing} was lost: {reason}",
                    meaning="It's unknown whether it was done.",
                    next_step="Check in the Neon console whether it exists; the next run's cleanup checks too.",
                ) from None
            delay = delay_seconds(attempt, wanted_delay, self.clock.chance())
            spent = self.clock.monotonic() - started
            if spent + delay > self.budget_seconds:
                raise refusals.unavailable(doing, reason, tried_seconds=spent) from None
            self.clock.sleep(delay)
            attempt += 1

    def _error_in(self, status: int, content: object) -> ErrorAnswer:
        if status < 300:
            return ErrorAnswer()
        told = ErrorAnswer.model_validate(content)
        return told.model_copy(update={name: self._redacted(value) for name, value in told})

    def _redacted(self, text: str) -> str:
        return redact(text.replace(self._api_key, "***"))


@contextmanager
def open_transport(
    api_key: str, *, base_url: str, clock: Clock, budget_seconds: float
) -> Iterator[Transport]:
    """Access to the API, for as long as the block lasts.

    Args:
        api_key: as an operator gave it.
        base_url: of the API.
        clock: time and chance.
        budget_seconds: how long a call is retried; also the longest wait for one answer.

    Raises:
        NeonRefused: the key or the URL is malformed.
    """
    key = api_key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        # httpx would include the whole header in its own error.
        raise NeonRefused(
            "The Neon API key is empty or contains characters that no key has.",
            meaning="No request was sent.",
            next_step="Copy the key from the Neon console again, and set its environment variable.",
        )
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise _unusable(error) from None
    host = url.host
    if url.scheme == "http" and not is_local_host(host):
        raise NeonRefused(
            f"The URL of Neon's API is http://, and {host} is not a local host.",
            meaning="Anyone on the network path could read the API key. No request was sent.",
            next_step="Give it as https:// in the variable that scratch.neon.api_url_env names, or leave it unset.",
        )
    with httpx.Client(
        base_url=base_url,
        headers={"Authorization": f"Bearer {key}", "Accept": "application/json"},
        timeout=httpx.Timeout(
            min(30.0, budget_seconds),
            connect=min(10.0, budget_seconds),
            read=min(_READ_TIMEOUT_SECONDS, budget_seconds),
        ),
        # A company proxy from the environment can't reach this machine's loopback.
        trust_env=host not in _LOOPBACK,
    ) as http:
        yield Transport(clock, budget_seconds, http, key)


def _unusable(error: Exception) -> NeonRefused:
    return NeonRefused(
        f"The URL of Neon's API is not usable ({type(error).__name__}).",
        meaning="No request was sent.",
        next_step="Correct the variable that scratch.neon.api_url_env names, or leave it unset.",
    )


def _json(answer: httpx.Response) -> Any:
    if answer.status_code == _NO_CONTENT:
        return None
    try:
        return answer.json()
    except ValueError:
        return _NOT_JSON
