"""The judgement of an artifact in one place, from its manifest and from what drills said of it. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from hackorda_ops.artifacts.ids import id_is_ahead
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.drill.causes import DrillSaid
from hackorda_ops.finding_kinds import Cause
from hackorda_ops.findings import fatal

State = Literal[
    "proven", "restores", "unproven", "incomplete", "doubtful", "damaged", "does not restore", "unsound"
]
# From the best to the worst: what a restore takes without being asked for it by id, and what it takes only where
# there is nothing better.
USABLE: Final[frozenset[State]] = frozenset({"proven", "restores", "unproven"})
LAST_RESORT: Final[frozenset[State]] = frozenset({"incomplete", "doubtful"})

BUT: Final[dict[Cause, str]] = {
    "migrations": "the team's migrations don't apply to it",
    "time": "it takes longer than its objective",
    "production": "production has moved further from it than its age explains",
}
_TOLD: Final = 3


@dataclass(frozen=True)
class ArtifactJudgement:
    """What is known of an artifact in one place.

    Attributes:
        state: in a word:
            proven: a drill brought everything back.
            restores: its data came back, but the drill failed about something else.
            unproven: nothing is known against it, and no drill has restored it.
            incomplete: its rows came back, but something else didn't.
            doubtful: the provider's history or production contradicts it, or the source broke its own rules.
            damaged: the copy in this place isn't what its manifest says.
            does not restore: a restore brings something else back than the database held.
            unsound: its night found something against it.
        sentence: the same as people read it, without a full stop.
        drill_id: the drill that says so; None where none does.
    """

    state: State
    sentence: str
    drill_id: str | None = None

    @property
    def usable(self) -> bool:
        """Whether it counts as a sound backup."""
        return self.state in USABLE

    @property
    def data_proven(self) -> bool:
        """Whether a drill brought its data back, whatever else failed."""
        return self.state in ("proven", "restores")


def judge(
    manifest: Manifest,
    location: str,
    drills: Iterable[DrillSaid],
    *,
    now: datetime,
    written_at: Callable[[], datetime | None] = lambda: None,
) -> ArtifactJudgement:
    """Judges an artifact in one place.

    The last drill that could judge has the last word. One that found the bytes of another copy damaged says
    nothing about this one, and what was written here after it is not what it saw.

    Args:
        manifest: the artifact's.
        location: where it lies: "<store>/<database>/<artifact id>".
        drills: what any drill said of any artifact.
        now: the present, aware. What a drill that is dated after it says counts only if no other says anything.
        written_at: when the artifact's files in this place were last written; None where that isn't known. Only
            asked where the answer depends on it.
    """
    if not manifest.sound:
        return ArtifactJudgement("unsound", f"not sound: {_against(manifest)}")
    about_it = sorted(
        (each for each in drills if each.artifact_id == manifest.artifact_id and each.verdict != "ERROR"),
        key=lambda each: (not id_is_ahead(each.drill_id, now), each.drill_id),
        reverse=True,
    )
    elsewhere = ""
    for drill in about_it:
        if drill.causes[:1] != ("copy",):
            found = _by(drill)
            return ArtifactJudgement(found.state, f"{found.sentence}{elsewhere}", found.drill_id)
        if drill.location != location:
            elsewhere = elsewhere or f"; the copy in {drill.location} is damaged (drill {drill.drill_id})"
        elif (written := written_at()) is None or written <= drill.ended_at:
            return ArtifactJudgement(
                "damaged", f"damaged here, as drill {drill.drill_id} found", drill.drill_id
            )
    return ArtifactJudgement("unproven", f"not proven by a drill yet{elsewhere}")


def beside_the_data(drill: DrillSaid | None) -> str:
    """What a drill failed about although the data came back, as a clause; "" where it didn't, or passed."""
    if drill is None or drill.verdict != "FAIL" or not drill.came_back:
        return ""
    return "; ".join(BUT[each] for each in drill.causes if each in BUT) or "a newer artifact is damaged"


def _by(drill: DrillSaid) -> ArtifactJudgement:
    by = f"(drill {drill.drill_id})"
    if drill.verdict == "PASS":
        return ArtifactJudgement("proven", f"proven {by}", drill.drill_id)
    worst = drill.causes[0] if drill.causes else None
    if but := beside_the_data(drill):
        return ArtifactJudgement("restores", f"its data came back, but {but} {by}", drill.drill_id)
    if worst == "definitions":
        return ArtifactJudgement(
            "incomplete", f"its rows came back, but something else did not {by}", drill.drill_id
        )
    if worst == "disagreement":
        return ArtifactJudgement(
            "doubtful", f"the provider's history, or production, contradicts it {by}", drill.drill_id
        )
    if worst == "source":
        return ArtifactJudgement("doubtful", f"the source broke its own rules {by}", drill.drill_id)
    return ArtifactJudgement("does not restore", f"it does not restore {by}", drill.drill_id)


def _against(manifest: Manifest) -> str:
    against = fatal(manifest.findings)
    more = f" and {len(against) - _TOLD} more" if len(against) > _TOLD else ""
    return ", ".join(f"{each.code} ({each.subject})" for each in against[:_TOLD]) + more
