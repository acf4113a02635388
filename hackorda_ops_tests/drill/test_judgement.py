"""The verdict, from what was seen."""

import pytest

from hackorda_ops.drill.checks.registry import checks_of
from hackorda_ops.drill.judgement import complete, judge
from hackorda_ops.drilling.record import Record
from hackorda_ops.errors import ConnectionLost, Problem
from hackorda_ops.findings import Finding
from hackorda_ops.proof.check import Check, Outcome

FINDING = Finding("rows differ", "public.users", "3 rows", "2 rows", "Use another artifact.")
FAILURE = Problem("The scratch is gone.", "Nobody knows.", "Try again.")
STOPPED = ConnectionLost("It broke off.", meaning="Nobody knows.", next_step="Try again.")
NAMES = tuple(each.name for each in checks_of("postgres"))


def checks(**outcomes: str) -> tuple[Check, ...]:
    return tuple(Check(name, outcomes.get(name, "passed"), f"{name}.") for name in NAMES)  # type: ignore[arg-type]  # a test's own words


def test_all_passed_is_a_pass() -> None:
    assert judge(checks(), (), None) == ("PASS", None)


@pytest.mark.parametrize("name", NAMES)
def test_no_failed_check_is_ever_a_pass(name: str) -> None:
    verdict, failure = judge(checks(**{name: "failed"}), (), None)
    of_the_drill = name in ("comparison_self_test", "scratch_gone")
    assert verdict == ("ERROR" if of_the_drill else "FAIL")
    assert (failure is not None) == of_the_drill


@pytest.mark.parametrize("outcome", ["not measured", "not reached"])
@pytest.mark.parametrize("name", NAMES)
def test_only_what_a_database_may_lack_may_be_unmeasured(name: str, outcome: Outcome) -> None:
    may_lack = (
        "branch_equals_manifest",
        "key_tables_near_production",
        "newest_row_recent",
        "migrations_apply",
    )
    verdict, failure = judge(checks(**{name: outcome}), (), None)
    assert verdict == ("PASS" if name in may_lack else "ERROR")
    if failure is not None:
        assert name in failure.what


def test_a_check_that_nobody_declares_must_pass_all_the_same() -> None:
    def with_another(outcome: Outcome) -> tuple[Check, ...]:
        return complete((Check("indexes_are_valid", outcome, "indexes_are_valid."), *checks()))

    assert judge(with_another("passed"), (), None) == ("PASS", None)
    assert judge(with_another("failed"), (), None) == ("FAIL", None)
    verdict, problem = judge(with_another("not measured"), (), None)
    assert verdict == "ERROR"
    assert problem is not None
    assert "indexes_are_valid" in problem.what


def test_every_check_is_named_once_and_says_what_it_is() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(each.title and each.description for each in checks_of("postgres"))


def test_a_finding_is_a_fail_whatever_else_went_wrong() -> None:
    assert judge(checks(scratch_gone="failed"), (FINDING,), FAILURE) == ("FAIL", None)


def test_a_warning_changes_no_verdict() -> None:
    warning = Finding("rows lost in migration", "public.users", "3 rows", "2 rows", "Look at it.")
    assert judge(checks(), (warning,), None) == ("PASS", None)
    assert judge(checks(), (warning,), FAILURE) == ("ERROR", FAILURE)
    assert judge(checks(), (warning, FINDING), None) == ("FAIL", None)


def test_an_error_is_never_a_pass() -> None:
    assert judge(checks(), (), FAILURE) == ("ERROR", FAILURE)


def test_a_drill_that_did_nothing_reached_nothing() -> None:
    assert {check.outcome for check in complete(())} == {"not reached"}
    assert tuple(check.name for check in complete(())) == NAMES
    assert judge(complete(()), (), None)[0] == "ERROR"


def test_the_checks_keep_their_order_whatever_order_they_came_in() -> None:
    assert complete(tuple(reversed(checks()))) == checks()


@pytest.mark.parametrize("stopped", [STOPPED, ZeroDivisionError()])
def test_what_a_check_has_found_counts_although_the_rest_of_it_could_not_be_made(stopped: Exception) -> None:
    record = Record()
    with (
        record.stoppable(),
        record.counting("restored_equals_manifest", (FINDING,), failed="The copy differs"),
    ):
        raise stopped

    assert [(each.name, each.outcome) for each in record.checks] == [("restored_equals_manifest", "failed")]
    assert judge(complete(record.checks), record.findings, record.problem)[0] == "FAIL"


def test_a_check_that_had_found_nothing_is_not_reached_where_the_rest_of_it_could_not_be_made() -> None:
    record = Record()
    with record.stoppable(), record.counting("restored_equals_manifest", (), failed="The copy differs"):
        raise STOPPED

    assert record.checks == []
    assert judge(complete(record.checks), record.findings, record.problem)[0] == "ERROR"
