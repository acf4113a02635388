"""The verdict: pure, from the checks and from what kept them from being made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hackorda_ops.errors import Problem
from hackorda_ops.proof.check import Check, Declaration, not_reached

Verdict = Literal["PASS", "FAIL", "ERROR"]


@dataclass(frozen=True)
class Wording:
    """What a kind of proof is called in sentences.

    Attributes:
        noun: "drill".
        claim: what it does where all is well: "prove the backup".
        again: how its reader is asked for another: "drill again".
    """

    noun: str
    claim: str
    again: str


def complete(checks: Sequence[Check], declared: Sequence[Declaration], wording: Wording) -> tuple[Check, ...]:
    """Every declared check in its order, those without an outcome as "not reached", then any other.

    Args:
        checks: that were made, in any order, or read in a report of any release.
        declared: the checks there are.
        wording: of the drill or exercise.
    """
    by_name = {check.name: check for check in checks}
    names = {each.name for each in declared}
    return (
        *(
            by_name.get(each.name) or not_reached(each.name, f"the {wording.noun} ended before this check")
            for each in declared
        ),
        *(check for check in checks if check.name not in names),
    )


def judge(
    checks: Sequence[Check],
    declared: Sequence[Declaration],
    wording: Wording,
    *,
    problem: Problem | None,
    condemned: bool = False,
) -> tuple[Verdict, Problem | None]:
    """Says what was proven.

    A failed check speaks of what the proof is about and makes it a FAIL, even where the proof stopped
    afterwards, except for a check of the proof itself. A problem, or an essential check that could not be
    made, makes it an ERROR. What was not measured or not reached is never a pass.

    Args:
        checks: all of them (`complete`).
        declared: the checks there are; any other counts as one that must pass.
        wording: of the drill or exercise.
        problem: why it stopped, if it did.
        condemned: whether something beside the checks makes it a FAIL.

    Returns:
        The verdict, and with ERROR the reason.
    """
    about_itself = {each.name for each in declared if each.about_itself}
    dispensable = {each.name for each in declared if not each.essential}
    failed = [check for check in checks if check.outcome == "failed"]
    if condemned or any(check.name not in about_itself for check in failed):
        return "FAIL", None
    if problem is not None:
        return "ERROR", problem
    lacking = failed or [check for check in checks if not check.made and check.name not in dispensable]
    if not lacking:
        return "PASS", None
    return "ERROR", Problem(
        " ".join(dict.fromkeys(check.summary for check in lacking)),
        f"The {wording.noun} could not {wording.claim}, and found nothing against it either.",
        f"Mend what is named here, then {wording.again}.",
    )
