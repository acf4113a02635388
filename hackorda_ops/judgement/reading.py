"""Reads the artifacts of a database in each place, and what drills said of them, and judges each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.catalog import Catalog
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.drill.causes import DrillSaid, said
from hackorda_ops.drill.report.history import DrillHistory, read_history
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.judgement.artifact import ArtifactJudgement, judge
from hackorda_ops.stores.store import PlaceName, Store, versions_or_files


@dataclass(frozen=True)
class Held:
    """An artifact in one place, with its judgement.

    Attributes:
        place: the nightly store, or off-site.
        location: "<store>/<database>/<artifact id>".
        manifest: the artifact's.
        judgement: what is known of it there.
        ahead: whether it's dated in the future, and so never taken for the newest.
    """

    place: PlaceName
    location: str
    manifest: Manifest
    judgement: ArtifactJudgement
    ahead: bool = False


@dataclass(frozen=True)
class Judged:
    """What is known of a database's artifacts.

    Attributes:
        catalogs: what each place that could be read holds, and how people name it.
        held: every artifact with a manifest that can be read, by place, oldest first.
        notes: what couldn't be read, a sentence each.
    """

    catalogs: Mapping[PlaceName, Catalog]
    held: tuple[Held, ...]
    notes: tuple[str, ...] = field(default=())

    def of(self, place: PlaceName) -> tuple[Held, ...]:
        """The artifacts of one place that aren't dated in the future, oldest first."""
        return tuple(each for each in self.held if each.place == place and not each.ahead)


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
    catalogs: dict[PlaceName, Catalog] = {}
    notes: list[str] = []
    errors: list[OpsError] = []
    for place, store in places.items():
        try:
            catalogs[place] = catalog.read(store, database, now=now)
        except OpsError as error:
            if not tolerant:
                raise
            errors.append(error)
            notes.append(f"{store.describe()} can't be read: {error.what}")
    if errors and not catalogs:
        raise errors[0]
    histories = []
    for place in catalogs:
        try:
            histories.append(read_history(places[place], database))
        except OpsError as error:
            notes.append(f"What drills found is unknown: {error.what}")
    drills = (*sayings(histories), *beside)
    held = [
        judged_in(place, places[place], found, each, drills, now=now, ahead=each in found.ahead)
        for place, found in catalogs.items()
        for each in (*found.artifacts, *found.ahead)
    ]
    return Judged(catalogs, tuple(held), tuple(notes))


def not_restoring(protected: Protected) -> frozenset[str]:
    """The ids of the artifacts that are known not to restore, wherever they lie; what can't be read says nothing."""
    names: tuple[PlaceName, ...] = ("store", "offsite")
    # Which of the two a place is makes no difference to this answer.
    places = dict(zip(names, protected.known_stores, strict=False))
    if not places:
        return frozenset()
    try:
        held = read_judged(places, protected.name, tolerant=True).held
    except OpsError:
        return frozenset()
    return frozenset(each.manifest.artifact_id for each in held if each.judgement.state == "does not restore")


def sayings(histories: Iterable[DrillHistory]) -> tuple[DrillSaid, ...]:
    """What the drills in several stores said; one whose report is readable in any of them counts once."""
    drills = {drill.drill_id: drill for history in histories for drill in history.drills}
    return tuple(each for each in map(said, drills.values()) if each is not None)


def judged_in(
    place: PlaceName,
    store: Store,
    found: Catalog,
    manifest: Manifest,
    drills: Sequence[DrillSaid],
    *,
    now: datetime,
    ahead: bool = False,
) -> Held:
    """One artifact of a place, judged.

    Args:
        place: which place it is.
        store: the place.
        found: its catalog.
        manifest: the artifact's.
        drills: what drills said, of any artifact.
        now: the present, aware.
        ahead: whether it's dated in the future.
    """
    location = f"{found.location}/{manifest.prefix}"
    judgement = judge(
        manifest, location, drills, now=now, written_at=lambda: last_written(store, manifest.prefix)
    )
    return Held(place, location, manifest, judgement, ahead)


def last_written(store: Store, prefix: str) -> datetime | None:
    """When any file of an artifact was last written; None where the store doesn't say."""
    try:
        versions, _ = versions_or_files(store, f"{prefix}/")
    except OpsError:
        return None
    return max((each.modified_at for each in versions if each.is_file), default=None)
