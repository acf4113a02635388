"""Whether a history is as long as the policy says."""

from hackorda_ops import words
from hackorda_ops.history.base import Reach


def long_enough(reach: Reach, policy_days: float) -> bool:
    """Whether a history's window is as long as the policy says. Pure.

    Args:
        reach: of the history.
        policy_days: how far back the policy requires it to reach (`objectives.history_days`).
    """
    return reach.grows or reach.window_seconds >= policy_days * 86_400


def compared(reach: Reach, policy_days: float) -> str:
    """A history's window beside what the policy requires, as a sentence. Pure.

    Args:
        reach: of the history.
        policy_days: see `long_enough`.
    """
    kept = words.duration(reach.window_seconds)
    window = (
        f"The history reaches back {kept}, and keeps growing"
        if reach.grows
        else f"The history window is {kept}"
    )
    joined = "and" if long_enough(reach, policy_days) else "but"
    return f"{window}, {joined} the policy requires {words.duration(policy_days * 86_400)}."
