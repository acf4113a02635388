"""What a scheduler that was down still has to start, and in which order: each once, and nothing too early.

Dagster does not catch up. A tick and the sensor of missed work both go by this, so that neither takes what builds
on something before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from hackorda_ops.calendar.due import Due, DueKind, due_between, newest_due, partition_of
from hackorda_ops.calendar.partitions import is_over
from hackorda_ops.config.models import Schedule

# A daemon that was down starts the newest tick of every schedule at once, however old: a copy beside the
# night that it should take. What is later than this is left to what makes up for it, which keeps the order.
LATEST_TICK: Final = timedelta(hours=1)
# Until then a tick of the schedule may still start it: as late as it takes, an hour later where clocks go
# back (Dagster ticks at the second 02:30, `due` at the first), and the time to make a run of it.
GRACE: Final = LATEST_TICK + timedelta(hours=1, minutes=15)
# What each takes the newest of: its tick leaves it to what makes up for missed work while that was never begun.
BUILDS_ON: Final[dict[DueKind, DueKind]] = {"week": "night", "quarter": "week"}
# Each builds on the one before: the copy takes the newest night, the drill the newest copy.
_IN_ORDER: Final[tuple[DueKind, ...]] = ("night", "week", "quarter", "year")


def of_use_still(
    kind: DueKind, schedule: Schedule, *, since: datetime, until: datetime, now: datetime, history: timedelta
) -> tuple[Due, ...]:
    """What was due, and recently enough to be of use; newest first. Pure.

    A night for as long as a dump taken now may stand for it, or as the provider's history reaches back
    to it; this week and the last; this quarter; this year. A past quarter's or year's proof would say
    nothing of today's backups: it stays open for a person to backfill.

    Args:
        kind: of partition.
        schedule: the database's.
        since: when its schedule was switched on; what was due before then was not missed.
        until: what was due later than this is left out.
        now: the time, aware.
        history: how far back nights can be had from the provider's history; zero where there's none.
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

    # In UTC: a second before the local time at which clocks went forward there was no local time.
    after = max(since, min(newest.at.astimezone(UTC) - timedelta(seconds=1), now - back))
    found = {due.partition: due for due in due_between(kind, schedule, after=after, until=until)}
    return tuple(sorted(filter(of_use, found.values()), key=lambda due: due.partition, reverse=True))


@dataclass(frozen=True)
class Seen:
    """What Dagster knows of the partitions of one kind.

    Attributes:
        begun: those that are materialized, or had a run, however it ended: a person was told of it, or ended it.
        running: whether a run of that kind, of any partition, has not ended.
    """

    begun: frozenset[date]
    running: bool


def can_be_made_up_for(
    kind: DueKind, schedule: Schedule, *, since: datetime, now: datetime, history: timedelta
) -> tuple[Due, ...]:
    """What was due long enough ago for no tick to come, and recently enough to be of use; newest first. Pure.

    Args:
        kind: of partition.
        schedule: the database's.
        since: when its schedule was switched on.
        now: the time, aware.
        history: as `of_use_still` takes it.
    """
    return of_use_still(kind, schedule, since=since, until=now - GRACE, now=now, history=history)


def to_start(candidates: Mapping[DueKind, Sequence[Due]], seen: Mapping[DueKind, Seen]) -> tuple[Due, ...]:
    """What to start now: what is missing of the first kind that misses something, once the kinds before are done.

    Pure.

    Args:
        candidates: per kind what can be made up for.
        seen: per kind of `candidates` what Dagster knows.
    """
    for kind in _IN_ORDER:
        if kind not in candidates:
            continue
        if missing := tuple(due for due in candidates[kind] if due.partition not in seen[kind].begun):
            return missing
        if seen[kind].running:
            return ()
    return ()
