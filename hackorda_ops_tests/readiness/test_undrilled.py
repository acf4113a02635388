"""A copy whose turn to be drilled came, and that was not drilled."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.proof.verdict import Verdict
from hackorda_ops.readiness.undrilled import undrilled
from hackorda_ops_tests.drill import results

NOW = datetime(2026, 12, 1, tzinfo=UTC)
PLACES = {"aws": "s3://one", "b2": "s3://two"}
LONG_AGO = dict.fromkeys(PLACES, NOW - timedelta(days=1000))


def drill(*places: str, days_ago: int, verdict: Verdict = "PASS") -> DrillResult:
    plain = results.sound()
    assert plain.artifact is not None
    location = " and ".join(f"{each}/{plain.database}/{plain.artifact.artifact_id}" for each in places)
    return replace(
        plain,
        verdict=verdict,
        started_at=NOW - timedelta(days=days_ago),
        artifact=replace(plain.artifact, location=location),
    )


def test_copies_that_had_their_turn_are_not_named() -> None:
    drills = [drill("s3://one", days_ago=10), drill("s3://two", days_ago=100)]
    assert [*undrilled(PLACES, LONG_AGO, drills, NOW)] == []


def test_one_that_was_always_passed_over_is_named_with_its_last_drill() -> None:
    drills = [drill("s3://one", days_ago=10), drill("s3://two", days_ago=300)]
    [told] = undrilled(PLACES, LONG_AGO, drills, NOW)
    assert told.startswith(
        "b2 has not been drilled since 2026-02-04, although each quarter drills another of the 2"
    )


def test_a_drill_that_could_not_judge_and_one_of_two_places_count_for_neither() -> None:
    drills = [
        drill("s3://one", days_ago=10),
        drill("s3://two", days_ago=10, verdict="ERROR"),
        drill("s3://one", "s3://two", days_ago=10),
    ]
    [told] = undrilled(PLACES, LONG_AGO, drills, NOW)
    assert told.startswith("b2 has not been drilled at all")


def test_a_young_copy_has_time_until_its_turn_and_a_single_one_is_drilled_each_quarter() -> None:
    young = dict.fromkeys(PLACES, NOW - timedelta(days=200))
    assert [*undrilled(PLACES, young, [], NOW)] == []
    assert [*undrilled({"aws": "s3://one"}, LONG_AGO, [], NOW)] == []
