"""The verdict: pure, from the checks, the findings and the error."""

from collections.abc import Sequence
from typing import Final, get_args

from hackorda_ops.drill.result import Check, CheckName, Failure, Verdict
from hackorda_ops.findings import Finding, fatal

# Without these a drill has proven nothing. The others may be unmeasured: a database may have no key tables or
# migrations, and a scratch server no branch.
_ESSENTIAL: Final[frozenset[CheckName]] = frozenset(
    {
        "offsite_equals_manifest",
        "restored_equals_manifest",
        "comparison_self_test",
        "within_recovery_time_objective",
        "scratch_gone",
    }
)
# When these fail, it's the drill that is at fault and not the backup.
_OF_THE_DRILL: Final[frozenset[CheckName]] = frozenset({"comparison_self_test", "scratch_gone"})


def complete(checks: Sequence[Check]) -> tuple[Check, ...]:
    """Every check there is, in the order of the report; those that the drill did not come to are not measured."""
    by_name = {check.name: check for check in checks}
    return tuple(
        by_name.get(name, Check(name, "not measured", "Not measured: the drill did not come so far."))
        for name in get_args(CheckName)
    )


def judge(
    checks: Sequence[Check], findings: Sequence[Finding], error: Failure | None
) -> tuple[Verdict, Failure | None]:
    """Says what a drill has proven.

    A fatal finding speaks of the backup and makes it a FAIL, even where the drill stopped afterwards;
    a warning changes nothing. An error, or an essential check that could not be made, makes it an
    ERROR. What could not be measured is never a pass.

    Args:
        checks: all of them (`complete`).
        findings: all of them.
        error: why the drill stopped, if it did.

    Returns:
        The verdict, and with ERROR the reason.
    """
    failed = [check for check in checks if check.outcome == "failed"]
    if fatal(findings) or any(check.name not in _OF_THE_DRILL for check in failed):
        return "FAIL", None
    if error is not None:
        return "ERROR", error
    if failed:
        return "ERROR", _failure(failed)
    unmeasured = [check for check in checks if check.outcome == "not measured" and check.name in _ESSENTIAL]
    return ("ERROR", _failure(unmeasured)) if unmeasured else ("PASS", None)


def _failure(checks: Sequence[Check]) -> Failure:
    return Failure(
        " ".join(check.summary for check in checks),
        "The drill could not prove the backup, and found nothing against it either.",
        "Mend what is named here, then drill again.",
    )
