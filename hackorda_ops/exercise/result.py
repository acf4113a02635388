"""What a recovery exercise found out, as plain values.

It's stored as JSON beside the artifacts. A release may add fields that have a default; anything else takes
another `RESULT_VERSION`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from hackorda_ops.errors import Problem
from hackorda_ops.hooks.hooks import HookRun
from hackorda_ops.proof.check import Check
from hackorda_ops.proof.verdict import Verdict

RESULT_VERSION: Final = 2
# Version 1 had no "not reached": it called that "not measured".
EARLIER_VERSIONS: Final = (1,)


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
        recovery_seconds: from asking for the branch to the success of the last hook, the comparison in between left
            out; without hooks to its first answered query; None if it did not get there.
        recovery_objective_seconds: what it is compared with.
        lost_seconds: how old the last commit that came back was when the data was destroyed.
        not_compared: what a PASS does not cover.
        quarter: in which it was run, as "2026-Q1"; "" in results of releases that called every exercise Q1.
        answered_seconds: from asking for the branch to its first answered query, where hooks ran after it.
        hooks: the team's hooks on the recovered branch, as they ran.
    """

    exercise_id: str
    database: str
    year: date
    started_at: datetime
    finished_at: datetime
    held_by: str
    verdict: Verdict
    error: Problem | None
    checks: tuple[Check, ...]
    timeline: tuple[Moment, ...]
    findings: tuple[str, ...]
    tables: int
    rows: int
    recovery_seconds: float | None
    recovery_objective_seconds: float
    lost_seconds: float | None
    not_compared: tuple[str, ...]
    product_version: str
    result_version: Literal[1, 2] = RESULT_VERSION
    quarter: str = ""
    answered_seconds: float | None = None
    hooks: tuple[HookRun, ...] = ()

    @property
    def held_in(self) -> str:
        """The quarter that it was run in, as its report is named."""
        return self.quarter or f"{self.year.year}-Q1"

    @property
    def report_name(self) -> str:
        """The file that people look for."""
        return f"{self.held_in}-dr-test.md"
