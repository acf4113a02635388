"""Every call that goes to a local control plane during tests, held against Neon's own description of its API."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

import httpx
import pytest

from hackorda_ops_tests.neon.description import VARIABLE, Description, Exchange, read_description

_BASE = "/api/v2"


def required_description() -> Description:
    """The description; without one the test is skipped, and fails where nothing may be left out."""
    description = read_description()
    if description is None:
        message = f"${VARIABLE} does not say where Neon's API description is (docs/neon.md has how to get it)"
        if "CI" in os.environ:
            pytest.fail(message)
        pytest.skip(message)
    return description


@contextmanager
def recorded() -> Iterator[list[Exchange]]:
    """The calls to a control plane on this machine for as long as the block lasts, of any client of this process."""
    exchanges: list[Exchange] = []
    original: Callable[[httpx.HTTPTransport, httpx.Request], httpx.Response] = (
        httpx.HTTPTransport.handle_request
    )

    def handle(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        response = original(transport, request)
        path = request.url.raw_path.decode()
        # Without a key it is no call of our client.
        if path.startswith(_BASE) and "Authorization" in request.headers:
            response.read()
            exchanges.append(
                Exchange(
                    request.method,
                    path.removeprefix(_BASE),
                    _json(request.read()),
                    response.status_code,
                    None if _scripted(response) else _json(response.content),
                )
            )
        return response

    with mock.patch.object(httpx.HTTPTransport, "handle_request", handle):
        yield exchanges


@contextmanager
def as_described(description: Description | None) -> Iterator[None]:
    """Fails the test where a call or an answer of the block is not as Neon describes it."""
    if description is None:
        yield
        return
    with recorded() as exchanges:
        yield
    wrong = sorted({line for exchange in exchanges for line in description.violations(exchange)})
    assert wrong == []


def _scripted(response: httpx.Response) -> bool:
    """Whether a fault of the test's own put an error's body into a success."""
    answered = _json(response.content)
    return (
        response.is_success
        and isinstance(answered, dict)
        and set(answered) == {"request_id", "code", "message"}
    )


def _json(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except ValueError:
        # A fault of the test's own: an answer that was cut off.
        return None
