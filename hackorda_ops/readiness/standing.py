"""How a database stands: its newest night, copy and proof, and what is overdue.

It's asked every few minutes, so it reads as little as it can; `reading` says how.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from hackorda_ops import local_trouble
from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import Described, Manifest
from hackorda_ops.calendar.due import DueKind
from hackorda_ops.drill.causes import DrillSaid, said
from hackorda_ops.drill.consequences import beside_the_data, consequence_of
from hackorda_ops.drill.report.words import next_step
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.judgement.artifact import ArtifactJudgement, Sayings, judge
from hackorda_ops.judgement.reading import last_written
from hackorda_ops.readiness import night_proofs_seen, overdue, reading
from hackorda_ops.readiness.counted import Counted
from hackorda_ops.readiness.counting import count_copies
from hackorda_ops.readiness.overdue import Attempt, Overdue, OverdueKind
from hackorda_ops.readiness.reading import Listed, Trouble
from hackorda_ops.readiness.seen import ArtifactSeen, DrillSeen, Proof, ProofSeen
from hackorda_ops.receipts.waiting import waiting_sentence
from hackorda_ops.stores.store import PlaceName
from hackorda_ops.unforeseen import described
from hackorda_ops.week.apart import one_bucket
from hackorda_ops.week.missing import MISSING_COPY

__all__ = [
    "ArtifactSeen",
    "DrillSeen",
    "Overdue",
    "Proof",
    "Standing",
    "read_standing",
    "seen",
    "unforeseen",
    "unread",
]

# A week's copies may still be made.
_ON_ITS_WAY: Final = timedelta(days=1)
# An artifact, with what is known of it where it lies.
Judgements = tuple[Manifest, ArtifactJudgement]


@dataclass(frozen=True)
class Standing:
    """How a database stands at one moment.

    Attributes:
        database: its name in databases.yaml.
        at: the moment, aware.
        newest_night: the artifact captured last in the store, sound or not.
        newest_sound_night: the last one that is sound.
        newest_copy: the last one off-site that is sound.
        passed_over: newer ones than the newest sound ones, that were found bad after their night, newest first.
        last_proven: the newest restore point that a drill has proven: its data came back.
        night_proven: the newest one that the proof of a night has proven.
        last_proof: the newest proof of a night.
        last_drill: the newest drill.
        last_exercise_passed_at: when the newest recovery exercise that passed was run.
        overdue: what should have been there by now. What can't be read isn't judged.
        judged: the kinds that could be judged; for any other it's unknown whether it's overdue.
        problems: everything odd, a sentence each.
        unreadable: those of the problems that hide whether anything is overdue: a place can't be read.
        history_was_used: whether a night was read from the provider's history, or an exercise recovered from it.
        counted: the copies of the newest sound artifact; None where there is none, or they weren't counted.
    """

    database: str
    at: datetime
    newest_night: ArtifactSeen | None
    newest_sound_night: ArtifactSeen | None
    newest_copy: ArtifactSeen | None
    last_proven: Proof | None
    last_drill: DrillSeen | None
    last_exercise_passed_at: datetime | None
    overdue: tuple[Overdue, ...]
    judged: tuple[OverdueKind, ...]
    problems: tuple[str, ...]
    unreadable: tuple[str, ...]
    history_was_used: bool = False
    passed_over: tuple[ArtifactSeen, ...] = ()
    counted: Counted | None = None
    night_proven: Proof | None = None
    last_proof: ProofSeen | None = None

    @property
    def newest_proven(self) -> Proof | None:
        """The newest restore point that anything has proven; one that is still there, if any is."""
        proven = [each for each in (self.last_proven, self.night_proven) if each is not None]
        return max(proven, key=lambda each: (each.kept, each.captured_at), default=None)

    @property
    def hours_since_proven(self) -> float | None:
        """Hours since a drill or the proof of a night last brought a backup back; None where none has."""
        proven = [each.drilled_at for each in (self.last_proven, self.night_proven) if each is not None]
        return (self.at - max(proven)).total_seconds() / 3600 if proven else None


def read_standing(protected: Protected, *, now: datetime, counting: bool = False) -> Standing:
    """Reads how a database stands; whatever can't be read is reported, and not fatal.

    Args:
        protected: the database.
        now: aware.
        counting: whether the copies are counted as well, which takes a few more requests to each place.
    """
    try:
        return _read_standing(protected, now, counting=counting)
    except Exception as error:  # noqa: BLE001  # one database must not keep the others from being read
        return unread(protected.name, now, unforeseen(protected.name, error))


def unforeseen(name: str, error: Exception) -> str:
    """A sentence on an unexpected error."""
    if trouble := local_trouble.of_exception(error):
        return f"Looking at {name} failed: {trouble.what} {trouble.next_step}"
    return f"Looking at {name} failed, which is a bug in hackorda_ops: {described(error)}."


def unread(name: str, now: datetime, why: str) -> Standing:
    """The standing of a database that couldn't be read.

    Args:
        name: the database's name in databases.yaml.
        now: the present, aware.
        why: why it couldn't be read, in a sentence.
    """
    return Standing(
        database=name,
        at=now,
        newest_night=None,
        newest_sound_night=None,
        newest_copy=None,
        last_proven=None,
        last_drill=None,
        last_exercise_passed_at=None,
        overdue=(),
        judged=(),
        problems=(why,),
        unreadable=(why,),
    )


def _read_standing(protected: Protected, now: datetime, *, counting: bool) -> Standing:
    name, schedule, trouble = protected.name, protected.policy.schedule, Trouble()
    straight = protected.straight_offsite
    listed = reading.list_places(protected, now, trouble)
    places = list(listed.values())
    for (one, first), (other, second) in itertools.combinations(listed.items(), 2):
        called = f"{one} and {other}" if protected.several_offsite else "The store and off-site"
        if both := one_bucket(first.store, second.store, called=called):
            trouble.problems.append(both)
    trouble.problems += filter(None, [waiting_sentence(protected)])

    drills = reading.newest_drills(places, name, schedule, trouble) if places else None
    drills_said = tuple(each for each in map(said, drills or ()) if each is not None)
    proofs = reading.newest_proofs(places, name, now, trouble) if places else None
    proofs_said = night_proofs_seen.said_by(proofs or ())

    reports: dict[str, DrillResult | str] = {each.drill_id: each for each in drills or ()}

    def drills_of(artifact: Manifest) -> tuple[DrillSaid, ...]:
        try:
            since = reading.drills_since(places, name, artifact.artifact_id, reports)
        except OpsError as error:
            trouble.hides(error.what)
            return drills_said
        found = (*drills_said, *(each for each in map(said, since) if each is not None))
        return tuple({each.drill_id: each for each in found}.values())

    def judged(place: Listed, artifact: Manifest) -> ArtifactJudgement:
        of_artifact = reading.proofs_of(places, name, artifact.artifact_id, trouble)
        return judge(
            artifact,
            f"{place.store.describe()}/{artifact.prefix}",
            Sayings(
                (*drills_of(artifact), *night_proofs_seen.said_by(of_artifact)),
                reading.verifications_of(places, name, artifact.artifact_id, trouble),
            ),
            now=now,
            written_at=lambda: last_written(place.store, artifact.prefix),
        )

    def artifacts(place: Listed | None, kind: DueKind) -> tuple[Judgements, ...] | None:
        if place is None:
            return None
        known: dict[str, ArtifactJudgement] = {}

        def usable(artifact: Manifest) -> bool:
            if artifact.artifact_id not in known:
                known[artifact.artifact_id] = judged(place, artifact)
            return known[artifact.artifact_id].usable

        found = reading.newest_artifacts(
            place,
            name,
            overdue.asked_for(kind, schedule, now),
            schedule,
            trouble,
            usable=usable,
        )
        return None if found is None else tuple((each, known[each.artifact_id]) for each in found)

    all_read = len(places) == len(protected.place_names)
    nights = artifacts(listed.get(protected.nights_in), "night")
    in_copies = {
        place: found
        for place in protected.policy.copied_to
        if (found := artifacts(listed.get(place), "week")) is not None
    }
    trouble.problems += _missing_copies(in_copies, listed, now)
    copied = None if not in_copies else _newest_first(chain.from_iterable(in_copies.values()))
    copies = nights if straight and not in_copies else copied
    asks_for_exercises = bool(places) and protected.policy.keeps_history
    exercises = reading.newest_exercises(places, name, schedule, trouble) if asks_for_exercises else None
    # What can't be read is not judged, which is not the same as having found nothing.
    attempts: dict[DueKind, Sequence[Attempt]] = {}
    if nights is not None:
        attempts["night"] = [overdue.by_night(each) for each, _ in nights]
    if copied is not None:
        attempts["week"] = [overdue.by_copy(*each) for each in copied]
    if drills is not None:
        attempts["quarter"] = [overdue.by_drill(each) for each in drills]
    if exercises is not None:
        attempts["year"] = [overdue.by_exercise(each) for each in exercises]
    proves = proofs is not None and protected.policy.proof.every != "off"
    of_proofs: tuple[OverdueKind, ...] = ("proof",) if proves else ()
    unproven = (
        None
        if proofs is None or nights is None
        else overdue.proof_overdue(
            [overdue.by_proof(each) for each in proofs],
            [each.night for each, _ in nights if each.sound],
            protected.policy,
            now,
            wanted=protected.policy.proof.demanded or any(each.verdict != "ERROR" for each in proofs),
        )
    )
    passed_over = tuple(
        _seen(artifact, judgement)
        for found in (nights or (), *in_copies.values())
        for artifact, judgement in itertools.takewhile(lambda each: not each[1].usable, found)
        if judgement.found_bad
    )
    newest = next((each for each, known in (*(copies or ()), *(nights or ())) if known.usable), None)
    return Standing(
        database=name,
        at=now,
        newest_night=_seen(*nights[0]) if nights else None,
        newest_sound_night=_newest_sound(nights or ()),
        newest_copy=_newest_sound(copies or ()),
        last_proven=_last_proven(name, drills or (), proofs_said, places, trouble, all_read=all_read),
        night_proven=night_proofs_seen.newest_proven(
            proofs or (), drills_said, lambda each: _kept(name, each, places, trouble, all_read=all_read)
        ),
        last_proof=night_proofs_seen.seen(proofs[0], protected.policy) if proofs else None,
        last_drill=_drill_seen(drills[0]) if drills else None,
        last_exercise_passed_at=next(
            (each.started_at for each in exercises or () if each.verdict == "PASS"), None
        ),
        overdue=(
            *overdue.find_overdue(
                attempts,
                schedule,
                now,
                first_trace=min(chain.from_iterable(place.traces for place in places), default=None),
                all_read=all_read,
            ),
            *([] if unproven is None else [unproven]),
        ),
        judged=(*attempts, *of_proofs),
        problems=tuple(trouble.problems),
        unreadable=tuple(trouble.unreadable),
        history_was_used=any(each.dumped_from == "branch" for each, _ in nights or ())
        or any(each.verdict == "PASS" for each in exercises or ()),
        passed_over=passed_over,
        counted=None
        if newest is None or not counting
        else count_copies(
            protected,
            listed,
            newest,
            judged=judged,
            verifications=reading.verifications_of(places, name, newest.artifact_id, trouble),
            errors=_errors(passed_over, drills or ()),
            now=now,
        ),
    )


def _newest_first(found: Iterable[Judgements]) -> tuple[Judgements, ...]:
    return tuple(sorted(found, key=lambda each: (each[0].captured_at, each[0].artifact_id), reverse=True))


def _missing_copies(
    in_copies: Mapping[PlaceName, Sequence[Judgements]], listed: Mapping[PlaceName, Listed], now: datetime
) -> Iterator[str]:
    """A sentence for each copy that lacks the newest that another has. Pure."""
    newest = {
        place: each[0]
        for place, found in in_copies.items()
        if (each := next((one for one in found if one[1].usable), None)) is not None
    }
    if not newest:
        return
    ahead = max(newest, key=lambda place: (newest[place].captured_at, newest[place].artifact_id))
    wanted = newest[ahead]
    if now - wanted.captured_at < _ON_ITS_WAY:
        return
    for place in in_copies:
        if wanted.artifact_id not in listed[place].artifact_ids:
            yield (
                f"{MISSING_COPY.what.capitalize()}: {place} lacks {wanted.artifact_id}, which {ahead} has. It is "
                "made up for by the next run of the weekly copy, or by `hackorda-ops copy`."
            )


def _errors(passed_over: Iterable[ArtifactSeen], drills: Sequence[DrillResult]) -> list[str]:
    """What proofs found against any copy. Pure."""
    found = [f"{each.artifact_id}: {each.judgement}." for each in passed_over]
    last = drills[0] if drills else None
    if last is not None and last.verdict == "FAIL" and not beside_the_data(said(last)):
        found.append(f"The last drill FAILED: {consequence_of(last).headline}.")
    return found


def seen(artifact: Described) -> ArtifactSeen:
    """What is said of an artifact."""
    return ArtifactSeen(
        artifact.artifact_id, artifact.night, artifact.captured_at, artifact.sound, artifact.size_bytes
    )


def _seen(artifact: Manifest, judgement: ArtifactJudgement) -> ArtifactSeen:
    return replace(seen(artifact), sound=judgement.usable, judgement=judgement.sentence)


def _drill_seen(drill: DrillResult) -> DrillSeen:
    follows = consequence_of(drill) if drill.verdict == "FAIL" else None
    return DrillSeen(
        drill.drill_id,
        drill.quarter,
        drill.verdict,
        drill.started_at,
        beside_the_data(said(drill)),
        next_step(drill) or "",
        follows.headline if follows else "",
        follows.colour if follows else "",
    )


def _newest_sound(artifacts: Sequence[Judgements]) -> ArtifactSeen | None:
    return next((_seen(*each) for each in artifacts if each[1].usable), None)


def _last_proven(
    database: str,
    drills: Sequence[DrillResult],
    night_proofs: Sequence[DrillSaid],
    places: Sequence[Listed],
    trouble: Trouble,
    *,
    all_read: bool,
) -> Proof | None:
    # Newest first: of each artifact, the last drill that could judge has the last word.
    last: dict[str, DrillResult] = {}
    for each in drills:
        if each.artifact is not None and each.verdict != "ERROR":
            last.setdefault(each.artifact.artifact_id, each)
    proofs = [
        (drill, drill.artifact)
        for drill in last.values()
        if drill.artifact is not None
        and (word := said(drill)) is not None
        and word.came_back
        and night_proofs_seen.stands(word, night_proofs)
    ]
    if not proofs:
        return None
    drill, artifact = max(proofs, key=lambda proof: proof[1].captured_at)
    return Proof(
        drill_id=drill.drill_id,
        quarter=drill.quarter,
        artifact_id=artifact.artifact_id,
        captured_at=artifact.captured_at,
        drilled_at=drill.started_at,
        recovery_seconds=drill.recovery_seconds,
        kept=_kept(database, artifact.artifact_id, places, trouble, all_read=all_read),
    )


def _kept(
    database: str, artifact_id: str, places: Sequence[Listed], trouble: Trouble, *, all_read: bool
) -> bool:
    """Whether an artifact is in any place, or may be in one that can't be read."""
    holders = [place.store for place in places if artifact_id in place.artifact_ids]
    try:
        found = [each for store in holders for each in catalog.read_each(store, database, [artifact_id])]
    except OpsError as error:
        trouble.hides(error.what)
        return True
    # What is left of an artifact is a folder too; without its manifest nobody can restore it.
    return not all_read or any(isinstance(each, Manifest) for each in found)
