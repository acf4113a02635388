"""The notebook of a drill or an exercise: what it has done and seen so far, whatever happens next."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hackorda_ops.errors import OpsError, Problem
from hackorda_ops.proof import check
from hackorda_ops.proof.check import Check
from hackorda_ops.proof.verdict import Wording
from hackorda_ops.unforeseen import as_error


@dataclass
class Notebook:
    """What every proof writes down; each kind adds what it measures.

    Attributes:
        wording: what it's called.
        checks: in the order in which they were made.
        problem: the first thing that kept it from going on, or from judging all that it has to judge.
        remarks: a sentence or two each: what a reader should know beside the checks.
    """

    wording: Wording
    checks: list[Check] = field(default_factory=list)
    problem: Problem | None = None
    remarks: list[str] = field(default_factory=list)
    _stopped: bool = False

    def decided(self, name: str, passed: bool, summary: str) -> None:
        """Writes down a check that could be made.

        Args:
            name: the check's name.
            passed: whether it passed.
            summary: the result in a sentence.
        """
        self.checks.append(check.decided(name, passed=passed, summary=summary))

    @property
    def checks_failed(self) -> bool:
        """Whether any check has failed so far."""
        return any(each.outcome == "failed" for each in self.checks)

    def not_measured(self, name: str, why: str) -> None:
        """Writes down that a check could not be made, and why."""
        self.checks.append(check.not_measured(name, why))

    def not_reached(self, name: str, why: str) -> None:
        """Writes down that a check's turn never came, and why."""
        self.checks.append(check.not_reached(name, why))

    def stopped_by(self, error: OpsError) -> None:
        """Writes down why there's no going on. The first cause counts; later ones are remarked."""
        self._stopped = True
        self.went_on_after(error)

    def went_on_after(self, error: OpsError) -> None:
        """Writes down why a part of it can't be judged; the rest can, but it isn't a PASS any more."""
        if self.problem is None:
            self.problem = error.problem
        else:
            self.remarks.append(f"Afterwards: {error.what} {error.next_step}")
        self.remarks += getattr(error, "__notes__", ())

    def remark_early_end(self) -> None:
        """Remarks what stopped it, where a verdict other than ERROR doesn't say so."""
        if self.problem is not None:
            happened = "stopped early" if self._stopped else "could not judge everything"
            early = f"The {self.wording.noun} {happened}: {self.problem.what} {self.problem.next_step}"
            self.remarks.append(early)

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Whatever goes wrong in the block ends it and is written down; an interruption goes on upwards."""
        try:
            yield
        except OpsError as error:
            self.stopped_by(error)
        except Exception as error:  # noqa: BLE001  # whatever happened, there has to be a report that says so
            self.stopped_by(
                as_error(
                    error,
                    meaning=f"The {self.wording.noun} could not judge.",
                    next_step=f"Report it with these lines, and {self.wording.again}.",
                )
            )
