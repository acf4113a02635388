"""One word on a database, with its reasons."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.readiness.forecast import Forecast
from hackorda_ops.readiness.judgement import Word, judge
from hackorda_ops.readiness.standing import ArtifactSeen, DrillSeen, Overdue, Proof, Standing
from hackorda_ops_tests.readiness.kept import utc

NOW = utc(11, 20, 12)
NIGHT = ArtifactSeen("20261120T020000Z-0a1b2c", date(2026, 11, 20), utc(11, 20, 2), sound=True, size_bytes=10)
COPY = ArtifactSeen("20261115T020000Z-0a1b2c", date(2026, 11, 15), utc(11, 15, 2), sound=True, size_bytes=10)
PROOF = Proof(
    "20261115T060000Z-4c5d6e",
    date(2026, 10, 1),
    COPY.artifact_id,
    COPY.captured_at,
    utc(11, 15, 6),
    134.0,
    kept=True,
)
IN_ORDER = Standing(
    database="hackorda",
    at=NOW,
    newest_night=NIGHT,
    newest_sound_night=NIGHT,
    newest_copy=COPY,
    last_proven=PROOF,
    last_drill=DrillSeen(PROOF.drill_id, PROOF.quarter, "PASS", PROOF.drilled_at),
    last_exercise_passed_at=None,
    overdue=(),
    judged=("night", "week", "quarter", "year"),
    problems=(),
    unreadable=(),
)
LATE = Overdue("night", date(2026, 11, 20), utc(11, 20, 2), timedelta(hours=10), "The night was not taken.")


def test_a_database_in_order_is_ok_without_a_reason() -> None:
    judged = judge(IN_ORDER, Policy())
    assert (judged.word, judged.reasons) == ("OK", ())


@pytest.mark.parametrize(
    ("change", "word", "reason"),
    [
        (lambda it: replace(it, overdue=(LATE,)), "OVERDUE", "The night was not taken."),
        (lambda it: replace(it, problems=("Off-site can't be read.",)), "AT RISK", "Off-site can't be read."),
        (lambda it: replace(it, newest_copy=None), "AT RISK", "No sound artifact is off-site."),
        (
            lambda it: replace(it, newest_night=replace(NIGHT, sound=False)),
            "AT RISK",
            "The newest artifact in the store, 20261120T020000Z-0a1b2c, is not sound.",
        ),
        (
            lambda it: replace(it, last_proven=None, last_drill=None),
            "AT RISK",
            "No restore point has ever been proven.",
        ),
        (
            lambda it: replace(it, last_proven=replace(PROOF, kept=False)),
            "AT RISK",
            "The artifact that was proven last, 20261115T020000Z-0a1b2c, is no longer there.",
        ),
        (
            lambda it: replace(
                it,
                last_drill=DrillSeen(
                    "20261119T060000Z-4c5d6e",
                    PROOF.quarter,
                    "FAIL",
                    utc(11, 19, 6),
                    headline="the copy is damaged",
                ),
            ),
            "AT RISK",
            "The last drill, of 2026-11-19, ended with FAIL: the copy is damaged (drill 20261119T060000Z-4c5d6e).",
        ),
        (
            lambda it: replace(it, last_proven=replace(PROOF, recovery_seconds=2000.0)),
            "AT RISK",
            "The last proven recovery took 33 min 20 s, and its objective is 30 min.",
        ),
        (
            lambda it: replace(it, at=utc(11, 21, 8, 1)),
            "AT RISK",
            "The newest sound night is 30 h 1 min old, and the recovery point objective is 24 h.",
        ),
    ],
)
def test_each_thing_to_see_to_is_a_reason(
    change: Callable[[Standing], Standing], word: Word, reason: str
) -> None:
    judged = judge(change(IN_ORDER), Policy())
    assert (judged.word, judged.reasons) == (word, (reason,))


def test_the_first_reason_decides_what_to_do_first() -> None:
    mended = replace(LATE, next_step="Mend it.")
    drilled = DrillSeen(
        "20261119T060000Z-4c5d6e", PROOF.quarter, "FAIL", utc(11, 19, 6), next_step="Copy it again."
    )

    def step(**change: object) -> str:
        return judge(replace(IN_ORDER, **change), Policy()).next_step  # type: ignore[arg-type]

    assert step() == ""
    assert step(overdue=(mended,), last_drill=drilled) == "Mend it."
    assert step(overdue=(LATE,)).startswith("`hackorda-ops dump hackorda`, or materialize the night")
    assert step(last_drill=drilled) == "Copy it again."
    bad = replace(COPY, sound=False, judgement="damaged here")
    assert step(passed_over=(bad,), last_drill=drilled) == "Copy it again."
    assert step(passed_over=(bad,)).startswith("`hackorda-ops dump hackorda && ")
    assert step(newest_copy=None) == "`hackorda-ops copy hackorda`"
    assert step(last_proven=None, last_drill=None).startswith("`hackorda-ops drill hackorda`")
    assert "`hackorda-ops preflight hackorda`" in step(problems=("Off-site can't be read.",))


def test_a_night_that_is_on_its_way_does_not_break_the_recovery_point() -> None:
    assert judge(replace(IN_ORDER, at=utc(11, 21, 8)), Policy()).word == "OK"


def test_without_a_sound_backup_a_database_is_unprotected_or_nobody_knows() -> None:
    nothing = replace(
        IN_ORDER,
        newest_night=None,
        newest_sound_night=None,
        newest_copy=None,
        last_proven=None,
        last_drill=None,
        overdue=(LATE,),
    )
    assert judge(nothing, Policy()).word == "UNPROTECTED"
    odd = replace(nothing, problems=("Off-site can't be read.",))
    assert judge(odd, Policy()).word == "UNPROTECTED"
    assert judge(replace(odd, unreadable=odd.problems), Policy()).word == "UNKNOWN"


def test_an_objective_that_breaks_before_the_next_drill_is_a_reason() -> None:
    soon = Forecast("on a day", NOW + timedelta(days=92), "It breaks soon.")
    assert judge(IN_ORDER, Policy(), soon).reasons == ("It breaks soon.",)
    later = Forecast("on a day", NOW + timedelta(days=93), "It breaks later.")
    assert judge(IN_ORDER, Policy(), later).word == "OK"
