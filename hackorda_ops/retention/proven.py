"""Which artifacts drills have proven, by the reports in the store and off-site. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from hackorda_ops.drill.history import History


@dataclass(frozen=True)
class Proven:
    """What drills have proven.

    Attributes:
        artifact_ids: of the drills that passed, that of the last one first.
        unknown: a sentence for each newer drill whose report nobody can read: it may have proven another one.
    """

    artifact_ids: tuple[str, ...]
    unknown: tuple[str, ...]


def proven(histories: Iterable[History]) -> Proven:
    """Puts the reports of several stores together; one that is readable in any of them counts."""
    stores = list(histories)
    drills = {drill.drill_id: drill for history in stores for drill in history.drills}
    # A drill's id begins with the time that it began.
    passed = sorted(
        (each for each in drills.values() if each.verdict == "PASS"), key=lambda each: each.drill_id
    )
    last = passed[-1].drill_id if passed else ""
    return Proven(
        artifact_ids=tuple(each.artifact.artifact_id for each in reversed(passed) if each.artifact),
        unknown=tuple(
            unread.why
            for history in stores
            for unread in history.unread
            if unread.drill_id not in drills and unread.drill_id > last
        ),
    )
