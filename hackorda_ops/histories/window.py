"""What a preflight says of a history's window."""

from collections.abc import Iterator

from hackorda_ops.concerns import Concern
from hackorda_ops.history import window
from hackorda_ops.history.base import HistoryTraits, Reach


def window_concerns(reach: Reach, policy_days: float, traits: HistoryTraits) -> Iterator[Concern]:
    """Whether a history's window is as long as the policy says. Pure.

    Args:
        reach: of the history.
        policy_days: `objectives.history_days`.
        traits: what sets the history apart.
    """
    if not window.long_enough(reach, policy_days):
        yield Concern(
            "worth knowing",
            window.compared(reach, policy_days),
            "Mistakes can be undone, and missed nights backed up, no further back than that.",
            f"{traits.lengthen}, or change objectives.history_days.",
        )
