"""Trouble of this machine: no room, no memory, no open files, a read-only disk. It's never the backup's fault.

It shows as an exception of Python's, or as the words of a child process. Both become one error that says what to free.
"""

import errno
import os
import re
from typing import Final

from hackorda_ops.errors import DiskFull, LocalTrouble

# EFBIG: over a limit on file size (ulimit -f, a FAT file system): also no room.
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FREE: Final = {
    **dict.fromkeys(
        FULL, "Make room on that disk, or name another (dump.work_folder, or TMPDIR for temporary files)."
    ),
    errno.EMFILE: "Raise the limit on open files of this process (ulimit -n, LimitNOFILE=), or lower dump.jobs.",
    errno.ENFILE: "Raise the system's limit on open files (fs.file-max), or end what holds so many.",
    errno.ENOMEM: "Give this machine more memory, or lower dump.jobs.",
    errno.EAGAIN: "Raise the limit on processes (ulimit -u, TasksMax=), or end what runs beside it.",
    errno.EROFS: "The file system is read-only: remount it, or check the kernel's log for the reason.",
    errno.EIO: "The disk fails to read or write: check the kernel's log, and replace the disk.",
    errno.EACCES: "Give the user that runs this read and write access there.",
    errno.EPERM: "Give the user that runs this read and write access there.",
}
_WORDS: Final = (
    (re.compile(r"No space left on device|Disk quota exceeded|File too large"), errno.ENOSPC),
    (re.compile(r"Too many open files in system"), errno.ENFILE),
    (re.compile(r"Too many open files"), errno.EMFILE),
    (re.compile(r"[Oo]ut of memory|Cannot allocate memory"), errno.ENOMEM),
    (re.compile(r"Resource temporarily unavailable|could not fork"), errno.EAGAIN),
    (re.compile(r"Read-only file system"), errno.EROFS),
    (re.compile(r"Input/output error"), errno.EIO),
    (re.compile(r"Permission denied"), errno.EACCES),
)
_MEANING: Final = "This machine lacks something, so nothing could be judged; the backup is not at fault."


def of_exception(error: BaseException) -> LocalTrouble | None:
    """The trouble that an exception means; None where it means something else."""
    if isinstance(error, MemoryError):
        return _trouble(errno.ENOMEM, "This process ran out of memory")
    if not isinstance(error, OSError) or error.errno not in _FREE:
        return None
    # With a name it's about a file. Without, it may be a socket's.
    if error.filename is None and error.errno in (errno.EACCES, errno.EPERM, errno.EAGAIN):
        return None
    where = "" if error.filename is None else f" at {os.fsdecode(error.filename)}"
    return _trouble(error.errno, f"{error.strerror or 'The operating system refused'}{where}")


def of_child(program: str, returncode: int, said: str) -> LocalTrouble | None:
    """The trouble that ended a child process which only reads files of this machine; None for anything else.

    Args:
        program: its name.
        returncode: not 0; minus the number of the signal that ended it.
        said: its standard error, in English.
    """
    for words, number in _WORDS:
        if found := words.search(said):
            return _trouble(number, f"{program} failed: {found[0]}")
    if returncode < 0:
        return _trouble(
            errno.ENOMEM,
            f"{program} was killed by signal {-returncode} (9 is often the kernel, when memory ran out)",
        )
    return None


def _trouble(number: int, what: str) -> LocalTrouble:
    kind = DiskFull if number in FULL else LocalTrouble
    return kind(f"{what}.", meaning=_MEANING, next_step=_FREE[number])
