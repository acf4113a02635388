"""What a run's failure says, and what it is told again as."""

import traceback

import dagster as dg
import pytest
from dagster import DagsterInstance

from hackorda_ops.errors import LockHeld, LoginRefused, OpsError, Problem
from hackorda_ops.orchestration.failures import cause_of, fail


def _cause_of_a_run_that_raises(error: BaseException, instance: DagsterInstance) -> object:
    @dg.op
    def fails() -> None:
        # As `fail` raised it, with its cause.
        raise error from error.__cause__

    @dg.job(executor_def=dg.in_process_executor)
    def failing() -> None:
        fails()

    result = failing.execute_in_process(instance=instance, raise_on_error=False)
    [ended] = result.filter_events(lambda event: event.is_job_failure)
    return cause_of(result.get_step_failure_events(), ended.message or "")


def _ending(error: OpsError, *, attempts_before: int = 0) -> Exception:
    with pytest.raises((dg.Failure, dg.RetryRequested)) as caught:
        fail(error, attempts_before=attempts_before)
    return caught.value


def test_what_may_pass_is_tried_again_after_longer_and_longer_pauses() -> None:
    held = LockHeld("a", meaning="b", next_step="c")

    endings = [_ending(held, attempts_before=attempts) for attempts in range(3)]

    assert [
        (end.max_retries, end.seconds_to_wait) for end in endings if isinstance(end, dg.RetryRequested)
    ] == [
        (3, 30),
        (3, 60),
        (3, 120),
    ]


def test_what_cannot_pass_is_not_tried_again() -> None:
    ending = _ending(LoginRefused("a", meaning="b", next_step="c"))

    assert isinstance(ending, dg.Failure)
    assert not ending.allow_retries


@pytest.mark.parametrize("kind", [LoginRefused, LockHeld])
def test_what_the_error_itself_came_from_is_not_handed_to_dagster(kind: type[OpsError]) -> None:
    error = kind("a", meaning="b", next_step="c")
    error.__cause__ = ValueError("hunter2-is-a-secret")

    ending = _ending(error)

    assert "hunter2" not in "".join(traceback.format_exception(ending))


@pytest.mark.parametrize("kind", [LoginRefused, LockHeld])
def test_the_cause_is_the_errors_own_three_sentences(kind: type[OpsError], instance: DagsterInstance) -> None:
    error = kind("The password is wrong.", meaning="No dump.", next_step="Mend it.")
    ending = _ending(error)
    if isinstance(ending, dg.RetryRequested):
        ending.max_retries = 0  # as after the last attempt

    cause = _cause_of_a_run_that_raises(ending, instance)

    assert cause == Problem("The password is wrong.", "No dump.", "Mend it.")


def test_an_error_that_nobody_foresaw_is_told_without_dagsters_wrapper(instance: DagsterInstance) -> None:
    error = RuntimeError("outer")
    error.__cause__ = ZeroDivisionError("the root of it")

    cause = _cause_of_a_run_that_raises(error, instance)

    assert "Unexpected error: ZeroDivisionError" in str(cause)
    assert "the root of it" not in str(cause)  # which may quote a row
    assert "outer" not in str(cause)
    assert "DagsterExecution" not in str(cause)


@pytest.mark.parametrize("wrapped", [True, False])
def test_an_error_that_nobody_foresaw_is_told_without_a_password(
    instance: DagsterInstance, wrapped: bool
) -> None:
    secret = ValueError("no such host in postgres://ops:hunter2@db.example/shop?sslmode=require")
    error = RuntimeError("outer") if wrapped else secret
    error.__cause__ = secret if wrapped else None

    cause = _cause_of_a_run_that_raises(error, instance)

    assert "ValueError" in str(cause)
    assert "hunter2" not in str(cause)


def test_what_dagster_says_of_a_runs_end_is_told_without_a_password() -> None:
    cause = cause_of([], "Could not reach redis://:hunter2@broker.example/0")

    assert "broker.example" in cause.what
    assert "hunter2" not in cause.what
