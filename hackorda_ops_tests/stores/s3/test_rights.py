"""What a key may do in a bucket, tried with a probe of our own that doesn't stay."""

from collections.abc import Iterator
from typing import Any

import pytest

from hackorda_ops.errors import StoreRefused
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.stores.locks import ObjectLock
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops_tests.stores.examples import behind, put, store_on
from hackorda_ops_tests.stores.s3_proxy import Forward, Reply, Request, refusal

pytestmark = pytest.mark.server


def everything(server: S3Server, bucket: str) -> Iterator[tuple[str, Any]]:
    """Every version, marker and unfinished upload."""
    client = server.client()
    listed = client.list_object_versions(Bucket=bucket)
    for kind in ("Versions", "DeleteMarkers"):
        for each in listed.get(kind, []):  # type: ignore[attr-defined]
            yield each["Key"], each["VersionId"]
    for each in client.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        yield each["Key"], each["UploadId"]


@pytest.mark.parametrize("versioned", [False, True])
def test_both_rights_are_tried_and_nothing_stays(
    s3_server: S3Server, new_bucket: str, versioned: bool
) -> None:
    if versioned:
        s3_server.client().put_bucket_versioning(
            Bucket=new_bucket, VersioningConfiguration={"Status": "Enabled"}
        )
    store = store_on(s3_server, new_bucket, prefix="near")
    put(store, "db/one", b"x")
    before = list(everything(s3_server, new_bucket))

    store.check_writable()

    assert store.try_deleting() == ""
    assert list(everything(s3_server, new_bucket)) == before


def test_where_the_bucket_locks_everything_deleting_is_not_tried_and_writing_leaves_nothing(
    s3_server: S3Server,
) -> None:
    client = s3_server.client()
    client.create_bucket(
        Bucket="locks-all",
        ObjectLockEnabledForBucket=True,
    )
    client.put_object_lock_configuration(
        Bucket="locks-all",
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}},
        },
    )
    store = store_on(s3_server, "locks-all", lock=ObjectLock("compliance", 30))

    store.check_writable()

    assert "a probe would stay" in store.try_deleting()
    assert list(everything(s3_server, "locks-all")) == []


def test_a_lock_that_only_our_own_objects_get_is_not_put_on_the_probe(s3_server: S3Server) -> None:
    s3_server.client().create_bucket(
        Bucket="locks-ours",
        ObjectLockEnabledForBucket=True,
    )

    assert store_on(s3_server, "locks-ours", lock=ObjectLock("compliance", 30)).try_deleting() == ""
    assert list(everything(s3_server, "locks-ours")) == []


@pytest.mark.parametrize(
    ("method", "part", "use"),
    [
        ("POST", "uploads", "check_writable"),
        ("PUT", "probe", "try_deleting"),
        ("DELETE", "probe", "try_deleting"),
    ],
)
def test_a_missing_right_is_a_refusal(
    s3_server: S3Server, store: S3Store, method: str, part: str, use: str
) -> None:
    def misbehave(request: Request, forward: Forward) -> Reply:
        refused = request.method == method and part in request.path
        return refusal(403, "AccessDenied") if refused else forward(request)

    with behind(s3_server, store, misbehave) as narrow, pytest.raises(StoreRefused, match="AccessDenied"):
        getattr(narrow, use)()


def test_a_key_that_may_hide_but_not_delete_versions_leaves_the_probe_hidden(
    s3_server: S3Server, new_bucket: str
) -> None:
    s3_server.client().put_bucket_versioning(Bucket=new_bucket, VersioningConfiguration={"Status": "Enabled"})
    store = store_on(s3_server, new_bucket)

    def misbehave(request: Request, forward: Forward) -> Reply:
        refused = request.method == "DELETE" and "versionId" in request.path
        return refusal(403, "AccessDenied") if refused else forward(request)

    with behind(s3_server, store, misbehave) as narrow, pytest.raises(StoreRefused):
        narrow.try_deleting()

    assert list(store.list("")) == []


def test_where_the_lock_can_not_be_read_no_probe_is_stored(s3_server: S3Server, store: S3Store) -> None:
    def misbehave(request: Request, forward: Forward) -> Reply:
        return refusal(403, "AccessDenied") if "object-lock" in request.path else forward(request)

    with behind(s3_server, store, misbehave) as blind:
        assert "can't be read with this key" in blind.try_deleting()


def test_a_provider_without_multipart_uploads_is_no_reason_to_refuse(
    s3_server: S3Server, store: S3Store
) -> None:
    def misbehave(request: Request, forward: Forward) -> Reply:
        return refusal(501, "NotImplemented") if "uploads" in request.path else forward(request)

    with behind(s3_server, store, misbehave) as simple:
        simple.check_writable()
