"""Reads a source, with retries: other sessions that need it come first."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from hackorda_ops.engines.orders import Attempts
from hackorda_ops.errors import SourceBusy
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.reading import Burden, Reading, reading, wait_until_free
from hackorda_ops.words import counted

T = TypeVar("T")


@dataclass(frozen=True)
class Attempted(Generic[T]):
    """The result of a reading, and what it cost the source over all attempts."""

    result: T
    burden: Burden


def attempted(target: ConnectionTarget, patience: Attempts, read: Callable[[Reading], T]) -> Attempted[T]:
    """Reads a database, and starts over if it had to give way.

    Args:
        target: the database.
        patience: how often, and when.
        read: one attempt, from nothing: a new snapshot, an empty folder. It names its sessions by the reading,
            leaves nothing behind when it fails, and asks `Reading.raise_if_in_the_way` while it waits for others.

    Raises:
        SourceBusy: no attempt succeeded; names what was in the way of the last one.
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
                last += f" Last seen there: {current.seen}."
            spent = spent.and_then(current.burden)
        else:
            return Attempted(result, spent.and_then(current.burden))
        if pause_seconds is None:
            break
        time.sleep(pause_seconds)
        wait_until_free(target, in_the_way, at_most_seconds=patience.free_within_seconds)
    raise _given_up(target, last, spent)


def made_way(burden: Burden) -> tuple[str, ...]:
    """The artifact's note on a night that had to give way to others. Pure."""
    if burden.attempts == 1:
        return ()
    return (
        f"the night gave way to others and was started again: {burden.attempts} attempts; the longest wait that it "
        f"caused was {burden.longest_wait_seconds:.1f} seconds",
    )


def _given_up(target: ConnectionTarget, last: str, burden: Burden) -> SourceBusy:
    return SourceBusy(
        f"{target.describe()} was too busy to be read, in {counted(burden.attempts, 'attempt')}. The last: {last}",
        meaning="Every attempt released its locks to stop keeping others waiting, so there is no dump. "
        f"The longest wait that it caused was {burden.longest_wait_seconds:.1f} seconds.",
        next_step="Run nights when no schema changes do (schedule.night), or read them from something that nobody "
        "else uses: a Neon branch (dump_from: branch) or a logical replica.",
    )
