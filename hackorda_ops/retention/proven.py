"""What drills and proofs have said of artifacts, by what lies in the store and off-site. Pure."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from hackorda_ops.artifacts.ids import id_is_ahead
from hackorda_ops.drill.causes import DrillSaid, said
from hackorda_ops.drill.report.history import DrillHistory
from hackorda_ops.judgement.artifact import last_word


@dataclass(frozen=True)
class Proven:
    """What drills and the proofs of nights have proven.

    Attributes:
        artifact_ids: those whose data came back in a drill, that of the last drill first, whatever else failed; of
            each, the last drill or proof that could judge has the last word.
        night_ids: the same of the proofs of nights.
        said: what each said of its artifact.
        unknown: a sentence for each drill whose report can't be read, and which may have proven a newer one.
    """

    artifact_ids: tuple[str, ...]
    night_ids: tuple[str, ...]
    said: tuple[DrillSaid, ...]
    unknown: tuple[str, ...]


def proven(histories: Iterable[DrillHistory], *, now: datetime, proofs: Sequence[DrillSaid] = ()) -> Proven:
    """Puts what lies in several stores together; what is readable in any of them counts.

    Args:
        histories: of the same database.
        now: the present, aware.
        proofs: what the proofs of nights said.
    """
    stores = list(histories)
    drills = {drill.drill_id: drill for history in stores for drill in history.drills}
    drilled = [each for each in map(said, drills.values()) if each is not None]
    # A drill's id begins with the time that it began. Where that lies after now, nobody knows when it was: every
    # other drill has the last word over it.
    in_order = sorted(
        (*drilled, *proofs), key=lambda each: (not id_is_ahead(each.drill_id, now), each.drill_id)
    )
    judged = [each for each in in_order if each.verdict != "ERROR"]
    last = {
        artifact_id: last_word([each for each in reversed(judged) if each.artifact_id == artifact_id])
        for artifact_id in {each.artifact_id for each in judged}
    }
    came_back = [
        each
        for each in reversed(judged)
        if each.came_back and (word := last[each.artifact_id]) is not None and word.came_back
    ]
    passed = [each.artifact_id for each in came_back if each.by == "drill"]
    # The last drill need not be of the newest artifact. An artifact's id begins with the time that it was captured:
    # what was drilled before then can't be it, or newer.
    newest = max((each for each in passed if not id_is_ahead(each, now)), default="")
    return Proven(
        artifact_ids=tuple(passed),
        night_ids=tuple(each.artifact_id for each in came_back if each.by == "proof"),
        said=tuple(judged),
        unknown=tuple(_unread(stores, drills, newest)),
    )


def _unread(stores: Iterable[DrillHistory], drills: Collection[str], newest: str) -> Iterator[str]:
    for history in stores:
        for unread in history.unread:
            if unread.drill_id not in drills and unread.drill_id > newest:
                yield unread.why
