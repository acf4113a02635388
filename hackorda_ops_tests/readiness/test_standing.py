"""How a database stands, read from a real folder and a real bucket."""

import shutil
from datetime import date, timedelta

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import MANIFEST_NAME
from hackorda_ops.artifacts.operations_log import Event, record
from hackorda_ops.config.places import S3
from hackorda_ops.config.scratch import ScratchPlace
from hackorda_ops.drill.report.history import drill_prefix
from hackorda_ops.readiness import reading
from hackorda_ops.readiness.assessment import assess
from hackorda_ops.readiness.at_risk import at_risk
from hackorda_ops.readiness.standing import Standing
from hackorda_ops.readiness.survey import read_survey
from hackorda_ops_tests.readiness.kept import EMPTIED, Kept, utc
from hackorda_ops_tests.stores.examples import put

# A Friday; nights are due at 2, and overdue at 8.
FRIDAY = utc(11, 20, 12)


def overdue(standing: Standing) -> list[tuple[str, date]]:
    return [(each.kind, each.partition) for each in standing.overdue]


def sentence(standing: Standing) -> str:
    [one] = standing.overdue
    return one.sentence


def test_a_database_in_order_has_nothing_overdue(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    standing = kept.standing(FRIDAY)

    assert (standing.overdue, standing.problems) == ((), ())
    assert standing.newest_night == standing.newest_sound_night
    assert standing.newest_night is not None
    assert standing.newest_night.captured_at == utc(11, 20, 2)
    assert standing.newest_copy is not None
    assert standing.newest_copy.night == date(2026, 11, 15)
    assert standing.last_proven is not None
    assert standing.last_proven.captured_at == utc(11, 15, 2)
    assert standing.last_proven.kept
    assert at_risk(standing) == (
        "The last proven restore point is from 2026-11-15 02:00 UTC, 5 days old. "
        "The newest sound backup is from 2026-11-20 02:00 UTC, 10 h old."
    )


def test_a_database_that_never_had_a_night_is_unprotected_and_that_alone_is_told(kept: Kept) -> None:
    standing = kept.standing(FRIDAY)
    assert overdue(standing) == [("night", date(2026, 11, 20))]
    assert sentence(standing) == "No night has ever been taken: there is no backup of it."
    assert at_risk(standing) == "There is no restore point: whatever the database loses now is lost."


def test_a_new_database_is_not_asked_for_what_was_due_before_it_was_protected(kept_on_neon: Kept) -> None:
    kept_on_neon.night(FRIDAY - timedelta(hours=1))
    standing = kept_on_neon.standing(FRIDAY)
    assert overdue(standing) == []
    assert at_risk(standing).startswith(
        "No restore point has ever been proven. The newest sound backup is from"
    )

    # Its own first Sunday is another matter.
    for day in range(21, 24):
        kept_on_neon.night(utc(11, day, 2))
    assert overdue(kept_on_neon.standing(utc(11, 22, 9))) == []
    assert overdue(kept_on_neon.standing(utc(11, 22, 10))) == [("week", date(2026, 11, 16))]


def test_the_operations_log_remembers_what_retention_has_deleted(kept: Kept) -> None:
    kept.night(utc(11, 20, 2))
    assert overdue(kept.standing(FRIDAY)) == []
    record([kept.store], "hackorda", Event("night", utc(9, 1), "success", "2026-09-01", "Taken."))
    assert overdue(kept.standing(FRIDAY)) == [("week", date(2026, 11, 9)), ("quarter", date(2026, 10, 1))]


def test_a_missed_night_is_overdue_after_its_grace_and_stays_so_when_the_next_one_is_due(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    saturday = date(2026, 11, 21)
    assert overdue(kept.standing(utc(11, 21, 7, 59))) == []
    standing = kept.standing(utc(11, 21, 8))
    assert overdue(standing) == [("night", saturday)]
    assert sentence(standing) == "The night of 2026-11-21, due at 2026-11-21 02:00 (UTC), was not taken."
    assert standing.overdue[0].since == timedelta(hours=6)
    assert standing.overdue[0].due_at == utc(11, 21, 2)

    assert overdue(kept.standing(utc(11, 22, 2, 1)))[0] == ("night", saturday)
    kept.night(utc(11, 22, 2))
    assert overdue(kept.standing(utc(11, 22, 3))) == []


def test_a_night_that_is_not_sound_does_not_count_and_says_what_was_found(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    unsound = kept.night(utc(11, 21, 2), findings=(EMPTIED,))
    standing = kept.standing(utc(11, 21, 9))
    assert sentence(standing) == (
        "The night of 2026-11-21, due at 2026-11-21 02:00 (UTC), "
        "was taken and failed its checks: table emptied (public.users)."
    )
    assert standing.newest_night is not None
    assert standing.newest_night.artifact_id == unsound.artifact_id
    assert standing.newest_sound_night is not None
    assert standing.newest_sound_night.night == date(2026, 11, 20)


def test_a_sound_dump_of_the_same_night_counts_whichever_came_first(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    kept.night(utc(11, 21, 0, 30))
    # The night before's, queued past midnight.
    kept.night(utc(11, 21, 1), night=date(2026, 11, 20))
    kept.night(utc(11, 21, 2), findings=(EMPTIED,))
    assert overdue(kept.standing(utc(11, 21, 9))) == []


def test_only_the_newest_files_are_opened(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    for store in (kept.store, kept.offsite):
        put(store, f"hackorda/20261101T020000Z-0a1b2c/{MANIFEST_NAME}", b"{")
        put(store, f"{drill_prefix('hackorda', '20260801T020000Z-0a1b2c')}/report.json", b"{")
    assert kept.standing(FRIDAY).problems == ()


def test_a_damaged_manifest_is_told_and_the_night_before_it_is_found(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    put(kept.store, f"hackorda/20261120T090000Z-0a1b2c/{MANIFEST_NAME}", b"{")
    put(kept.store, "hackorda/20261120T100000Z-0a1b2c/dump/toc.dat", b"an upload under way")
    standing = kept.standing(FRIDAY)
    [problem] = standing.problems
    assert "20261120T090000Z-0a1b2c" in problem
    assert standing.newest_night is not None
    assert standing.newest_night.captured_at == utc(11, 20, 2)


def test_what_a_wrong_clock_dated_into_the_future_does_not_hide_that_nothing_comes(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    wrong = kept.night(utc(12, 24, 2))
    kept.copy(wrong)
    standing = kept.standing(utc(11, 23, 9))
    assert overdue(standing) == [("night", date(2026, 11, 23)), ("week", date(2026, 11, 16))]
    assert [problem.partition(" has ")[0] for problem in standing.problems] == [
        "The store",
        "The off-site bucket",
    ]
    assert "20261224T020000Z-0a1b2c, which is dated in the future" in standing.problems[0]
    kept.night(utc(11, 23, 10, 1))
    standing = kept.standing(utc(11, 23, 9))
    assert ("night", date(2026, 11, 23)) in overdue(standing)
    assert standing.newest_night is not None
    assert standing.newest_night.captured_at == FRIDAY.replace(hour=2)
    # As much as clocks may differ.
    kept.night(utc(11, 23, 10))
    assert ("night", date(2026, 11, 23)) not in overdue(kept.standing(utc(11, 23, 9)))


def test_readiness_and_the_catalog_agree_on_what_is_dated_after_now(kept: Kept) -> None:
    now = utc(11, 23, 9)
    for minutes in (-1, 0, 1, 59, 60, 61, 24 * 60):
        made = kept.night(now + timedelta(minutes=minutes))
        kept.copy(made)
        newest = catalog.read(kept.store, "hackorda", now=now).newest
        standing = kept.standing(now)
        assert newest is not None
        for seen in (standing.newest_night, standing.newest_sound_night, standing.newest_copy):
            assert seen is not None
            assert seen.artifact_id == newest.artifact_id
        assert (newest == made) == (minutes <= 60)
        survey = read_survey(kept.protected(), now=now)
        assert survey.artifacts[-1].artifact_id == newest.artifact_id


def test_a_drill_that_is_dated_after_now_is_no_measure_and_no_proof(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    before = kept.standing(FRIDAY)
    proven = kept.night(FRIDAY - timedelta(days=3))
    kept.copy(proven)
    kept.drill(proven, FRIDAY + timedelta(days=30))
    kept.exercise(FRIDAY + timedelta(days=30))

    after = kept.standing(FRIDAY)
    survey = read_survey(kept.protected(), now=FRIDAY)

    assert after.last_proven == before.last_proven
    assert after.last_exercise_passed_at == before.last_exercise_passed_at
    assert [each.started_at < FRIDAY for each in survey.drills] == [True]
    assert sum("dated in the future" in problem for problem in survey.standing.problems) == 3


def test_what_is_odd_is_told_and_hides_nothing_that_is_overdue(kept_on_neon: Kept) -> None:
    kept_on_neon.in_order(FRIDAY)
    kept_on_neon.night(utc(12, 24, 2))
    put(kept_on_neon.store, "hackorda/exercises/20261101T090000Z-0a1b2c/result.json", b"{")
    put(kept_on_neon.store, f"{drill_prefix('hackorda', '20261118T020000Z-0a1b2c')}/report.json", b"{")
    standing = kept_on_neon.standing(FRIDAY)
    assert (standing.overdue, standing.unreadable, len(standing.problems)) == ((), (), 3)
    assert standing.judged == ("night", "week", "quarter", "year", "proof")


def test_a_folder_named_by_a_date_that_never_was_is_no_artifact(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    put(kept.store, "hackorda/00000000T000000Z-aaaaaa/dump/toc.dat", b"whatever")
    put(kept.store, "hackorda/operations/00000000T000000Z-night-aaaaaa.json", b"{}")
    standing = kept.standing(FRIDAY)
    assert (standing.overdue, standing.problems) == ((), ())


def test_a_database_that_breaks_the_look_is_told_and_does_not_break_that_of_others(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.in_order(FRIDAY)

    def broken(*_: object, **__: object) -> None:
        raise OverflowError("a time that no calendar has")

    monkeypatch.setattr(reading, "newest_drills", broken)
    standing = kept.standing(FRIDAY)
    assert (standing.overdue, standing.judged) == ((), ())
    assert standing.problems == standing.unreadable
    assert "Looking at hackorda failed" in standing.problems[0]
    assert "OverflowError" in standing.problems[0]
    survey = read_survey(kept.protected(), now=FRIDAY)
    assert survey.standing == standing
    assert len(survey.artifacts) == 7
    assert assess(survey, kept.policy).judgement.word == "UNKNOWN"


def test_a_drill_or_an_exercise_that_was_killed_is_none(kept_on_neon: Kept) -> None:
    kept_on_neon.in_order(FRIDAY)
    for folder in ("drills", "exercises"):
        put(kept_on_neon.store, f"hackorda/{folder}/20261119T060000Z-0a1b2c/comparison.csv", b"begun")
    standing = kept_on_neon.standing(FRIDAY)
    assert (standing.overdue, standing.problems) == ((), ())


def test_what_a_drill_found_bad_stays_bad_once_the_newer_artifact_that_passed_is_gone(kept: Kept) -> None:
    bad = kept.night(utc(11, 17, 2))
    kept.copy(bad)
    kept.drill(bad, utc(11, 17, 6), "FAIL")
    passed = kept.night(utc(11, 18, 2))
    kept.copy(passed)
    kept.drill(passed, utc(11, 18, 6))
    assert kept.standing(utc(11, 18, 12)).newest_copy is not None

    for store in (kept.store, kept.offsite):
        for each in list(store.list(f"{passed.prefix}/")):
            store.delete(each.key)
    standing = kept.standing(utc(11, 18, 12))
    assert (standing.newest_sound_night, standing.newest_copy) == (None, None)
    assert {each.artifact_id for each in standing.passed_over} == {bad.artifact_id}


def test_a_report_that_is_damaged_in_one_store_is_read_from_the_other(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    proven = kept.standing(FRIDAY).last_proven
    assert proven is not None
    key = f"{drill_prefix('hackorda', proven.drill_id)}/report.json"
    put(kept.store, key, b"{")
    assert kept.standing(FRIDAY).last_proven == proven
    put(kept.offsite, key, b"{")
    standing = kept.standing(FRIDAY)
    assert standing.last_proven is None
    assert proven.drill_id in standing.problems[0]


def test_a_week_without_a_copy_is_overdue_until_a_later_one_is_there(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    nights = [kept.night(utc(11, day, 2)) for day in (21, 22, 23)]
    standing = kept.standing(utc(11, 23, 9))
    assert sentence(standing) == (
        "The off-site copy of the week of 2026-11-16, due at 2026-11-22 04:00 (UTC), is not there."
    )
    kept.copy(nights[-1])
    assert overdue(kept.standing(utc(11, 23, 9))) == []


def test_a_quarter_whose_drill_failed_is_overdue_and_says_so(kept: Kept) -> None:
    artifact = kept.night(utc(10, 4, 2))
    kept.copy(artifact)
    kept.drill(artifact, utc(7, 5, 6))
    now = utc(10, 4, 13)
    assert sentence(kept.standing(now)) == (
        "The restore drill of 2026-Q4, due at 2026-10-04 06:00 (UTC), was not run."
    )
    kept.drill(artifact, utc(10, 4, 6), "ERROR")
    assert sentence(kept.standing(now)).endswith(
        "was run on 2026-10-04 and could not judge (ERROR); its report is 20261004T060000Z-4c5d6e."
    )
    kept.drill(artifact, utc(10, 4, 7), "FAIL")
    standing = kept.standing(now)
    assert "was run on 2026-10-04 and FAILED" in sentence(standing)
    assert standing.last_drill is not None
    assert standing.last_drill.verdict == "FAIL"
    # What a drill proved once, a later one has shown to restore no longer.
    assert (standing.last_proven, standing.newest_copy) == (None, None)
    assert [(each.artifact_id, each.sound) for each in standing.passed_over] == [
        (artifact.artifact_id, False)
    ] * 2

    again = kept.drill(artifact, utc(10, 4, 8))
    standing = kept.standing(now)
    assert overdue(standing) == []
    assert standing.last_proven is not None
    assert standing.last_proven.drill_id == again.drill_id


def test_a_drill_that_makes_up_for_a_past_quarter_does_not_hide_a_newer_proof(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    old = kept.night(utc(9, 27, 2))
    kept.drill(old, utc(11, 19, 6), quarter=date(2026, 7, 1))
    proven = kept.standing(FRIDAY).last_proven
    assert proven is not None
    assert proven.captured_at == utc(11, 15, 2)


def test_a_proven_artifact_that_is_gone_is_not_called_a_restore_point(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    proven = kept.standing(FRIDAY).last_proven
    assert proven is not None
    shutil.rmtree(kept.store.root / "hackorda" / proven.artifact_id)
    assert kept.standing(FRIDAY).last_proven == proven

    client, key = kept.offsite._client, f"copies/hackorda/{proven.artifact_id}/{MANIFEST_NAME}"
    client.delete_object(Bucket=kept.offsite.bucket, Key=key)
    standing = kept.standing(FRIDAY)
    assert standing.last_proven is not None
    assert not standing.last_proven.kept
    assert at_risk(standing).startswith(
        "The last proven restore point, from 2026-11-15 02:00 UTC, 5 days old, is no longer there."
    )


def test_what_is_left_of_a_proven_artifact_without_its_manifest_is_no_restore_point(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    prefix = "hackorda/20261115T020000Z-0a1b2c"
    for store in (kept.store, kept.offsite):
        put(store, f"{prefix}/dump/toc.dat", b"left behind")
        store.delete(f"{prefix}/{MANIFEST_NAME}")
    proven = kept.standing(FRIDAY).last_proven
    assert proven is not None
    assert not proven.kept
    put(kept.store, f"{prefix}/{MANIFEST_NAME}", b"{")
    assert kept.standing(FRIDAY).last_proven == proven


@pytest.mark.parametrize(
    ("store", "offsite", "told"),
    [
        ("copies", "/copies/", "are the same place, s3://{bucket}/copies: there is no second copy."),
        ("copies/nights", "copies", "are one bucket, {bucket}: emptying it would lose both copies."),
    ],
)
def test_a_second_copy_in_the_same_bucket_is_told(kept: Kept, store: str, offsite: str, told: str) -> None:
    bucket = kept.policy.offsite.model_copy(update={"prefix": offsite})
    nights = S3.model_validate({**bucket.model_dump(exclude={"name", "retention"}), "prefix": store})
    kept.policy = kept.policy.model_copy(update={"store": nights, "offsite": bucket})
    standing = kept.standing(FRIDAY)
    assert standing.problems == (f"The store and off-site {told.format(bucket=kept.offsite.bucket)}",)
    assert standing.unreadable == ()


def test_a_year_is_asked_for_on_neon_only(kept_on_neon: Kept) -> None:
    kept = kept_on_neon
    kept.night(utc(1, 10, 2))
    kept.in_order(FRIDAY)
    kept.exercise(utc(2, 2, 9), "FAIL")
    assert overdue(kept.standing(FRIDAY)) == []
    assert kept.standing(FRIDAY).last_exercise_passed_at == utc(2, 1, 9)

    shutil.rmtree(kept.store.root / "hackorda" / "exercises" / "20260201T090000Z-9f8e7d")
    assert sentence(kept.standing(FRIDAY)) == (
        "The recovery exercise of 2026, due at 2026-03-25 09:00 (UTC), was run on 2026-02-02 and FAILED; "
        "its report is 20260202T090000Z-9f8e7d."
    )
    kept.policy = kept.policy.model_copy(update={"scratch": ScratchPlace.model_validate({"server": {}})})
    assert overdue(kept.standing(FRIDAY)) == []


def test_an_exercise_that_makes_up_for_a_past_year_does_not_hide_that_of_this_year(
    kept_on_neon: Kept,
) -> None:
    kept_on_neon.in_order(FRIDAY)
    kept_on_neon.exercise(utc(3, 5, 9), year=date(2025, 1, 1))
    assert overdue(kept_on_neon.standing(FRIDAY)) == []


def test_a_new_database_is_told_of_its_first_night_alone_whichever_place_answers(kept_on_neon: Kept) -> None:
    tonight = [("night", date(2026, 11, 20))]
    without_offsite = kept_on_neon.standing(FRIDAY, OFFSITE_SECRET_ACCESS_KEY="")
    assert overdue(without_offsite) == tonight
    assert sentence(without_offsite).endswith("was not taken.")
    # The next night is due, and may be on its way.
    assert overdue(kept_on_neon.standing(utc(11, 21, 2, 1))) == tonight
    assert overdue(kept_on_neon.standing(utc(11, 21, 8))) == [("night", date(2026, 11, 21))]

    shutil.rmtree(kept_on_neon.store.root.parent)
    assert overdue(kept_on_neon.standing(FRIDAY)) == []


def test_before_its_first_night_is_overdue_a_database_is_unprotected_all_the_same(kept: Kept) -> None:
    schedule = kept.policy.schedule.model_copy(update={"since": date(2026, 11, 20)})
    kept.policy = kept.policy.model_copy(update={"schedule": schedule})
    for now in (utc(11, 20, 2, 1), utc(11, 20, 8), utc(11, 21, 7)):
        assert overdue(kept.standing(now)) == [("night", date(2026, 11, 20))]


def test_a_store_that_cannot_be_read_is_told_and_what_it_holds_is_not_judged(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    standing = kept.standing(utc(11, 24), OFFSITE_SECRET_ACCESS_KEY="")
    assert overdue(standing) == [("night", date(2026, 11, 23))]
    [problem] = standing.problems
    assert problem.startswith("The off-site bucket can't be read: ")
    # The drills' reports are in the store too.
    assert standing.last_proven is not None

    shutil.rmtree(kept.store.root.parent)
    neither = kept.standing(utc(11, 24), OFFSITE_SECRET_ACCESS_KEY="")
    assert overdue(neither) == []
    assert len(neither.problems) == len(neither.unreadable) == 2
    assert (standing.judged, neither.judged) == (("night", "quarter", "proof"), ())
    assert at_risk(neither) == "No restore point was found, and not all places could be read."
