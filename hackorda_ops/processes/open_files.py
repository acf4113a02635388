"""Which files a child still has open, where the system says so."""

from contextlib import suppress
from pathlib import Path


def open_below(folder: Path, pid: int) -> frozenset[str] | None:
    """The files directly in a folder that a process or its children have open.

    Only Linux says that. A process that has just been forked may be missed, so this shows when it's worth looking at
    a file, and proves nothing.

    Args:
        folder: an existing one.
        pid: a process with one thread, of this user.

    Returns:
        Their names; None where the system doesn't say, or the process has ended.
    """
    real, names = folder.resolve(), set()
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for process in (str(pid), *children):
            # A child that has ended meanwhile has nothing open.
            with suppress(FileNotFoundError, ProcessLookupError):
                names.update(_open_of(process, real))
    except OSError:
        return None
    return frozenset(names)


def _open_of(process: str, folder: Path) -> list[str]:
    found = []
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            path = descriptor.readlink()
            if path.parent == folder:
                found.append(path.name)
    return found
