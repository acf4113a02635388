"""The verdict of a drill: pure, from the checks, the findings and the problem."""

from collections.abc import Sequence

from hackorda_ops.config import engines
from hackorda_ops.drill.checks.registry import checks_of
from hackorda_ops.drilling.record import WORDING
from hackorda_ops.errors import Problem
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.proof import verdict
from hackorda_ops.proof.check import Check
from hackorda_ops.proof.verdict import Verdict


def complete(checks: Sequence[Check], engine: str = engines.FIRST) -> tuple[Check, ...]:
    """Every check there is, in the order of the report; those that the drill did not get to are not reached.

    Args:
        checks: that were made.
        engine: the database's, by its key.
    """
    return verdict.complete(checks, checks_of(engine), WORDING)


def judge(
    checks: Sequence[Check],
    findings: Sequence[Finding],
    problem: Problem | None,
    engine: str = engines.FIRST,
) -> tuple[Verdict, Problem | None]:
    """Says what a drill has proven (`verdict.judge`).

    A fatal finding is about the backup and makes it a FAIL; a warning changes nothing.

    Args:
        checks: all of them (`complete`).
        findings: all of them.
        problem: why the drill stopped, if it did.
        engine: the database's, by its key.

    Returns:
        The verdict, and with ERROR the reason.
    """
    return verdict.judge(checks, checks_of(engine), WORDING, problem=problem, condemned=bool(fatal(findings)))
