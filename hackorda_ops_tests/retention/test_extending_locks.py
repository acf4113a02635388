"""What retention does with locks, on a server that enforces them: it extends them for what it keeps."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.safekeeping.locks import read_back
from hackorda_ops.stores.locks import ObjectLock
from hackorda_ops_tests.retention.places import DUMP, NOW, Places, artifact, open_places, put_artifact
from hackorda_ops_tests.stores.examples import put, store_on

pytestmark = pytest.mark.server

DAY = timedelta(days=1)
ASKED = {"mode": "compliance", "days": 20}


@pytest.fixture
def locked(seaweed_server: S3Server, tmp_path: Path, request: pytest.FixtureRequest) -> Places:
    """Places whose bucket locks every object for 20 days, with nine nights in it; seven are kept."""
    bucket = request.node.name.replace("_", "-")[:60].rstrip("-")
    create_bucket(seaweed_server, bucket, object_lock=True)
    made = open_places(tmp_path, store_on(seaweed_server, bucket, lock=ObjectLock("compliance", 20)))
    for age in range(9):
        put_artifact(made.offsite, artifact(age))
    put(made.offsite, "hackorda/exercises/20260101T000000Z-aaaaaa/result.json", b"{}")
    return made


def ends(places: Places, age: int) -> timedelta:
    """How long the files of an artifact are locked from now on, by the server's answer; all alike."""
    found = read_back(places.offsite, artifact(age), now=datetime.now(UTC))
    assert found is not None
    assert found.not_locked == ()
    assert found.until is not None
    return found.until - datetime.now(UTC)


def test_a_young_lock_is_left_alone(locked: Places) -> None:
    assert locked.plan(locked.database(lock=ASKED)).to_extend == ()


def test_what_is_kept_has_its_lock_extended_and_what_only_the_lock_keeps_has_not(locked: Places) -> None:
    later = NOW + 12 * DAY

    done = locked.prune(locked.database(lock=ASKED), now=later)

    assert {each.subject for each in done.extended} == {
        *(artifact(age).artifact_id for age in range(7)),
        "evidence",
    }
    assert "evidence" in {each.subject for each in done.extended}
    assert ends(locked, 0) > 30 * DAY
    assert ends(locked, 7) < 21 * DAY
    held_back = [each for each in done.plan.decisions if each.held_back]
    assert [each.held.artifact_id for each in held_back] == [artifact(age).artifact_id for age in (7, 8)]
    assert [each.reasons[0][:26] for each in held_back] == 2 * ["object lock holds it until"]
    assert locked.plan(locked.database(lock=ASKED), now=later).to_extend == ()


def test_where_everything_is_kept_everything_stays_locked(locked: Places) -> None:
    database = locked.database(offsite=None, lock=ASKED)
    assert database.deletes

    done = locked.prune(database, now=NOW + 12 * DAY)

    assert len(done.extended) == 10


def test_a_lock_that_was_extended_can_no_longer_be_shortened_by_the_same_key(
    seaweed_server: S3Server, locked: Places
) -> None:
    locked.prune(locked.database(lock=ASKED), now=NOW + 12 * DAY)
    client, key = seaweed_server.client(), f"{artifact(0).prefix}/{DUMP}"

    with pytest.raises(ClientError, match="AccessDenied"):
        client.put_object_retention(
            Bucket=locked.offsite.bucket,
            Key=key,
            Retention={"Mode": "COMPLIANCE", "RetainUntilDate": datetime.now(UTC) + DAY},
        )
    assert ends(locked, 0) > 30 * DAY


def test_a_bucket_that_drops_the_lock_is_found_out_when_it_is_read_back(
    seaweed_server: S3Server, tmp_path: Path
) -> None:
    create_bucket(seaweed_server, "drops-locks", object_lock=True)
    without = store_on(seaweed_server, "drops-locks")
    put_artifact(without, artifact(0))
    asked = store_on(seaweed_server, "drops-locks", lock=ObjectLock("compliance", 20))

    found = read_back(asked, artifact(0), now=datetime.now(UTC))

    assert found is not None
    assert len(found.not_locked) == 3
    assert [each.code for each in found.findings] == ["lock missing"]
    made = open_places(tmp_path, without)
    made.prune(made.database(lock=ASKED))
    assert read_back(asked, artifact(0), now=datetime.now(UTC)).not_locked == ()  # type: ignore[union-attr]
