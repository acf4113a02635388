"""The files of a dump in its folder, and how to see that one was written to."""

import os
from pathlib import Path
from typing import NamedTuple

from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.postgres.archives.damage import unusable
from hackorda_ops.postgres.archives.reader import ENCRYPTED
from hackorda_ops.postgres.archives.toc import TOC_NAME


class FileState(NamedTuple):
    """What changes about a file when somebody writes to it."""

    inode: int
    size_bytes: int
    modified_nanoseconds: int


def state_of(folder: Path, path: str) -> FileState | None:
    """A file's state; None if there is none, or it can't be looked at.

    Args:
        folder: the dump.
        path: the file, relative to the folder.
    """
    try:
        status = (folder / path).stat()
    except OSError:
        return None  # reading it will say why
    return FileState(status.st_ino, status.st_size, status.st_mtime_ns)


def states(folder: Path) -> dict[str, FileState]:
    """Every file of a finished dump but for ciphertexts, by its path relative to the folder.

    Raises:
        ArtifactDamaged: the folder can't be read, or holds no dump.
    """
    try:
        names = [
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.is_file() and path.suffix != ENCRYPTED
        ]
    except OSError as error:
        raise ArtifactDamaged(
            f"The dump's folder {folder} can't be read: {error.strerror}.",
            meaning="Nothing is known about this dump.",
            next_step="Check the folder, its permissions and its disk.",
        ) from error
    if TOC_NAME not in names:
        raise unusable(
            f"{folder} holds no dump: its table of contents (toc.dat) is missing.",
            meaning="Without it nothing can be restored; it does not count as a backup.",
        )
    return {name: state for name in names if (state := state_of(folder, name)) is not None}


def sizes(folder: Path, *, leave_out: set[str]) -> dict[str, int]:
    """The files that a running pg_dump has begun, with their sizes in bytes, but for those that are left out."""
    try:
        with os.scandir(folder) as entries:
            return {
                each.name: each.stat().st_size
                for each in entries
                if each.name not in leave_out and not each.name.endswith(ENCRYPTED)
            }
    except FileNotFoundError:
        return {}  # not made yet, or pg_dump has failed
