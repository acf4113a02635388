"""Which nights are to be proven now: each once it's there, or one of each week. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from hackorda_ops.calendar.partitions import week_of

# What was materialized longer ago was missed: of that only the newest says anything about today.
_RECENT: Final = timedelta(days=1)


@dataclass(frozen=True)
class Materialized:
    """A night, or its proof, as it was materialized.

    Attributes:
        partition: the night.
        at: when, aware.
        event_id: grows with each that is materialized.
    """

    partition: date
    at: datetime
    event_id: int


def to_prove(
    nights: Sequence[Materialized],
    proofs: Sequence[Materialized],
    *,
    every: Literal["night", "week"],
    now: datetime,
) -> tuple[Materialized, ...]:
    """The nights to be proven, newest first, each as it was materialized last.

    Every night that has materialized within a day, in whatever order; and the newest, however long ago that was. One
    that was taken again since it was proven is another artifact. With one a week: the newest night of each of their
    weeks of which none is proven.

    Args:
        nights: that have materialized.
        proofs: that have: those that passed.
        every: how often one is proven.
        now: the present, aware.
    """
    last: dict[date, Materialized] = {}
    for each in sorted(nights, key=lambda night: night.event_id):
        last[each.partition] = each
    proven_at: dict[date, int] = {}
    for proof in sorted(proofs, key=lambda proof: proof.event_id):
        proven_at[proof.partition] = proof.event_id
    newest = max(last, default=None)
    wanted = [
        each
        for partition, each in sorted(last.items(), reverse=True)
        if proven_at.get(partition, -1) < each.event_id and (partition == newest or now - each.at <= _RECENT)
    ]
    if every == "night":
        return tuple(wanted)
    weeks = {week_of(partition) for partition in proven_at}
    of_weeks: dict[date, Materialized] = {}
    for each in wanted:
        if week_of(each.partition) not in weeks:
            of_weeks.setdefault(week_of(each.partition), each)
    return tuple(of_weeks.values())
