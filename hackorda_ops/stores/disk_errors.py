"""Translates the operating system's file errors into this product's errors."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from hackorda_ops.errors import DiskFull, OpsError, StoreRefused, StoreUnreachable
from hackorda_ops.local_trouble import FULL

_PASSING = {errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTDOWN, errno.EBUSY, errno.EAGAIN}
_NEXT_STEPS = {
    errno.ENOENT: "Create the folder, or mount the disk that it should be on.",
    errno.EACCES: "Give the user that runs this read and write access to the folder.",
    errno.EPERM: "Give the user that runs this read and write access to the folder.",
    errno.EROFS: "The file system is read-only: remount it, or check the kernel's log for the reason.",
    errno.EIO: "The disk fails to read or write: check the kernel's log, and replace the disk.",
    errno.EXDEV: "Stage the work below the store itself, on the same file system.",
}


@contextmanager
def disk_errors(doing: str) -> Iterator[None]:
    """Turns an OSError of the block into DiskFull, StoreRefused or StoreUnreachable.

    Args:
        doing: what was attempted, as "write /backups/a/b".
    """
    try:
        yield
    except OSError as error:
        raise disk_error(error, doing) from None


def disk_error(error: OSError, doing: str) -> OpsError:
    """What an OSError means for a backup; `doing` as in `disk_errors`."""
    what = f"Could not {doing}: {error.strerror or error}."
    if error.errno in FULL:
        return DiskFull(
            what,
            meaning="Nothing was stored under that name; what was written before is untouched.",
            next_step="Make room on that disk, or point the store at a larger one.",
        )
    if error.errno in _PASSING:
        return StoreUnreachable(
            what,
            meaning="The file system did not respond properly; nothing was stored under that name.",
            next_step="Nothing, if a later try succeeds. Otherwise check the mount.",
        )
    return StoreRefused(
        what,
        meaning="The store can't be used as it is; nothing was stored under that name.",
        next_step=_NEXT_STEPS.get(error.errno or 0, "Fix what the message names, then try again."),
    )
