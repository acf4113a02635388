"""An exercise's notebook: what it has done and seen so far, whatever happens next."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hackorda_ops.drill.result import Failure
from hackorda_ops.errors import OpsError
from hackorda_ops.exercise.result import ExerciseCheck, ExerciseCheckName, Moment


@dataclass
class Notes:
    """Everything that goes into the result; the exercise fills it in as it goes.

    Attributes:
        tables, rows: compared.
        recovery_seconds, lost_seconds: see `ExerciseResult`.
    """

    checks: list[ExerciseCheck] = field(default_factory=list)
    timeline: list[Moment] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    error: Failure | None = None
    tables: int = 0
    rows: int = 0
    recovery_seconds: float | None = None
    lost_seconds: float | None = None

    @contextmanager
    def doing(self, what: str, commands: str = "") -> Iterator[None]:
        """A line of the timeline, also where it fails."""
        at, began = datetime.now(UTC), time.monotonic()
        outcome = ": failed"
        try:
            yield
            outcome = ""
        finally:
            self.timeline.append(Moment(at, what + outcome, commands, round(time.monotonic() - began, 3)))

    def check(self, name: ExerciseCheckName, passed: bool, summary: str) -> None:
        """Writes a check down."""
        self.checks.append(ExerciseCheck(name, "passed" if passed else "failed", summary))

    def fail(self, error: OpsError) -> None:
        """The first cause counts; later ones are told beside it."""
        if self.error is None:
            self.error = Failure(error.what, error.meaning, error.next_step)
        else:
            self.findings.append(f"Afterwards: {error.what} {error.next_step}")
        self.findings += getattr(error, "__notes__", ())
