"""What a place holds of a database, and what that takes up."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from hackorda_ops.errors import StoreRefused, StoreUnreachable
from hackorda_ops.stores.store import PlaceName, Store, StoredVersion


@dataclass(frozen=True)
class Stock:
    """What a place holds of a database.

    Attributes:
        place: the nightly store, or off-site.
        location: it as people would name it.
        size_bytes: of all files that can be read there, reports and the operations log included.
        superseded: how many versions lie behind newer ones or behind delete markers.
        superseded_bytes: what those take up.
        markers: how many delete markers there are.
        uploads: what killed uploads have left behind, a name each; None without the right to list them.
        keeps_versions: what is deleted there stays as a version.
    """

    place: PlaceName
    location: str
    size_bytes: int
    superseded: int
    superseded_bytes: int
    markers: int
    uploads: tuple[str, ...] | None
    keeps_versions: bool


def stock_of(place: PlaceName, store: Store, database: str, listed: Sequence[StoredVersion]) -> Stock:
    """What a place holds of a database, by the listing of its versions.

    Args:
        place: which of the two.
        store: it.
        database: the database's name in databases.yaml.
        listed: every version below the database's folder.
    """
    uploads = None
    with suppress(StoreRefused, StoreUnreachable):
        uploads = store.abandoned_uploads(f"{database}/")
    behind = [version for version in listed if not version.current and not version.marker]
    return Stock(
        place=place,
        location=store.describe(),
        size_bytes=sum(version.size_bytes for version in listed if version.is_file),
        superseded=len(behind),
        superseded_bytes=sum(version.size_bytes for version in behind),
        markers=sum(version.marker for version in listed),
        uploads=uploads,
        keeps_versions=keeps_versions(listed),
    )


def keeps_versions(listed: Iterable[StoredVersion]) -> bool:
    """Whether what is deleted stays as a version."""
    return any(version.version_id not in {None, "null"} for version in listed)
