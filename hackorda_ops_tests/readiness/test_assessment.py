"""What everything in a real folder and a real bucket comes to."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hackorda_ops.artifacts.manifest import FileEntry, Manifest
from hackorda_ops.config.models import Costs
from hackorda_ops.readiness.assessment import Readiness, assess
from hackorda_ops.readiness.survey import read_survey
from hackorda_ops_tests.readiness.kept import EMPTIED, Kept, utc
from hackorda_ops_tests.stores.examples import put

FRIDAY = utc(11, 20, 12)


def assessed(kept: Kept, now: datetime = FRIDAY, **environ: str) -> Readiness:
    survey = read_survey(kept.protected(**environ), now=now)
    return assess(survey, kept.policy)


def of_size(kept: Kept, captured_at: datetime, size_bytes: int) -> Manifest:
    return kept.night(
        captured_at,
        files=tuple(FileEntry(f"dump/{oid}.dat.zst", size_bytes // 2, "a" * 64) for oid in (16385, 16386)),
    )


def test_what_the_schedule_asks_for_is_held_against_what_there_is(kept_on_neon: Kept) -> None:
    kept_on_neon.in_order(FRIDAY)
    ready = assessed(kept_on_neon)

    assert ready.judgement.word == "OK"
    assert [(each.kind, each.newest_at, each.next_due_at, each.overdue) for each in ready.asked] == [
        ("proof", None, utc(11, 21, 2), False),
        ("night", utc(11, 20, 2), utc(11, 21, 2), False),
        ("week", utc(11, 15, 2), utc(11, 22, 4), False),
        ("quarter", utc(11, 15, 6), utc(11, 20, 6).replace(year=2027, month=1, day=3), False),
        ("year", utc(2, 1, 9), utc(11, 20, 9).replace(year=2027, month=3, day=25), False),
    ]
    assert (ready.exposed_seconds, ready.recovery_point_objective_seconds) == (36_000, 86_400)
    assert (ready.recovery_seconds, ready.recovery_time_objective_seconds) == (134, 1_800)
    assert ready.longest_gap_seconds == 86_400


def test_what_is_missing_shows_where_it_is_asked_for(kept: Kept) -> None:
    ready = assessed(kept)
    assert ready.judgement.word == "UNPROTECTED"
    assert [(each.kind, each.newest_at, each.overdue) for each in ready.asked] == [
        ("proof", None, False),
        ("night", None, True),
        ("week", None, False),
        ("quarter", None, False),
    ]
    assert (ready.exposed_seconds, ready.recovery_seconds, ready.longest_gap_seconds) == (None, None, None)
    assert (ready.time_by_drills.outcome, ready.time_by_size.outcome) == ("too few points", "too few points")
    assert (ready.sizes, ready.drills) == ((), ())


def test_the_longest_gap_is_of_sound_nights_of_the_last_week(kept: Kept) -> None:
    kept.night(utc(10, 1, 2))
    for day in (14, 15, 16, 18, 20):
        kept.night(utc(11, day, 2))
    kept.night(utc(11, 17, 2), findings=(EMPTIED,))
    assert assessed(kept).longest_gap_seconds == 2 * 86_400


def test_recovery_times_of_drills_that_passed_foretell_when_the_objective_breaks(kept: Kept) -> None:
    kept.night(utc(11, 20, 2))
    proven = kept.night(utc(11, 15, 2))
    kept.copy(proven)
    for month, seconds in ((2, 600.0), (5, 800.0), (8, 1_000.0)):
        kept.drill(proven, utc(month, 15, 6), recovery_seconds=seconds)
    kept.drill(proven, utc(10, 15, 6), "FAIL", recovery_seconds=9_000.0)
    kept.drill(proven, utc(11, 16, 6), recovery_seconds=1_205.0)
    ready = assessed(kept)

    assert ready.time_by_drills.outcome == "on a day"
    assert ready.time_by_drills.at is not None
    # About 2.2 s more a day, and some 600 s to go.
    assert date(2027, 7, 1) < ready.time_by_drills.at.date() < date(2027, 9, 1)
    assert ready.judgement.word == "OK"
    assert len(ready.drills) == 5


def test_a_size_that_grows_foretells_it_as_well(kept: Kept) -> None:
    for back in range(20, -1, -1):
        newest = of_size(kept, utc(11, 20, 2) - timedelta(days=back), 2_000_000 - 40_000 * back)
    kept.copy(newest)
    # The same size that takes 1,500 s reaches 1,800 s when it has grown by a fifth: in ten nights.
    kept.drill(newest, utc(11, 20, 6), recovery_seconds=1_500.0)
    ready = assessed(kept)

    assert ready.time_by_drills.outcome == "too few points"
    assert ready.time_by_size.outcome == "on a day"
    assert ready.time_by_size.at is not None
    assert ready.time_by_size.at.date() == date(2026, 11, 30)
    assert ready.judgement.word == "AT RISK"
    assert ready.judgement.reasons == (
        "The size of a night grows by 1.2 MB in 30 days: at this rate it reaches 2.4 MB, which would take 30 min, "
        "the objective, to recover, on 2026-11-30.",
    )


def test_every_byte_that_is_paid_for_is_counted_by_storage_class_and_priced(kept: Kept) -> None:
    kept.policy = kept.policy.model_copy(update={"costs": Costs(offsite_usd_per_gb_month=6.0)})
    client = kept.offsite._client
    versioning = {"Status": "Enabled"}
    client.put_bucket_versioning(Bucket=kept.offsite.bucket, VersioningConfiguration=versioning)
    put(kept.store, "hackorda/20261120T020000Z-0a1b2c/dump/1.dat.zst", b"1" * 1_000)
    put(kept.store, "other/20261120T020000Z-0a1b2c/dump/1.dat.zst", b"1" * 9_000)
    put(kept.offsite, "hackorda/a", b"1" * 2_000)
    put(kept.offsite, "hackorda/a", b"1" * 500)
    put(replace(kept.offsite, storage_class="STANDARD_IA"), "hackorda/b", b"1" * 4_000)

    [store, offsite] = assessed(kept).costs
    assert (store.stored.total_bytes, dict(store.stored.bytes_by_class)) == (1_000, {"": 1_000})
    assert store.usd_per_month is None
    assert dict(offsite.stored.bytes_by_class) == {"STANDARD": 2_500, "STANDARD_IA": 4_000}
    assert (offsite.stored.total_bytes, offsite.stored.superseded_bytes) == (6_500, 2_000)
    assert offsite.usd_per_month == pytest.approx(6_500 / 1e9 * 6)


def test_a_place_that_cannot_be_read_is_left_out_and_told_once(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    ready = assessed(kept, OFFSITE_SECRET_ACCESS_KEY="")
    assert ready.judgement.word == "AT RISK"
    assert len(ready.standing.problems) == 1
    assert [cost.stored.place for cost in ready.costs] == ["store"]
    assert len(ready.drills) == 1


def test_times_are_the_same_wherever_it_is_looked_from(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    assert assessed(kept).asked == assessed(kept, FRIDAY.astimezone(ZoneInfo("Asia/Almaty"))).asked
