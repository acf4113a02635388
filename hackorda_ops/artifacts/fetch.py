"""Fetches an artifact's files from a store to this disk."""

import errno
import hashlib
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from hackorda_ops.artifacts.damage import HashedFile
from hackorda_ops.artifacts.documents import USE_ANOTHER_ARTIFACT
from hackorda_ops.artifacts.manifest import FileEntry, Manifest
from hackorda_ops.artifacts.twins import Fetched, ReadPlaces, Twin, Twins
from hackorda_ops.errors import (
    ArtifactDamaged,
    ArtifactMissing,
    DiskFull,
    StoreRefused,
    StoreUnreachable,
)
from hackorda_ops.progress import OnProgress, Progress
from hackorda_ops.stores.memory import give_memory_back_at_once
from hackorda_ops.stores.store import CHUNK_BYTES, Store
from hackorda_ops.stores.versions import OpensVersions, newest_first

_DOWNLOADS = 4


def fetch_artifact(
    store: Store,
    manifest: Manifest,
    folder: Path,
    *,
    on_progress: OnProgress,
    twins: Twins | None = None,
    copies: Sequence[Store] = (),
    fetched: Fetched | None = None,
    check: bool = False,
    to_the_end: bool = False,
) -> None:
    """Downloads every file of an artifact, several at a time, into private files.

    Their bytes are hashed as they arrive, so that the engine needn't read them again for that. Without `twins` whoever
    called judges the hashes. With them, a file that isn't what the manifest says is taken from the first twin that is,
    or from an older version of its own.

    A place that can't be read any more is given up where another has the file: the rest is taken from there. It is
    asked once more only for what no other place has.

    Args:
        store: where the artifact lies.
        manifest: the artifact's.
        folder: an existing private folder; the artifact's own paths are kept below it.
        on_progress: called with the bytes fetched, from more than one thread.
        twins: where each file may be taken from instead; None where this copy itself is to be judged.
        copies: other places with the same artifact, for what can't be read here any more; never for damaged files.
        fetched: collects what was seen.
        check: whether a file that isn't what the manifest says is an error; it is one with `twins`.
        to_the_end: whether all other files are fetched although one is damaged or missing everywhere.

    Raises:
        ArtifactMissing: a file that the manifest lists isn't there.
        ArtifactDamaged: a file is longer than the manifest says; with `check`, it has other bytes; with `twins`, so
            has every twin.
        DiskFull: no room on this disk.
        StoreRefused, StoreUnreachable: the store said no, or nothing, and no other place has the file.
    """
    give_memory_back_at_once()
    seen = fetched if fetched is not None else Fetched()
    fetching = _Fetching(
        store,
        manifest,
        folder,
        on_progress,
        twins,
        copies,
        seen,
        check or twins is not None,
        ReadPlaces(seen, on_progress, len(manifest.files)),
    )
    with ThreadPoolExecutor(_DOWNLOADS, thread_name_prefix="fetch") as downloads:
        # The largest first, so that no big one is left running alone at the end.
        largest_first = sorted(manifest.files, key=lambda entry: -entry.size_bytes)
        futures = [downloads.submit(fetching.one, entry) for entry in largest_first]
        try:
            if to_the_end:
                wait(futures)
            for future in futures:
                future.result()
        except BaseException:
            downloads.shutdown(wait=True, cancel_futures=True)
            raise


@dataclass
class _Fetching:
    """One artifact being fetched, by several threads; see `fetch_artifact`."""

    store: Store
    manifest: Manifest
    folder: Path
    on_progress: OnProgress
    twins: Twins | None
    copies: Sequence[Store]
    seen: Fetched
    check: bool
    places: ReadPlaces
    _done_bytes: int = 0
    _lock: Lock = field(default_factory=Lock)

    def one(self, entry: FileEntry) -> None:
        """Fetches a file from wherever it can be had."""
        own = Twin(self.store, f"{self.manifest.prefix}/{entry.path}")
        mending = [each for each in (self.twins or {}).get(entry.sha256, ()) if not each.is_same_file(own)]
        others = [*mending, *(Twin(copy, own.key) for copy in self.copies)]
        try:
            if others and self.places.answers(self.store):
                try:
                    self._download(self.places.hasty(own), entry)
                except (StoreRefused, StoreUnreachable) as error:
                    self.places.give_up(self.store, error)
                else:
                    return
            if not self._from_another(entry, others):
                # No other place has it: this one is waited for as long as it's configured.
                self._download(own, entry)
        except (ArtifactDamaged, ArtifactMissing):
            self.seen.damaged.append(entry.path)
            if self.twins is None:
                raise
            if not self._from_another(entry, itertools.chain(mending, _older_versions(own, entry))):
                raise

    def _from_another(self, entry: FileEntry, others: Iterable[Twin]) -> bool:
        for twin in others:
            if not self.places.answers(twin.store):
                continue
            try:
                self._download(self.places.hasty(twin), entry)
            except (ArtifactDamaged, ArtifactMissing):
                if self.twins is None:
                    # It is judged as it is in the place that it comes from.
                    self.seen.taken[entry.path] = twin
                    raise
            except (StoreRefused, StoreUnreachable) as error:
                self.places.give_up(twin.store, error)
            else:
                self.seen.taken[entry.path] = twin
                return True
        return False

    def _download(self, source: Twin, entry: FileEntry) -> None:
        try:
            self._download_once(source, entry)
            arrived = self.seen.hashed[entry.path]
            if (arrived.size_bytes, arrived.sha256) == (entry.size_bytes, entry.sha256):
                return
            with self._lock:
                self._done_bytes -= arrived.size_bytes
        except ArtifactDamaged:
            pass
        # It would be held against the backup, and a disk or a network may err once.
        self._download_once(source, entry)

    def _download_once(self, source: Twin, entry: FileEntry) -> None:
        target_path = self.folder / entry.path
        target_path.unlink(missing_ok=True)
        digest, written_bytes = hashlib.sha256(), 0
        try:
            with source.open() as stream, _private_file(target_path) as target:
                while block := stream.read(CHUNK_BYTES):
                    if written_bytes + len(block) > entry.size_bytes:
                        raise _other_bytes(source, f"longer than the {entry.size_bytes} bytes")
                    _write_all(target, block, self.folder)
                    written_bytes += len(block)
                    digest.update(block)
                    self._count(len(block))
            arrived = HashedFile(entry.path, written_bytes, digest.hexdigest())
            if self.check and (written_bytes, arrived.sha256) != (entry.size_bytes, entry.sha256):
                raise _other_bytes(
                    source, f"{written_bytes} bytes with SHA-256 {arrived.sha256}, not the {entry.sha256}"
                )
            self.seen.hashed[entry.path] = arrived
        except (ArtifactDamaged, ArtifactMissing, StoreRefused, StoreUnreachable):
            with self._lock:
                self._done_bytes -= written_bytes
            raise

    def _count(self, arrived_bytes: int) -> None:
        with self._lock:
            self._done_bytes += arrived_bytes
            self.on_progress(Progress("fetch", self._done_bytes, self.manifest.size_bytes, "bytes"))


def _older_versions(own: Twin, entry: FileEntry) -> Iterator[Twin]:
    """What lies beneath a file that was overwritten or deleted, in a bucket that keeps versions and lets them be read.

    Versions are listed for a damaged or missing file alone: that is a request of its own.
    """
    if not isinstance(own.store, OpensVersions):
        return
    with suppress(StoreRefused, StoreUnreachable):
        for version in newest_first(own.store.versions_of(own.key), own.key):
            if not version.current and version.size_bytes == entry.size_bytes:
                yield Twin(own.store, own.key, version.version_id)


def _other_bytes(file: Twin, what: str) -> ArtifactDamaged:
    return ArtifactDamaged(
        f"{file} is {what} that the manifest lists.",
        meaning="The file is not the one that was backed up that night.",
        next_step=USE_ANOTHER_ARTIFACT,
    )


@contextmanager
def _private_file(path: Path) -> Iterator[int]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, block: bytes, folder: Path) -> None:
    view = memoryview(block)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(
                f"Disk full while fetching into {folder} ({error.strerror}).",
                meaning="The stored artifact is untouched; nothing was restored.",
                next_step="Make room on that disk, or point dump.work_folder in databases.yaml at a larger one.",
            ) from None
        raise
