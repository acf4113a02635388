"""What a run's failure says, and what it is told again as."""

import dagster as dg
import pytest
from dagster import DagsterInstance

from hackorda_ops.errors import LockHeld, LoginRefused, OpsError
from hackorda_ops.orchestration.failures import cause_of, failure_of


def _cause_of_a_run_that_raises(error: BaseException, instance: DagsterInstance) -> object:
    @dg.op
    def fails() -> None:
        raise error

    @dg.job(executor_def=dg.in_process_executor)
    def failing() -> None:
        fails()

    result = failing.execute_in_process(instance=instance, raise_on_error=False)
    [ended] = result.filter_events(lambda event: event.is_job_failure)
    return cause_of(result.get_step_failure_events(), ended)


@pytest.mark.parametrize(("kind", "retried"), [(LockHeld, True), (LoginRefused, False)])
def test_only_what_may_pass_is_tried_again(kind: type[OpsError], retried: bool) -> None:
    assert failure_of(kind("a", meaning="b", next_step="c")).allow_retries is retried


def test_the_cause_is_the_errors_own_three_sentences(instance: DagsterInstance) -> None:
    error = LoginRefused("The password is wrong.", meaning="No dump.", next_step="Mend it.")

    cause = _cause_of_a_run_that_raises(failure_of(error), instance)

    assert vars(cause) == {"what": "The password is wrong.", "meaning": "No dump.", "next_step": "Mend it."}


def test_an_error_that_nobody_foresaw_is_told_without_dagsters_wrapper(instance: DagsterInstance) -> None:
    error = RuntimeError("outer")
    error.__cause__ = ZeroDivisionError("the root of it")

    cause = _cause_of_a_run_that_raises(error, instance)

    assert "ZeroDivisionError: the root of it" in str(cause)
    assert "outer" not in str(cause)
    assert "DagsterExecution" not in str(cause)
