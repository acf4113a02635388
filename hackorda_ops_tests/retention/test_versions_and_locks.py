"""Off-site buckets that keep versions or lock objects: what stays, what is told, what is removed later."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.stores.locks import ObjectLock
from hackorda_ops.stores.store import StoredVersion
from hackorda_ops_tests.retention.places import DUMP, NOW, Places, ages, artifact, open_places, put_artifact
from hackorda_ops_tests.stores.examples import put, store_on

pytestmark = pytest.mark.server

DAY = timedelta(days=1)


@pytest.fixture
def versioned(s3_server: S3Server, places: Places) -> Places:
    """Places whose bucket keeps versions, with eight nights in it."""
    s3_server.client().put_bucket_versioning(
        Bucket=places.offsite.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    for age in range(8):
        put_artifact(places.offsite, artifact(age))
    return places


@pytest.fixture
def locking(s3_server: S3Server, tmp_path: Path, request: pytest.FixtureRequest) -> Places:
    """Places whose bucket locks every object for 30 days, with eight nights in it."""
    bucket = request.node.name.replace("_", "-")[:60].rstrip("-")
    create_bucket(s3_server, bucket, object_lock=True)
    made = open_places(tmp_path, store_on(s3_server, bucket, lock=ObjectLock("compliance", 30)))
    for age in range(8):
        put_artifact(made.offsite, artifact(age))
    return made


def versions(places: Places) -> list[StoredVersion]:
    """All that the bucket keeps of the artifact that goes."""
    return list(places.offsite.versions(artifact(7).prefix))


def test_a_versioned_bucket_keeps_what_is_deleted_and_that_is_told(versioned: Places) -> None:
    done = versioned.prune()

    assert len(done.deleted) == 1
    assert (done.freed_bytes, done.left_bytes) == (0, done.deleted[0].size_bytes)
    assert ages(versioned.offsite) == list(range(7))
    assert (len(versions(versioned)), sum(each.marker for each in versions(versioned))) == (6, 3)
    stock = versioned.plan().stocks[1]
    assert (stock.superseded, stock.superseded_bytes, stock.markers) == (3, done.left_bytes, 3)
    assert stock.keeps_versions


def test_what_was_deleted_by_mistake_can_be_had_back_for_a_day(
    s3_server: S3Server, versioned: Places
) -> None:
    gone = artifact(7)
    versioned.prune()

    assert versioned.prune(now=NOW - 3 * DAY + timedelta(hours=12)).removed == ()
    for each in versions(versioned):
        if each.marker:
            versioned.offsite.delete(each.key, each.version_id)

    assert gone in catalog.read(versioned.offsite, "hackorda").artifacts


def test_versions_of_what_is_gone_are_removed_by_a_later_run(versioned: Places) -> None:
    left_bytes = versioned.prune().left_bytes

    later = versioned.prune(now=NOW + DAY)

    assert [(each.subject, each.remove) for each in later.removed] == [(artifact(7).prefix, True)]
    assert later.freed_bytes == left_bytes
    assert versions(versioned) == []
    assert ages(versioned.offsite) == list(range(7))


def test_earlier_versions_of_the_readiness_page_are_removed_and_the_page_stays(versioned: Places) -> None:
    for page in (b"yesterday", b"today"):
        put(versioned.offsite, "readiness.html", page)

    done = versioned.prune(now=NOW + DAY)

    assert "readiness.html" in [each.subject for each in done.removed]
    left = [each for each in versioned.offsite.versions("") if each.key == "readiness.html"]
    assert [each.current for each in left] == [True]
    assert versioned.offsite.read_small("readiness.html") == b"today"


def test_earlier_versions_of_the_logs_page_are_removed_and_events_stay(versioned: Places) -> None:
    for _ in range(3):
        put(versioned.offsite, "hackorda/operations-log.md", b"page")
        put(versioned.offsite, "hackorda/operations/20200101T000000Z-night-aaaaaa.json", b"{}")

    done = versioned.prune(now=NOW + DAY)

    assert "hackorda/operations-log.md" in [each.subject for each in done.removed]
    events = list(versioned.offsite.versions("hackorda/operations"))
    assert len([each for each in events if "20200101T000000Z" in each.key]) == 3
    assert versioned.offsite.read_small("hackorda/operations-log.md") != b""


def test_superseded_versions_of_an_artifact_that_is_there_are_left_alone(versioned: Places) -> None:
    put(versioned.offsite, f"{artifact(1).prefix}/{DUMP}", b"repaired" * 100)

    done = versioned.prune(now=NOW + DAY)

    assert [each.subject for each in done.removed] == []
    assert done.plan.stocks[1].superseded == 1


def test_an_artifact_that_object_lock_holds_is_kept_and_told_until_when(locking: Places) -> None:
    database = locking.database(object_lock_days=30)

    done = locking.prune(database)

    assert done.deleted == ()
    assert ages(locking.offsite) == list(range(8))
    [decision] = [each for each in done.plan.decisions if each.held.artifact_id == artifact(7).artifact_id]
    assert decision.reasons[0].startswith("object lock holds it until ")


def test_a_lock_that_the_key_may_not_see_is_reckoned_by_the_configuration(places: Places) -> None:
    # Without the right to read retention a HEAD says nothing of it, as here where there's none.
    for age in range(8):
        put_artifact(places.offsite, artifact(age))

    plan = places.plan(places.database(object_lock_days=30))

    assert plan.to_delete == ()
    assert places.plan(places.database(object_lock_days=30), now=NOW + 40 * DAY).to_delete != ()


def test_a_legal_hold_keeps_one_artifact_and_no_other(s3_server: S3Server, locking: Places) -> None:
    put_artifact(locking.offsite, artifact(8))
    s3_server.client().put_object_legal_hold(
        Bucket=locking.offsite.bucket, Key=f"{artifact(8).prefix}/{DUMP}", LegalHold={"Status": "ON"}
    )
    later = NOW + 40 * DAY

    done = locking.prune(locking.database(object_lock_days=30), now=later)

    assert [each.artifact_id for each in done.deleted] == [artifact(7).artifact_id]
    kept = {each.held.artifact_id: each.reasons for each in done.plan.decisions}
    assert kept[artifact(8).artifact_id] == ("a legal hold keeps it until it is lifted",)


def test_versions_that_the_bucket_still_locks_are_told_and_their_markers_stay(locking: Places) -> None:
    """The bucket's clock says that the locks hold, ours that they're over: the bucket is right."""
    database = locking.database(object_lock_days=30)
    later = NOW + 40 * DAY
    locking.prune(database, now=later)

    done = locking.prune(database, now=later + DAY)

    [told] = done.not_allowed
    assert artifact(7).prefix in told
    assert done.removed == ()
    # Without its marker a version would be a file again.
    assert ages(locking.offsite) == list(range(7))
    assert len(versions(locking)) == 6


def test_locked_versions_of_what_is_gone_wait_for_their_lock(locking: Places) -> None:
    database = locking.database(object_lock_days=30)
    for name in ("manifest.json", DUMP, "RESTORE.md"):
        locking.offsite.delete(f"{artifact(7).prefix}/{name}")

    done = locking.prune(database)

    [left] = done.plan.leftovers
    assert (left.subject, left.remove) == (artifact(7).prefix, False)
    assert "object lock holds it until" in left.reason
    assert done.not_allowed == ()


def test_versions_from_before_the_bucket_kept_any_are_removed_as_well(
    s3_server: S3Server, places: Places
) -> None:
    for age in range(8):
        put_artifact(places.offsite, artifact(age))
    s3_server.client().put_bucket_versioning(
        Bucket=places.offsite.bucket, VersioningConfiguration={"Status": "Enabled"}
    )

    places.prune()
    assert {each.version_id for each in versions(places) if not each.marker} == {"null"}
    places.prune(now=NOW + DAY)

    assert versions(places) == []


def test_whoever_deletes_everything_does_not_find_that_retention_removes_the_versions(
    versioned: Places,
) -> None:
    for file in list(versioned.offsite.list("hackorda/")):
        versioned.offsite.delete(file.key)
    put_artifact(versioned.offsite, artifact(0, artifact_id=artifact(0).artifact_id[:-6] + "abcdef"))

    done = versioned.prune(now=NOW + DAY)

    removed = {each.subject for each in done.removed}
    # What the policy would let go as well: the oldest night, and the older one of a night that has two.
    assert removed <= {artifact(7).prefix, artifact(0).prefix}
    kept = {each.subject for each in done.plan.leftovers if not each.remove}
    assert {artifact(age).prefix for age in range(1, 7)} <= kept


def test_the_clock_of_the_tests_is_ahead() -> None:
    assert datetime.now(UTC) + DAY < NOW
