"""The catalog: the artifacts of a database, read from a store. There's no separate index to lose."""

import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from hackorda_ops.artifacts import sealed  # noqa: F401  # makes manifests of encrypted artifacts readable
from hackorda_ops.artifacts.ids import id_is_ahead, is_id, moment_of
from hackorda_ops.artifacts.manifest import (
    DUMP_FOLDER,
    MANIFEST_NAME,
    Described,
    Manifest,
    from_bytes,
    is_of_the_source,
)
from hackorda_ops.artifacts.summaries import KnownSummary, Summary, keep, recall, summary_of
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing
from hackorda_ops.progress import OnProgress, Progress, ignore
from hackorda_ops.stores.store import Store, StoredVersion, folder_prefix, in_a_folder

_READERS = 8
# An artifact of any other name than its id's is damaged, and shown as that; of more than these it would be no help.
_MOST_OTHERS = 50


@dataclass(frozen=True)
class DamagedArtifact:
    """An artifact whose manifest can't be relied on.

    Attributes:
        prefix: its place in the store.
        problem: why, in a line.
    """

    prefix: str
    problem: str

    def __str__(self) -> str:
        return self.problem


ArtifactT = TypeVar("ArtifactT", bound=Described)


@dataclass(frozen=True)
class CatalogOf(Generic[ArtifactT]):
    """What a store holds of one database.

    Attributes:
        location: the store, as people would name it.
        artifacts: every manifest that could be read, or its summary, oldest first.
        damaged: every one that could not.
        ahead: those that are dated in the future: a clock was wrong when they were made, so none of them counts
            as the newest. Each can still be restored by its id.
    """

    location: str
    artifacts: tuple[ArtifactT, ...]
    damaged: tuple[DamagedArtifact, ...] = ()
    ahead: tuple[ArtifactT, ...] = ()

    @property
    def newest(self) -> ArtifactT | None:
        """The artifact captured last, sound or not."""
        return self.artifacts[-1] if self.artifacts else None


Catalog = CatalogOf[Manifest]


def read(store: Store, database: str, *, now: datetime | None = None) -> Catalog:
    """Lists the artifacts of a database: everything that has a manifest, and nothing else.

    Args:
        store: to look into.
        database: whose artifacts.
        now: the present, aware; None for this machine's.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed.
    """
    keys = _manifest_keys(store, database)

    def one(key: str) -> Manifest | DamagedArtifact | None:
        return _read_one(store, key)

    with ThreadPoolExecutor(_READERS) as readers:
        results = list(readers.map(one, keys))
    found = [each for each in results if isinstance(each, Manifest)]
    return _catalog(store, found, [each for each in results if isinstance(each, DamagedArtifact)], now)


def summarise(
    store: Store,
    database: str,
    *,
    now: datetime | None = None,
    listed: Iterable[StoredVersion] | None = None,
    on_progress: OnProgress = ignore,
) -> CatalogOf[Summary]:
    """Lists the artifacts of a database like `read`, and reads only the manifests that it didn't read before.

    For lists and plans. Whoever acts on an artifact reads its manifest (`read`, `read_each`).

    Args:
        store: to look into.
        database: whose artifacts.
        now: the present, aware; None for this machine's.
        listed: the files below the database's folder, where they have been listed already.
        on_progress: called for the manifests that are read, from several threads.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed.
    """
    if listed is None:
        listed = store.in_each_folder(folder_prefix(database), MANIFEST_NAME, leaving_out=DUMP_FOLDER)
    files = {
        each.key.split("/")[1]: each
        for each in listed
        if each.is_file and in_a_folder(each.key, database, MANIFEST_NAME)
    }
    there = {name: files[name] for name in _looked_into(files)}
    remembered = recall(store.location(), database)
    known = {
        name: found
        for name, file in there.items()
        if (found := remembered.get(name)) is not None and found.stamp == file.stamp
    }
    unread = [name for name in there if name not in known]
    done = itertools.count(1)

    def one(name: str) -> Summary | DamagedArtifact | None:
        found = _read_one(store, there[name].key)
        on_progress(Progress("read manifests", next(done), len(unread), "artifacts"))
        return summary_of(found) if isinstance(found, Manifest) else found

    damaged: list[DamagedArtifact] = []
    if unread:
        with ThreadPoolExecutor(_READERS, thread_name_prefix="manifests") as readers:
            for name, read_now in zip(unread, readers.map(one, unread), strict=True):
                if isinstance(read_now, Summary):
                    known[name] = KnownSummary(there[name].stamp, read_now)
                elif read_now is not None:
                    damaged.append(read_now)
    lasting = {name: each for name, each in known.items() if each.stamp}
    if lasting.keys() != remembered.keys() or not lasting.keys().isdisjoint(unread):
        keep(store.location(), database, lasting)
    return _catalog(store, [each.summary for each in known.values()], damaged, now)


def _catalog(
    store: Store, found: Iterable[ArtifactT], damaged: Iterable[DamagedArtifact], now: datetime | None
) -> CatalogOf[ArtifactT]:
    now = now or datetime.now(UTC)
    in_order = sorted(found, key=lambda each: (each.captured_at, each.artifact_id))
    ahead = {each.artifact_id for each in in_order if id_is_ahead(each.artifact_id, now)}
    return CatalogOf(
        location=store.describe(),
        artifacts=tuple(each for each in in_order if each.artifact_id not in ahead),
        damaged=tuple(damaged),
        ahead=tuple(each for each in in_order if each.artifact_id in ahead),
    )


def read_newest(store: Store, database: str, *, before: datetime | None = None) -> Manifest | None:
    """The artifact that the next night is compared with, without reading older ones. None if there is none.

    It is the one captured last, sound or not, except for those of an unconfirmed other source, and those
    that are dated in the future.

    Args:
        store: to look into.
        database: whose artifacts.
        before: leaves out what was captured then or later.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed.
    """
    # Ids begin with the second of their snapshot; two of the same second are distinguished by their manifests.
    by_second = itertools.groupby(
        sorted(
            (key for key in _manifest_keys(store, database) if _in_time(key.split("/")[1], before)),
            reverse=True,
        ),
        lambda key: key.partition("-")[0],
    )
    for _, keys in by_second:
        read_ones = [
            found
            for key in keys
            if isinstance(found := _read_one(store, key), Manifest)
            and (before is None or found.captured_at < before)
            and is_of_the_source(found)
        ]
        if read_ones:
            return max(read_ones, key=lambda manifest: (manifest.captured_at, manifest.artifact_id))
    return None


def newest_id(store: Store, database: str, *, before: datetime | None = None) -> str | None:
    """The id of what `read_newest` looks at first, without reading any manifest: also of one that isn't finished.

    Args:
        store: the store to look into.
        database: the database's name in databases.yaml.
        before: leaves out what was captured later; None for the present.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed.
    """
    return next((each for each in ids(store, database) if _in_time(each, before)), None)


def ids(store: Store, database: str, *folder: str) -> tuple[str, ...]:
    """The ids of a database's artifacts, newest first, without reading any: also of one that isn't finished.

    Args:
        store: to look into.
        database: whose.
        folder: for the ids of drills and exercises, which have the same form, the folder that they are in.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed.
    """
    return tuple(sorted(filter(is_id, store.folders(folder_prefix(database, *folder))), reverse=True))


def read_each(
    store: Store, database: str, artifact_ids: Iterable[str]
) -> Iterator[Manifest | DamagedArtifact]:
    """The artifacts with these ids, in this order, each read on demand; what has no manifest is skipped.

    Args:
        store: the store to read from.
        database: the database's name in databases.yaml.
        artifact_ids: the ids of the artifacts.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be read.
    """
    for artifact_id in artifact_ids:
        found = _read_one(store, f"{database}/{artifact_id}/{MANIFEST_NAME}")
        if found is not None:
            yield found


def _in_time(artifact_id: str, before: datetime | None) -> bool:
    """Whether it may be the newest of what was captured before a moment, by its id, which knows whole seconds only."""
    moment = moment_of(artifact_id)
    return moment is not None and not id_is_ahead(artifact_id) and (before is None or moment <= before)


def _manifest_keys(store: Store, database: str) -> list[str]:
    """Where manifests may be. Folders are listed without their files, of which there are a hundred times as many."""
    folders = _looked_into(store.folders(folder_prefix(database)))
    return [f"{database}/{folder}/{MANIFEST_NAME}" for folder in folders]


def _looked_into(folders: Iterable[str]) -> Iterator[str]:
    """The folders that may be an artifact's, and some others: one may be renamed, or a million put there."""
    others = 0
    for folder in folders:
        others += not is_id(folder)
        if is_id(folder) or others <= _MOST_OTHERS:
            yield folder


def _read_one(store: Store, key: str) -> Manifest | DamagedArtifact | None:
    """What a manifest says; None if it isn't there, or no longer: retention deletes while others read."""
    found = _read_once(store, key)
    # What is damaged is passed over by every choice, and a disk or a network may err once.
    return _read_once(store, key) if isinstance(found, DamagedArtifact) else found


def _read_once(store: Store, key: str) -> Manifest | DamagedArtifact | None:
    prefix = key.removesuffix(f"/{MANIFEST_NAME}")
    try:
        manifest = from_bytes(store.read_small(key), origin=f"{store.describe()}/{key}")
    except ArtifactDamaged as error:
        return DamagedArtifact(prefix, error.what)
    except ArtifactMissing:
        return None
    if manifest.prefix != prefix:
        return DamagedArtifact(prefix, f"The manifest {key} says that it belongs to {manifest.prefix}.")
    return manifest
