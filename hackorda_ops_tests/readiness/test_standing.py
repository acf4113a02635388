"""How a database stands, read from a real folder and a real bucket."""

import shutil
from datetime import date, timedelta

from hackorda_ops.backup.manifest import MANIFEST_NAME
from hackorda_ops.backup.operations_log import Event, record
from hackorda_ops.config_places import Scratch, ServerScratch
from hackorda_ops.drill.history import drill_prefix
from hackorda_ops.readiness.standing import Standing, at_risk
from hackorda_ops_tests.backup.stores import put
from hackorda_ops_tests.readiness.kept import EMPTIED, Kept, utc

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
        "The last proven restore point is of 2026-11-15 02:00 UTC, 5 days old. "
        "The newest sound backup is of 2026-11-20 02:00 UTC, 10 h old."
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
        "No restore point has ever been proven. The newest sound backup is of"
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
        "was taken and isn't sound: table emptied (public.users)."
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
    assert "20261224T020000Z-0a1b2c, which lies in the future" in standing.problems[0]
    # As much as clocks may differ.
    kept.night(utc(11, 23, 20))
    assert ("night", date(2026, 11, 23)) not in overdue(kept.standing(utc(11, 23, 9)))


def test_a_drill_or_an_exercise_that_was_killed_is_none(kept_on_neon: Kept) -> None:
    kept_on_neon.in_order(FRIDAY)
    for folder in ("drills", "exercises"):
        put(kept_on_neon.store, f"hackorda/{folder}/20261119T060000Z-0a1b2c/comparison.csv", b"begun")
    standing = kept_on_neon.standing(FRIDAY)
    assert (standing.overdue, standing.problems) == ((), ())


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
    last = kept.drill(artifact, utc(7, 5, 6))
    now = utc(10, 4, 13)
    assert sentence(kept.standing(now)) == (
        "The restore drill of 2026-Q4, due at 2026-10-04 06:00 (UTC), was not held."
    )
    kept.drill(artifact, utc(10, 4, 6), "ERROR")
    assert sentence(kept.standing(now)).endswith(
        "was held on 2026-10-04 and could not judge (ERROR); its report is 20261004T060000Z-4c5d6e."
    )
    kept.drill(artifact, utc(10, 4, 7), "FAIL")
    standing = kept.standing(now)
    assert "was held on 2026-10-04 and FAILED" in sentence(standing)
    assert standing.last_drill is not None
    assert standing.last_drill.verdict == "FAIL"
    assert standing.last_proven is not None
    assert standing.last_proven.drill_id == last.drill_id

    kept.drill(artifact, utc(10, 4, 8))
    assert overdue(kept.standing(now)) == []


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
        "The last proven restore point, of 2026-11-15 02:00 UTC, 5 days old, is no longer there."
    )


def test_a_year_is_asked_for_on_neon_only(kept_on_neon: Kept) -> None:
    kept = kept_on_neon
    kept.night(utc(1, 10, 2))
    kept.in_order(FRIDAY)
    kept.exercise(utc(2, 2, 9), "FAIL")
    assert overdue(kept.standing(FRIDAY)) == []
    assert kept.standing(FRIDAY).last_exercise_passed_at == utc(2, 1, 9)

    shutil.rmtree(kept.store.root / "hackorda" / "exercises" / "20260201T090000Z-9f8e7d")
    assert sentence(kept.standing(FRIDAY)) == (
        "The recovery exercise of 2026, due at 2026-02-01 09:00 (UTC), was held on 2026-02-02 and FAILED; "
        "its report is 20260202T090000Z-9f8e7d."
    )
    kept.policy = kept.policy.model_copy(update={"scratch": Scratch(server=ServerScratch())})
    assert overdue(kept.standing(FRIDAY)) == []


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
    assert len(neither.problems) == 2
    assert at_risk(neither) == "No restore point was found, and not all places could be read."
