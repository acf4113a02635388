"""Where an artifact is built before it is published, and the cleanup after a killed run."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOCK_SUFFIX = ".lock"


@contextmanager
def staged_folder(root: Path, database: str, artifact_id: str) -> Iterator[Path]:
    """A private folder for one artifact being built; anything left in it at the end is removed.

    Folders of the same database that a killed process left behind are removed first. Their owner
    is proven by a file lock that ends with its process, not by a name or an age.

    Args:
        root: the store's staging folder, on the same file system as the store.
        database: the protected database's name.
        artifact_id: the future artifact's.
    """
    parent = root / database
    # Each on its own: `parents=True` would give the ones in between the process's default mode.
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    parent.mkdir(mode=0o700, exist_ok=True)
    _remove_abandoned(parent)
    folder = parent / artifact_id
    with _locked(parent / f"{artifact_id}{_LOCK_SUFFIX}"):
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def abandoned_bytes(root: Path, database: str) -> int:
    """How much space the next `staged_folder` of a database frees by removing what killed processes left."""
    found = 0
    for lock in (root / database).glob(f"*{_LOCK_SUFFIX}"):
        with suppress(OSError), lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found += sum(path.lstat().st_size for path in lock.with_suffix("").rglob("*"))
    return found


def _remove_abandoned(parent: Path) -> None:
    for lock in parent.glob(f"*{_LOCK_SUFFIX}"):
        try:
            with _locked(lock):
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
        except BlockingIOError:
            continue  # its process is still running


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds an exclusive lock on a file that exists only as long.

    Raises:
        BlockingIOError: another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
