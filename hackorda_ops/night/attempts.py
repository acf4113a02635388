"""Reads a source as often as it takes: whoever needs it meanwhile comes first."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from hackorda_ops.errors import SourceBusy
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.reading import Burden, Reading, reading, wait_until_free
from hackorda_ops.words import counted

T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """How a reading makes way for others.

    Attributes:
        yield_after_seconds: how long anybody may wait behind it.
        pauses_seconds: how long it waits, at the least, before each further attempt.
        free_within_seconds: how long it then waits for schema changes to end; afterwards it begins all the same.
    """

    yield_after_seconds: float = 5.0
    pauses_seconds: tuple[float, ...] = (5.0, 30.0, 120.0)
    free_within_seconds: float = 600.0


PATIENCE: Final = Patience()


@dataclass(frozen=True)
class Attempted(Generic[T]):
    """What a reading gave, and what it cost the source in all its attempts."""

    result: T
    burden: Burden


def attempted(target: ConnectionTarget, patience: Patience, read: Callable[[Reading], T]) -> Attempted[T]:
    """Reads a database, and begins again where it had to make way.

    Args:
        target: the database.
        patience: how often, and when.
        read: one attempt, from nothing: a new snapshot, an empty folder. It names its sessions by the reading,
            leaves nothing behind when it fails, and asks `Reading.raise_if_in_the_way` while it waits for others.

    Raises:
        SourceBusy: it never got through; names who was in the way the last time.
        OpsError: what else an attempt raised.
    """
    spent = Burden(attempts=0)
    for pause_seconds in (*patience.pauses_seconds, None):
        current: Reading | None = None
        try:
            with reading(target, yield_after_seconds=patience.yield_after_seconds) as current:
                result = read(current)
        except SourceBusy as error:
            if current is None:
                raise
            last, in_the_way = error.what, current.in_the_way
            if current.seen and not current.let_go:
                last += f" The last that was seen there: {current.seen}."
            spent = spent.and_then(current.burden)
        else:
            return Attempted(result, spent.and_then(current.burden))
        if pause_seconds is None:
            break
        time.sleep(pause_seconds)
        wait_until_free(target, in_the_way, at_most_seconds=patience.free_within_seconds)
    raise _given_up(target, last, spent)


def made_way(burden: Burden) -> tuple[str, ...]:
    """What an artifact says of a night that had to make way for others. Pure."""
    if burden.attempts == 1:
        return ()
    return (
        f"the night made way for others and was begun again: {burden.attempts} attempts; the longest wait that it "
        f"caused was {burden.longest_wait_seconds:.1f} seconds",
    )


def _given_up(target: ConnectionTarget, last: str, burden: Burden) -> SourceBusy:
    return SourceBusy(
        f"{target.describe()} was too busy to be read, in {counted(burden.attempts, 'attempt')}. The last: {last}",
        meaning="Every attempt let go of its locks so that nobody waited for it any longer, so there is no dump of it. "
        f"The longest wait that it caused was {burden.longest_wait_seconds:.1f} seconds.",
        next_step="Let nights run when no schema changes do (schedule.night), or read them from something that nobody "
        "else uses: a Neon branch (dump_from: branch) or a logical replica.",
    )
