"""Folders that exist for as long as a process works in them, and what a killed process left of them.

Whose a folder is, is proven by a lock on a file beside it, which ends with its process: not by its name or its age.
"""

import fcntl
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Final

from hackorda_ops import local_trouble
from hackorda_ops.errors import LocalTrouble

_LOCK_SUFFIX: Final = ".lock"
_PRIVATE: Final = "hackorda_ops-"
_GUARD: Final = Path(__file__).with_name("folder_guard.py")


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def private_folder() -> Iterator[Path]:
    """A new folder for small temporary files; it's gone when the block ends.

    Raises:
        LocalTrouble: it can't be made; DiskFull where there's no room.
    """
    try:
        parent = Path(tempfile.gettempdir())
    except OSError as error:
        raise _unusable("the folder for temporary files", error) from None
    with new_folder(parent, _PRIVATE) as folder:
        yield folder


@contextmanager
def new_folder(parent: Path, prefix: str, *, guarded: bool = False) -> Iterator[Path]:
    """A new folder of a name that begins so; it's gone when the block ends.

    Those that killed processes left there under such names are removed first.

    Args:
        parent: is made where it's missing.
        prefix: what its name begins with: no other kind of folder's may.
        guarded: see `own_folder`.

    Raises:
        LocalTrouble: it can't be made; DiskFull where there's no room.
    """
    name = f"{prefix}{secrets.token_hex(6)}"
    with own_folder(parent, name, siblings=f"{prefix}*", guarded=guarded) as folder:
        yield folder


@contextmanager
def own_folder(
    parent: Path,
    name: str,
    *,
    siblings: str = "*",
    remove: Callable[[Path], None] = _remove,
    guarded: bool = False,
) -> Iterator[Path]:
    """A folder that only this user can read; whatever is in it at the end is removed.

    Args:
        parent: is made where it's missing.
        name: the folder's; there must be none of that name.
        siblings: the names of those that are removed first if a killed process left them.
        remove: removes such a folder, where more belongs to it than its files.
        guarded: it's also removed at once where this process is killed, by another that outlives it: for what must
            not stay on the disk. Nothing does that where the machine stops, or every process on it is killed.

    Raises:
        LocalTrouble: it can't be made; DiskFull where there's no room.
    """
    folder = parent / name
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove_abandoned(parent, siblings, remove=remove)
        lock = _open_lock(_lock_of(folder), os.O_CREAT | os.O_EXCL)
    except OSError as error:
        raise _unusable(str(parent), error) from None
    try:
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise _unusable(str(folder), error) from None
        try:
            with _guard(folder) if guarded else nullcontext():
                yield folder
        finally:
            remove(folder)
    finally:
        _forget(folder)
        os.close(lock)


@contextmanager
def _guard(folder: Path) -> Iterator[None]:
    """Has another process remove the folder where this one is killed."""
    try:
        process = subprocess.Popen(
            # As a child's supervisor: none of the caller's Python settings or site-packages, and its own session.
            [sys.executable, "-I", "-S", "-X", "utf8", str(_GUARD), str(folder), str(_lock_of(folder))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,
        )
    except OSError as error:
        raise _unusable(str(folder), error) from None
    try:
        yield
    finally:
        process.kill()
        process.wait()


def remove_abandoned(
    parent: Path, names: str = "*", *, remove: Callable[[Path], None] = _remove
) -> tuple[Path, ...]:
    """Removes the folders there whose processes are gone.

    Args:
        parent: where they are.
        names: of which names.
        remove: removes such a folder. One that is there afterwards stays for the next time.

    Returns:
        What was removed.
    """
    removed = []
    for folder in _abandoned(parent, names):
        remove(folder)
        if _forget(folder):
            removed.append(folder)
    return tuple(removed)


def _forget(folder: Path) -> bool:
    """Removes a folder's lock, unless the folder could not be removed: nothing else says whose it is."""
    gone = not folder.exists()
    if gone:
        _lock_of(folder).unlink(missing_ok=True)
    return gone


def abandoned(parent: Path) -> tuple[Path, ...]:
    """The folders there whose processes are gone, the first by name first; changes nothing."""
    return tuple(sorted(_abandoned(parent, "*")))


def abandoned_bytes(parent: Path) -> int:
    """How much room `remove_abandoned` makes."""
    return sum(
        path.lstat().st_size
        for folder in _abandoned(parent, "*")
        for path in folder.rglob("*")
        if not path.is_symlink()
    )


def _abandoned(parent: Path, names: str) -> Iterator[Path]:
    """The folders there whose processes are gone, each locked while the caller has it."""
    for path in parent.glob(f"{names}{_LOCK_SUFFIX}"):
        # Gone meanwhile, or of another user, or of a process that is still running.
        with suppress(OSError):
            lock = _open_lock(path)
            try:
                yield path.with_suffix("")
            finally:
                os.close(lock)


def _open_lock(path: Path, flags: int = 0) -> int:
    """Opens and locks a file.

    Raises:
        BlockingIOError: another process holds it.
        PermissionError: it's another user's.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _require_ours(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _require_ours(descriptor: int) -> None:
    # In a folder that all users share, somebody else's lock says nothing of ours.
    if os.fstat(descriptor).st_uid != os.geteuid():
        raise PermissionError


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + _LOCK_SUFFIX)


def _unusable(where: str, error: OSError) -> LocalTrouble:
    return local_trouble.of_exception(error) or LocalTrouble(
        f"No folder can be made in {where}: {error.strerror or error}.",
        meaning="Nothing was begun, and the backup is not at fault.",
        next_step="Make the folder that the message names usable for the user that runs this (for temporary files it "
        "is the one that TMPDIR names).",
    )
