"""The verdict of a drill: pure, from the checks, the findings and the problem."""

from collections.abc import Sequence

from hackorda_ops.drill.checks.registry import CHECKS
from hackorda_ops.drill.record import WORDING
from hackorda_ops.errors import Problem
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.proof import verdict
from hackorda_ops.proof.check import Check
from hackorda_ops.proof.verdict import Verdict


def complete(checks: Sequence[Check]) -> tuple[Check, ...]:
    """Every check there is, in the order of the report; those that the drill did not reach are not measured."""
    return verdict.complete(checks, CHECKS, WORDING)


def judge(
    checks: Sequence[Check], findings: Sequence[Finding], problem: Problem | None
) -> tuple[Verdict, Problem | None]:
    """Says what a drill has proven (`verdict.judge`).

    A fatal finding is about the backup and makes it a FAIL; a warning changes nothing.

    Args:
        checks: all of them (`complete`).
        findings: all of them.
        problem: why the drill stopped, if it did.

    Returns:
        The verdict, and with ERROR the reason.
    """
    return verdict.judge(checks, CHECKS, WORDING, problem=problem, condemned=bool(fatal(findings)))
