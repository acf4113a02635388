"""What one question of the doctor comes to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from hackorda_ops.concerns import Looked

Outcome = Literal["ok", "attention", "problem", "unknown", "none"]


@dataclass(frozen=True)
class Remedy:
    """What can be done about something of our own.

    Attributes:
        does: what it does, as a sentence without a full stop.
        carry_out: does it, and returns what it did; raises errors of the `OpsError` tree.
    """

    does: str
    carry_out: Callable[[], str]


@dataclass(frozen=True)
class Answer:
    """What was seen.

    Attributes:
        outcome: in a word:
            ok: it was looked at, and is as it must be.
            attention: nothing is lost yet, but it should be put right.
            problem: the policy isn't met.
            unknown: it couldn't be looked at.
            none: it isn't asked for here.
        seen: what is there, or why it couldn't be looked at.
        next_step: what to do; "" where there's nothing to do.
        remedy: what --fix would do; None where it's not for us to do.
    """

    outcome: Outcome
    seen: str
    next_step: str = ""
    remedy: Remedy | None = field(default=None, compare=False)


# From the best to the worst.
ORDER: tuple[Outcome, ...] = ("none", "ok", "attention", "unknown", "problem")


def worst(answers: list[Answer]) -> Answer:
    """Several answers to one question as one: the worst outcome, with what all of that kind say."""
    outcome = max((each.outcome for each in answers), key=ORDER.index)
    said = [each for each in answers if each.outcome == outcome]
    remedies = [each.remedy for each in said if each.remedy is not None]
    return Answer(
        outcome,
        " ".join(dict.fromkeys(each.seen for each in said)),
        " ".join(dict.fromkeys(each.next_step for each in said if each.next_step)),
        _together(remedies) if remedies else None,
    )


def of_looked(part: Looked) -> Answer:
    """A part of a preflight as an answer. Pure."""
    if not part.concerns:
        return Answer("ok", part.seen)
    stopping = [each for each in part.concerns if each.severity != "worth knowing"]
    told = stopping or list(part.concerns)
    return Answer(
        "problem" if stopping else "attention",
        " ".join(each.what for each in told),
        " ".join(dict.fromkeys(each.next_step for each in told)),
    )


def _together(remedies: list[Remedy]) -> Remedy:
    return Remedy(
        "; ".join(each.does for each in remedies), lambda: " ".join(each.carry_out() for each in remedies)
    )
