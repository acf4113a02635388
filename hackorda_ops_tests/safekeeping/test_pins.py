"""Artifacts that people pin: in a folder by a record, in a bucket that locks files by a legal hold as well."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.safekeeping.pins import Pin, pin, read_pins, unpin
from hackorda_ops.stores.locks import ObjectLock
from hackorda_ops_tests.retention.places import DUMP, NOW, Places, ages, artifact, open_places, put_artifact
from hackorda_ops_tests.stores.examples import put, store_on

pytestmark = pytest.mark.server

DAY = timedelta(days=1)
OLDEST = artifact(9)
PIN = Pin("hackorda", OLDEST.artifact_id, "audit of 2026", NOW + 30 * DAY, NOW)


@pytest.fixture
def locked(seaweed_server: S3Server, tmp_path: Path, request: pytest.FixtureRequest) -> Places:
    """Places whose bucket holds every object for a day, by a server that enforces it."""
    bucket = request.node.name.replace("_", "-")[:60].rstrip("-")
    create_bucket(seaweed_server, bucket, object_lock=True)
    return open_places(tmp_path, store_on(seaweed_server, bucket, lock=ObjectLock("governance", 1)))


def fill(places: Places) -> None:
    """Ten nights in both places, of which seven are kept."""
    for age in range(10):
        put_artifact(places.store, artifact(age))
        put_artifact(places.offsite, artifact(age))


def test_what_is_pinned_in_a_folder_stays_and_everything_else_goes_as_planned(places: Places) -> None:
    fill(places)
    pin((places.store, places.offsite), PIN)

    done = places.prune()

    assert ages(places.store) == ages(places.offsite) == [*range(7), 9]
    [kept] = {each.reasons for each in done.plan.decisions if each.held.artifact_id == OLDEST.artifact_id}
    assert kept[0].startswith("pinned until ")
    assert kept[0].endswith(": audit of 2026")


def test_a_pin_in_one_place_keeps_the_artifact_in_both(places: Places) -> None:
    fill(places)
    pin((places.store,), PIN)

    places.prune()

    assert ages(places.offsite) == [*range(7), 9]


def test_a_pin_is_a_part_of_what_is_known_of_an_artifact(places: Places) -> None:
    fill(places)
    pin((places.store,), PIN)

    judged = read_judged({"store": places.store}, "hackorda", now=NOW)

    assert [each.manifest.artifact_id for each in judged.held if each.pinned] == [OLDEST.artifact_id]
    assert "not proven yet; pinned until " in judged.of("store")[0].sentence


def test_a_pin_that_is_over_is_lifted_and_the_artifact_goes(places: Places) -> None:
    fill(places)
    pin((places.store, places.offsite), replace(PIN, until=NOW - DAY))

    done = places.prune()

    assert [each.artifact_id for each in done.lifted] == [OLDEST.artifact_id]
    assert read_pins(places.store, "hackorda").found == {}
    assert ages(places.store) == list(range(7))


def test_a_record_that_cant_be_read_keeps_the_artifact(places: Places) -> None:
    fill(places)
    put(places.store, f"hackorda/pins/{OLDEST.artifact_id}.json", b"{ not a pin")

    places.prune()

    assert ages(places.store) == [*range(7), 9]


def test_a_record_of_another_artifact_is_no_pin_of_this_one_and_keeps_it_all_the_same(places: Places) -> None:
    fill(places)
    pin((places.store,), PIN)
    copied = places.store.read_small(f"hackorda/pins/{OLDEST.artifact_id}.json")
    put(places.store, f"hackorda/pins/{artifact(8).artifact_id}.json", copied)

    places.prune()

    assert ages(places.store) == [*range(7), 8, 9]


def test_a_legal_hold_stops_the_buckets_own_key_from_deleting_a_pinned_artifact(
    seaweed_server: S3Server, locked: Places
) -> None:
    put_artifact(locked.offsite, OLDEST)
    client, where = seaweed_server.client(), f"{OLDEST.prefix}/{DUMP}"
    version = client.head_object(Bucket=locked.offsite.bucket, Key=where)["VersionId"]

    assert pin((locked.store, locked.offsite), PIN) == ()

    with pytest.raises(ClientError):
        client.delete_object(
            Bucket=locked.offsite.bucket, Key=where, VersionId=version, BypassGovernanceRetention=True
        )
    assert locked.offsite.lock_of(where).held
    assert unpin((locked.store, locked.offsite), "hackorda", OLDEST.artifact_id) == ()
    assert not locked.offsite.lock_of(where).held
    client.delete_object(
        Bucket=locked.offsite.bucket, Key=where, VersionId=version, BypassGovernanceRetention=True
    )


def test_a_bucket_that_holds_nothing_is_said_and_the_record_is_there(
    s3_server: S3Server, places: Places
) -> None:
    put_artifact(places.offsite, OLDEST)
    cant_lock = replace(places.offsite, lock=ObjectLock("compliance", 1))

    # Its own objects could not be written with a lock either: the record is refused, and says so.
    with pytest.raises(Exception, match="lock"):
        pin((cant_lock,), PIN)
