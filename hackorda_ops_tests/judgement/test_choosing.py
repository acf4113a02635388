"""Which artifact a restore takes, and what it says of the others."""

from datetime import UTC, datetime

import pytest

from hackorda_ops.artifacts.catalog import Catalog
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.errors import ArtifactMissing
from hackorda_ops.judgement.artifact import ArtifactJudgement, State
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import Held, Judged
from hackorda_ops.stores.store import PlaceName
from hackorda_ops_tests.artifacts.nights import of_night

NOW = datetime(2026, 12, 1, tzinfo=UTC)
WHERE: dict[PlaceName, str] = {"store": "/nights", "offsite": "s3://offsite"}


def held(manifest: Manifest, state: State, place: PlaceName = "offsite", *, ahead: bool = False) -> Held:
    return Held(
        place,
        f"{WHERE[place]}/{manifest.prefix}",
        manifest,
        ArtifactJudgement(state, f"it is {state}", None),
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
    assert "--artifact" in caught.value.next_step
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
