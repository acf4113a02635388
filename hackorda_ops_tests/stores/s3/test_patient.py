"""Buckets that keep a connection open and don't answer: every request ends, and says what was waited for."""

import pytest

from hackorda_ops.errors import StoreUnreachable
from hackorda_ops.stores.s3 import patient
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops_tests.stores.examples import MIB, put
from hackorda_ops_tests.unanswering import HTTP, Answer, ends, takes_nothing, unanswering


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient, "RETRY_BUDGET_SECONDS", 0.0)
    monkeypatch.setattr("hackorda_ops.stores.s3.reader.RETRY_BUDGET_SECONDS", 0.0)


def _store(port: int, scheme: str = "http") -> S3Store:
    return S3Store(
        "bucket",
        endpoint_url=f"{scheme}://127.0.0.1:{port}",
        access_key_id="id",
        secret_access_key="secret",
        connect_timeout_seconds=0.5,
        read_timeout_seconds=0.5,
    )


@pytest.mark.parametrize("answer", HTTP.values(), ids=HTTP)
def test_a_listing_and_a_fetch_end_whatever_the_bucket_keeps_silent_about(answer: Answer) -> None:
    with unanswering(answer) as server, ends():
        store = _store(server.port)
        with pytest.raises(StoreUnreachable, match="Could not list") as listed:
            store.check()
        with pytest.raises(StoreUnreachable, match="Could not read"), store.open("db/one") as stream:
            stream.read()
    assert f"127.0.0.1:{server.port}" in listed.value.what
    assert "check endpoint_url, network, proxy and firewall" in listed.value.next_step
    assert listed.value.retryable


@pytest.mark.parametrize("answer", [*HTTP.values(), takes_nothing], ids=[*HTTP, "takes nothing"])
def test_an_upload_ends_whatever_the_bucket_keeps_silent_about(answer: Answer) -> None:
    with unanswering(answer) as server, ends(), pytest.raises(StoreUnreachable, match="Could not upload"):
        put(_store(server.port), "db/one", b"x" * (4 * MIB))


def test_a_tls_handshake_that_nobody_answers_ends() -> None:
    with unanswering(HTTP["never answers"]) as server, ends(), pytest.raises(StoreUnreachable):
        _store(server.port, "https").check()


def test_what_nobody_answers_is_not_asked_again_once_its_budget_is_spent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patient, "RETRY_BUDGET_SECONDS", 0.1)
    with unanswering(HTTP["never answers"]) as server, ends(), pytest.raises(StoreUnreachable):
        _store(server.port).check()
    # The first failure begins the budget, so there is one more attempt.
    assert server.connections == 2
