"""Which artifact is copied or drilled."""

from datetime import UTC, date, datetime

import pytest

from hackorda_ops.artifacts.catalog import Catalog, DamagedArtifact
from hackorda_ops.artifacts.choosing import damaged_since, newest_sound_of_week
from hackorda_ops.errors import ArtifactMissing
from hackorda_ops_tests.artifacts.nights import of_night

MONDAY = date(2026, 11, 16)


def test_a_weekly_copy_takes_the_newest_sound_artifact_of_its_week() -> None:
    week = (of_night(15), of_night(16), of_night(18), of_night(17), of_night(23))
    assert newest_sound_of_week(Catalog("store", week), MONDAY) == of_night(18)


def test_of_several_artifacts_of_one_night_the_last_counts() -> None:
    assert newest_sound_of_week(Catalog("store", (of_night(18, hour=23), of_night(18))), MONDAY) == of_night(
        18, hour=23
    )


def test_an_artifact_with_findings_is_not_shipped_while_an_older_sound_one_exists() -> None:
    assert newest_sound_of_week(
        Catalog("store", (of_night(17), of_night(18, sound=False))), MONDAY
    ) == of_night(17)


def test_an_artifact_that_is_known_not_to_restore_is_not_shipped() -> None:
    week = Catalog("store", (of_night(17), of_night(18)))

    assert newest_sound_of_week(week, MONDAY, {of_night(18).artifact_id}) == of_night(17)
    with pytest.raises(ArtifactMissing, match="none of them is sound"):
        newest_sound_of_week(week, MONDAY, {each.artifact_id for each in week.artifacts})


def test_a_week_without_a_sound_artifact_ships_nothing_from_another_week() -> None:
    with pytest.raises(ArtifactMissing, match=r"1 artifact\(s\) in the store, but none of them is sound"):
        newest_sound_of_week(Catalog("store", (of_night(15), of_night(18, sound=False))), MONDAY)
    with pytest.raises(ArtifactMissing, match="has no artifact"):
        newest_sound_of_week(Catalog("store", (of_night(15), of_night(23))), MONDAY)


def test_a_week_whose_only_artifact_is_dated_in_the_future_names_it_and_ships_nothing() -> None:
    other_week = of_night(23)
    found = Catalog("store", (), ahead=(of_night(18), other_week))

    with pytest.raises(ArtifactMissing, match=f"Dated after now.*{of_night(18).artifact_id}") as caught:
        newest_sound_of_week(found, MONDAY)
    assert other_week.artifact_id not in caught.value.what


@pytest.mark.parametrize(
    ("prefix", "quarter", "counts"),
    [
        ("hackorda/20261119T210000Z-0a1b2c", date(2026, 10, 1), True),
        ("hackorda/20261116T210000Z-0a1b2c", date(2026, 10, 1), False),
        ("hackorda/copied-by-hand", date(2026, 10, 1), False),
        ("hackorda/20261119T210000Z-0a1b2c", date(2026, 7, 1), False),
    ],
    ids=["newer", "older", "not ours", "of a later quarter"],
)
def test_a_damaged_artifact_counts_where_a_drill_would_have_restored_it(
    prefix: str, quarter: date, counts: bool
) -> None:
    damaged = DamagedArtifact(prefix, "It is not readable.")
    found = damaged_since(
        [damaged], of_night(18), quarter, date(2026, 11, 21), datetime(2026, 11, 21, 6, tzinfo=UTC)
    )
    assert found == ((damaged,) if counts else ())
