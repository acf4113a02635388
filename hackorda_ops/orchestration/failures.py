"""From an error of the core to Dagster's Failure, and back again for the alarm about it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NoReturn

import dagster as dg
from dagster import DagsterEvent

from hackorda_ops.drill.consequences import Loudness
from hackorda_ops.errors import OpsError, Problem
from hackorda_ops.redaction.passwords import without_passwords

# Half a minute, one, two: enough for a server that restarts or for a dump by hand that holds the
# lock a little longer. A longer outage needs a person.
#
# Not a RetryPolicy on the asset: Dagster (1.13) applies it to interrupts as well, so a run that somebody
# terminated would dump again half a minute later, and succeed.
_RETRIES: Final = 3
_FIRST_PAUSE_SECONDS: Final = 30

_WHAT: Final = "what"
_MEANING: Final = "meaning"
_NEXT_STEP: Final = "next step"
_HEADLINE: Final = "in short"
_ALARM: Final = "alarm"


def failure(
    what: str,
    *,
    meaning: str,
    next_step: str,
    headline: str | None = None,
    alarm: Loudness = "failure",
    shown: Mapping[str, dg.MetadataValue] | None = None,
) -> dg.Failure:
    """A failure that says what happened, what it means and what to do, as text and as metadata.

    Args:
        what: what happened.
        meaning: what that means for the backups.
        next_step: what to do.
        headline: the cause in a few words, for an alarm's title; None where the subject alone says enough.
        alarm: how loudly it is reported.
        shown: more for the page of the run: a report, what failed.
    """
    return dg.Failure(
        f"{what}\n\nWhat it means: {meaning}\n\nNext step: {next_step}",
        metadata={
            _WHAT: what,
            _MEANING: meaning,
            _NEXT_STEP: next_step,
            **({_HEADLINE: headline} if headline else {}),
            **({_ALARM: alarm} if alarm != "failure" else {}),
            **(shown or {}),
        },
        allow_retries=False,
    )


def failure_of(error: OpsError) -> dg.Failure:
    """The final failure for an error of the core.

    Raise it `from None`: Dagster stores the text of every exception in a chain, and those below an
    OpsError were never redacted.
    """
    return failure(error.what, meaning=error.meaning, next_step=error.next_step)


def fail(error: OpsError, *, attempts_before: int) -> NoReturn:
    """Ends a step with an error of the core, or requests another attempt where it may pass by itself.

    Raises:
        Failure: for good.
        RetryRequested: from the failure that it is when no attempt is left.
    """
    if error.retryable:
        pause_seconds = _FIRST_PAUSE_SECONDS * 2**attempts_before
        raise dg.RetryRequested(max_retries=_RETRIES, seconds_to_wait=pause_seconds) from failure_of(error)
    raise failure_of(error) from None


@contextmanager
def ends_the_step(
    context: dg.OpExecutionContext | dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
) -> Iterator[None]:
    """Around what calls the core: an error of it ends the step, or asks for another attempt (`fail`).

    Args:
        context: the step's.
    """
    try:
        yield
    except OpsError as error:
        fail(error, attempts_before=context.retry_number)


def is_last(error: OpsError, *, attempts_before: int) -> bool:
    """Whether `fail` ends a step for good."""
    return not error.retryable or attempts_before >= _RETRIES


def headline_of(step_failures: Iterable[DagsterEvent]) -> str | None:
    """The cause of a failed run in a few words, where `failure` was given them."""
    return _given_to_failure(step_failures, _HEADLINE)


def loudness_of(step_failures: Iterable[DagsterEvent]) -> Loudness:
    """How loudly a failed run is reported: as a failure, where `failure` was given nothing else."""
    return "warning" if _given_to_failure(step_failures, _ALARM) == "warning" else "failure"


def _given_to_failure(step_failures: Iterable[DagsterEvent], label: str) -> str | None:
    for event in step_failures:
        data = event.step_failure_data.user_failure_data
        if data is not None and label in data.metadata:
            return str(data.metadata[label].value)
    return None


def cause_of(step_failures: Iterable[DagsterEvent], run_failure: str) -> Problem:
    """Why a run failed, without Dagster's wrappers and without a secret.

    Args:
        step_failures: of the run; there are none after a SIGKILL or when memory ran out.
        run_failure: what Dagster says about its end.
    """
    for event in step_failures:
        data = event.step_failure_data
        if data.user_failure_data is not None:
            told = {key: str(value.value) for key, value in data.user_failure_data.metadata.items()}
            if told.keys() >= {_WHAT, _MEANING, _NEXT_STEP}:
                return Problem(told[_WHAT], told[_MEANING], told[_NEXT_STEP])
        error = data.error
        while error is not None and error.cause is not None:
            error = error.cause
        return Problem(
            # An unexpected error was never redacted: its message may quote a row or a secret.
            f"Unexpected error: {error.cls_name if error else without_passwords(event.message or '', ())}",
            meaning="The product did not expect this error, so it can't say. What was finished before is unchanged.",
            next_step="Read the run's log in Dagster, and report the error with it.",
        )
    return Problem(
        f"The run ended without an error of its own: {without_passwords(run_failure, ())}",
        meaning="Its process was killed, or never started (out of memory, a restart, a deployment). "
        "Nothing that it made counts as a backup; what was finished before is unchanged.",
        next_step="Find out what ended it, then materialize the same partition again.",
    )
