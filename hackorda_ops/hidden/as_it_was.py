"""A store as it was before files in it were hidden: what lists, reads, verifies and restores works on it unchanged."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hackorda_ops.artifacts.manifest import MANIFEST_NAME
from hackorda_ops.errors import StoreRefused
from hackorda_ops.hidden.reading import manifest_beneath
from hackorda_ops.stores.base import StoreBase
from hackorda_ops.stores.store import Location, Readable, Store, StoredVersion
from hackorda_ops.stores.versions import OpensVersions, newest_first


def as_it_was(store: Store, database: str) -> Store:
    """The store with everything of a database that delete markers hide; the store itself where it keeps no versions.

    Args:
        store: the place.
        database: the database's name in databases.yaml.

    Raises:
        StoreRefused, StoreUnreachable: its versions can't be listed: a right of its own.
    """
    if not isinstance(store, OpensVersions):
        return store
    by_key: dict[str, list[StoredVersion]] = {}
    for version in store.versions(f"{database}/"):
        by_key.setdefault(version.key, []).append(version)
    shown: dict[str, StoredVersion] = {}
    for key, of_one in by_key.items():
        readable = newest_first(of_one, key)
        if key.endswith(f"/{MANIFEST_NAME}") and (found := manifest_beneath(store, key, of_one)):
            shown[key] = found.version
        elif readable:
            shown[key] = readable[0]
    return AsItWas(store, store, shown)


@dataclass(frozen=True)
class AsItWas(StoreBase):
    """A store, read by the newest version of each file instead of by what its key shows.

    Attributes:
        store: the place; what is written goes there.
        versions_in: the same place, by what lets versions be read.
        shown: the version of each key that is shown.
    """

    store: Store
    versions_in: OpensVersions
    shown: dict[str, StoredVersion]

    @property
    def staging_root(self) -> Path:
        """See `Store.staging_root`."""
        return self.store.staging_root

    def describe(self) -> str:
        """The store as people name it: judgements of what lies there hold."""
        return self.store.describe()

    def location(self) -> Location:
        """See `Store.location`."""
        return self.store.location()

    def check(self) -> None:
        """See `Store.check`."""
        self.store.check()

    def folders(self, prefix: str) -> Iterator[str]:
        """See `Store.folders`."""
        within = f"{prefix.rstrip('/')}/" if prefix else ""
        names = {
            rest.partition("/")[0]
            for key in self.shown
            if key.startswith(within) and "/" in (rest := key.removeprefix(within))
        }
        return iter(sorted(names))

    def files(self, prefix: str) -> Iterator[StoredVersion]:
        """See `Store.files`."""
        within = f"{prefix.rstrip('/')}/" if prefix else ""
        return (
            StoredVersion(
                each.key,
                each.size_bytes,
                each.modified_at,
                each.version_id,
                current=True,
                marker=False,
                storage_class=each.storage_class,
            )
            for key, each in self.shown.items()
            if key.startswith(within)
        )

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        """See `Store.open`."""
        shown = self.shown.get(key)
        if shown is None or shown.version_id is None or shown.current:
            return self.store.open(key)
        return self.versions_in.open_version(key, shown.version_id)

    def open_version(self, key: str, version_id: str) -> AbstractContextManager[BinaryIO]:
        """See `OpensVersions.open_version`."""
        return self.versions_in.open_version(key, version_id)

    def versions_of(self, key: str) -> tuple[StoredVersion, ...]:
        """See `OpensVersions.versions_of`."""
        return self.versions_in.versions_of(key)

    def put(self, key: str, source: Readable, *, size_bytes: int, sha256: str) -> None:
        """Writes into the store itself; see `Store.put`.

        Args:
            key: where.
            source: its bytes.
            size_bytes: how many there must be.
            sha256: the hex SHA-256 that they must have.
        """
        self.store.put(key, source, size_bytes=size_bytes, sha256=sha256)

    def delete(self, key: str, version_id: str | None = None) -> None:  # noqa: ARG002  # it deletes nothing
        """Never: this is for reading.

        Raises:
            StoreRefused: always.
        """
        raise StoreRefused(
            f"{self.describe()}/{key} is only read as it was.",
            meaning="Nothing was deleted.",
            next_step="Delete it in the store itself, where it's shown.",
        )
