"""The judgement of an artifact in one place: from its manifest, and from what drills and verifications said. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final, Literal, TypeVar

from hackorda_ops.artifacts.ids import id_is_ahead, moment_of
from hackorda_ops.artifacts.manifest import Described
from hackorda_ops.artifacts.verifications import Verification
from hackorda_ops.drill.causes import NOT_OF_A_PROOF, DrillSaid
from hackorda_ops.drill.consequences import CONSEQUENCES, Follows, beside_the_data

State = Literal["proven", "unproven", "unsound"] | Follows
# From the best to the worst: what a restore takes without being asked for it by id, and what it takes only where
# there is nothing better.
USABLE: Final[frozenset[State]] = frozenset({"proven", "restores", "unproven"})
LAST_RESORT: Final[frozenset[State]] = frozenset({"incomplete", "doubtful"})

_TOLD: Final = 3


@dataclass(frozen=True)
class ArtifactJudgement:
    """What is known of an artifact in one place.

    Attributes:
        state: in a word:
            proven: a drill, or the proof of its night, brought everything back.
            restores: its data came back, but the drill failed about something else.
            unproven: nothing is known against it, and nothing has restored it.
            incomplete: its rows came back, but something else didn't.
            doubtful: the provider's history or production contradicts it, or the source broke its own rules.
            damaged: the copy in this place isn't what its manifest says.
            does not restore: a restore brings something else back than the database held.
            unsound: its night found something against it.
        sentence: the same as people read it, without a full stop.
        drill_id: the drill that says so; None where none does.
        verification_id: the verification that says so; None where none does.
        proof_id: the night's proof that says so; None where none does.
        damaged_files: the paths of the files that are known to be damaged here; None where it isn't known which.
        if_whole: for a damaged one, the state that it would have if its bytes were whole.
    """

    state: State
    sentence: str
    drill_id: str | None = None
    verification_id: str | None = None
    damaged_files: tuple[str, ...] | None = ()
    if_whole: State | None = None
    proof_id: str | None = None

    @property
    def usable(self) -> bool:
        """Whether it counts as a sound backup."""
        return self.state in USABLE

    @property
    def data_proven(self) -> bool:
        """Whether a drill or a proof brought its data back, whatever else failed."""
        return self.state in ("proven", "restores")

    @property
    def found_bad(self) -> bool:
        """Whether something was found against it after its night."""
        return not self.usable and self.state != "unsound"


SayingT = TypeVar("SayingT", DrillSaid, Verification)


@dataclass(frozen=True)
class Sayings:
    """What was said of a database's artifacts, in any order.

    Attributes:
        drills: by drills, and by the proofs of nights.
        verifications: by whatever read their bytes.
    """

    drills: tuple[DrillSaid, ...] = ()
    verifications: tuple[Verification, ...] = ()

    def about(self, artifact_id: str) -> tuple[Sequence[DrillSaid], Sequence[Verification]]:
        """What was said of one artifact."""
        return self._drills_by_artifact.get(artifact_id, ()), self._verifications_by_artifact.get(
            artifact_id, ()
        )

    @cached_property
    def _drills_by_artifact(self) -> dict[str, list[DrillSaid]]:
        return _by_artifact(self.drills)

    @cached_property
    def _verifications_by_artifact(self) -> dict[str, list[Verification]]:
        return _by_artifact(self.verifications)


def _by_artifact(sayings: Iterable[SayingT]) -> dict[str, list[SayingT]]:
    found: dict[str, list[SayingT]] = {}
    for each in sayings:
        found.setdefault(each.artifact_id, []).append(each)
    return found


@dataclass(frozen=True)
class _Look:
    """One reading of the artifact's bytes in one place."""

    location: str
    begun_id: str
    began_at: datetime
    ended_at: datetime
    sound: bool
    named: str
    drill_id: str | None = None
    verification_id: str | None = None
    damaged_files: tuple[str, ...] | None = None
    proof_id: str | None = None


def judge(
    artifact: Described,
    location: str,
    sayings: Sayings,
    *,
    now: datetime,
    written_at: Callable[[], datetime | None] = lambda: None,
) -> ArtifactJudgement:
    """Judges an artifact in one place.

    Bytes that were found damaged here count until they were written again, or until a whole reading that began
    afterwards found them sound. Of the rest, the last drill that could open and judge it has the last word. What was
    found damaged in another place says nothing about this one, and is only named.

    Args:
        artifact: the artifact, by its manifest or a summary of that, which doesn't know its files.
        location: where it lies: "<store>/<database>/<artifact id>".
        sayings: what was said of any artifact.
        now: the present, aware. What is dated after it counts only if nothing else says anything.
        written_at: when the artifact's files in this place were last written; None where that isn't known. Only
            asked where the answer depends on it.
    """
    if not artifact.sound:
        return ArtifactJudgement("unsound", f"not sound: {_against(artifact)}")
    by_drills, verifications = sayings.about(artifact.artifact_id)
    drills = _last_first(artifact, by_drills, now)
    looks = [*_looks(artifact, drills, verifications)]
    last = last_word([each for each in drills if not (_is_damage(each) or _is_identity(each))])
    found = _by(last) if last else ArtifactJudgement("unproven", "not proven yet")
    if drills and _is_identity(drills[0]):
        # That is known of the identity, and not of the artifact: with another one it may restore.
        unopened = f"{found.sentence}; the identity of {drills[0].named} did not open it"
        found = replace(found, sentence=unopened)
    here = _damage([each for each in looks if each.location == location], now)
    if here is not None and ((written := written_at()) is None or written <= here.ended_at):
        return ArtifactJudgement(
            "damaged",
            f"{CONSEQUENCES['copy'].headline} ({here.named})",
            here.drill_id,
            here.verification_id,
            here.damaged_files,
            found.state,
            here.proof_id,
        )
    elsewhere = "".join(
        f"; the copy in {bad.location} is damaged ({bad.named})"
        for there in sorted({each.location for each in looks} - {location})
        if (bad := _damage([each for each in looks if each.location == there], now)) is not None
    )
    return replace(found, sentence=f"{found.sentence}{elsewhere}")


def last_word(said: Sequence[DrillSaid]) -> DrillSaid | None:
    """Who has the last word on an artifact; None where nobody judged it. Pure.

    A proof that passed refutes no drill that failed about what a proof doesn't look at.

    Args:
        said: what was said of it by those that could judge, the newest first.
    """
    newest = next(iter(said), None)
    if newest is None or newest.by == "drill" or newest.verdict == "FAIL":
        return newest
    drill = next((each for each in said if each.by == "drill"), None)
    return drill if drill and NOT_OF_A_PROOF & set(drill.causes) else newest


def _last_first(artifact: Described, drills: Sequence[DrillSaid], now: datetime) -> list[DrillSaid]:
    """What drills and proofs said that could judge an artifact, the newest first."""
    ours = {"", artifact.files_sha256} if drills else set()
    return sorted(
        (each for each in drills if each.verdict != "ERROR" and each.files_sha256 in ours),
        key=lambda each: (not id_is_ahead(each.drill_id, now), each.drill_id),
        reverse=True,
    )


def _is_damage(drill: DrillSaid) -> bool:
    return drill.causes[:1] == ("copy",)


def _is_identity(drill: DrillSaid) -> bool:
    return drill.causes[:1] == ("identity",)


def _looks(
    artifact: Described, drills: Iterable[DrillSaid], verifications: Sequence[Verification]
) -> Iterator[_Look]:
    for drill in drills:
        # A drill reads every byte before it restores any; where it couldn't open the artifact, it read none.
        if _is_identity(drill):
            continue
        yield _Look(
            location=drill.location,
            begun_id=drill.drill_id,
            began_at=moment_of(drill.drill_id) or drill.ended_at,
            ended_at=drill.ended_at,
            sound=not _is_damage(drill),
            named=drill.named,
            drill_id=drill.drill_id if drill.by == "drill" else None,
            proof_id=drill.drill_id if drill.by == "proof" else None,
            damaged_files=_files(artifact, drill.damaged),
        )
    ours = artifact.files_sha256 if verifications else ""
    for each in verifications:
        if each.files_sha256 == ours:
            yield _Look(
                location=each.location,
                begun_id=each.verification_id,
                began_at=each.began_at,
                ended_at=each.ended_at,
                sound=each.sound,
                named=f"{each.by} {each.verification_id}",
                verification_id=each.verification_id,
                damaged_files=each.damaged_files or None,
            )


def _files(artifact: Described, subjects: Sequence[str]) -> tuple[str, ...] | None:
    """The files that findings are about; None where one is about anything else."""
    if not subjects:
        return None
    paths = artifact.paths
    return tuple(paths[each] for each in subjects) if paths.keys() >= set(subjects) else None


def _damage(looks: Sequence[_Look], now: datetime) -> _Look | None:
    """The damage in one place that nothing has superseded; None where there's none."""
    timely = [each for each in looks if not id_is_ahead(each.begun_id, now)] or looks
    last = max((each for each in timely if not each.sound), key=lambda each: each.ended_at, default=None)
    if last is None or any(each.sound and each.began_at >= last.ended_at for each in timely):
        return None
    return last


def _by(drill: DrillSaid) -> ArtifactJudgement:
    by = f"({drill.named})"
    if drill.verdict == "PASS":
        return _said(drill, "proven", f"proven {by}")
    if but := beside_the_data(drill):
        return _said(drill, "restores", f"its data came back, but {but} {by}")
    follows = CONSEQUENCES[drill.causes[0] if drill.causes else "rows"]
    if follows.artifact == "restores":
        # What it failed about is harmless, but it hasn't shown that everything came back.
        follows = CONSEQUENCES["rows"]
    return _said(drill, follows.artifact, f"{follows.headline} {by}")


def _said(drill: DrillSaid, state: State, sentence: str) -> ArtifactJudgement:
    of_drill = drill.by == "drill"
    return ArtifactJudgement(
        state,
        sentence,
        drill_id=drill.drill_id if of_drill else None,
        proof_id=None if of_drill else drill.drill_id,
    )


def _against(artifact: Described) -> str:
    against = artifact.against
    more = f" and {len(against) - _TOLD} more" if len(against) > _TOLD else ""
    return ", ".join(against[:_TOLD]) + more
