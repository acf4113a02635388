"""What readiness, alarms and metrics make of the proofs of nights."""

from datetime import date, timedelta

import pytest

from hackorda_ops.config.models import Policy
from hackorda_ops.readiness.assessment import assess
from hackorda_ops.readiness.at_risk import at_risk
from hackorda_ops.readiness.metrics import metrics_text
from hackorda_ops.readiness.standing import Standing
from hackorda_ops.readiness.survey import read_survey
from hackorda_ops_tests.readiness.kept import Kept, utc

# A Friday; nights are due at 2, their proofs overdue an hour after them, at 9.
FRIDAY = utc(11, 20, 12)


@pytest.fixture
def asked(kept: Kept) -> Kept:
    """Somebody has asked for proofs; the nights of a week are there."""
    return _asking(kept, every="night")


def _asking(kept: Kept, **proof: str) -> Kept:
    written = kept.policy.model_dump(mode="json", exclude_unset=True)
    kept.policy = Policy.model_validate({**written, "proof": proof})
    kept.in_order(FRIDAY)
    return kept


def _late(standing: Standing) -> list[tuple[str, date, str]]:
    return [(each.kind, each.partition, each.sentence) for each in standing.overdue]


def _samples(kept: Kept, standing: Standing) -> list[str]:
    text = metrics_text((standing,), {"hackorda": kept.policy}, standing.at).decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_a_night_that_was_proven_counts_from_its_proof_on(asked: Kept) -> None:
    asked.proof(asked.night(utc(11, 19, 3)), utc(11, 19, 4))
    assert asked.standing(utc(11, 20, 8)).overdue == ()
    assert [kind for kind, *_ in _late(asked.standing(FRIDAY))] == ["proof"]

    proof = asked.proof(asked.night(utc(11, 20, 3)), utc(11, 20, 4))
    standing = asked.standing(FRIDAY)

    assert standing.overdue == ()
    assert standing.hours_since_proven == 8
    assert standing.newest_proven is not None
    assert standing.newest_proven.drill_id == proof.proof_id
    # The drill's own numbers stay the drill's.
    assert standing.last_proven is not None
    assert standing.last_proven.captured_at == utc(11, 15, 2)
    assert at_risk(standing).startswith("The last proven restore point is from 2026-11-20 03:00 UTC")
    assert standing.newest_sound_night is not None
    assert standing.newest_sound_night.judgement == f"proven (proof {proof.proof_id})"
    samples = _samples(asked, standing)
    assert 'hackorda_ops_hours_since_proven{database="hackorda"} 8.0' in samples
    assert 'hackorda_ops_overdue{database="hackorda",kind="proof"} 0.0' in samples
    assert 'hackorda_ops_last_night_proof_passed{database="hackorda"} 1.0' in samples
    ready = assess(read_survey(asked.protected(), now=FRIDAY), asked.policy)
    assert ready.judgement.word == "OK"
    assert [each.newest_at for each in ready.asked if each.kind == "proof"] == [utc(11, 20, 4)]


def test_a_proof_that_failed_is_told_in_the_words_of_the_table_and_the_night_is_not_relied_on(
    asked: Kept,
) -> None:
    proof = asked.proof(asked.night(utc(11, 20, 3)), utc(11, 20, 4), "FAIL")
    standing = asked.standing(FRIDAY)
    [(kind, partition, sentence)] = _late(standing)
    assert (kind, partition) == ("proof", date(2026, 11, 20))
    assert "FAILED (the backup does not restore what the database held)" in sentence
    assert proof.proof_id in sentence
    assert "hackorda-ops prove hackorda" in standing.overdue[0].next_step
    assert [each.artifact_id for each in standing.passed_over] == [proof.artifact.artifact_id]
    assert 'hackorda_ops_last_night_proof_passed{database="hackorda"} 0.0' in _samples(asked, standing)


def test_a_proof_that_could_not_judge_is_overdue_where_somebody_asked_for_it(asked: Kept) -> None:
    asked.proof(asked.night(utc(11, 20, 3)), utc(11, 20, 4), "ERROR")
    [late] = asked.standing(FRIDAY).overdue
    assert late.sentence == "The proof of the night of 2026-11-20 could not judge (ERROR): There's no server."
    assert late.next_step == "Install one."


def test_where_nobody_asked_what_is_missing_is_said_and_nothing_is_overdue(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    assert kept.standing(FRIDAY).overdue == ()
    kept.proof(kept.night(utc(11, 20, 3)), utc(11, 20, 4), "ERROR")
    standing = kept.standing(FRIDAY)
    assert standing.overdue == ()
    assert "could not be proven: There's no server. Install one." in at_risk(standing)
    assert assess(read_survey(kept.protected(), now=FRIDAY), kept.policy).judgement.word == "OK"


def test_where_nobody_asked_a_proof_that_failed_counts_all_the_same(kept: Kept) -> None:
    kept.in_order(FRIDAY)
    kept.proof(kept.night(utc(11, 20, 3)), utc(11, 20, 4), "FAIL")
    assert [kind for kind, *_ in _late(kept.standing(FRIDAY))] == ["proof"]


def test_with_one_a_week_any_of_the_last_seven_nights_will_do(kept: Kept) -> None:
    _asking(kept, every="week")
    assert [kind for kind, *_ in _late(kept.standing(FRIDAY))] == ["proof"]
    kept.proof(kept.night(utc(11, 14, 3)), utc(11, 14, 4))
    assert kept.standing(FRIDAY).overdue == ()
    kept.night(utc(11, 21, 2))
    assert [kind for kind, *_ in _late(kept.standing(FRIDAY + timedelta(days=1)))] == ["proof"]


def test_a_later_drill_takes_back_what_a_proof_has_said(asked: Kept) -> None:
    night = asked.night(utc(11, 20, 3))
    asked.proof(night, utc(11, 20, 4))
    asked.drill(night, utc(11, 20, 6), "FAIL")
    standing = asked.standing(FRIDAY)
    assert standing.night_proven is None
    assert standing.newest_proven == standing.last_proven
