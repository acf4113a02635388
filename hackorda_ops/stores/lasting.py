"""Files and folders that are private, and still there after a power failure."""

import errno
import os
from pathlib import Path
from typing import Final

PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600


def make_folder(folder: Path, *, root: Path) -> None:
    """Makes a folder and those above it, up to `root`; each private, each flushed into its parent."""
    if folder.is_dir():
        return
    if folder != root:
        make_folder(folder.parent, root=root)
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    flush_folder(folder.parent)


def removed_empty(folder: Path) -> bool:
    """Removes a folder if it's empty; returns whether it's gone."""
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
            return False
        raise
    return True


def make_lasting(path: Path) -> None:
    """Makes a file private, and flushes it to the disk."""
    path.chmod(_PRIVATE_FILE)
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def flush_folder(folder: Path) -> None:
    """Flushes a folder's names to the disk."""
    # A new name lasts only once the folder that holds it has been flushed.
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
