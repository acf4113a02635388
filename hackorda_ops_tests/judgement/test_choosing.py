"""Which artifact a restore takes, and what it says of the others."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hackorda_ops.artifacts.catalog import Catalog
from hackorda_ops.artifacts.manifest import FileEntry, Manifest
from hackorda_ops.artifacts.twins import Twin
from hackorda_ops.errors import ArtifactMissing
from hackorda_ops.judgement.artifact import ArtifactJudgement, State
from hackorda_ops.judgement.choosing import choose, command_for, twins_for
from hackorda_ops.judgement.reading import Held, Judged
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.store import PlaceName, Store
from hackorda_ops_tests.artifacts.nights import of_night

NOW = datetime(2026, 12, 1, tzinfo=UTC)
WHERE: dict[PlaceName, str] = {"store": "/nights", "offsite": "s3://offsite"}


def held(
    manifest: Manifest,
    state: State,
    place: PlaceName = "offsite",
    *damaged: str,
    ahead: bool = False,
    if_whole: State = "unproven",
) -> Held:
    files = damaged or None if state == "damaged" else ()
    return Held(
        place,
        f"{WHERE[place]}/{manifest.prefix}",
        manifest,
        ArtifactJudgement(state, f"it is {state}", damaged_files=files, if_whole=if_whole),
        ahead,
    )


def judged(*there: Held) -> Judged:
    return Judged({place: Catalog(location, ()) for place, location in WHERE.items()}, there)


def test_the_newest_usable_one_is_taken_wherever_it_lies() -> None:
    week, night = held(of_night(15), "proven"), held(of_night(18), "unproven", "store")

    assert choose(judged(week, night), None).candidates == (night, week)


def test_of_one_artifact_in_two_places_the_copy_off_site_comes_first_and_the_other_next() -> None:
    there, here = held(of_night(18), "proven"), held(of_night(18), "proven", "store")

    assert choose(judged(here, there), None).candidates == (there, here)


@pytest.mark.parametrize("state", ["damaged", "does not restore", "unsound", "incomplete", "doubtful"])
def test_a_newer_one_that_something_is_known_against_is_passed_over_and_named(state: State) -> None:
    older, newer = held(of_night(15), "proven"), held(of_night(18), state)
    choice = choose(judged(older, newer), None)

    assert choice.candidates[0] == older
    assert choice.passed_over == (newer,)
    assert newer not in choice.candidates or state in ("incomplete", "doubtful")


def test_a_damaged_copy_leaves_its_twin_in_the_store() -> None:
    damaged, twin = held(of_night(18), "damaged"), held(of_night(18), "unproven", "store")
    choice = choose(judged(damaged, twin, held(of_night(15), "proven")), None)

    assert choice.candidates[0] == twin
    assert choice.passed_over == (damaged,)


def test_what_is_incomplete_or_doubtful_is_taken_only_where_nothing_better_is_left() -> None:
    doubtful, incomplete = held(of_night(18), "doubtful"), held(of_night(15), "incomplete")

    assert choose(judged(incomplete, doubtful), None).candidates == (doubtful, incomplete)


def test_nothing_that_does_not_restore_is_taken_unless_it_is_named() -> None:
    bad = held(of_night(18), "does not restore")

    with pytest.raises(ArtifactMissing, match=r"no sound artifact among 1.*it is does not restore") as caught:
        choose(judged(bad), None)
    line = f"hackorda-ops restore hackorda --artifact {bad.manifest.artifact_id} --from offsite"
    assert f"`{line}`" in caught.value.next_step
    assert command_for(bad) == line
    assert choose(judged(bad), bad.manifest.artifact_id).candidates == (bad,)


def test_one_that_is_asked_for_is_taken_from_the_place_where_it_is_whole() -> None:
    damaged, twin = held(of_night(18), "damaged"), held(of_night(18), "unproven", "store")

    assert choose(judged(damaged, twin), of_night(18).artifact_id).candidates == (twin, damaged)
    with pytest.raises(ArtifactMissing, match="no artifact 2020"):
        choose(judged(twin), "2020")


def test_what_is_dated_in_the_future_is_only_taken_when_it_is_asked_for() -> None:
    ahead = held(of_night(23), "unproven", ahead=True)

    with pytest.raises(ArtifactMissing, match="Dated after now"):
        choose(judged(ahead), None)
    assert choose(judged(ahead), ahead.manifest.artifact_id).candidates == (ahead,)


def files(manifest: Manifest, **hashes: str) -> Manifest:
    return replace(manifest, files=tuple(FileEntry(path, 10, sha * 64) for path, sha in hashes.items()))


def test_two_copies_that_are_damaged_in_different_files_are_one_whole_artifact() -> None:
    newest, older = files(of_night(18), a="1", b="2"), held(of_night(15), "proven")
    here, there = held(newest, "damaged", "store", "a"), held(newest, "damaged", "offsite", "b")
    choice = choose(judged(here, there, older), None)

    assert choice.candidates == (there, here, older)
    assert "can be taken from other copies" in choice.why
    # The same file, or nobody knows which, or it would not restore if it were whole: then there's no such thing.
    for other in (
        held(newest, "damaged", "offsite", "a"),
        held(newest, "damaged", "offsite"),
        held(newest, "damaged", "offsite", "b", if_whole="does not restore"),
    ):
        assert choose(judged(other, older), None).candidates == (older,)


def test_a_file_that_did_not_change_since_another_night_can_be_taken_from_that() -> None:
    damaged = held(files(of_night(18), a="1", b="2"), "damaged", "offsite", "a")
    night_before = held(files(of_night(17), x="1", y="3"), "unproven", "store")

    assert choose(judged(damaged, night_before), None).candidates == (damaged, night_before)


def test_the_twins_of_a_file_are_all_that_have_its_hash_and_are_not_known_to_be_damaged() -> None:
    stores: dict[PlaceName, Store] = {
        "store": FolderStore(Path("/nights")),
        "offsite": FolderStore(Path("/off")),
    }
    newest = files(of_night(18), a="1", b="2")
    one = held(newest, "damaged", "offsite", "a")
    twin, before = held(newest, "damaged", "store", "b"), held(files(of_night(17), x="1", y="3"), "unproven")

    twins = twins_for(one, judged(before, twin, one), stores)

    assert twins == {
        "1" * 64: [
            Twin(stores["store"], f"{newest.prefix}/a"),
            Twin(stores["offsite"], f"{before.manifest.prefix}/x"),
        ]
    }


def test_the_newest_is_verified_whatever_was_seen_of_it_before() -> None:
    damaged, older = held(of_night(18), "damaged"), held(of_night(15), "proven")

    assert choose(judged(damaged, older), None, also=frozenset({"damaged"})).candidates[0] == damaged
