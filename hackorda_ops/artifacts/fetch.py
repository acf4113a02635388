"""Fetches an artifact's files from a store to this disk."""

import ctypes
import errno
import hashlib
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from hackorda_ops.artifacts.damage import HashedFile
from hackorda_ops.artifacts.documents import USE_ANOTHER_ARTIFACT
from hackorda_ops.artifacts.manifest import FileEntry, Manifest
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, DiskFull, StoreRefused, StoreUnreachable
from hackorda_ops.progress import OnProgress, Progress
from hackorda_ops.stores.store import CHUNK_BYTES, Store
from hackorda_ops.stores.versions import OpensVersions, newest_first

_DOWNLOADS = 4
# From glibc's malloc.h: from how many bytes on a buffer is memory of its own.
_M_MMAP_THRESHOLD = -3


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
        taken: where each of them was taken from instead, by its path.
    """

    damaged: list[str] = field(default_factory=list)
    hashed: dict[str, HashedFile] = field(default_factory=dict)
    taken: dict[str, Twin] = field(default_factory=dict)


def fetch_artifact(
    store: Store,
    manifest: Manifest,
    folder: Path,
    *,
    on_progress: OnProgress,
    twins: Twins | None = None,
    fetched: Fetched | None = None,
    to_the_end: bool = False,
) -> None:
    """Downloads every file of an artifact, several at a time, into private files.

    Their bytes are hashed as they arrive, so that the engine needn't read them again for that. Without `twins` whoever
    called judges the hashes. With them, a file that isn't what the manifest says is taken from the first twin that is,
    or from an older version of its own.

    Args:
        store: where the artifact lies.
        manifest: the artifact's.
        folder: an existing private folder; the artifact's own paths are kept below it.
        on_progress: called with the bytes fetched, from more than one thread.
        twins: where each file may be taken from instead; None where this copy itself is to be judged.
        fetched: collects what was seen.
        to_the_end: whether all other files are fetched although one is damaged or missing everywhere.

    Raises:
        ArtifactMissing: a file that the manifest lists isn't there.
        ArtifactDamaged: a file is longer than the manifest says; with `twins`, it has other bytes, and so has every
            twin.
        DiskFull: no room on this disk.
        StoreRefused, StoreUnreachable: the store said no, or nothing.
    """
    _give_memory_back_at_once()
    done, lock, seen = 0, Lock(), fetched or Fetched()

    def download(source: Twin, entry: FileEntry, *, check: bool) -> None:
        nonlocal done
        (folder / entry.path).unlink(missing_ok=True)
        digest, written_bytes = hashlib.sha256(), 0
        try:
            with (
                source.open() as stream,
                _private_file(folder / entry.path) as target,
            ):
                while block := stream.read(CHUNK_BYTES):
                    if written_bytes + len(block) > entry.size_bytes:
                        raise _other_bytes(source, f"longer than the {entry.size_bytes} bytes")
                    _write_all(target, block, folder)
                    written_bytes += len(block)
                    digest.update(block)
                    with lock:
                        done += len(block)
                        on_progress(Progress("fetch", done, manifest.size_bytes, "bytes"))
            arrived = HashedFile(entry.path, written_bytes, digest.hexdigest())
            if check and (arrived.size_bytes, arrived.sha256) != (entry.size_bytes, entry.sha256):
                raise _other_bytes(
                    source, f"{written_bytes} bytes with SHA-256 {arrived.sha256}, not the {entry.sha256}"
                )
            seen.hashed[entry.path] = arrived
        except (ArtifactDamaged, ArtifactMissing):
            with lock:
                done -= written_bytes
            raise

    def one(entry: FileEntry) -> None:
        own = Twin(store, f"{manifest.prefix}/{entry.path}")
        try:
            download(own, entry, check=twins is not None)
        except (ArtifactDamaged, ArtifactMissing):
            seen.damaged.append(entry.path)
            if twins is None:
                raise
            for twin in itertools.chain(twins.get(entry.sha256, ()), _older_versions(own, entry)):
                if twin.version_id is None and (twin.store.location(), twin.key) == (
                    store.location(),
                    own.key,
                ):
                    continue
                with suppress(ArtifactDamaged, ArtifactMissing, StoreRefused, StoreUnreachable):
                    download(twin, entry, check=True)
                    seen.taken[entry.path] = twin
                    return
            raise

    with ThreadPoolExecutor(_DOWNLOADS, thread_name_prefix="fetch") as downloads:
        # The largest first, so that no big one is left running alone at the end.
        largest_first = sorted(manifest.files, key=lambda entry: -entry.size_bytes)
        futures = [downloads.submit(one, entry) for entry in largest_first]
        try:
            if to_the_end:
                wait(futures)
            for future in futures:
                future.result()
        except BaseException:
            downloads.shutdown(wait=True, cancel_futures=True)
            raise


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


def _give_memory_back_at_once() -> None:
    """Lets glibc return each large buffer to the system when it's done with, and not keep it for the next one.

    It would keep one for every thread that fetched, for as long as the restore takes that follows.
    """
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 2 * CHUNK_BYTES)


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
