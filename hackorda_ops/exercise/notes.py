"""An exercise's notebook: what it has done and seen so far, whatever happens next."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hackorda_ops.exercise.checks import WORDING
from hackorda_ops.exercise.result import Moment
from hackorda_ops.hooks.hooks import HookRun
from hackorda_ops.proof.notebook import Notebook
from hackorda_ops.proof.verdict import Wording


@dataclass
class Notes(Notebook):
    """Everything that goes into the result; the exercise fills it in as it goes.

    Attributes:
        tables, rows: compared.
        recovery_seconds, lost_seconds, answered_seconds, hooks: see `ExerciseResult`.
    """

    wording: Wording = WORDING
    timeline: list[Moment] = field(default_factory=list)
    tables: int = 0
    rows: int = 0
    recovery_seconds: float | None = None
    lost_seconds: float | None = None
    answered_seconds: float | None = None
    hooks: list[HookRun] = field(default_factory=list)

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
