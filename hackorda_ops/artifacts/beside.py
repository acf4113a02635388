"""Small files beside the artifacts, one for each thing that was found out of one of them, never rewritten.

That suits versioning and object lock. They lie beside the artifacts and not in them: what is written into an artifact's
folder would look like a new copy of it, and object lock would hold the whole artifact for longer. Losing one loses no
more than that somebody has looked.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import Final, Generic, TypeVar

from hackorda_ops.artifacts.documents import Document, read_own
from hackorda_ops.artifacts.ids import is_id
from hackorda_ops.artifacts.manifest import digest_of
from hackorda_ops.errors import ArtifactMissing, OpsError
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import Store

T = TypeVar("T")

_READERS: Final = 8
# A line for each of the files or findings of the largest artifacts; others might write to the bucket.
_LIMIT_BYTES: Final = 4 * 1024 * 1024
# Of one artifact. A later one supersedes what was seen before, so that older ones say nothing new.
_MOST_READ: Final = 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Beside(Generic[T]):
    """A kind of such files.

    Attributes:
        folder: its own, in a database's folder.
        document: how one is read and written.
        identity: the database, the artifact and the own id that one says it is of.
    """

    folder: str
    document: Document[T]
    identity: Callable[[T], tuple[str, str, str]]

    def remember(self, stores: Iterable[Store], found: T) -> tuple[str, ...]:
        """Writes one into each store; what can't be written goes to Python's log, and changes nothing.

        A store that has nothing of the database is left as it is: on a machine that only rescues, the default folder
        isn't the store.

        Args:
            stores: the store and off-site, or what there is of them: a key may have no right to write to one of them.
            found: what was found out.

        Returns:
            For each store that lacks it, one sentence why.
        """
        database, artifact_id, own_id = self.identity(found)
        data = self.document.to_bytes(found)
        lacking = []
        for store in {each.location(): each.with_patience(SOON) for each in stores}.values():
            try:
                if any(store.folders(f"{database}/")):
                    store.put(
                        f"{self._folder(database)}{artifact_id}/{own_id}.json",
                        BytesIO(data),
                        size_bytes=len(data),
                        sha256=digest_of(data),
                    )
            except OpsError as error:
                lacking.append(error.what)
                _log.warning(
                    "The %s of %s could not be written down. %s", self.document.name, artifact_id, error.what
                )
        return tuple(lacking)

    def keys(self, store: Store, database: str) -> tuple[str, ...]:
        """Where those of a database lie in a store, without reading any.

        Raises:
            StoreRefused, StoreUnreachable: the store can't be listed.
        """
        folder = self._folder(database)
        found = []
        for entry in store.list(folder):
            artifact_id, _, name = entry.key.removeprefix(folder).partition("/")
            if is_id(artifact_id) and name.endswith(".json") and is_id(name.removesuffix(".json")):
                found.append(entry.key)
        return tuple(sorted(found))

    def read(
        self, store: Store, database: str, keys: Sequence[str], artifact_ids: Collection[str]
    ) -> tuple[tuple[T, ...], tuple[str, ...]]:
        """Reads the last ones of some artifacts; whatever can't be used says nothing.

        Args:
            store: the store to read from.
            database: the database's name in databases.yaml.
            keys: what there is (`keys`).
            artifact_ids: of the artifacts that are asked about.

        Returns:
            Those that can be used, and a sentence for each that can't.

        Raises:
            StoreRefused, StoreUnreachable: the store can't be read.
        """
        by_artifact: dict[str, list[str]] = {}
        for key in keys:
            by_artifact.setdefault(key.split("/")[-2], []).append(key)
        wanted = [key for each in sorted(artifact_ids) for key in by_artifact.get(each, [])[-_MOST_READ:]]

        def one(key: str) -> tuple[T] | str | None:
            artifact_id, name = key.split("/")[-2:]
            try:
                found = read_own(
                    store,
                    key,
                    self.document.from_bytes,
                    said=self._said,
                    wanted=(database, f"{artifact_id}/{name.removesuffix('.json')}"),
                    limit_bytes=_LIMIT_BYTES,
                )
            except ArtifactMissing:
                return None
            return found if isinstance(found, str) else (found,)

        with ThreadPoolExecutor(_READERS, thread_name_prefix=self.folder) as readers:
            read = list(readers.map(one, wanted))
        return (
            tuple(each[0] for each in read if isinstance(each, tuple)),
            tuple(each for each in read if isinstance(each, str)),
        )

    def _said(self, found: T) -> tuple[str, str]:
        database, artifact_id, own_id = self.identity(found)
        return database, f"{artifact_id}/{own_id}"

    def _folder(self, database: str) -> str:
        return f"{database}/{self.folder}/"
