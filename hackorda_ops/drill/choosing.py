"""Which copy a drill restores, whose turn it is, and what it was restored in place of."""

from dataclasses import dataclass
from datetime import date, datetime

from hackorda_ops.artifacts import catalog, choosing
from hackorda_ops.artifacts.damage import OTHER_BYTES
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.drill.checks import offsite_equals_manifest
from hackorda_ops.drill.turns import in_turn
from hackorda_ops.drilling.record import Record
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactMissing, ConfigError, StoreRefused, StoreUnreachable
from hackorda_ops.findings import Finding
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import PlaceName, Store


@dataclass(frozen=True)
class ChosenCopy:
    """What a drill restores, and where it lies.

    Attributes:
        place: the name of the place.
        store: the place.
        copies: what it holds.
        manifest: of what is restored.
        damaged: a finding for each newer artifact there that is damaged.
        following: the places whose turn would be next.
    """

    place: PlaceName
    store: Store
    copies: catalog.Catalog
    manifest: Manifest
    damaged: tuple[Finding, ...]
    following: tuple[PlaceName, ...] = ()


def chosen_copy(
    record: Record, protected: Protected, quarter: date, today: date, *, now: datetime
) -> ChosenCopy:
    """The copy whose turn it is; of several, the next one that answers and has what the quarter needs.

    Args:
        record: where it is written down what was passed over, and why.
        protected: the database.
        quarter: the quarter's first day.
        today: the local date.
        now: the present, aware.

    Raises:
        OpsError: none can be drilled.
    """
    several, turns = protected.several_offsite, in_turn(quarter, protected.policy.offsites)
    for number, place in enumerate(turns):
        following = turns[number + 1 :]
        try:
            store = protected.place(place)
            if several:
                store.with_patience(SOON).check()
            copies = catalog.read(store, protected.name, now=now)
            manifest, damaged = _chosen(record, store, copies, quarter, today, now=now)
        except (ArtifactMissing, ConfigError, StoreRefused, StoreUnreachable) as error:
            # What is damaged there counts against the backup, whatever the others have.
            if not following or record.checks_failed:
                raise
            record.remarks.append(f"{place} could not be drilled, and the next copy was: {error.what}")
            continue
        if several:
            record.remarks.append(
                f"Of {len(turns)} copies off-site this quarter's is {turns[0]}; drilled was {place}."
            )
        return ChosenCopy(place, store, copies, manifest, damaged, following)
    raise AssertionError("a database has a place off-site")


def _chosen(
    record: Record, offsite: Store, copies: catalog.Catalog, quarter: date, today: date, *, now: datetime
) -> tuple[Manifest, tuple[Finding, ...]]:
    """What is restored, and a finding for every damaged artifact that it is restored in place of."""
    record.remarks += map(str, copies.damaged)
    record.remarks += [
        f"{each.artifact_id} off-site is dated in the future, so it isn't the newest: a clock was wrong when "
        "it was made."
        for each in copies.ahead
    ]
    try:
        manifest = choosing.newest_for_quarter(copies.artifacts, quarter, today)
    except ArtifactMissing:
        if damaged := choosing.damaged_since(copies.damaged, None, quarter, today, now):
            record.check(
                offsite_equals_manifest.CHECK.name,
                tuple(_damaged(each) for each in damaged),
                passed="",
                failed="What is off-site can't be relied on, so nothing was restored from it",
            )
        raise
    record.manifest = manifest
    record.location = f"{offsite.describe()}/{manifest.prefix}"
    damaged = choosing.damaged_since(copies.damaged, manifest, quarter, today, now)
    return manifest, tuple(_damaged(each) for each in damaged)


def _damaged(artifact: catalog.DamagedArtifact) -> Finding:
    return Finding(
        "artifact damaged", artifact.prefix, "a manifest of its own", artifact.problem, OTHER_BYTES
    )
