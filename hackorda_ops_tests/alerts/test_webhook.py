"""Posting a message to a real HTTP server, and what is said when it does not take it."""

import logging
import socket

import pytest

from hackorda_ops.alerts.webhook import post
from hackorda_ops.errors import PermanentError, RetryableError
from hackorda_ops_tests.alerts.sink import running_sink


def test_a_message_arrives_as_it_is() -> None:
    with running_sink() as sink:
        post(sink.url, "FAILED: shop\nÄrmel 🔥")

    assert sink.texts == ["FAILED: shop\nÄrmel 🔥"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, PermanentError), (302, PermanentError), (429, RetryableError), (503, RetryableError)],
)
def test_a_webhook_that_says_no_is_an_error_without_its_url(status: int, kind: type[Exception]) -> None:
    with running_sink() as sink:
        sink.status = status
        with pytest.raises(kind, match=str(status)) as caught:
            post(sink.url, "hello")

    assert "hunter2" not in str(caught.value)


def test_nobody_listening_is_an_error_without_the_url() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/hunter2-is-a-secret"
        with pytest.raises(RetryableError, match="ConnectError") as caught:
            post(url, "hello")

    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("url", ["hunter2", "ftp://hooks.example/hunter2", "http://[hunter2]/", "https://"])
def test_what_is_no_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(PermanentError) as caught:
        post(url, "hello")

    assert "hunter2" not in str(caught.value)


def test_the_url_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    # A logger that was given a level of its own, as httpx's is, keeps it whatever the root has.
    with caplog.at_level(logging.INFO), running_sink() as sink:
        post(sink.url, "hello")

    assert "hunter2" not in caplog.text
