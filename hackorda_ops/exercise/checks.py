"""What a recovery exercise proves: its checks, in the order of its report, and its verdict."""

from collections.abc import Sequence
from typing import Final

from hackorda_ops.errors import Problem
from hackorda_ops.proof import verdict
from hackorda_ops.proof.check import Check, Declaration
from hackorda_ops.proof.verdict import Verdict, Wording

WORDING: Final = Wording("exercise", claim="show that the data comes back", again="run the exercise again")

# All of them are essential: an exercise that leaves one out has shown nothing.
CHECKS: Final = (
    Declaration(
        name="destroyed",
        title="destroyed",
        description="The tables were really gone before the recovery.",
        essential=True,
        about_itself=True,
    ),
    Declaration(
        name="recovered_exactly",
        title="recovered exactly",
        description="Every table, sequence and object is as it was just before the destruction.",
        essential=True,
    ),
    Declaration(
        name="recovery_point_kept",
        title="recovery point kept",
        description="The last commit before the destruction came back.",
        essential=True,
    ),
    Declaration(
        name="within_recovery_time_objective",
        title="within recovery time objective",
        description="The recovered branch answered within the recovery time objective.",
        essential=True,
    ),
    Declaration(
        name="branches_gone",
        title="branches gone",
        description="Both branches were deleted, and are gone.",
        essential=True,
        about_itself=True,
    ),
)


def complete(checks: Sequence[Check]) -> tuple[Check, ...]:
    """Every check there is; those that the exercise did not get to are not reached."""
    return verdict.complete(checks, CHECKS, WORDING)


def judge(checks: Sequence[Check], problem: Problem | None) -> tuple[Verdict, Problem | None]:
    """Says what an exercise has proven (`verdict.judge`).

    Args:
        checks: all of them (`complete`).
        problem: why the exercise stopped, if it did.

    Returns:
        The verdict, and with ERROR the reason.
    """
    return verdict.judge(checks, CHECKS, WORDING, problem=problem)
