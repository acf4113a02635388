"""Names that a bucket lists and nothing here would have given: they are left alone, and the others are listed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from hackorda_ops import untrusted
from hackorda_ops.stores.s3 import versions
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops.stores.store import is_key

HOSTILE = [
    "db/../../etc/passwd",
    "db//manifest.json",
    "/etc/passwd",
    "db/./x",
    "db/line\nbreak",
    "db/\x1b[2J",
    "db/\x00",
    "db/\u202egnp.exe",
    "db/\udcff",
    "db/" + "x" * 1024,
    "db/folder/",
    ".staging/x",
]
AT = datetime(2026, 11, 1, tzinfo=UTC)


class Bucket:
    """A client whose bucket lists what it's given."""

    def __init__(self, **page: Any) -> None:
        self.page = page

    def get_paginator(self, _operation: str) -> "Bucket":
        return self

    def paginate(self, **_request: Any) -> Iterator[dict[str, Any]]:
        yield self.page


def entry(key: str, at: datetime = AT) -> dict[str, Any]:
    return {"Key": key, "Size": 3, "LastModified": at, "ETag": "e", "IsLatest": True, "VersionId": "1"}


@pytest.mark.parametrize("key", HOSTILE)
def test_a_name_that_leads_nowhere_is_no_key(key: str) -> None:
    assert not is_key(key)


def test_the_others_are_listed() -> None:
    keys = [*HOSTILE, "db/a"]
    bucket: Any = Bucket(
        Contents=list(map(entry, keys)),
        Versions=list(map(entry, keys)),
        DeleteMarkers=list(map(entry, keys)),
    )
    assert [each.key for each in versions.plain(bucket, "b", "", "")] == ["db/a"]
    assert [each.key for each in versions.listed(bucket, "b", "", "")] == ["db/a", "db/a"]
    found = versions.beside(bucket, "b", "", "", name="a", leaving_out="dump")
    assert found is not None
    assert [each.key for each in found] == ["db/a"]


def test_folders_that_lead_nowhere_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["..", ".", "", "line\nbreak", "x" * 2000, "good"]
    bucket = Bucket(CommonPrefixes=[{"Prefix": f"prefix/db/{name}/"} for name in names])
    store = S3Store("b", "prefix", access_key_id="a", secret_access_key="s")
    monkeypatch.setitem(store.__dict__, "_client", bucket)
    assert list(store.folders("db")) == ["good"]


@pytest.mark.parametrize(
    "at",
    [
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))),
    ],
)
def test_a_time_at_the_edge_of_the_calendar_is_moved_into_it(at: datetime) -> None:
    bucket: Any = Bucket(Contents=[entry("db/a", at)])
    [found] = versions.plain(bucket, "b", "", "")
    assert untrusted.EARLIEST <= found.modified_at <= untrusted.LATEST
