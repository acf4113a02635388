"""Deleting from real stores: what goes, what stays, and that half a deletion is never half a backup."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.copying import copy_artifact
from hackorda_ops.artifacts.manifest import to_bytes
from hackorda_ops.artifacts.operations_log import read_log
from hackorda_ops.config.models import Policy
from hackorda_ops.drill.report import json_form
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, PermanentError, RetryableError, StoreRefused
from hackorda_ops.findings import Finding
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.retention.planning import open_places
from hackorda_ops.stores.store import Store
from hackorda_ops_tests.drill import results
from hackorda_ops_tests.retention.places import (
    DUMP,
    KEEP,
    NOW,
    Places,
    ages,
    artifact,
    dated_ahead,
    put_artifact,
)
from hackorda_ops_tests.stores.examples import put, unfinished
from hackorda_ops_tests.stores.s3_proxy import Forward, Misbehave, Reply, Request, proxied, refusal

pytestmark = pytest.mark.server

DAY = timedelta(days=1)


@contextmanager
def through(server: S3Server, places: Places, misbehave: Misbehave) -> Iterator[Places]:
    """The same places, with a proxy in front of the bucket."""
    with proxied(server, misbehave) as proxy:
        yield replace(places, environ={**places.environ, "OFFSITE_ENDPOINT_URL": proxy.endpoint_url})


def fill(places: Places, *, store: int = 8, offsite: int = 8) -> None:
    """Nights of the last days in both places."""
    for age in range(store):
        put_artifact(places.store, artifact(age))
    for age in range(offsite):
        put_artifact(places.offsite, artifact(age))


def put_drill(places: Places, age_days: int, *, store: Store | None = None, **changes: Any) -> None:
    """The report of a drill that proved the artifact of that age, off-site if nothing else is said."""
    found = artifact(age_days)
    plain = results.sound()
    assert plain.artifact is not None
    drill = replace(plain, artifact=replace(plain.artifact, artifact_id=found.artifact_id), **changes)
    put(store or places.offsite, f"hackorda/drills/{drill.drill_id}/report.json", json_form.to_bytes(drill))


def test_a_dry_run_deletes_nothing_and_a_run_does_what_it_said(places: Places) -> None:
    fill(places)

    plan = places.plan()
    assert (ages(places.store), ages(places.offsite)) == (list(range(8)), list(range(8)))
    done = places.prune()

    assert (ages(places.store), ages(places.offsite)) == (list(range(7)), list(range(7)))
    assert done.plan == plan
    assert done.deleted == tuple(each.held for each in plan.to_delete)
    assert len(done.deleted) == 2
    assert done.freed_bytes == sum(each.held.size_bytes for each in plan.to_delete)
    assert done.left_bytes == 0
    assert places.prune().deleted == ()


def test_what_is_dated_after_now_is_never_one_of_the_newest_never_deleted_and_told(places: Places) -> None:
    ahead = [dated_ahead(artifact(0), days) for days in (1, 40)]
    for store in (places.store, places.offsite):
        for each in ahead:
            put_artifact(store, each)
    # Remains of such a one take no other's place either.
    half = dated_ahead(artifact(1), 60)
    put(places.offsite, f"{half.prefix}/{DUMP}", b"rows")
    fill(places, store=12, offsite=12)

    done = places.prune()

    for store in (places.store, places.offsite):
        left = {each.artifact_id for each in catalog.read(store, "hackorda", now=NOW + 90 * DAY).artifacts}
        assert left == {each.artifact_id for each in (*map(artifact, range(7)), *ahead)}
    assert len(done.deleted) == 10
    assert done.removed == ()
    for each in ahead:
        assert done.plan.notes.count(f"Kept, because it is dated in the future: {each.prefix}") == 2
    [missed] = [note for note in done.plan.notes if half.prefix in note]
    assert "dated in the future" in missed


def test_a_deleted_artifact_leaves_no_file_and_no_folder(places: Places) -> None:
    fill(places)

    places.prune()

    left = sorted(path.name for path in (places.store.root / "hackorda").iterdir())
    assert left == sorted(
        [artifact(age).artifact_id for age in range(7)] + ["operations", "operations-log.md", "receipts"]
    )


def test_what_was_deleted_is_in_the_operations_log_of_both_places(places: Places) -> None:
    fill(places)

    places.prune()
    places.prune()

    for store in (places.store, places.offsite):
        [event] = read_log(store, "hackorda")
        assert (event.kind, event.outcome) == ("delete", "success")
        assert event.detail.startswith("2 artifacts deleted: ")
        assert f"{artifact(7).artifact_id} (offsite)" in event.detail


def test_reports_and_events_are_never_deleted(places: Places) -> None:
    fill(places)
    put_drill(places, 3)
    put(places.offsite, "hackorda/exercises/20200101T000000Z-aaaaaa/2020-Q1-dr-test.md", b"x")
    put(places.store, "hackorda/operations/20200101T000000Z-night-aaaaaa.json", b"{}")
    put(places.store, "hackorda/notes.txt", b"somebody's own")
    put(places.store, "other_db/20200101T000000Z-aaaaaa/dump/1.dat", b"x")

    places.prune()

    kept = {entry.key for store in (places.store, places.offsite) for entry in store.list("")}
    assert {
        f"hackorda/drills/{results.sound().drill_id}/report.json",
        "hackorda/exercises/20200101T000000Z-aaaaaa/2020-Q1-dr-test.md",
        "hackorda/operations/20200101T000000Z-night-aaaaaa.json",
        "hackorda/notes.txt",
        "other_db/20200101T000000Z-aaaaaa/dump/1.dat",
    } <= kept


def test_without_a_policy_off_site_keeps_everything(places: Places) -> None:
    fill(places)
    put(places.offsite, "hackorda/20200101T000000Z-aaaaaa/dump/1.dat", b"half")

    done = places.prune(places.database(offsite=None))

    assert {each.place for each in done.deleted} == {"store"}
    assert len(ages(places.offsite)) == 9
    assert done.removed == ()


def test_the_proven_artifact_stays_in_both_places(places: Places) -> None:
    fill(places, store=10, offsite=10)
    put_drill(places, 9)

    places.prune()

    assert (ages(places.store), ages(places.offsite)) == ([*range(7), 9], [*range(7), 9])


def test_an_artifact_that_a_drill_found_bad_stays_and_does_not_count(places: Places) -> None:
    fill(places, store=10, offsite=10)
    put_drill(places, 0, drill_id="20260101T000000Z-aaaaaa")
    put_drill(places, 3, verdict="FAIL")
    put_drill(places, 9, verdict="FAIL", drill_id="20270101T000000Z-aaaaaa")

    plan = places.prune().plan

    # Seven sound nights, and both that were found bad.
    assert (ages(places.store), ages(places.offsite)) == ([*range(8), 9], [*range(8), 9])
    assert {each.held.sound for each in plan.decisions if each.held.found_bad} == {False}
    assert {each.reasons for each in plan.decisions if each.held.night == artifact(9).night} == {
        ("found bad after its night; kept as evidence until somebody deletes it",)
    }


def without_offsite(places: Places) -> tuple[Places, Policy]:
    """The same store where nothing was ever said about off-site."""
    plain = Policy.model_validate(
        {
            "store": str(places.store.root),
            "dump": {"work_folder": str(places.store.root.parent / "work")},
            "retention": {"store": KEEP},
        }
    )
    return replace(places, environ={}), plain


def test_with_the_store_alone_it_plans_and_deletes_by_the_stores_own_reports(places: Places) -> None:
    fill(places, store=10, offsite=0)
    put_drill(places, 9, store=places.store)
    alone, database = without_offsite(places)

    plan = alone.plan(database)
    done = alone.prune(database)

    assert [stock.place for stock in plan.stocks] == ["store"]
    assert any("Off-site isn't configured" in note for note in plan.notes)
    assert done.plan == plan
    assert ages(places.store) == [*range(7), 9]


@pytest.mark.parametrize("said", ["a variable", "a bucket", "a policy"])
def test_an_off_site_of_which_only_a_part_is_configured_deletes_nothing(places: Places, said: str) -> None:
    fill(places)
    alone, database = without_offsite(places)
    half, settings = {
        "a variable": ({"OFFSITE_BUCKET": places.offsite.bucket}, {}),
        "a bucket": ({}, {"offsite": places.database().offsite}),
        "a policy": ({}, {"retention": places.database().retention}),
    }[said]

    with pytest.raises(ConfigError, match="OFFSITE_ACCESS_KEY_ID"):
        replace(alone, environ=half).prune(database.model_copy(update=settings))

    assert ages(places.store) == list(range(8))


def test_while_a_newer_drills_report_cannot_be_read_nothing_is_deleted(places: Places) -> None:
    fill(places)
    put_drill(places, 3)
    put(places.offsite, "hackorda/drills/20261201T000000Z-aaaaaa/report.json", b"damaged")

    done = places.prune()

    assert (len(ages(places.store)), len(ages(places.offsite))) == (8, 8)
    assert any("20261201T000000Z-aaaaaa" in note for note in done.plan.notes)
    # The other place has it, and it proved nothing.
    failed = replace(results.bad(), drill_id="20261201T000000Z-aaaaaa")
    put(places.store, "hackorda/drills/20261201T000000Z-aaaaaa/report.json", json_form.to_bytes(failed))
    assert len(places.prune().deleted) == 2


def test_an_older_unreadable_report_does_not_matter(places: Places) -> None:
    fill(places)
    put_drill(places, 3)
    put(places.offsite, "hackorda/drills/20200101T000000Z-aaaaaa/report.json", b"damaged")

    assert len(places.prune().deleted) == 2


def test_a_damaged_manifest_is_kept_and_told_and_does_not_count(places: Places) -> None:
    fill(places, store=10, offsite=0)
    for age in (0, 9):
        put(places.store, f"{artifact(age).prefix}/manifest.json", b"damaged")

    done = places.prune()

    # Seven sound nights stay beside it, and the old damaged one is nobody's to delete.
    assert ages(places.store) == [0, 1, 2, 3, 4, 5, 6, 7, 9]
    assert [note.startswith("Kept, whatever it is: ") for note in done.plan.notes] == [True, True]


def test_an_artifact_of_another_database_in_this_ones_folder_is_not_touched(places: Places) -> None:
    fill(places, offsite=0)
    stranger = artifact(20)
    put(places.store, f"{stranger.prefix}/manifest.json", to_bytes(replace(stranger, database="other")))

    places.prune()

    assert 20 in ages(places.store)


def test_unsound_nights_do_not_push_sound_ones_out(places: Places) -> None:
    finding = (Finding("table collapsed", "public.users", "100", "1", "Look."),)
    for age in range(12):
        put_artifact(places.store, artifact(age, findings=finding if age < 4 else ()))

    places.prune()

    assert ages(places.store) == [*range(11)]


def test_half_an_artifact_that_nobody_writes_to_is_finished_next_time(places: Places) -> None:
    fill(places)
    put(places.store, "hackorda/20200101T000000Z-aaaaaa/dump/1.dat", b"half")
    put(places.offsite, "hackorda/20200101T000000Z-aaaaaa/dump/1.dat", b"half")

    young = places.plan(now=NOW - timedelta(days=2, hours=12))
    assert [each.remove for each in young.leftovers] == [False, False]
    done = places.prune()

    assert [each.subject for each in done.removed] == ["hackorda/20200101T000000Z-aaaaaa"] * 2
    assert ages(places.store) == list(range(7))


def test_a_copy_that_was_cut_short_is_left_for_the_next_try(places: Places) -> None:
    fill(places)
    put(places.offsite, f"{artifact(2).prefix}/{DUMP}", b"x")
    places.offsite.delete(f"{artifact(2).prefix}/manifest.json")

    done = places.prune()

    [left] = done.plan.leftovers
    assert (left.subject, left.remove) == (artifact(2).prefix, False)
    assert "the next attempt of a copy may continue" in left.reason
    assert 2 in ages(places.offsite)


def test_whoever_deletes_manifests_does_not_find_that_retention_does_the_rest(places: Places) -> None:
    fill(places)
    put_drill(places, 7)
    for age in (0, 1, 7):
        places.store.delete(f"{artifact(age).prefix}/manifest.json")

    done = places.prune()

    assert {each.subject for each in done.plan.leftovers} == {artifact(age).prefix for age in (0, 1, 7)}
    assert done.removed == ()
    [proven] = [each for each in done.plan.leftovers if each.subject == artifact(7).prefix]
    assert "the last one here that a drill proved" in proven.reason
    assert any(artifact(7).prefix in note for note in done.plan.notes)
    assert ages(places.store) == list(range(8))


def test_a_key_without_the_right_to_delete_is_one_clear_error_and_leaves_the_rest_as_planned(
    s3_server: S3Server, places: Places
) -> None:
    fill(places)

    def no_deletes(request: Request, forward: Forward) -> Reply:
        return refusal(403, "AccessDenied") if request.method == "DELETE" else forward(request)

    with through(s3_server, places, no_deletes) as refused, pytest.raises(PermanentError) as raised:
        refused.prune()

    assert raised.value.what.startswith("1 step of retention failed. 1 artifact deleted: ")
    assert "AccessDenied" in raised.value.what
    assert "to delete objects" in raised.value.next_step
    assert ages(places.store) == list(range(7))
    assert len(catalog.read(places.offsite, "hackorda", now=NOW).artifacts) == 8
    [event] = read_log(places.store, "hackorda")
    assert event.outcome == "failure"
    assert len(places.prune().deleted) == 1


def test_a_deletion_that_is_cut_short_leaves_no_artifact_and_is_finished_next_time(
    s3_server: S3Server, places: Places
) -> None:
    fill(places, store=7)

    def no_more_after_the_manifests(request: Request, forward: Forward) -> Reply:
        if request.method == "DELETE" and not request.path.endswith("manifest.json"):
            return refusal(403, "AccessDenied")
        return forward(request)

    with through(s3_server, places, no_more_after_the_manifests) as cut, pytest.raises(PermanentError):
        cut.prune()

    assert len(catalog.read(places.offsite, "hackorda", now=NOW).artifacts) == 7
    assert ages(places.offsite) == list(range(8))
    assert len(places.prune().removed) == 1
    assert ages(places.offsite) == list(range(7))


def test_a_bucket_that_does_not_answer_deletes_nothing_anywhere(s3_server: S3Server, places: Places) -> None:
    fill(places)

    def silent(_request: Request, _forward: Forward) -> None:
        return None

    with through(s3_server, places, silent) as away, pytest.raises(RetryableError):
        away.prune()

    assert ages(places.store) == list(range(8))


def test_a_key_that_may_not_list_versions_deletes_nothing_and_is_told(
    s3_server: S3Server, places: Places
) -> None:
    fill(places)

    def no_versions(request: Request, forward: Forward) -> Reply:
        return refusal(403, "AccessDenied") if "versions" in request.path else forward(request)

    with through(s3_server, places, no_versions) as refused, pytest.raises(StoreRefused) as raised:
        refused.prune()

    assert "list versions" in raised.value.next_step
    assert raised.value.meaning.startswith("Nothing was deleted")
    assert ages(places.store) == list(range(8))


def test_a_key_that_may_not_list_versions_will_do_where_nothing_is_to_be_deleted(
    s3_server: S3Server, places: Places
) -> None:
    fill(places)

    def no_versions(request: Request, forward: Forward) -> Reply:
        return refusal(403, "AccessDenied") if "versions" in request.path else forward(request)

    with through(s3_server, places, no_versions) as refused:
        done = refused.prune(refused.database(offsite=None))

    assert ages(places.store) == list(range(7))
    assert ages(places.offsite) == list(range(8))
    assert done.plan.stocks[1].size_bytes > 0
    assert any("has no right to list versions" in note for note in done.plan.notes)


def test_a_provider_without_versions_is_served_as_well(s3_server: S3Server, places: Places) -> None:
    fill(places)

    def none(request: Request, forward: Forward) -> Reply:
        return refusal(501, "NotImplemented") if "versions" in request.path else forward(request)

    with through(s3_server, places, none) as without:
        done = without.prune()

    assert ages(places.offsite) == list(range(7))
    assert (done.left_bytes, done.plan.stocks[1].keeps_versions) == (0, False)


def test_a_copy_that_takes_up_an_artifact_meanwhile_is_noticed_and_leaves_no_false_backup(
    s3_server: S3Server, places: Places
) -> None:
    fill(places)
    taken_up = artifact(7)
    manifest_key = f"{taken_up.prefix}/manifest.json"
    copied = []

    def copy_once(request: Request, forward: Forward) -> Reply:
        answer = forward(request)
        if request.method == "DELETE" and request.path.endswith(DUMP) and not copied:
            copied.append(True)
            # As a copy does that found the other file there: it has nothing else to write.
            put(places.offsite, manifest_key, to_bytes(taken_up))
        return answer

    database = places.database(store=None)
    with (
        through(s3_server, places, copy_once) as racing,
        pytest.raises(PermanentError, match="Somebody is writing to"),
    ):
        racing.prune(database)

    assert artifact(7) not in catalog.read(places.offsite, "hackorda", now=NOW).artifacts
    whole = copy_artifact(
        places.store,
        places.offsite,
        prefix=taken_up.prefix,
        files=taken_up.files,
        manifest_bytes=to_bytes(taken_up),
    )
    assert whole.files == 3


def test_an_artifact_that_is_gone_already_is_no_error(s3_server: S3Server, places: Places) -> None:
    fill(places, store=0, offsite=10)
    gone = []

    def another_run(request: Request, forward: Forward) -> Reply:
        if request.method == "DELETE" and not gone:
            gone.append(True)
            for age in (8, 7):
                for name in ("manifest.json", DUMP, "RESTORE.md"):
                    places.offsite.delete(f"{artifact(age).prefix}/{name}")
        return forward(request)

    with through(s3_server, places, another_run) as beside:
        done = beside.prune()

    assert [each.artifact_id for each in done.deleted] == [artifact(9).artifact_id]
    assert ages(places.offsite) == list(range(7))


def test_abandoned_uploads_are_counted_and_ended(s3_server: S3Server, places: Places) -> None:
    key = f"off-site/{artifact(1).prefix}/{DUMP}"
    # The S3 server dates every upload to 2010.
    s3_server.client().create_multipart_upload(Bucket=places.offsite.bucket, Key=key)

    assert [stock.uploads for stock in places.plan().stocks] == [(), (key,)]
    assert places.prune(places.database(offsite=None)).ended_uploads == ()
    assert places.prune().ended_uploads == (key,)
    assert unfinished(s3_server, places.offsite.bucket) == []


def test_a_store_that_is_the_off_site_bucket_is_refused(places: Places) -> None:
    database = places.database().model_copy(update={"store": places.database().offsite})

    with pytest.raises(ConfigError, match="are the same place"):
        places.prune(database)


def test_a_folder_made_in_a_console_does_not_stop_a_deletion_half_way(
    s3_server: S3Server, places: Places
) -> None:
    fill(places)
    for folder in (artifact(7).prefix, f"{artifact(7).prefix}/dump", "hackorda"):
        s3_server.client().put_object(Bucket=places.offsite.bucket, Key=f"off-site/{folder}/")

    places.prune()

    assert ages(places.offsite) == list(range(7))


def test_aws_is_one_place_with_and_without_its_endpoint(places: Places) -> None:
    offsite = places.database().offsite
    nights = offsite.model_copy(update={"endpoint_url_env": "NIGHTS_ENDPOINT_URL", "prefix": "/off-site/"})
    database = places.database().model_copy(update={"store": nights})
    aws = {"OFFSITE_ENDPOINT_URL": "", "NIGHTS_ENDPOINT_URL": "https://s3.eu-central-1.amazonaws.com"}

    with pytest.raises(ConfigError, match="are the same place"):
        open_places(Protected("hackorda", database, {**places.environ, **aws}))
