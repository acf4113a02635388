"""Reads a database's artifacts in each place, and what drills and verifications said of them, and judges each."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, Generic

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.catalog import ArtifactT, CatalogOf
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.artifacts.summaries import Summary
from hackorda_ops.artifacts.verifications import Verification, read_verifications, verification_keys
from hackorda_ops.drill.causes import DrillSaid, said
from hackorda_ops.drill.report.history import DrillHistory, read_history
from hackorda_ops.drilling.night_proof import PROOFS, NightProof, each_once
from hackorda_ops.engines import registry  # noqa: F401  # makes every engine's manifests readable
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.judgement.artifact import ArtifactJudgement, Sayings, judge
from hackorda_ops.progress import OnProgress, ignore
from hackorda_ops.safekeeping.pins import read_pins
from hackorda_ops.safekeeping.pins import together as together_pinned
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import PlaceName, Store, versions_or_files
from hackorda_ops.week.week import Mending

# Of each place, at a time: a month of weeks.
_MADE_UP_FOR: Final = 4


@dataclass(frozen=True)
class HeldOf(Generic[ArtifactT]):
    """An artifact in one place, with its judgement.

    Attributes:
        place: the nightly store, or off-site.
        location: "<store>/<database>/<artifact id>".
        manifest: the artifact's, or a summary of it.
        judgement: what is known of it there.
        ahead: whether it's dated in the future, and so never taken for the newest.
        pinned: why people keep it, and until when; "" where nobody does.
    """

    place: PlaceName
    location: str
    manifest: ArtifactT
    judgement: ArtifactJudgement
    ahead: bool = False
    pinned: str = ""

    @property
    def sentence(self) -> str:
        """What is known of it and whether it's pinned, as people read it, without a full stop."""
        return "; ".join(filter(None, (self.judgement.sentence, self.pinned)))


Held = HeldOf[Manifest]


@dataclass(frozen=True)
class JudgedOf(Generic[ArtifactT]):
    """What is known of a database's artifacts.

    Attributes:
        catalogs: what each place that could be read holds, and how people name it.
        held: every artifact with a manifest that can be read, by place, oldest first.
        notes: what couldn't be read, a sentence each.
    """

    catalogs: Mapping[PlaceName, CatalogOf[ArtifactT]]
    held: tuple[HeldOf[ArtifactT], ...]
    notes: tuple[str, ...] = field(default=())

    def of(self, place: PlaceName) -> tuple[HeldOf[ArtifactT], ...]:
        """The artifacts of one place that aren't dated in the future, oldest first."""
        return tuple(each for each in self.held if each.place == place and not each.ahead)


Judged = JudgedOf[Manifest]


def read_judged(
    places: Mapping[PlaceName, Store],
    database: str,
    *,
    now: datetime | None = None,
    tolerant: bool = False,
    beside: Sequence[DrillSaid] = (),
) -> Judged:
    """Reads and judges everything that a database has.

    Args:
        places: the stores to look into.
        database: its name in databases.yaml.
        now: the present, aware; None for this machine's.
        tolerant: whether a place that can't be read is a note as long as another can be.
        beside: what drills said whose reports are in no store yet.

    Raises:
        StoreRefused, StoreUnreachable: a place can't be read; where `tolerant`, no place can be.
    """
    now = now or datetime.now(UTC)
    read = partial(catalog.read, database=database, now=now)
    return _judged(places, database, read, now=now, tolerant=tolerant, beside=beside)


def list_judged(
    places: Mapping[PlaceName, Store],
    database: str,
    *,
    now: datetime | None = None,
    on_progress: OnProgress = ignore,
) -> JudgedOf[Summary]:
    """The same of summaries, for a list: only the manifests that this machine hasn't read before are read.

    Args:
        places: the stores to look into.
        database: its name in databases.yaml.
        now: the present, aware; None for this machine's.
        on_progress: called for the manifests that are read, from several threads.

    Raises:
        StoreRefused, StoreUnreachable: a place can't be read.
    """
    now = now or datetime.now(UTC)
    summarise = partial(catalog.summarise, database=database, now=now, on_progress=on_progress)
    return _judged(places, database, summarise, now=now)


def _judged(
    places: Mapping[PlaceName, Store],
    database: str,
    read: Callable[[Store], CatalogOf[ArtifactT]],
    *,
    now: datetime,
    tolerant: bool = False,
    beside: Sequence[DrillSaid] = (),
) -> JudgedOf[ArtifactT]:
    catalogs: dict[PlaceName, CatalogOf[ArtifactT]] = {}
    notes: list[str] = []
    errors: list[OpsError] = []
    for place, store in places.items():
        try:
            catalogs[place] = read(store)
        except OpsError as error:
            if not tolerant:
                raise
            errors.append(error)
            notes.append(f"{store.describe()} can't be read: {error.what}")
    if errors and not catalogs:
        raise errors[0]
    histories, verifications, proofs, pins = [], [], [], []
    listed = {each.artifact_id for found in catalogs.values() for each in (*found.artifacts, *found.ahead)}
    for place in catalogs:
        try:
            histories.append(read_history(places[place], database))
            verifications.append(verified_in(places[place], database, listed))
            proofs.append(proofs_in(places[place], database, listed))
            pins.append(read_pins(places[place], database))
        except OpsError as error:
            notes.append(f"What drills and verifications found is unknown: {error.what}")
    notes += dict.fromkeys(why for _, unread in (*verifications, *proofs) for why in unread)
    sayings = Sayings(
        (*drills_said(histories), *proofs_said(found for found, _ in proofs), *beside),
        together(found for found, _ in verifications),
    )
    pinned = together_pinned(pins).holding(now)
    held = [
        replace(
            judged_in(place, places[place], found, each, sayings, now=now, ahead=ahead),
            pinned=pinned.get(each.artifact_id, ""),
        )
        for place, found in catalogs.items()
        for artifacts, ahead in ((found.artifacts, False), (found.ahead, True))
        for each in artifacts
    ]
    return JudgedOf(catalogs, tuple(held), tuple(notes))


@dataclass(frozen=True)
class ForACopy:
    """What a copy off-site should know beforehand.

    Attributes:
        passing_over: the ids of the artifacts that are known not to restore, wherever they lie.
        mending: what is damaged in a place off-site, or missing there while another has it, and is sound elsewhere;
            oldest first.
    """

    passing_over: frozenset[str] = frozenset()
    mending: tuple[Mending, ...] = ()


def for_a_copy(protected: Protected, *, now: datetime | None = None) -> ForACopy:
    """What is known of a database's artifacts that matters to a copy; what can't be read says nothing.

    Args:
        protected: the database.
        now: the present, aware; None for this machine's.
    """
    places = protected.places
    if len(protected.policy.copied_to) > 1:
        places, _ = answering(places)
    if not places:
        return ForACopy()
    try:
        return known_for_a_copy(protected, read_judged(places, protected.name, now=now, tolerant=True))
    except OpsError:
        return ForACopy()


def known_for_a_copy(protected: Protected, judged: Judged) -> ForACopy:
    """The same, of what was read already. Pure."""
    mending = [
        each
        for place in protected.policy.copied_to
        if place in judged.catalogs
        for each in _mending(protected, judged, place)
    ]
    return ForACopy(
        frozenset(
            each.manifest.artifact_id for each in judged.held if each.judgement.state == "does not restore"
        ),
        tuple(sorted(mending, key=lambda each: each.manifest.captured_at)),
    )


def _mending(protected: Protected, judged: Judged, place: PlaceName) -> Iterator[Mending]:
    """What is damaged in a place, and what it lacks of the newest that the other copies have."""
    elsewhere: dict[str, Held] = {}
    for other in (protected.nights_in, *protected.policy.copied_to):
        if other != place:
            for each in judged.of(other):
                if each.judgement.usable:
                    elsewhere.setdefault(each.manifest.artifact_id, each)
    here = {each.manifest.artifact_id: each for each in judged.held if each.place == place}
    for artifact_id, held in here.items():
        if held.judgement.state == "damaged" and not held.ahead and artifact_id in elsewhere:
            found = elsewhere[artifact_id]
            yield Mending(found.manifest, place, found.place)
    yield from (
        Mending(elsewhere[artifact_id].manifest, place, elsewhere[artifact_id].place, damaged=False)
        for artifact_id in lacking(judged, place, protected.policy.copied_to)
        if artifact_id in elsewhere
    )


def lacking(judged: Judged, place: PlaceName, copies: Collection[PlaceName]) -> tuple[str, ...]:
    """The ids of what a place lacks and another copy has, of what is newer than its own newest. Pure.

    Older ones it may have had, and deleted by its own policy.

    Args:
        judged: what there is.
        place: the place.
        copies: the names of all places that get copies.
    """
    newest = max(
        (each.manifest.captured_at for each in judged.of(place) if each.judgement.usable), default=None
    )
    listed = {each.manifest.artifact_id for each in judged.held if each.place == place}
    others = {
        each.manifest.artifact_id: each.manifest.captured_at
        for other in copies
        if other != place
        for each in judged.of(other)
        if each.judgement.usable and (newest is None or each.manifest.captured_at > newest)
    }
    missing = sorted(others.keys() - listed, key=lambda each: others[each], reverse=True)
    return tuple(missing[:_MADE_UP_FOR])


def answering(
    places: Mapping[PlaceName, Store],
) -> tuple[dict[PlaceName, Store], dict[PlaceName, OpsError]]:
    """The places that answer now, in their order, asked side by side; and why the others don't.

    Args:
        places: the stores by their names.
    """

    def asked(store: Store) -> OpsError | None:
        try:
            store.with_patience(SOON).check()
        except OpsError as error:
            return error
        return None

    with ThreadPoolExecutor(max(1, len(places)), thread_name_prefix="ask") as asking:
        said = dict(zip(places, asking.map(asked, places.values()), strict=True))
    return (
        {name: store for name, store in places.items() if said[name] is None},
        {name: error for name, error in said.items() if error is not None},
    )


def drills_said(histories: Iterable[DrillHistory]) -> tuple[DrillSaid, ...]:
    """What the drills in several stores said; one whose report is readable in any of them counts once."""
    drills = {drill.drill_id: drill for history in histories for drill in history.drills}
    return tuple(each for each in map(said, drills.values()) if each is not None)


def verified_in(
    store: Store, database: str, artifact_ids: Collection[str]
) -> tuple[tuple[Verification, ...], tuple[str, ...]]:
    """The verifications of some artifacts in a store, and a sentence for each that can't be used.

    Args:
        store: the store to read from.
        database: the database's name in databases.yaml.
        artifact_ids: of the artifacts that are asked about.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be read.
    """
    return read_verifications(store, database, verification_keys(store, database), artifact_ids)


def proofs_in(
    store: Store, database: str, artifact_ids: Collection[str]
) -> tuple[tuple[NightProof, ...], tuple[str, ...]]:
    """The proofs of some nights' artifacts in a store, and a sentence for each that can't be used.

    Args:
        store: the store to read from.
        database: the database's name in databases.yaml.
        artifact_ids: of the artifacts that are asked about.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be read.
    """
    return PROOFS.read(store, database, PROOFS.keys(store, database), artifact_ids)


def proofs_said(found: Iterable[Iterable[NightProof]]) -> tuple[DrillSaid, ...]:
    """What the proofs in several stores said; one that is readable in any of them counts once."""
    return tuple(each for each in map(said, each_once(found)) if each is not None)


def together(found: Iterable[Iterable[Verification]]) -> tuple[Verification, ...]:
    """The verifications in several stores; one that is readable in any of them counts once."""
    return tuple({each.verification_id: each for of_one in found for each in of_one}.values())


def judged_in(
    place: PlaceName,
    store: Store,
    found: CatalogOf[ArtifactT],
    manifest: ArtifactT,
    sayings: Sayings,
    *,
    now: datetime,
    ahead: bool = False,
) -> HeldOf[ArtifactT]:
    """One artifact of a place, judged.

    Args:
        place: which place it is.
        store: the place.
        found: its catalog.
        manifest: the artifact's, or a summary of it.
        sayings: what was said of any artifact.
        now: the present, aware.
        ahead: whether it's dated in the future.
    """
    location = f"{found.location}/{manifest.prefix}"
    judgement = judge(
        manifest, location, sayings, now=now, written_at=lambda: last_written(store, manifest.prefix)
    )
    return HeldOf(place, location, manifest, judgement, ahead)


def last_written(store: Store, prefix: str) -> datetime | None:
    """When any file of an artifact was last written; None where the store doesn't say."""
    try:
        versions, _ = versions_or_files(store, f"{prefix}/")
    except OpsError:
        return None
    return max((each.modified_at for each in versions if each.is_file), default=None)
