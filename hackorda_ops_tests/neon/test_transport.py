"""An API that keeps a connection open and doesn't answer: every call ends."""

import pytest

from hackorda_ops.errors import NeonRefused, NeonUnavailable
from hackorda_ops.neon import transport
from hackorda_ops.neon.client import open_client
from hackorda_ops.neon.transport import AnswerLost
from hackorda_ops_tests.unanswering import HTTP, Answer, ends, unanswering


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ATTEMPT_SECONDS", 0.5)


@pytest.mark.parametrize("answer", HTTP.values(), ids=HTTP)
def test_a_call_ends_whatever_the_api_keeps_silent_about(answer: Answer) -> None:
    with (
        unanswering(answer) as server,
        ends(),
        open_client("project", "key", base_url=f"http://127.0.0.1:{server.port}", budget_seconds=2) as client,
        pytest.raises(NeonUnavailable, match="took longer than") as caught,
    ):
        client.project()
    assert "this machine's network access" in caught.value.next_step
    assert server.connections > 1


def test_a_call_that_must_not_be_made_twice_is_made_once_and_its_answer_is_lost() -> None:
    with (
        unanswering(HTTP["trickles its body"]) as server,
        ends(),
        open_client("project", "key", base_url=f"http://127.0.0.1:{server.port}", budget_seconds=2) as client,
        pytest.raises(AnswerLost),
    ):
        client._transport.send("POST", "/branches", doing="create a branch", body={}, repeatable=False)
    assert server.connections == 1


def test_an_api_elsewhere_is_never_sent_its_key_unencrypted() -> None:
    with (
        pytest.raises(NeonRefused, match=r"http://, and api\.example\.com is not a local host"),
        open_client("project", "napi_key", base_url="http://api.example.com/v2"),
    ):
        raise AssertionError("it was opened")
