"""Fetches an artifact's files from a store to this disk."""

import errno
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from hackorda_ops.artifacts.documents import USE_ANOTHER_ARTIFACT
from hackorda_ops.artifacts.manifest import FileEntry, Manifest
from hackorda_ops.errors import ArtifactDamaged, DiskFull
from hackorda_ops.progress import OnProgress, Progress
from hackorda_ops.stores.store import CHUNK_BYTES, Store

_DOWNLOADS = 4


def fetch_artifact(store: Store, manifest: Manifest, folder: Path, *, on_progress: OnProgress) -> None:
    """Downloads every file of an artifact, several at a time, into private files.

    Their bytes are not verified here: `verify.judge` reads them from disk once, for hashes, rows and
    digests together.

    Args:
        store: where the artifact lies.
        manifest: the artifact's.
        folder: an existing private folder; the artifact's own paths are kept below it.
        on_progress: called with the bytes fetched, from more than one thread.

    Raises:
        ArtifactMissing: a file that the manifest lists isn't there.
        ArtifactDamaged: a file is longer than the manifest says.
        DiskFull: no room on this disk.
        StoreRefused, StoreUnreachable: the store said no, or nothing.
    """
    done, lock = 0, Lock()

    def one(entry: FileEntry) -> None:
        nonlocal done
        with (
            store.open(f"{manifest.prefix}/{entry.path}") as source,
            _private_file(folder / entry.path) as target,
        ):
            left = entry.size_bytes
            while block := source.read(CHUNK_BYTES):
                left -= len(block)
                if left < 0:
                    raise ArtifactDamaged(
                        f"{store.describe()}/{manifest.prefix}/{entry.path} is longer than the "
                        f"{entry.size_bytes} bytes that the manifest lists.",
                        meaning="The file is not the one that was backed up that night.",
                        next_step=USE_ANOTHER_ARTIFACT,
                    )
                _write_all(target, block, folder)
                with lock:
                    done += len(block)
                    on_progress(Progress("fetch", done, manifest.size_bytes, "bytes"))

    with ThreadPoolExecutor(_DOWNLOADS, thread_name_prefix="fetch") as downloads:
        # The largest first, so that no big one is left running alone at the end.
        largest_first = sorted(manifest.files, key=lambda entry: -entry.size_bytes)
        futures = [downloads.submit(one, entry) for entry in largest_first]
        try:
            for future in futures:
                future.result()
        except BaseException:
            downloads.shutdown(wait=True, cancel_futures=True)
            raise


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
                next_step="Free space there, or point dump.work_folder in databases.yaml at a larger disk.",
            ) from None
        raise
