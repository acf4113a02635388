"""The tests' files in memory, where there is room: servers write thousands of small ones that nobody keeps."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")
# Three workers need about half of it: their servers, the branches of these, and the tests' own folders.
_ROOM_BYTES: Final = 6 * 1024**3


def put_files_in_memory() -> None:
    """Has this process and its children make their temporary files in memory.

    Not where TMPDIR says otherwise, where there is too little room (a container's 64 MB), or where nothing may be
    executed: some tests write programs. A file system on a disk costs five times the processor's time, and waits.
    """
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return
    if os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:
        return
    if min(shutil.disk_usage(_MEMORY).free, _available_bytes()) >= _ROOM_BYTES:
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None


def _available_bytes() -> int:
    """How much memory there is for new work; 0 where nothing says so."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 0)
