"""The store in an S3 bucket, against a real S3 API over HTTP."""

import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hackorda_ops.errors import StoreRefused
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.stores.locks import ObjectLock
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops.stores.store import StoredFile
from hackorda_ops_tests.stores.examples import (
    MIB,
    behind,
    put,
    store_on,
    unfinished,
)
from hackorda_ops_tests.stores.s3_proxy import Forward, Reply, Request, refusal

pytestmark = pytest.mark.server


def test_what_is_put_is_listed_and_read_back_below_the_prefix(s3_server: S3Server, store: S3Store) -> None:
    put(store, "db/one/dump/1.dat", b"rows")
    put(store, "db/one/empty", b"")
    s3_server.client().put_object(Bucket=store.bucket, Key="elsewhere/db/one", Body=b"another's")
    s3_server.client().put_object(Bucket=store.bucket, Key="backups/nightly/db/", Body=b"")

    assert list(store.list("")) == [StoredFile("db/one/dump/1.dat", 4), StoredFile("db/one/empty", 0)]
    assert store.read_small("db/one/dump/1.dat") == b"rows"
    assert store.read_small("db/one/empty") == b""
    assert store.describe() == f"s3://{store.bucket}/backups/nightly"
    kept = s3_server.client().head_object(Bucket=store.bucket, Key="backups/nightly/db/one/dump/1.dat")
    assert kept["Metadata"] == {"sha256": hashlib.sha256(b"rows").hexdigest()}


@pytest.mark.parametrize("knows", ["every delimiter", "none", "one character", "an error"])
def test_one_file_of_each_folder_is_listed_whatever_delimiters_the_provider_knows(
    s3_server: S3Server, store: S3Store, knows: str
) -> None:
    for key in ("db/one/dump/a", "db/one/dump/b", "db/one/x.json", "db/two/x.json", "db/x.json"):
        put(store, key, b"1")
    listings: list[str] = []

    def answer(request: Request, forward: Forward) -> Reply:
        listings.append(request.path)
        sent = "delimiter=%2Fdump%2F"
        if sent not in request.path or knows == "every delimiter":
            return forward(request)
        if knows == "an error":
            return refusal(400, "InvalidArgument")
        instead = "delimiter=%2F" if knows == "one character" else "x-ignored=1"
        return forward(replace(request, path=request.path.replace(sent, instead)))

    with behind(s3_server, store, answer) as proxied_store:
        found = list(proxied_store.in_each_folder("db", "x.json", leaving_out="dump"))
    assert sorted(each.key for each in found) == ["db/one/x.json", "db/two/x.json"]
    assert all(each.stamp for each in found)
    assert len(listings) == (1 if knows in ("every delimiter", "none") else 2)


def test_a_large_file_goes_in_parts_and_comes_back_whole(s3_server: S3Server, store: S3Store) -> None:
    data = os.urandom(33 * MIB)

    put(store, "db/one/large", data)

    assert store.read_small("db/one/large") == data
    client, key = s3_server.client(), "backups/nightly/db/one/large"
    assert client.head_object(Bucket=store.bucket, Key=key, PartNumber=1)["PartsCount"] == 7
    kept = client.head_object(Bucket=store.bucket, Key=key)
    assert kept["Metadata"] == {"sha256": hashlib.sha256(data).hexdigest()}
    assert unfinished(s3_server, store.bucket) == []


def test_a_provider_with_few_parts_gets_larger_ones_held_on_disk(
    s3_server: S3Server, new_bucket: str, tmp_path: Path
) -> None:
    store = store_on(s3_server, new_bucket, max_parts=2, staging_root=tmp_path / "work" / "folder")

    put(store, "db/large", os.urandom(36 * MIB))

    kept = s3_server.client().head_object(Bucket=new_bucket, Key="db/large", PartNumber=1)
    assert (kept["PartsCount"], kept["ContentLength"]) == (2, 18 * MIB)
    assert list(store.staging_root.iterdir()) == []


def test_a_key_that_points_outside_is_refused(store: S3Store) -> None:
    with pytest.raises(StoreRefused, match="doesn't name a file"):
        put(store, "../elsewhere", b"x")
    with pytest.raises(StoreRefused, match="doesn't name a file"):
        store.read_small("/db")


def test_more_files_than_one_answer_lists_are_all_listed(s3_server: S3Server, store: S3Store) -> None:
    for number in range(5):
        put(store, f"db/{number}", b"")
    pages: list[Reply] = []

    def short_pages(request: Request, forward: Forward) -> Reply:
        pages.append(forward(replace(request, path=f"{request.path}&max-keys=2")))
        return pages[-1]

    with behind(s3_server, store, short_pages) as paged:
        assert [entry.key for entry in paged.list("db")] == [f"db/{number}" for number in range(5)]
    assert len(pages) == 3


def test_the_folders_below_a_folder_are_named_without_what_lies_in_them(store: S3Store) -> None:
    for key in ("db/one/dump/a", "db/one/manifest.json", "db/two/manifest.json", "db/log.md", "db2/three/a"):
        put(store, key, b"1")
    put(store, "db/a b+&?#/file", b"1")

    assert sorted(store.folders("db/")) == ["a b+&?#", "one", "two"]
    assert sorted(store.folders("")) == ["db", "db2"]
    assert list(store.folders("nothing")) == []
    with pytest.raises(StoreRefused):
        list(replace(store, bucket="no-such-bucket").folders("db"))


def test_lock_class_and_encryption_are_sent_with_small_and_large_files(s3_server: S3Server) -> None:
    create_bucket(s3_server, "all-settings", object_lock=True)
    store = store_on(
        s3_server,
        "all-settings",
        lock=ObjectLock("compliance", 30),
        storage_class="STANDARD_IA",
        server_side_encryption="aws:kms",
        kms_key_id="our-key",
    )
    begun: list[dict[str, str]] = []

    def record(request: Request, forward: Forward) -> Reply:
        if request.path.endswith(("/db/small", "/db/large?uploads")):
            begun.append({name.lower(): value for name, value in request.headers.items()})
        return forward(request)

    with behind(s3_server, store, record) as recorded:
        put(recorded, "db/small", b"x")
        put(recorded, "db/large", bytes(11 * MIB))

    assert len(begun) == 2
    for headers in begun:
        assert headers["x-amz-object-lock-mode"] == "COMPLIANCE"
        until = datetime.fromisoformat(headers["x-amz-object-lock-retain-until-date"])
        assert timedelta(days=29) < until - datetime.now(UTC) <= timedelta(days=30)
        assert headers["x-amz-storage-class"] == "STANDARD_IA"
        assert headers["x-amz-server-side-encryption"] == "aws:kms"
        assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == "our-key"
    kept = s3_server.client().head_object(Bucket="all-settings", Key="db/small")
    assert (kept["ObjectLockMode"], kept["StorageClass"]) == ("COMPLIANCE", "STANDARD_IA")


def test_no_checksum_is_sent_that_other_providers_stumble_over(s3_server: S3Server, store: S3Store) -> None:
    seen: list[Request] = []

    def record(request: Request, forward: Forward) -> Reply:
        seen.append(request)
        return forward(request)

    with behind(s3_server, store, record) as recorded:
        put(recorded, "db/small", b"x")
        put(recorded, "db/large", bytes(11 * MIB))
        recorded.read_small("db/small")

    names = {name.lower() for request in seen for name in request.headers}
    assert not [name for name in names if "checksum" in name or name in {"trailer", "x-amz-trailer"}]
    # Object lock demands this one of every request that carries bytes.
    assert [
        request.headers.get("Content-MD5") is not None for request in seen if request.method == "PUT"
    ] == [True] * 4
    assert {len(request.body) for request in seen if request.method == "PUT"} == {1, 5 * MIB, MIB}


def test_the_secret_is_in_no_representation(store: S3Store) -> None:
    assert store.secret_access_key not in f"{store!r}{store}{store.describe()}"


def test_abandoned_uploads_are_ended_and_those_of_others_are_not(s3_server: S3Server, store: S3Store) -> None:
    client = s3_server.client()
    # The S3 server dates every upload to 2010, so each of these is an abandoned one.
    for key in ("backups/nightly/db/one/x", "backups/nightly/db2/x", "elsewhere/x"):
        client.create_multipart_upload(Bucket=store.bucket, Key=key)

    assert store.abandoned_uploads("db") == ("backups/nightly/db/one/x",)
    assert store.end_abandoned_uploads("db") == ("backups/nightly/db/one/x",)
    assert sorted(unfinished(s3_server, store.bucket)) == ["backups/nightly/db2/x", "elsewhere/x"]


def test_the_operators_own_aws_configuration_does_not_redirect_it(
    store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported")
    monkeypatch.setenv("AWS_PROFILE", "of-another-project")
    monkeypatch.setenv("AWS_DEFAULT_PROFILE", "of-another-project")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/etc/passwd")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/no/such/file")
    monkeypatch.setenv("AWS_DEFAULTS_MODE", "no-such-mode")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "many")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-another-login")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "nowhere-1")

    replace(store).check()


def test_a_profile_that_is_there_changes_nothing_either(
    store: S3Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile other]\nregion = nowhere-1\nendpoint_url = http://127.0.0.1:1\n"
        "s3 =\n  addressing_style = virtual\n  signature_version = s3\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "other")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))

    replace(store).check()


def test_a_versioned_bucket_lists_every_version_and_marker_and_gives_back_what_was_deleted(
    s3_server: S3Server, store: S3Store
) -> None:
    s3_server.client().put_bucket_versioning(
        Bucket=store.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    put(store, "db/one/x", b"first")
    put(store, "db/one/x", b"second!")
    store.delete("db/one/x")

    listed = sorted(store.versions("db"), key=lambda version: (version.marker, version.size_bytes))

    assert [(each.key, each.size_bytes, each.current, each.marker) for each in listed] == [
        ("db/one/x", 5, False, False),
        ("db/one/x", 7, False, False),
        ("db/one/x", 0, True, True),
    ]
    assert list(store.list("")) == []
    store.delete("db/one/x", listed[2].version_id)
    assert store.read_small("db/one/x") == b"second!"
    store.delete("db/one/x", listed[1].version_id)
    assert store.read_small("db/one/x") == b"first"


def test_folders_made_in_a_console_are_no_files(s3_server: S3Server, store: S3Store) -> None:
    s3_server.client().put_bucket_versioning(
        Bucket=store.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    put(store, "db/one/x", b"1")
    for folder in ("nightly/", "nightly/db/", "nightly/db/one/"):
        s3_server.client().put_object(Bucket=store.bucket, Key=folder)
    s3_server.client().delete_object(Bucket=store.bucket, Key="nightly/db/one/")

    assert [each.key for each in store.list("")] == ["db/one/x"]
    assert [each.key for each in store.files("db")] == ["db/one/x"]
    assert [each.key for each in store.versions("")] == ["db/one/x"]


def test_a_lock_is_told_with_its_end_and_a_legal_hold_without(s3_server: S3Server) -> None:
    create_bucket(s3_server, "locks", object_lock=True)
    store = store_on(s3_server, "locks", lock=ObjectLock("compliance", 30))
    put(store, "db/x", b"1")
    [version] = store.versions("db")

    until = store.locked_until(version)

    assert until is not None
    assert timedelta(days=29) < until - datetime.now(UTC) <= timedelta(days=30)
    with pytest.raises(StoreRefused, match="delete s3://locks/db/x"):
        store.delete(version.key, version.version_id)
    s3_server.client().put_object_legal_hold(Bucket="locks", Key="db/x", LegalHold={"Status": "ON"})
    assert store.locked_until(version) == datetime.max.replace(tzinfo=UTC)
