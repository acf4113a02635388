"""The way from the bucket to the last restored row took no longer than its objective."""

from collections.abc import Sequence
from typing import Final

from hackorda_ops.drilling.declaration import DrillCheck, Drilling
from hackorda_ops.findings import Finding
from hackorda_ops.words import duration

CHECK: Final = DrillCheck(
    name="within_recovery_time_objective",
    title="Recovery takes no longer than its objective",
    description="Fetching, checking and restoring took no longer than the objective.",
    essential=True,
)


def hold_against_objective(drilling: Drilling, checks: Sequence[DrillCheck]) -> None:
    """Judges the time that a restore took which has come to its end, where that is asked for.

    Args:
        drilling: the drill.
        checks: those that are made.
    """
    if CHECK not in checks:
        return
    record = drilling.record
    taken_seconds = record.recovery_seconds or 0.0
    objective_minutes = drilling.policy.objectives.recovery_time_minutes
    took = f"Fetching, checking, making the scratch and restoring took {duration(taken_seconds)}"
    late = taken_seconds > objective_minutes * 60
    record.check(
        CHECK.name,
        (
            Finding(
                "recovery too slow",
                "recovery",
                f"at most {objective_minutes:g} minutes",
                duration(taken_seconds),
                "Check which stage took the time: more dump.jobs, a nearer bucket or a larger scratch may help. "
                "Or set another objective.",
            ),
        )
        if late
        else (),
        passed=f"{took}; the objective is {objective_minutes:g} minutes.",
        failed=f"{took}, longer than the objective of {objective_minutes:g} minutes",
    )
