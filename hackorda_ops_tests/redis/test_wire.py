"""Redis servers that keep a connection open and don't answer: every question ends."""

import pytest

from hackorda_ops.errors import ConnectionLost, LoginRefused, ServerUnreachable
from hackorda_ops.redis import wire
from hackorda_ops.redis.target import RedisTarget
from hackorda_ops.redis.wire import connected
from hackorda_ops_tests.unanswering import Answer, after, black_hole, ends, never, trickling, unanswering


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(wire, "CONNECT_SECONDS", 0.5)


@pytest.mark.parametrize(
    "answer",
    [never, after(b"$100\r\nabc"), trickling(b"+PO"), trickling(b"$100000\r\n"), trickling(b"*1000\r\n")],
    ids=["never answers", "stops", "trickles a line", "trickles a value", "trickles a list"],
)
def test_a_question_ends_whatever_the_server_keeps_silent_about(answer: Answer) -> None:
    with (
        unanswering(answer) as server,
        ends(),
        pytest.raises(ConnectionLost) as caught,
        connected(RedisTarget("127.0.0.1", server.port)),
    ):
        raise AssertionError("nobody answered")
    assert f"127.0.0.1:{server.port}" in caught.value.what
    assert caught.value.retryable


def test_a_tls_handshake_that_nobody_answers_ends() -> None:
    with (
        unanswering(never) as server,
        ends(),
        pytest.raises((ServerUnreachable, LoginRefused)),
        connected(RedisTarget("127.0.0.1", server.port, tls=True)),
    ):
        raise AssertionError("nobody answered")


def test_an_address_that_nobody_answers_at_is_given_up() -> None:
    with (
        black_hole() as port,
        ends(),
        pytest.raises(ServerUnreachable, match="does not answer"),
        connected(RedisTarget("127.0.0.1", port)),
    ):
        raise AssertionError("nobody answered")
