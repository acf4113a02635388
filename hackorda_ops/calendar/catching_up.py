"""What a scheduler that was down still has to start, and in which order: each once, nothing too early.

Dagster does not catch up. A tick and the missed-work sensor both use this, so that neither starts what depends
on unfinished work.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from hackorda_ops.calendar.due import (
    Due,
    DueKind,
    due_between,
    first_partition,
    is_due,
    newest_due,
    partition_of,
)
from hackorda_ops.calendar.partitions import is_over
from hackorda_ops.config.models import Schedule

# A daemon that was down starts the newest tick of every schedule at once, however old: a copy alongside the
# night that it should copy. Anything later than this is left to catching up, which keeps the order.
LATEST_TICK: Final = timedelta(hours=1)
# Until then a tick of the schedule may still start it: as late as it takes, an hour later when clocks go
# back (Dagster ticks at the second 02:30, `due` at the first), and the time to create a run.
GRACE: Final = LATEST_TICK + timedelta(hours=1, minutes=15)
# What each uses the newest of: while that was never started, its tick leaves it to catching up.
BUILDS_ON: Final[dict[DueKind, DueKind]] = {"week": "night", "quarter": "week"}


def built_on(kind: DueKind, kinds: Collection[DueKind]) -> DueKind | None:
    """What a kind uses the newest of; where there are no weeks, a drill uses the nights. Pure.

    Args:
        kind: the kind.
        kinds: those that the database has.
    """
    before = BUILDS_ON.get(kind)
    return before if before is None or before in kinds else built_on(before, kinds)


# Each builds on the previous one: the copy uses the newest night, the drill the newest copy.
_IN_ORDER: Final[tuple[DueKind, ...]] = ("night", "week", "quarter", "year")


def of_use_still(
    kind: DueKind, schedule: Schedule, *, since: datetime, until: datetime, now: datetime, history: timedelta
) -> tuple[Due, ...]:
    """What was due, and recently enough to be useful; newest first. Pure.

    A night as long as a dump taken now may count for it, or the provider's history reaches back
    to it; this week and the last; this quarter; this year. Proof for a past quarter or year would say
    nothing about today's backups: it is left for a person to backfill.

    Args:
        kind: of partition.
        schedule: the database's.
        since: when its schedule was switched on; what was due before then was not missed.
        until: anything due later than this is left out.
        now: the time, aware.
        history: how far back the provider's history can supply nights; zero if there is none.
    """
    newest = newest_due(kind, schedule, until)
    if newest is None:
        return ()
    back = {"night": history, "week": timedelta(days=14)}.get(kind, timedelta())
    present = partition_of(kind, now, schedule)

    def of_use(due: Due) -> bool:
        if kind == "night":
            return due.at > now - history or not is_over(due.partition, now, schedule)
        return due.partition >= (present - timedelta(days=7) if kind == "week" else present)

    # In UTC: the second before the local time at which clocks went forward did not exist locally.
    after = max(since, min(newest.at.astimezone(UTC) - timedelta(seconds=1), now - back))
    found = {due.partition: due for due in due_between(kind, schedule, after=after, until=until)}
    return tuple(sorted(filter(of_use, found.values()), key=lambda due: due.partition, reverse=True))


def asked_by(kind: DueKind, schedule: Schedule, tick: datetime, now: datetime) -> date | str:
    """The partition that a tick of a kind's schedule asks for, or a sentence why it asks for none. Pure.

    Args:
        kind: of partition.
        schedule: the database's.
        tick: the scheduled time, aware.
        now: the time, aware.
    """
    partition = partition_of(kind, tick, schedule)
    if partition < (first := first_partition(kind, schedule)):
        return f"Its schedule begins with {first}."
    if not is_due(kind, tick, schedule):
        return "This tick's partition was due at an earlier tick."
    if now - tick > LATEST_TICK:
        return f"The daemon ran this tick {now - tick} late. The missed-work sensor starts {partition} in its turn."
    return partition


def held_up_by(
    kind: DueKind,
    schedule: Schedule,
    *,
    since: datetime,
    tick: datetime,
    history: timedelta,
    begun: Callable[[Sequence[Due]], Collection[date]],
) -> Due | None:
    """The newest of a kind that was due before a tick of what builds on it, if it has still to be started.

    One that can no longer be caught up on holds nothing up.

    Args:
        kind: of partition.
        schedule: the database's.
        since: when its schedule was switched on.
        tick: the scheduled time of what builds on it, aware.
        history: as `of_use_still` takes it.
        begun: those of some partitions that had a run.
    """
    newest = of_use_still(
        kind, schedule, since=since, until=tick - timedelta(seconds=1), now=tick, history=history
    )[:1]
    done = begun(newest)
    return next((due for due in newest if due.partition not in done), None)


@dataclass(frozen=True)
class Seen:
    """What Dagster knows about the partitions of one kind.

    Attributes:
        begun: those that are materialized, or had a run, however it ended: a person was alerted, or ended it.
        running: whether a run of that kind, of any partition, has not ended.
    """

    begun: frozenset[date]
    running: bool


def can_be_made_up_for(
    kind: DueKind, schedule: Schedule, *, since: datetime, now: datetime, history: timedelta
) -> tuple[Due, ...]:
    """What was due too long ago for a tick to come, but recently enough to be useful; newest first. Pure.

    Args:
        kind: of partition.
        schedule: the database's.
        since: when its schedule was switched on.
        now: the time, aware.
        history: as `of_use_still` takes it.
    """
    return of_use_still(kind, schedule, since=since, until=now - GRACE, now=now, history=history)


def to_start(candidates: Mapping[DueKind, Sequence[Due]], seen: Mapping[DueKind, Seen]) -> tuple[Due, ...]:
    """What to start now: the missing partitions of the first kind that lacks any, once the kinds before are done.

    Pure.

    Args:
        candidates: per kind, what can be caught up on.
        seen: per kind of `candidates`, what Dagster knows.
    """
    for kind in _IN_ORDER:
        if kind not in candidates:
            continue
        if missing := tuple(due for due in candidates[kind] if due.partition not in seen[kind].begun):
            return missing
        if seen[kind].running:
            return ()
    return ()
