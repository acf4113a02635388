"""Reads the newest of what the stores hold: the names of folders first, then as few files as possible.

The names begin with the time of creation, so the newest are known without opening any.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, time
from itertools import islice, takewhile
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from hackorda_ops.artifacts import catalog, operations_log
from hackorda_ops.artifacts.ids import id_is_ahead, moment_of, second
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.artifacts.verifications import Verification, read_verifications, verification_keys
from hackorda_ops.calendar.clocks import TOO_FAR
from hackorda_ops.calendar.due import Due
from hackorda_ops.calendar.partitions import night_of, quarter_of, year_of
from hackorda_ops.config.models import Schedule
from hackorda_ops.config.offsite import STORE
from hackorda_ops.drill.report.history import DRILLS_FOLDER, read_report
from hackorda_ops.drilling.night_proof import PROOFS, NightProof, each_once
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactMissing, OpsError
from hackorda_ops.exercise.history import EXERCISES_FOLDER, read_exercise
from hackorda_ops.exercise.result import ExerciseResult
from hackorda_ops.judgement.reading import together
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import PlaceName, Store

# A quarter of nights, and more drills than are run in twenty years. Usually the first one is enough.
_MOST_READ: Final = 100

# Of several places together: an alarm's look has 12 seconds for everything.
_LISTING_SECONDS: Final = 8.0

T = TypeVar("T")


@dataclass
class Trouble:
    """What was odd while reading, a sentence each.

    Attributes:
        problems: all of it.
        unreadable: the part that hides whether anything is overdue: a place that can't be read.
    """

    problems: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def hides(self, what: str) -> None:
        """Notes what hides whether anything is overdue."""
        self.problems.append(what)
        self.unreadable.append(what)


@dataclass(frozen=True)
class Listed:
    """A store, and the ids of what it holds of one database, newest first; none of that is opened yet.

    Attributes:
        verification_keys: where what was seen of the artifacts is written down.
        proof_keys: where the proofs of nights are.
        first_event_at: when the operations log begins; None without one.
    """

    store: Store
    artifact_ids: tuple[str, ...]
    drill_ids: tuple[str, ...]
    exercise_ids: tuple[str, ...]
    verification_keys: tuple[str, ...]
    proof_keys: tuple[str, ...]
    first_event_at: datetime | None

    @property
    def traces(self) -> Iterator[datetime]:
        """When the oldest things in it were made, of each kind."""
        for ids in (self.artifact_ids, self.drill_ids, self.exercise_ids):
            if ids and (oldest := moment_of(ids[-1])) is not None:
                yield oldest
        if self.first_event_at is not None:
            yield self.first_event_at


def list_place(
    called: str, database: str, open_store: Callable[[], Store], now: datetime, trouble: Trouble
) -> Listed | None:
    """Lists what a store holds of a database.

    Args:
        called: the store, for the message.
        database: its name in databases.yaml.
        open_store: opens it.
        now: aware; what is dated after it (`clocks.is_ahead`) is left out, and told.
        trouble: gets a sentence where it can't be listed; the answer is None then.
    """
    try:
        # The caller has a minute for everything.
        store = open_store().with_patience(SOON)
        artifact_ids, drill_ids, exercise_ids = (
            catalog.ids(store, database, *folder) for folder in ((), (DRILLS_FOLDER,), (EXERCISES_FOLDER,))
        )
        return Listed(
            store=store,
            artifact_ids=_made_by(now, artifact_ids, called, trouble),
            drill_ids=_made_by(now, drill_ids, called, trouble),
            exercise_ids=_made_by(now, exercise_ids, called, trouble),
            verification_keys=verification_keys(store, database),
            proof_keys=PROOFS.keys(store, database),
            first_event_at=operations_log.first_event_at(store, database),
        )
    except OpsError as error:
        trouble.hides(f"{called} can't be read: {error.what}")
        return None


def list_places(protected: Protected, now: datetime, trouble: Trouble) -> dict[PlaceName, Listed]:
    """Lists what each place holds of a database, several off-site side by side; what can't be read is left out.

    Of several copies, one that can't be read hides nothing: what is overdue is seen in the others.

    Args:
        protected: the database.
        now: the present, aware.
        trouble: gets a sentence for each that can't be listed.
    """
    names = protected.place_names
    troubles = {name: Trouble() for name in names}

    def one(name: PlaceName) -> Listed | None:
        return list_place(
            _called(protected, name), protected.name, lambda: protected.place(name), now, troubles[name]
        )

    if not protected.several_offsite:
        listed = {name: one(name) for name in names}
    else:
        listing = ThreadPoolExecutor(len(names), thread_name_prefix="list")
        running = {name: listing.submit(one, name) for name in names}
        wait(running.values(), timeout=_LISTING_SECONDS)
        listing.shutdown(wait=False)
        listed = {name: each.result() if each.done() else None for name, each in running.items()}
        for name, asked in running.items():
            if not asked.done():
                troubles[name] = Trouble()
                troubles[name].hides(
                    f"{_called(protected, name)} can't be read: it didn't answer within {_LISTING_SECONDS:g} seconds."
                )
    found = {name: each for name, each in listed.items() if each is not None}
    one_is_there = any(name in found for name in protected.policy.offsites)
    for name, each in troubles.items():
        trouble.problems += each.problems
        if name == protected.nights_in or not one_is_there:
            trouble.unreadable += each.unreadable
    return found


def _called(protected: Protected, name: PlaceName) -> str:
    if name == STORE:
        return "The store"
    return f"The copy in {name}" if protected.several_offsite else "The off-site bucket"


def _made_by(now: datetime, ids: tuple[str, ...], called: str, trouble: Trouble) -> tuple[str, ...]:
    to_come = [each for each in ids if id_is_ahead(each, now)]
    trouble.problems.extend(
        f"{called} has {each}, which is dated in the future: a clock was wrong when it was made."
        for each in to_come
    )
    return ids[len(to_come) :]


def newest_artifacts(
    place: Listed,
    database: str,
    due: Due | None,
    schedule: Schedule,
    trouble: Trouble,
    *,
    usable: Callable[[Manifest], bool],
) -> tuple[Manifest, ...] | None:
    """The artifacts captured last, newest first, down to the first usable one, or that of what is due.

    Args:
        place: where they lie.
        database: its name in databases.yaml.
        due: the night or week that is asked for.
        schedule: the database's.
        trouble: gets a sentence for what can't be read; if that is the store itself, the answer is None.
        usable: whether an artifact counts as a sound backup.
    """

    def found() -> Iterator[Manifest | str]:
        for each in catalog.read_each(place.store, database, place.artifact_ids):
            yield each if isinstance(each, Manifest) else each.problem

    def answers(artifact: Manifest) -> bool:
        if not usable(artifact) or due is None or artifact.night >= due.partition:
            return usable(artifact)
        # A dump that was late may have been captured after one of the night that followed.
        begin = datetime.combine(due.partition, time(), tzinfo=ZoneInfo(schedule.timezone))
        return artifact.captured_at < begin

    return _down_to(answers, found(), trouble)


def newest_drills(
    places: Sequence[Listed], database: str, schedule: Schedule, trouble: Trouble
) -> tuple[DrillResult, ...] | None:
    """The last drills, newest first, down to the first that passed for the quarter it was run in.

    One that backfills a past quarter may have proven an older artifact than an earlier drill did.

    Args:
        places: the places that could be listed.
        database: the database's name in databases.yaml.
        schedule: the database's schedule.
        trouble: collects a sentence for each thing that can't be read.
    """

    def one(store: Store, drill_id: str) -> DrillResult | str:
        return read_report(store, database, drill_id)

    def answers(drill: DrillResult) -> bool:
        return drill.verdict == "PASS" and drill.quarter == quarter_of(night_of(drill.started_at, schedule))

    return _down_to(answers, _from_any(places, lambda place: place.drill_ids, one), trouble)


def drills_since(
    places: Sequence[Listed], database: str, artifact_id: str, known: dict[str, DrillResult | str]
) -> tuple[DrillResult, ...]:
    """Every drill that may have been of an artifact: `newest_drills` ends with one that may be of a newer one.

    What can't be read says nothing here: where it's among the newest, it was told.

    Args:
        places: the places that could be listed.
        database: the database's name in databases.yaml.
        artifact_id: the artifact's; no drill of it began before it was captured.
        known: what was read already, by the drill's id; gets what is read now.

    Raises:
        StoreRefused, StoreUnreachable: a place can't be read.
    """
    captured_at = moment_of(artifact_id)
    if captured_at is None:
        return ()

    # The source's clock named the artifact, this machine's the drill: they may be as far apart as a night allows.
    first = second(captured_at - TOO_FAR)

    def ids(place: Listed) -> tuple[str, ...]:
        # They begin with their time, newest first.
        return tuple(takewhile(lambda each: each >= first, place.drill_ids))

    def one(store: Store, drill_id: str) -> DrillResult | str:
        if drill_id not in known or isinstance(known[drill_id], str):
            known[drill_id] = read_report(store, database, drill_id)
        return known[drill_id]

    # All of them: the one that found it bad may be the oldest.
    return tuple(each for each in _from_any(places, ids, one) if isinstance(each, DrillResult))


def newest_proofs(
    places: Sequence[Listed], database: str, now: datetime, trouble: Trouble
) -> tuple[NightProof, ...] | None:
    """The last proofs of nights, newest first, down to the first that passed.

    Args:
        places: the places that could be listed.
        database: the database's name in databases.yaml.
        now: the present, aware: what is dated after it is left out.
        trouble: collects a sentence for each thing that can't be read.
    """
    artifact_of = {
        proof_id: artifact_id
        for place in places
        for artifact_id, proof_id in map(_proof_in, place.proof_keys)
        if not id_is_ahead(proof_id, now)
    }

    def ids(place: Listed) -> tuple[str, ...]:
        return tuple(each for _, each in map(_proof_in, place.proof_keys) if each in artifact_of)

    def one(store: Store, proof_id: str) -> NightProof | str:
        key = f"{database}/{PROOFS.folder}/{artifact_of[proof_id]}/{proof_id}.json"
        found, unread = PROOFS.read(store, database, [key], [artifact_of[proof_id]])
        for each in found:
            return each
        for why in unread:
            return why
        raise ArtifactMissing("It is gone.", meaning="It was deleted just now.", next_step="Look again.")

    return _down_to(lambda proof: proof.verdict == "PASS", _from_any(places, ids, one), trouble)


def proofs_of(
    places: Sequence[Listed], database: str, artifact_id: str, trouble: Trouble
) -> tuple[NightProof, ...]:
    """The proofs of an artifact, in any place.

    Args:
        places: the places that could be listed.
        database: the database's name in databases.yaml.
        artifact_id: the artifact's id.
        trouble: collects a sentence for each thing that can't be read.
    """
    return each_once(
        _from_each(places, lambda at: PROOFS.read(at.store, database, at.proof_keys, [artifact_id]), trouble)
    )


def _proof_in(key: str) -> tuple[str, str]:
    artifact_id, name = key.split("/")[-2:]
    return artifact_id, name.removesuffix(".json")


def verifications_of(
    places: Sequence[Listed], database: str, artifact_id: str, trouble: Trouble
) -> tuple[Verification, ...]:
    """What was seen of an artifact's bytes, in any place.

    Args:
        places: the places that could be listed.
        database: the database's name in databases.yaml.
        artifact_id: the artifact's id.
        trouble: collects a sentence for each thing that can't be read.
    """
    return together(
        _from_each(
            places,
            lambda at: read_verifications(at.store, database, at.verification_keys, [artifact_id]),
            trouble,
        )
    )


def _from_each(
    places: Sequence[Listed],
    read: Callable[[Listed], tuple[tuple[T, ...], tuple[str, ...]]],
    trouble: Trouble,
) -> list[tuple[T, ...]]:
    """What is read in each place; what can't be is written down once."""
    found = []
    for place in places:
        try:
            seen, unread = read(place)
        except OpsError as error:
            seen, unread = (), (error.what,)
        found.append(seen)
        trouble.problems.extend(why for why in unread if why not in trouble.problems)
    return found


def newest_exercises(
    places: Sequence[Listed], database: str, schedule: Schedule, trouble: Trouble
) -> tuple[ExerciseResult, ...] | None:
    """The last recovery exercises, newest first, down to the first that passed for the year it was run in.

    One that backfills a past year says nothing about this one.

    Args:
        places: the places that could be listed.
        database: the database's name in databases.yaml.
        schedule: the database's schedule.
        trouble: collects a sentence for each thing that can't be read.
    """

    def one(store: Store, exercise_id: str) -> ExerciseResult | str:
        return read_exercise(store, database, exercise_id)

    def answers(exercise: ExerciseResult) -> bool:
        return exercise.verdict == "PASS" and exercise.year == year_of(
            night_of(exercise.started_at, schedule)
        )

    return _down_to(answers, _from_any(places, lambda place: place.exercise_ids, one), trouble)


def _from_any(
    places: Sequence[Listed], ids: Callable[[Listed], tuple[str, ...]], read: Callable[[Store, str], T | str]
) -> Iterator[T | str]:
    """Reads each id, newest first, from the first store where it can be read."""
    holders: dict[str, list[Listed]] = {}
    for place in places:
        for each in ids(place):
            holders.setdefault(each, []).append(place)
    for each in sorted(holders, reverse=True):
        found: T | str | None = None
        for place in holders[each]:
            with suppress(ArtifactMissing):
                found = read(place.store, each)
                if not isinstance(found, str):
                    break
        if found is not None:
            yield found


def _down_to(
    answers: Callable[[T], bool], found: Iterator[T | str], trouble: Trouble
) -> tuple[T, ...] | None:
    read: list[T] = []
    try:
        for each in islice(found, _MOST_READ):
            if isinstance(each, str):
                trouble.problems.append(each)
                continue
            read.append(each)
            if answers(each):
                break
    except OpsError as error:
        trouble.hides(error.what)
        return None
    return tuple(read)
