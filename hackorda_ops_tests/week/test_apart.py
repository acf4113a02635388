"""Whether off-site is a different place from the nightly store."""

from dataclasses import replace
from pathlib import Path

import pytest

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, to_bytes
from hackorda_ops.calendar.partitions import week_of
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops.week import apart
from hackorda_ops.week.week import ship_week
from hackorda_ops_tests.builders import manifest
from hackorda_ops_tests.stores.examples import put, store_on

NIGHTS = S3Store("backups", "nights", access_key_id="AKIA", secret_access_key="secret")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, "https://s3.amazonaws.com"),
        (None, "https://s3.eu-central-1.amazonaws.com/"),
        ("https://s3.eu-central-1.amazonaws.com", "https://s3.us-east-1.amazonaws.com"),
        ("https://minio.example", "http://MINIO.example:80/"),
    ],
)
def test_one_place_is_one_however_it_is_written(one: str | None, other: str | None) -> None:
    store = replace(NIGHTS, endpoint_url=one)
    offsite = replace(NIGHTS, endpoint_url=other, prefix="/nights//")
    with pytest.raises(ConfigError, match="are the same place: s3://backups/nights"):
        apart.require_two_places("hackorda", store, offsite)
    assert "there is no second copy" in str(apart.one_bucket(store, offsite))
    assert [each.severity for each in apart.concerns("hackorda", store, offsite)] == ["stops the drill"]


@pytest.mark.parametrize(("store", "offsite"), [("", "copies"), ("nights/copies", "nights"), ("a", "b")])
def test_two_prefixes_of_one_bucket_are_worth_knowing(store: str, offsite: str) -> None:
    nights, copies = replace(NIGHTS, prefix=store), replace(NIGHTS, prefix=offsite)
    apart.require_two_places("hackorda", nights, copies)
    assert "one bucket, backups" in str(apart.one_bucket(nights, copies))
    assert [each.severity for each in apart.concerns("hackorda", nights, copies)] == ["worth knowing"]


@pytest.mark.parametrize(
    "offsite",
    [
        replace(NIGHTS, bucket="copies"),
        replace(NIGHTS, endpoint_url="https://s3.us-west-004.backblazeb2.com"),
        replace(NIGHTS, endpoint_url="https://amazonaws.com.example"),
    ],
)
def test_two_buckets_are_apart(offsite: S3Store) -> None:
    apart.require_two_places("hackorda", NIGHTS, offsite)
    assert apart.one_bucket(NIGHTS, offsite) is None
    assert list(apart.concerns("hackorda", NIGHTS, offsite)) == []


def test_a_folder_and_a_bucket_are_apart() -> None:
    assert apart.one_bucket(FolderStore(Path("nights")), NIGHTS) is None


def test_two_ports_of_one_machine_are_two_providers() -> None:
    one = replace(NIGHTS, endpoint_url="http://localhost:9000")
    apart.require_two_places("hackorda", one, replace(one, endpoint_url="http://localhost:9001"))


def test_a_week_is_not_copied_onto_itself(s3_server: S3Server, new_bucket: str, tmp_path: Path) -> None:
    place = {"bucket": new_bucket, "prefix": "backups", "endpoint_url": s3_server.endpoint_url}
    database = Policy.model_validate(
        {
            "store": {**place, "access_key_id_env": "ID", "secret_access_key_env": "SECRET"},
            "offsite": {**place, "prefix": "/backups/"},
            "dump": {"work_folder": str(tmp_path)},
        }
    )
    night = manifest()
    put(store_on(s3_server, new_bucket, prefix="backups"), f"{night.prefix}/{MANIFEST_NAME}", to_bytes(night))
    environ = {
        **dict.fromkeys(("ID", "OFFSITE_ACCESS_KEY_ID"), s3_server.access_key_id),
        **dict.fromkeys(("SECRET", "OFFSITE_SECRET_ACCESS_KEY"), s3_server.secret_access_key),
    }
    with pytest.raises(ConfigError, match="are the same place"):
        ship_week(Protected(night.database, database, environ), week=week_of(night.night))
