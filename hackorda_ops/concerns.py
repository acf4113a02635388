"""What a preflight saw: every concern with what it stops, so that all of them are listed at once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hackorda_ops.errors import OpsError, PermanentError, PreflightFailed, Problem, RetryableError

ConcernLevel = Literal[
    "stops the night",
    "stops the copy",
    "stops the drill",
    "stops the proof",
    "stops the cutover",
    "stops the restore",
    "worth knowing",
]


@dataclass(frozen=True)
class _Weighed:
    # A base of its own, so that it comes before the problem's fields.
    severity: ConcernLevel


@dataclass(frozen=True)
class Concern(Problem, _Weighed):
    """One thing to fix, or to know about, before a night or a drill.

    Attributes:
        severity: what it stops, if anything.
        what: what was seen, with the names of the things concerned and no secret.
        meaning: what follows from it.
        next_step: what the reader should do.
        kind: the error that a night raises where this alone stops it.
    """

    kind: type[OpsError] = PermanentError


@dataclass(frozen=True)
class Looked:
    """One part of the environment that was checked.

    Attributes:
        part: what, in a word or two ("rights").
        seen: what is there, in words; "" where it couldn't be checked.
        concerns: what is wrong with it or should be known; empty where all is well.
    """

    part: str
    seen: str
    concerns: tuple[Concern, ...] = ()


def concern_of(error: OpsError, severity: ConcernLevel) -> Concern:
    """An error as a concern: what would have been reported had it come up in the middle."""
    return Concern(severity, error.what, error.meaning, error.next_step, type(error))


def looked(part: str, stops: ConcernLevel, look: Callable[[], Looked | str]) -> Looked:
    """Checks one part, and turns its error into a concern, so that the others are checked as well.

    Args:
        part: what is checked.
        stops: what its failure stops.
        look: does the check; returns what it saw, with concerns of its own or as text alone.
    """
    try:
        seen = look()
    except OpsError as error:
        return Looked(part, "", (concern_of(error, stops),))
    return replace(seen, part=part) if isinstance(seen, Looked) else Looked(part, seen)


def concerns_in(parts: Iterable[Looked], severity: ConcernLevel | None = None) -> tuple[Concern, ...]:
    """The parts' concerns of a severity, in their order; all of them without one."""
    return tuple(
        concern for part in parts for concern in part.concerns if severity in (None, concern.severity)
    )


def require_none(found: Sequence[Concern]) -> None:
    """Raises one error that lists every concern; does nothing where there is none.

    Raises:
        OpsError: of the concerns' own kind where they agree on one; RetryableError where all of them
            pass by themselves; otherwise PreflightFailed.
    """
    kinds = {concern.kind for concern in found}
    if not found:
        return
    if len(found) == 1:
        [one] = found
        raise one.kind(one.what, meaning=one.meaning, next_step=one.next_step)
    if len(kinds) == 1:
        [kind] = kinds
    else:
        kind = RetryableError if all(each.retryable for each in kinds) else PreflightFailed
    raise kind(
        f"{len(found)} problems must be fixed first:\n" + _numbered(concern.what for concern in found),
        meaning="Any one of them is reason enough to stop. Nothing was begun; the earlier artifacts are unchanged.",
        next_step="Fix them all, in the same order:\n" + _numbered(concern.next_step for concern in found),
    )


def _numbered(sentences: Iterable[str]) -> str:
    return "\n".join(f"  {number}. {sentence}" for number, sentence in enumerate(sentences, 1))
