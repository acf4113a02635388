"""Where else a file of an artifact may be taken from, and what was taken from there."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import BinaryIO

from hackorda_ops.artifacts.damage import HashedFile
from hackorda_ops.errors import OpsError
from hackorda_ops.progress import OnProgress, Progress
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import Location, Store
from hackorda_ops.stores.versions import OpensVersions
from hackorda_ops.words import counted


@dataclass(frozen=True)
class Twin:
    """A file of another copy, or of another artifact, that has the same SHA-256 by its own manifest.

    Attributes:
        store: where it lies.
        key: its key there.
        version_id: the version, where it isn't what the key shows now.
    """

    store: Store
    key: str
    version_id: str | None = None

    def __str__(self) -> str:
        version = f" (version {self.version_id})" if self.version_id else ""
        return f"{self.store.describe()}/{self.key}{version}"

    def is_same_file(self, other: "Twin") -> bool:
        """Whether both are the same version of the same file."""
        return (self.store.location(), self.key, self.version_id) == (
            other.store.location(),
            other.key,
            other.version_id,
        )

    def open(self) -> AbstractContextManager[BinaryIO]:
        """It as a stream; see `Store.open`."""
        if self.version_id is not None and isinstance(self.store, OpensVersions):
            return self.store.open_version(self.key, self.version_id)
        return self.store.open(self.key)


# By SHA-256; the ones to try first come first.
Twins = Mapping[str, Sequence[Twin]]


@dataclass(frozen=True)
class Fetched:
    """What was seen while fetching, also where that ends with an error.

    Attributes:
        damaged: the paths of the files that are missing where the artifact lies, or have other bytes.
        hashed: the files that were fetched, by path, with the SHA-256 of their bytes as they arrived.
        taken: where files were taken from instead, by their path.
        given_up: the places that couldn't be read any more, as people name them, each with the first error.
    """

    damaged: list[str] = field(default_factory=list)
    hashed: dict[str, HashedFile] = field(default_factory=dict)
    taken: dict[str, Twin] = field(default_factory=dict)
    given_up: dict[str, OpsError] = field(default_factory=dict)

    def told(self, store: Store, prefix: str) -> tuple[str, ...]:
        """What was taken from elsewhere, and why: a sentence for each damaged file, and one for each place given up.

        Args:
            store: where the artifact lies.
            prefix: the artifact's place there.
        """
        by_place = Counter(
            twin.store.describe() for path, twin in self.taken.items() if path not in self.damaged
        )
        others = " and ".join(f"{counted(files, 'file')} from {place}" for place, files in by_place.items())
        return (
            *(
                f"{place} could not be read any more, and was given up"
                f"{f'; taken instead: {others}' if place == store.describe() and others else ''}. {error.what}"
                for place, error in self.given_up.items()
            ),
            *(
                f"{store.describe()}/{prefix}/{path} is damaged or missing; {twin} has the same SHA-256, and was taken "
                "instead."
                for path, twin in sorted(self.taken.items())
                if path in self.damaged
            ),
        )


class ReadPlaces:
    """The places that one fetch reads: one that it has given up isn't asked for every other file as well."""

    def __init__(self, fetched: Fetched, on_progress: OnProgress, files: int) -> None:
        self._fetched, self._on_progress, self._files = fetched, on_progress, files
        self._given_up: set[Location] = set()
        self._hasty: dict[Location, Store] = {}
        self._lock = Lock()

    def answers(self, store: Store) -> bool:
        """Whether it hasn't been given up."""
        return store.location() not in self._given_up

    def hasty(self, twin: Twin) -> Twin:
        """The same file, waited for no longer than one that others have as well."""
        with self._lock:
            store = self._hasty.setdefault(twin.store.location(), twin.store.with_patience(SOON))
        return replace(twin, store=store)

    def give_up(self, store: Store, error: OpsError) -> None:
        """Asks a place no more, and says so once.

        Args:
            store: the place.
            error: what it answered.
        """
        with self._lock:
            if not self.answers(store):
                return
            self._given_up.add(store.location())
            self._fetched.given_up[store.describe()] = error
        # Said at once: a restore may take hours from here.
        self._on_progress(
            Progress(
                f"fetch, now without {store.describe()}", len(self._fetched.hashed), self._files, "files"
            )
        )
