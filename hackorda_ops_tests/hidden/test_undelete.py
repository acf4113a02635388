"""What delete markers hide is found and brought back, and nothing comes back whose bytes aren't the manifest's."""

from dataclasses import replace

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.fetch import fetch_artifact
from hackorda_ops.artifacts.twins import Fetched
from hackorda_ops.errors import ArtifactDamaged, StoreRefused
from hackorda_ops.hidden.as_it_was import as_it_was
from hackorda_ops.hidden.seen import hidden_evidence, hidden_in
from hackorda_ops.hidden.undelete import show_again, undelete
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.progress import ignore
from hackorda_ops.retention.wanted import wanted_back
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops_tests.retention.places import DUMP, NOW, ROWS, Places, ages, artifact
from hackorda_ops_tests.stores.examples import put
from hackorda_ops_tests.stores.s3_proxy import Forward, Reply, Request, proxied, refusal

pytestmark = pytest.mark.server


def delete_everything(store: S3Store) -> None:
    """A delete marker on every key, by the store's own credentials."""
    for file in list(store.list("")):
        store.delete(file.key)


def versions(store: S3Store) -> list[tuple[str, str | None, bool]]:
    """All that a bucket keeps."""
    return sorted((each.key, each.version_id, each.marker) for each in store.versions(""))


def test_a_delete_marker_on_every_key_is_seen_through(versioned: Places) -> None:
    store = versioned.offsite
    delete_everything(store)
    assert catalog.read(store, "hackorda").artifacts == ()

    hidden = hidden_in("hackorda", store.versions("hackorda/"))

    assert [each.artifact_id for each in hidden] == [artifact(age).artifact_id for age in range(8)]
    assert all(each.whole for each in hidden)
    assert hidden[0].sentence.startswith(f"{artifact(0).artifact_id}: hidden behind delete markers since ")
    assert hidden[0].size_bytes > 2 * len(ROWS)


def test_it_is_brought_back_by_removing_the_markers_alone(versioned: Places) -> None:
    store = versioned.offsite
    before = versions(store)
    delete_everything(store)

    for age in range(8):
        done = undelete(store, "hackorda", artifact(age).artifact_id)
        assert (done.files, done.shown_again, done.written_again, done.problem) == (3, 3, 0, "")

    assert versions(store) == before
    assert list(catalog.read(store, "hackorda", now=NOW).artifacts) == [
        artifact(age) for age in reversed(range(8))
    ]


def test_a_dry_run_verifies_and_changes_nothing(versioned: Places) -> None:
    store = versioned.offsite
    delete_everything(store)
    before = versions(store)

    done = undelete(store, "hackorda", artifact(0).artifact_id, dry_run=True)

    assert (done.files, done.shown_again, done.written_again) == (3, 3, 0)
    assert versions(store) == before


def test_two_markers_on_each_other_are_both_removed(versioned: Places) -> None:
    store = versioned.offsite
    for _ in range(2):
        store.delete(f"{artifact(0).prefix}/{DUMP}")

    [hidden] = hidden_in("hackorda", store.versions("hackorda/"))
    done = undelete(store, "hackorda", artifact(0).artifact_id)

    assert (hidden.whole, hidden.hidden) == (False, (f"{artifact(0).prefix}/{DUMP}",))
    assert (done.shown_again, done.written_again) == (1, 0)
    assert store.read_small(f"{artifact(0).prefix}/{DUMP}") == ROWS


def test_where_no_version_may_be_deleted_the_bytes_are_written_again(versioned: Places) -> None:
    delete_everything(versioned.offsite)

    def no_versions(request: Request, forward: Forward) -> Reply:
        if request.method == "DELETE" and "versionId" in request.path:
            return refusal(403, "AccessDenied")
        return forward(request)

    there = versioned.offsite
    server = S3Server(str(there.endpoint_url), there.access_key_id, there.secret_access_key)
    with proxied(server, no_versions) as proxy:
        store = replace(versioned.offsite, endpoint_url=proxy.endpoint_url)
        done = undelete(store, "hackorda", artifact(0).artifact_id)

    assert (done.shown_again, done.written_again) == (0, 3)
    assert versioned.offsite.read_small(f"{artifact(0).prefix}/{DUMP}") == ROWS


def test_an_overwritten_file_is_taken_from_the_version_that_has_the_manifests_hash(versioned: Places) -> None:
    store, key = versioned.offsite, f"{artifact(0).prefix}/{DUMP}"
    put(store, key, b"ransom" * 20)
    put(store, key, b"x" * len(ROWS))

    done = undelete(store, "hackorda", artifact(0).artifact_id)

    assert (done.shown_again, done.written_again, done.problem) == (0, 1, "")
    assert store.read_small(key) == ROWS


def test_an_overwritten_manifest_is_taken_from_the_version_that_is_one(versioned: Places) -> None:
    store, key = versioned.offsite, f"{artifact(0).prefix}/manifest.json"
    put(store, key, b"pay us")

    assert undelete(store, "hackorda", artifact(0).artifact_id).written_again == 1
    assert artifact(0) in catalog.read(store, "hackorda", now=NOW).artifacts


def test_nothing_is_changed_where_one_file_has_no_version_with_the_right_bytes(versioned: Places) -> None:
    store, key = versioned.offsite, f"{artifact(0).prefix}/{DUMP}"
    right = store.versions_of(key)[0].version_id
    put(store, key, b"x" * len(ROWS))
    store.delete(key, right)
    delete_everything(store)
    before = versions(store)

    done = undelete(store, "hackorda", artifact(0).artifact_id)

    assert done.problem == f"no version of {DUMP} has the bytes that the manifest says"
    assert versions(store) == before


def test_what_retention_deleted_is_left_as_it_is_and_what_somebody_deleted_comes_back(
    versioned: Places,
) -> None:
    versioned.prune()
    assert ages(versioned.offsite) == list(range(7))
    delete_everything(versioned.offsite)

    wanted, others = wanted_back(versioned.protected(), "offsite", versioned.offsite, now=NOW)

    assert [each.artifact_id for each in wanted] == [artifact(age).artifact_id for age in range(7)]
    assert [each.artifact_id for each in others] == [artifact(7).artifact_id]


def test_reports_and_verifications_are_shown_again(versioned: Places) -> None:
    store = versioned.offsite
    put(store, "hackorda/drills/20260101T000000Z-aaaaaa/report.json", b"{}")
    put(store, "hackorda/other/thing", b"{}")
    delete_everything(store)

    evidence = hidden_evidence("hackorda", store.versions("hackorda/"))

    assert [each.key.split("/")[1] for each in evidence] == ["drills"]
    assert show_again(store, evidence) == 1
    assert store.read_small("hackorda/drills/20260101T000000Z-aaaaaa/report.json") == b"{}"


def test_a_store_as_it_was_lists_and_reads_what_is_hidden_and_changes_nothing(versioned: Places) -> None:
    store = versioned.offsite
    delete_everything(store)
    before = versions(store)

    was = as_it_was(store, "hackorda")

    assert list(catalog.read(was, "hackorda", now=NOW).artifacts) == [
        artifact(age) for age in reversed(range(8))
    ]
    assert was.read_small(f"{artifact(0).prefix}/{DUMP}") == ROWS
    with pytest.raises(StoreRefused):
        was.delete(f"{artifact(0).prefix}/{DUMP}")
    assert versions(store) == before


def test_a_restore_reads_the_version_beneath_a_damaged_or_hidden_file(
    versioned: Places, tmp_path: object
) -> None:
    store, manifest = versioned.offsite, artifact(0)
    put(store, f"{manifest.prefix}/{DUMP}", b"x" * len(ROWS))
    store.delete(f"{manifest.prefix}/RESTORE.md")
    folder = versioned.store.root / "fetched"
    folder.mkdir()
    seen = Fetched()

    fetch_artifact(store, manifest, folder, on_progress=ignore, twins={}, fetched=seen)

    assert (folder / DUMP).read_bytes() == (folder / "RESTORE.md").read_bytes() == ROWS
    assert sorted(seen.damaged) == ["RESTORE.md", DUMP]
    assert all(twin.version_id for twin in seen.taken.values())


def test_a_drill_judges_the_copy_itself_and_not_what_lies_beneath(versioned: Places) -> None:
    store, manifest = versioned.offsite, artifact(0)
    put(store, f"{manifest.prefix}/{DUMP}", b"x" * (len(ROWS) + 1))
    folder = versioned.store.root / "fetched"
    folder.mkdir()

    with pytest.raises(ArtifactDamaged):
        fetch_artifact(store, manifest, folder, on_progress=ignore)


def test_a_folder_says_that_it_keeps_no_versions(versioned: Places) -> None:
    with pytest.raises(StoreRefused, match="keeps no versions"):
        undelete(versioned.store, "hackorda", artifact(0).artifact_id)
    assert as_it_was(versioned.store, "hackorda") is versioned.store
