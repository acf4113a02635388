"""What a recovery exercise found out, as plain values, and its verdict.

It's stored as JSON beside the artifacts. A release may add fields that have a default; anything else takes
another `result_version`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, get_args

from hackorda_ops.drill.result import Failure, Verdict

ExerciseCheckName = Literal[
    "destroyed",
    "recovered_exactly",
    "recovery_point_kept",
    "within_recovery_time_objective",
    "branches_gone",
]
# When these fail, it's the exercise that is at fault and not the recovery.
_OF_THE_EXERCISE: Final[frozenset[ExerciseCheckName]] = frozenset({"destroyed", "branches_gone"})


@dataclass(frozen=True)
class ExerciseCheck:
    """One of the things that an exercise proves.

    Attributes:
        name: one of `ExerciseCheckName`.
        outcome: "not measured" is neither a pass nor a failure; `summary` says why.
        summary: one sentence.
    """

    name: ExerciseCheckName
    outcome: Literal["passed", "failed", "not measured"]
    summary: str


@dataclass(frozen=True)
class Moment:
    """One line of the timeline.

    Attributes:
        at: when it began, in UTC.
        what: what was done, in a sentence.
        commands: the SQL or the call that did it; "" for none.
        seconds: how long it took; None where that means nothing.
    """

    at: datetime
    what: str
    commands: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class ExerciseResult:
    """A whole exercise.

    Attributes:
        exercise_id: "YYYYMMDDTHHMMSSZ-xxxxxx", when it began.
        database: the protected database's name.
        year: the partition: first day of the year it counts for.
        started_at, finished_at: aware, UTC.
        held_by: who ran it, as "user on machine".
        verdict: PASS, FAIL (history does not bring the data back as it was, or too late) or ERROR.
        error: set with the verdict ERROR.
        checks: all of them.
        timeline: what was done, in order.
        findings: what was seen: what the destruction took along, and what did not come back.
        tables, rows: how many were compared.
        recovery_seconds: from asking for the branch to its first answered query; None if it did not get there.
        recovery_objective_seconds: what it is held against.
        lost_seconds: how old the last commit that came back was when the data was destroyed.
        not_compared: what a PASS does not speak of.
    """

    exercise_id: str
    database: str
    year: date
    started_at: datetime
    finished_at: datetime
    held_by: str
    verdict: Verdict
    error: Failure | None
    checks: tuple[ExerciseCheck, ...]
    timeline: tuple[Moment, ...]
    findings: tuple[str, ...]
    tables: int
    rows: int
    recovery_seconds: float | None
    recovery_objective_seconds: float
    lost_seconds: float | None
    not_compared: tuple[str, ...]
    product_version: str
    result_version: Literal[1] = 1

    @property
    def report_name(self) -> str:
        """The file that people look for: the exercise is the first quarter's, whenever it's held."""
        return f"{self.year.year}-Q1-dr-test.md"


def complete(checks: Sequence[ExerciseCheck]) -> tuple[ExerciseCheck, ...]:
    """Every check there is; those that the exercise did not come to are not measured."""
    by_name = {check.name: check for check in checks}
    return tuple(
        by_name.get(
            name, ExerciseCheck(name, "not measured", "Not measured: the exercise did not come so far.")
        )
        for name in get_args(ExerciseCheckName)
    )


def judge(checks: Sequence[ExerciseCheck], error: Failure | None) -> tuple[Verdict, Failure | None]:
    """Says what an exercise has proven. What was not measured is never a pass.

    Args:
        checks: all of them (`complete`).
        error: why the exercise stopped, if it did.

    Returns:
        The verdict, and with ERROR the reason.
    """
    failed = [check for check in checks if check.outcome == "failed"]
    if any(check.name not in _OF_THE_EXERCISE for check in failed):
        return "FAIL", None
    lacking = failed or [check for check in checks if check.outcome == "not measured"]
    if error is not None or not lacking:
        return ("ERROR", error) if error is not None else ("PASS", None)
    return "ERROR", Failure(
        " ".join(check.summary for check in lacking),
        "The exercise could not show that the data comes back, and found nothing against it either.",
        "Mend what is named here, then hold the exercise again.",
    )
