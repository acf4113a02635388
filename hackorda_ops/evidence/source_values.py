"""Which tables' values a night also reads from the source, alongside the dump: a time budget, spent in turn.

A tool that alters values keeps the number of rows. So each night reads some tables' rows from the source, in
the dump's own snapshot, and compares their digests with the archive's. That loads the source, so it may take a
share of the dump's time. What doesn't fit follows on later nights, the longest-waiting tables first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hackorda_ops.postgres.catalogs.inventory import TableName

SMALLEST_BUDGET_SECONDS: Final = 5.0
"""What every night may take, so that a small database is compared completely, however quick its dump."""

# Of pages on disk, until a table's own time is known. Real servers have been several times faster.
_BYTES_PER_SECOND: Final = 20_000_000.0
# A table's minimum: two round trips to a nearby server.
_LEAST_SECONDS: Final = 0.002
# A table that ran out of time is retried when this many times as much is available.
_NEXT_TRY: Final = 2.0


@dataclass(frozen=True)
class SourceComparison:
    """What is known of one table's values in the archive, and those of the source.

    Attributes:
        table: its name.
        compared_at: the snapshot of the last night that found them equal, in UTC; None where none has compared them.
        waiting_since: the same; for a table that was never compared, the first snapshot that it was in.
        seconds: how long reading it from the source took, or is expected to take.
    """

    table: TableName
    compared_at: datetime | None
    waiting_since: datetime
    seconds: float


@dataclass(frozen=True)
class SourceValues:
    """Which tables' values were compared with the source's, that night and before.

    Attributes:
        tables: one entry per table whose rows the archive holds, by name.
        spent_seconds: how long the source was read for it that night.
        saved_seconds: what nights left of their budgets, for a table that needs more than one night's.
    """

    tables: tuple[SourceComparison, ...]
    spent_seconds: float = 0.0
    saved_seconds: float = 0.0

    def compared_in(self, captured_at: datetime) -> tuple[TableName, ...]:
        """The tables compared in one snapshot, the manifest's own for "that night"."""
        return tuple(each.table for each in self.tables if each.compared_at == captured_at)

    @property
    def never_compared(self) -> tuple[TableName, ...]:
        """Those that no night has compared with their source."""
        return tuple(each.table for each in self.tables if each.compared_at is None)


@dataclass(frozen=True)
class ReadingPlan:
    """What one night reads.

    Attributes:
        tables: in this order.
        limit_seconds: when it stops, finished or not; None for no limit.
    """

    tables: tuple[TableName, ...]
    limit_seconds: float | None


@dataclass(frozen=True)
class Read:
    """The result of a night's reading.

    Attributes:
        equal: the tables whose values are the archive's, and how long reading each took.
        given_up: those that ran out of time, and how long each was tried.
        spent_seconds: in all.
    """

    equal: dict[TableName, float]
    given_up: dict[TableName, float]
    spent_seconds: float


def standing(
    tables: Iterable[tuple[TableName, int]], before: Iterable[SourceComparison], now: datetime
) -> tuple[SourceComparison, ...]:
    """Tonight's tables, with what earlier nights recorded about them. Pure.

    Args:
        tables: their names, and their pages on disk in bytes.
        before: what the night before knew of the same tables.
        now: tonight's snapshot.
    """
    known = {each.table: each for each in before if each.waiting_since < now}
    return tuple(
        known.get(name)
        or SourceComparison(name, None, now, round(size_bytes / _BYTES_PER_SECOND + _LEAST_SECONDS, 4))
        for name, size_bytes in sorted(tables)
    )


def budget_seconds(dump_seconds: float, percent: float) -> float:
    """A night's time budget, given how long its dump takes; 0 if it's turned off."""
    return max(SMALLEST_BUDGET_SECONDS, dump_seconds * percent / 100) if percent else 0.0


def plan(tables: Iterable[SourceComparison], *, tonight_seconds: float, saved_seconds: float) -> ReadingPlan:
    """Chooses what to read tonight: the longest-waiting first, as long as it fits. Pure.

    The first that doesn't fit is saved for: those after it share one half of tonight's budget, so that the
    other half is left over each night until there's enough. So every table has its turn, however large it is, and the
    small ones have theirs meanwhile.

    Args:
        tables: as `standing` has them.
        tonight_seconds: tonight's budget.
        saved_seconds: what earlier nights have left unused.
    """
    limit = available = tonight_seconds + saved_seconds
    chosen: list[TableName] = []
    planned, saving = 0.0, False
    for each in _in_turn(tables):
        if planned + each.seconds <= limit:
            chosen.append(each.table)
            planned += each.seconds
        elif not saving:
            saving = True
            limit = max(planned, min(available, tonight_seconds / 2))
    return ReadingPlan(tuple(chosen), limit)


def everything(tables: Iterable[SourceComparison], *, limit_seconds: float) -> ReadingPlan:
    """All of them, for a source that nobody else uses: a branch made for the night."""
    return ReadingPlan(tuple(each.table for each in _in_turn(tables)), limit_seconds)


def after(
    tables: Sequence[SourceComparison],
    read: Read,
    now: datetime,
    *,
    tonight_seconds: float,
    saved_seconds: float,
) -> SourceValues:
    """What the night leaves to the next one. Pure.

    Args:
        tables: as `standing` had them.
        read: the result of tonight's plan.
        now: tonight's snapshot.
        tonight_seconds: the budget that the night turned out to have.
        saved_seconds: what earlier nights had left unused.
    """
    known = []
    for each in tables:
        if each.table in read.equal:
            seconds = max(read.equal[each.table], _LEAST_SECONDS)
            known.append(SourceComparison(each.table, now, now, round(seconds, 4)))
        elif each.table in read.given_up:
            seconds = max(each.seconds, read.given_up[each.table] * _NEXT_TRY)
            known.append(
                SourceComparison(each.table, each.compared_at, each.waiting_since, round(seconds, 4))
            )
        else:
            known.append(each)
    nobody_waits = all(each.compared_at == now for each in known)
    saved = 0.0 if nobody_waits else max(0.0, saved_seconds + tonight_seconds - read.spent_seconds)
    return SourceValues(tuple(known), round(read.spent_seconds, 3), round(saved, 3))


def _in_turn(tables: Iterable[SourceComparison]) -> list[SourceComparison]:
    return sorted(tables, key=lambda each: (each.waiting_since, each.seconds, each.table))
