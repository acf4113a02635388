"""What a step proves by what it made, or refutes by the error that ended it: the checks of a night and of a week."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from hackorda_ops.errors import OpsError
from hackorda_ops.findings import Finding
from hackorda_ops.proof.check import Check, Declaration, decided

Made = TypeVar("Made")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the result of a step shows for one check.

    Attributes:
        passed: whether the check passed.
        summary: one sentence; "" where the check's description says it all.
        numbers: what was measured, by label.
        findings: what was found; None where the check doesn't look for any.
    """

    passed: bool = True
    summary: str = ""
    numbers: Mapping[str, int | str]
    findings: Sequence[Finding] | None = None


@dataclass(frozen=True, kw_only=True)
class StepCheck(Declaration, Generic[Made]):
    """A check of a step, declared once: Dagster's specs and both ways to judge it follow from it.

    Attributes:
        judge: what the step's result shows for it.
        refuted_by: the errors that fail it; with any other the step has ended before anything is judged.
    """

    judge: Callable[[Made], Shown]
    refuted_by: tuple[type[OpsError], ...] = ()


def refuted(declared: Iterable[StepCheck[Made]], error: OpsError) -> Iterator[Check]:
    """The checks that an error has failed, if any.

    Args:
        declared: the step's checks.
        error: what ended the step.
    """
    for check in declared:
        if isinstance(error, check.refuted_by):
            yield decided(check.name, passed=False, summary=f"Not proven: {error.what}")
