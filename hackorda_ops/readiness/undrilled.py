"""Copies off-site that no drill has restored for long, although each quarter drills another in turn. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.stores.store import PlaceName

# The longest quarter.
_QUARTER: Final = timedelta(days=92)


def undrilled(
    places: Mapping[PlaceName, str],
    oldest: Mapping[PlaceName, datetime],
    drills: Iterable[DrillResult],
    now: datetime,
) -> Iterator[str]:
    """A sentence for each of several copies whose turn came, and that was not drilled.

    A drill that took its files from two places counts for neither. One quarter more than there are copies may pass.

    Args:
        places: the copies, by name, each as people name it.
        oldest: the moment that the oldest artifact in each place holds, aware.
        drills: all that there were.
        now: the present, aware.
    """
    if len(places) < 2:  # one alone is drilled each quarter, or overdue
        return
    last: dict[PlaceName, datetime] = {}
    for drill in drills:
        artifact = drill.artifact
        if artifact is None or drill.verdict == "ERROR":
            continue
        for place, described in places.items():
            if artifact.location == f"{described}/{drill.database}/{artifact.artifact_id}":
                last[place] = max(drill.started_at, last.get(place, drill.started_at))
    allowed = _QUARTER * (len(places) + 1)
    for place in places:
        since = last.get(place, oldest[place])
        if now - since <= allowed:
            continue
        told = f"since {last[place]:%Y-%m-%d}" if place in last else "at all"
        yield (
            f"{place} has not been drilled {told}, although each quarter drills another of the {len(places)} copies in "
            "turn: the reports of its quarters say which was drilled instead, and why."
        )
