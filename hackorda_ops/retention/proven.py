"""What drills have said of artifacts, by the reports in the store and off-site. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hackorda_ops.artifacts.ids import id_is_ahead
from hackorda_ops.drill.causes import DrillSaid, said
from hackorda_ops.drill.report.history import DrillHistory


@dataclass(frozen=True)
class Proven:
    """What drills have proven.

    Attributes:
        artifact_ids: those whose data came back, that of the last drill first, whatever else failed; of each, the
            last drill that could judge has the last word.
        said: what each drill said of its artifact.
        unknown: a sentence for each drill whose report can't be read, and which may have proven a newer one.
    """

    artifact_ids: tuple[str, ...]
    said: tuple[DrillSaid, ...]
    unknown: tuple[str, ...]


def proven(histories: Iterable[DrillHistory], *, now: datetime) -> Proven:
    """Puts the reports of several stores together; one that is readable in any of them counts.

    Args:
        histories: of the same database.
        now: the present, aware.
    """
    stores = list(histories)
    drills = {drill.drill_id: drill for history in stores for drill in history.drills}
    # A drill's id begins with the time that it began. Where that lies after now, nobody knows when it was: every
    # other drill has the last word over it.
    in_order = sorted(drills.values(), key=lambda each: (not id_is_ahead(each.drill_id, now), each.drill_id))
    judged = [each for each in map(said, in_order) if each is not None and each.verdict != "ERROR"]
    last = {each.artifact_id: each for each in judged}
    passed = [
        each.artifact_id for each in reversed(judged) if each.came_back and last[each.artifact_id].came_back
    ]
    # The last drill need not be of the newest artifact. An artifact's id begins with the time that it was captured:
    # what was drilled before then can't be it, or newer.
    newest = max((each for each in passed if not id_is_ahead(each, now)), default="")
    return Proven(
        artifact_ids=tuple(passed),
        said=tuple(judged),
        unknown=tuple(
            unread.why
            for history in stores
            for unread in history.unread
            if unread.drill_id not in drills and unread.drill_id > newest
        ),
    )
