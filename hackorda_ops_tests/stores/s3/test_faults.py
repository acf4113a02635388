"""An S3 store with everything that goes wrong in the field: refusals, silences, cuts, lost answers."""

import itertools
import os
import pickle
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from hackorda_ops.errors import ArtifactDamaged, DiskFull, OpsError, StoreRefused, StoreUnreachable
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.stores.locks import ObjectLock
from hackorda_ops.stores.s3 import store as s3_store
from hackorda_ops.stores.s3.seats import SHARED_SEATS, MemoryBudget
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops_tests.stores.examples import MIB, behind, put, store_on, unfinished
from hackorda_ops_tests.stores.s3_proxy import Forward, Reply, Request, refusal

pytestmark = pytest.mark.server


def test_a_bucket_without_object_lock_is_told_as_such(s3_server: S3Server, new_bucket: str) -> None:
    with pytest.raises(StoreRefused) as caught:
        put(store_on(s3_server, new_bucket, lock=ObjectLock("compliance", 30)), "db/one", b"x")
    assert "created with object lock" in caught.value.next_step


def test_a_missing_bucket_ends_in_one_clear_error(s3_server: S3Server) -> None:
    store = store_on(s3_server, "no-such-bucket")

    for use in (store.check, lambda: list(store.list("")), lambda: put(store, "db/x", b"x")):
        with pytest.raises(StoreRefused, match="NoSuchBucket") as caught:
            use()
        assert "Create the bucket" in caught.value.next_step


def test_a_bucket_that_may_be_listed_but_not_written_to_is_told_as_such(
    s3_server: S3Server, store: S3Store
) -> None:
    deny = '"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject"'
    policy = (
        f'{{"Version": "2012-10-17", "Statement": [{{{deny}, "Resource": "arn:aws:s3:::{store.bucket}/*"}}]}}'
    )
    s3_server.client().put_bucket_policy(Bucket=store.bucket, Policy=policy)
    store.check()

    with pytest.raises(StoreRefused, match="HTTP 403") as caught:
        put(store, "db/one", b"x")

    assert "Allow this access key" in caught.value.next_step
    assert list(store.list("")) == []


@pytest.mark.parametrize(
    ("status", "code", "next_step"),
    [
        (403, "AccessDenied", "Allow this access key"),
        (403, "InvalidAccessKeyId", "Check that the access key"),
        (403, "SignatureDoesNotMatch", "Check that the access key"),
        (401, "Unauthorized", "Check that the access key"),
        (403, "RequestTimeTooSkewed", "Set this machine's clock"),
        (400, "AuthorizationHeaderMalformed", "region"),
        (403, "InvalidObjectState", "archive class"),
        (418, "Teapot", "Look the code up"),
    ],
)
def test_each_refusal_says_what_to_do_and_never_the_secret(
    s3_server: S3Server, store: S3Store, status: int, code: str, next_step: str
) -> None:
    reply = refusal(status, code, f"you said {s3_server.secret_access_key}")

    with (
        behind(s3_server, store, lambda *_: reply) as refused,
        pytest.raises(StoreRefused, match=f"{code} .HTTP {status}") as caught,
    ):
        refused.check()

    assert next_step in caught.value.next_step
    assert s3_server.secret_access_key not in f"{caught.value}{caught.value!r}{pickle.dumps(caught.value)!r}"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (429, "TooManyRequests"), (507, "Full")]
)
def test_a_store_that_is_busy_for_long_is_unreachable(
    s3_server: S3Server, store: S3Store, status: int, code: str
) -> None:
    with (
        behind(s3_server, store, lambda *_: refusal(status, code)) as busy,
        pytest.raises(StoreUnreachable, match=f"{code} .HTTP {status}"),
    ):
        busy.check()


def test_an_endpoint_where_nobody_listens_is_unreachable(s3_server: S3Server, store: S3Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(StoreUnreachable, match=f"127.0.0.1:{port}: no connection") as caught:
        replace(store, endpoint_url=f"http://user:hunter2@127.0.0.1:{port}").check()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("number", "kind"), [(socket.EAI_NONAME, StoreRefused), (socket.EAI_AGAIN, StoreUnreachable)]
)
def test_an_unknown_host_is_refused_and_a_resolver_out_of_order_is_unreachable(
    store: S3Store, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[OpsError]
) -> None:
    def unresolved(*_args: object, **_options: object) -> None:
        raise socket.gaierror(number, "said the resolver")

    elsewhere = replace(store, endpoint_url="http://no-such-host.example", attempts=1)
    monkeypatch.setattr(socket, "getaddrinfo", unresolved)

    with pytest.raises(OpsError, match=r"no-such-host\.example") as caught:
        elsewhere.check()
    assert type(caught.value) is kind


@pytest.mark.parametrize("url", ["https://host:99999", "no url", "ftp://host", "https://", "https://[::1"])
def test_an_endpoint_that_is_no_url_is_refused(store: S3Store, url: str) -> None:
    with pytest.raises(StoreRefused):
        replace(store, endpoint_url=url).check()


def test_what_a_provider_does_not_have_is_refused(s3_server: S3Server, store: S3Store) -> None:
    with (
        behind(s3_server, store, lambda *_: refusal(501, "NotImplemented")) as plain,
        pytest.raises(StoreRefused, match="501"),
    ):
        plain.check()


def test_an_endpoint_that_never_answers_ends_in_a_timeout(store: S3Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = replace(
            store,
            endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}",
            read_timeout_seconds=0.3,
            attempts=1,
        )
        with pytest.raises(StoreUnreachable, match="no answer in time"):
            hanging.check()
        with pytest.raises(StoreUnreachable, match="no answer in time"):
            put(hanging, "db/one", b"x")


def test_something_that_is_no_s3_api_is_refused(s3_server: S3Server, store: S3Store) -> None:
    page = Reply(404, {"Content-Length": "15"}, b"<html>Hi</html>")

    with (
        behind(s3_server, store, lambda *_: page) as wrong,
        pytest.raises(StoreRefused, match="HTTP 404") as caught,
    ):
        wrong.check()
    assert "does not seem to be an S3 API" in caught.value.next_step
    with pytest.raises(StoreRefused, match="not a URL"):
        replace(store, endpoint_url="minio.internal:9000").check()


def test_a_store_that_is_busy_for_a_moment_is_asked_again(s3_server: S3Server, store: S3Store) -> None:
    busy = iter([True, False, True, False, True, False])

    def slow_down(request: Request, forward: Forward) -> Reply:
        return refusal(503, "SlowDown") if next(busy, False) else forward(request)

    with behind(s3_server, store, slow_down) as flaky:
        put(flaky, "db/one", b"kept")
        assert flaky.read_small("db/one") == b"kept"


def test_an_upload_cut_in_the_middle_leaves_no_object_and_no_parts(
    s3_server: S3Server, store: S3Store
) -> None:
    def cut(request: Request, forward: Forward) -> Reply | None:
        return None if "partNumber=2" in request.path else forward(request)

    with (
        behind(s3_server, store, cut) as broken,
        pytest.raises(StoreUnreachable, match="the connection broke"),
    ):
        put(broken, "db/one", bytes(33 * MIB))

    assert list(store.list("")) == []
    assert unfinished(s3_server, store.bucket) == []


def test_a_part_that_is_cut_once_is_sent_again(s3_server: S3Server, store: S3Store) -> None:
    cuts = iter([True])

    def cut_once(request: Request, forward: Forward) -> Reply | None:
        return None if "partNumber=2" in request.path and next(cuts, False) else forward(request)

    data = os.urandom(18 * MIB)
    with behind(s3_server, store, cut_once) as flaky:
        put(flaky, "db/one", data)

    assert store.read_small("db/one") == data


def test_a_lost_answer_to_the_last_request_of_an_upload_is_no_failure(
    s3_server: S3Server, store: S3Store
) -> None:
    completed: list[str] = []

    def lose(request: Request, forward: Forward) -> Reply | None:
        if request.method != "POST" or "uploadId=" not in request.path:
            return forward(request)
        if completed:
            return refusal(404, "NoSuchUpload")
        completed.append(request.path)
        forward(request)
        return None

    data = os.urandom(17 * MIB)
    with behind(s3_server, store, lose) as flaky:
        put(flaky, "db/one", data)

    assert store.read_small("db/one") == data


def test_an_upload_that_somebody_else_ended_is_told_as_such(s3_server: S3Server, store: S3Store) -> None:
    def end(request: Request, forward: Forward) -> Reply:
        if request.method == "POST" and "uploadId=" in request.path:
            forward(replace(request, method="DELETE", body=b""))
            return refusal(404, "NoSuchUpload")
        return forward(request)

    with behind(s3_server, store, end) as ended, pytest.raises(StoreRefused, match="NoSuchUpload") as caught:
        put(ended, "db/one", bytes(17 * MIB))

    assert "lifecycle rule" in caught.value.next_step
    assert list(store.list("")) == []


def test_a_source_that_ends_early_leaves_no_object_and_no_parts(s3_server: S3Server, store: S3Store) -> None:
    for size_bytes in (1_000, 20 * MIB):
        for short, message in ((size_bytes - 1, "ends 1 bytes before"), (size_bytes, "has SHA-256")):
            with pytest.raises(ArtifactDamaged, match=message):
                store.put("db/x", BytesIO(bytes(short)), size_bytes=size_bytes, sha256="0" * 64)

    assert list(store.list("")) == []
    assert unfinished(s3_server, store.bucket) == []


def test_an_interrupt_in_mid_upload_ends_the_upload(s3_server: S3Server, store: S3Store) -> None:
    class Interrupted(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 17 * MIB:
                raise KeyboardInterrupt
            return super().read(size)

    with pytest.raises(KeyboardInterrupt):
        store.put("db/x", Interrupted(bytes(20 * MIB)), size_bytes=20 * MIB, sha256="0" * 64)

    assert unfinished(s3_server, store.bucket) == []


def test_parts_too_large_for_the_local_disk_end_in_one_clear_error(store: S3Store, small_disk: Path) -> None:
    few_parts = replace(store, staging_root=small_disk, max_parts=1)

    with pytest.raises(DiskFull, match="hold a part of an upload"):
        put(few_parts, "db/x", bytes(18 * MIB))

    assert list(small_disk.iterdir()) == []
    assert list(store.list("")) == []


def test_a_download_that_breaks_goes_on_from_there(s3_server: S3Server, store: S3Store) -> None:
    data = os.urandom(3 * MIB)
    put(store, "db/one", data)
    ranges: list[str | None] = []

    def break_off(request: Request, forward: Forward) -> Reply:
        reply = forward(request)
        ranges.append(request.headers.get("Range"))
        return replace(reply, body=reply.body[:MIB]) if len(reply.body) > MIB else reply

    with behind(s3_server, store, break_off) as flaky:
        assert flaky.read_small("db/one") == data
    assert ranges == [
        f"bytes=0-{5 * MIB - 1}",
        f"bytes={MIB}-{3 * MIB - 1}",
        f"bytes={2 * MIB}-{3 * MIB - 1}",
    ]


def test_a_large_download_whose_connections_all_break_is_whole_in_the_end(
    s3_server: S3Server, store: S3Store
) -> None:
    data = os.urandom(30 * MIB)
    put(store, "db/one", data)
    cut = itertools.count()

    def break_off(request: Request, forward: Forward) -> Reply:
        reply = forward(request)
        return replace(reply, body=reply.body[: 3 * MIB]) if next(cut) % 2 == 0 else reply

    with behind(s3_server, store, break_off) as flaky, flaky.open("db/one") as stream:
        assert stream.read() == data


def test_a_large_download_with_one_piece_that_never_comes_ends_in_one_clear_error(
    s3_server: S3Server, store: S3Store
) -> None:
    put(store, "db/one", bytes(30 * MIB))

    def keep_the_third(request: Request, forward: Forward) -> Reply | None:
        return None if request.headers.get("Range", "").startswith(f"bytes={10 * MIB}-") else forward(request)

    with (
        behind(s3_server, store, keep_the_third) as broken,
        pytest.raises(StoreUnreachable, match="read s3://"),
        broken.open("db/one") as stream,
    ):
        stream.read()


def test_an_object_cut_short_between_two_pieces_is_never_whole(s3_server: S3Server, store: S3Store) -> None:
    put(store, "db/one", bytes(20 * MIB))

    def replaced(request: Request, forward: Forward) -> Reply:
        reply = forward(request)
        if request.headers.get("Range", "").startswith("bytes=0-"):
            put(store, "db/one", bytes(18 * MIB))
        return reply

    with behind(s3_server, store, replaced) as changing, changing.open("db/one") as stream:
        assert len(stream.read()) < 20 * MIB


def test_a_server_without_ranges_sends_the_whole_object_at_once(s3_server: S3Server, store: S3Store) -> None:
    data = os.urandom(20 * MIB)
    put(store, "db/one", data)
    put(store, "db/empty", b"")

    def no_ranges(request: Request, forward: Forward) -> Reply:
        headers = {name: value for name, value in request.headers.items() if name != "Range"}
        return forward(replace(request, headers=headers))

    with behind(s3_server, store, no_ranges) as plain:
        with plain.open("db/one") as stream:
            assert stream.read() == data
        assert plain.read_small("db/empty") == b""


def test_a_server_that_does_not_say_how_long_an_object_is_sends_it_as_a_whole(
    s3_server: S3Server, store: S3Store
) -> None:
    data = os.urandom(20 * MIB)
    put(store, "db/one", data)

    def no_length(request: Request, forward: Forward) -> Reply:
        reply = forward(request)
        headers = {
            name: f"{value.rpartition('/')[0]}/*" if name.lower() == "content-range" else value
            for name, value in reply.headers.items()
        }
        return replace(reply, headers=headers)

    with behind(s3_server, store, no_length) as silent, silent.open("db/one") as stream:
        assert stream.read() == data


def test_one_part_of_many_that_is_refused_ends_the_upload_with_all_of_them(
    s3_server: S3Server, store: S3Store
) -> None:
    def refuse(request: Request, forward: Forward) -> Reply:
        return refusal(403, "AccessDenied") if "partNumber=3" in request.path else forward(request)

    with behind(s3_server, store, refuse) as broken, pytest.raises(StoreRefused):
        put(broken, "db/one", bytes(60 * MIB))

    assert list(store.list("")) == []
    assert unfinished(s3_server, store.bucket) == []


def test_many_large_transfers_at_a_time_all_end_with_the_memory_of_a_few(
    s3_server: S3Server, store: S3Store
) -> None:
    data = os.urandom(24 * MIB)
    inside, most, lock = 0, 0, threading.Lock()

    def count(request: Request, forward: Forward) -> Reply:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        try:
            return forward(request)
        finally:
            with lock:
                inside -= 1

    def there_and_back(number: int) -> bool:
        put(counted, f"db/{number}", data)
        with counted.open(f"db/{number}") as stream:
            return stream.read() == data

    with behind(s3_server, store, count) as counted, ThreadPoolExecutor(6) as pool:
        assert all(pool.map(there_and_back, range(6)))
    # Each has one of its own; the others share what there is.
    assert most <= 6 + SHARED_SEATS


def test_a_part_that_is_slow_keeps_no_other_waiting(
    s3_server: S3Server, store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_store, "SHARED", MemoryBudget(2))
    data, others_arrived = os.urandom(26 * MIB), threading.Semaphore(0)
    waited_for = []

    def hold_the_first(request: Request, forward: Forward) -> Reply:
        if "partNumber=1&" in f"{request.path}&":
            waited_for.extend(others_arrived.acquire(timeout=20) for _ in range(5))
            return forward(request)
        reply = forward(request)
        if "partNumber=" in request.path:
            others_arrived.release()
        return reply

    with behind(s3_server, store, hold_the_first) as held:
        put(held, "db/one", data)

    assert waited_for == [True] * 5
    assert store.read_small("db/one") == data


@pytest.mark.parametrize("size_bytes", [5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 10 * MIB, 10 * MIB + 1])
def test_a_file_about_as_long_as_whole_pieces_comes_back_as_it_was(store: S3Store, size_bytes: int) -> None:
    data = os.urandom(size_bytes)

    put(store, "db/one", data)

    with store.open("db/one") as stream:
        assert stream.read() == data
        assert stream.read() == b""


def test_a_download_that_gets_nowhere_ends_in_one_clear_error(s3_server: S3Server, store: S3Store) -> None:
    put(store, "db/one", b"rows")

    def send_nothing(request: Request, forward: Forward) -> Reply:
        return replace(forward(request), body=b"")

    with (
        behind(s3_server, store, send_nothing) as broken,
        pytest.raises(StoreUnreachable, match="read s3://"),
    ):
        broken.read_small("db/one")
