"""What one of several copies lacks of the newest that another has: asked in seconds, without reading any manifest."""

from dataclasses import dataclass
from datetime import date, datetime

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.calendar.partitions import week_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import PlaceName, Store


@dataclass(frozen=True)
class LackingCopies:
    """Which places could get a copy now.

    Attributes:
        artifact_id: of the newest artifact that any copy has.
        week: its week's Monday.
        places: the places that lack it, and answer.
    """

    artifact_id: str
    week: date
    places: tuple[PlaceName, ...]


def lacking_copies(protected: Protected, *, now: datetime) -> LackingCopies | None:
    """What can be made up for now; None where each copy that answers has the newest, or the store has lost it.

    Args:
        protected: the database.
        now: the present, aware.

    Raises:
        ConfigError, StoreRefused, StoreUnreachable: the store can't be read.
    """
    name, ids = protected.name, dict[PlaceName, tuple[str, ...]]()
    stores: dict[PlaceName, Store] = {}
    for place in protected.policy.copied_to:
        try:
            stores[place] = protected.place(place).with_patience(SOON)
            ids[place] = catalog.ids(stores[place], name)
        except OpsError:
            continue
    for artifact_id in sorted({each for found in ids.values() for each in found}, reverse=True):
        # A folder without a manifest is what a copy has left that didn't finish.
        holders = [place for place, found in ids.items() if artifact_id in found]
        manifests = {place: _read(stores[place], name, artifact_id) for place in holders}
        whole = next((each for each in manifests.values() if each is not None), None)
        if whole is None or whole.captured_at > now:
            continue
        places = tuple(place for place in ids if manifests.get(place) is None)
        if not places or artifact_id not in catalog.ids(protected.store.with_patience(SOON), name):
            return None
        return LackingCopies(artifact_id, week_of(whole.night), places)
    return None


def _read(store: Store, database: str, artifact_id: str) -> Manifest | None:
    try:
        found = next(catalog.read_each(store, database, [artifact_id]), None)
    except OpsError:
        return None
    return found if isinstance(found, Manifest) else None
