"""A check: one thing that a drill, an exercise or a look at the provider's history proves."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["passed", "failed", "not reached", "not measured"]
"""What came of a check: every sentence, mark and colour is made from it.

Attributes:
    passed: it was made, and what it looked at is as it must be.
    failed: it was made, and that is not so.
    not reached: the work ended before it, so nothing was looked at.
    not measured: its turn came, but it could not be made here, or there was nothing to make it with.
"""


@dataclass(frozen=True)
class Check:
    """One of the things that were to be proven, and what came of it.

    Attributes:
        name: a declared one; any text where it was read, because another release may have other checks.
        outcome: "not reached" and "not measured" are neither a pass nor a failure; `summary` says why.
        summary: one sentence for the report and the UI.
    """

    name: str
    outcome: Outcome
    summary: str

    @property
    def made(self) -> bool:
        """Whether it passed or failed: anything else says nothing of what it is about."""
        return self.outcome in ("passed", "failed")


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """A check as it's declared, once: reports, Dagster's specs and the verdict follow from it.

    Attributes:
        name: short and stable; it's in stored reports and in Dagster.
        title: what holds where it passed, for a report.
        description: what was done for it, for Dagster.
        essential: whether nothing is proven as long as this isn't measured.
        about_itself: whether its failure speaks of the drill or exercise itself, and not of what that is about.
    """

    name: str
    title: str
    description: str
    essential: bool = False
    about_itself: bool = False


def decided(name: str, *, passed: bool, summary: str) -> Check:
    """A check that could be made.

    Args:
        name: the check's.
        passed: what came of it.
        summary: one sentence.
    """
    return Check(name, "passed" if passed else "failed", summary)


def not_measured(name: str, why: str) -> Check:
    """A check that could not be made.

    Args:
        name: the check's.
        why: what kept it from being made, with or without its full stop.
    """
    return Check(name, "not measured", f"Not measured: {why.removesuffix('.')}.")


def not_reached(name: str, why: str) -> Check:
    """A check whose turn never came.

    Args:
        name: the check's.
        why: what came before it, with or without its full stop.
    """
    return Check(name, "not reached", f"Not reached: {why.removesuffix('.')}.")


def title_of(name: str, declared: Iterable[Declaration]) -> str:
    """What a report calls a check; one that nobody declares (here) by its name, in words.

    Args:
        name: the check's.
        declared: the checks that this release knows.
    """
    titles = {each.name: each.title for each in declared}
    return titles.get(name) or name.replace("_", " ").capitalize()
