"""What drills have said of artifacts, by the reports in the store and off-site. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hackorda_ops.artifacts.ids import id_is_ahead
from hackorda_ops.drill.report.history import DrillHistory


@dataclass(frozen=True)
class Proven:
    """What drills have proven.

    Attributes:
        artifact_ids: of the drills that passed, that of the last one first; without those in `found_bad`.
        found_bad: ids of the artifacts that a drill failed, and none has passed since.
        unknown: a sentence for each drill whose report can't be read, and which may have proven a newer one.
    """

    artifact_ids: tuple[str, ...]
    found_bad: frozenset[str]
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
    judged = [
        (each.artifact.artifact_id, each.verdict)
        for each in in_order
        if each.artifact and each.verdict != "ERROR"
    ]
    last_verdict = dict(judged)
    passed = [
        artifact_id
        for artifact_id, verdict in reversed(judged)
        if verdict == last_verdict[artifact_id] == "PASS"
    ]
    # The last drill need not be of the newest artifact. An artifact's id begins with the time that it was captured:
    # what was drilled before then can't be it, or newer.
    newest = max((each for each in passed if not id_is_ahead(each, now)), default="")
    return Proven(
        artifact_ids=tuple(passed),
        found_bad=frozenset(each for each, verdict in last_verdict.items() if verdict == "FAIL"),
        unknown=tuple(
            unread.why
            for history in stores
            for unread in history.unread
            if unread.drill_id not in drills and unread.drill_id > newest
        ),
    )
