"""Where an artifact is built before it is published, and the cleanup after a killed run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hackorda_ops import own_folders


@contextmanager
def staged_folder(root: Path, database: str, artifact_id: str, *, guarded: bool = False) -> Iterator[Path]:
    """A private folder for one artifact being built; anything left in it at the end is removed.

    Folders of the same database that a killed process left behind are removed first.

    Args:
        root: the store's staging folder, on the same file system as the store.
        database: the protected database's name.
        artifact_id: the future artifact's.
        guarded: it's also removed at once where this process is killed: what is in it in the clear must not stay.

    Raises:
        LocalTrouble: it can't be made; DiskFull where there's no room.
    """
    # On its own: `parents=True` would give the ones in between the process's default mode.
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with own_folders.own_folder(root / database, artifact_id, guarded=guarded) as folder:
        yield folder


def abandoned_bytes(root: Path, database: str) -> int:
    """How much space the next `staged_folder` of a database frees by removing what killed processes left."""
    return own_folders.abandoned_bytes(root / database)
