"""The small process that removes a folder when the process that works in it is killed.

Run as a script by `hackorda_ops.own_folders`, never imported: it must start in a hundredth of a second and must not
need the package. It lives in a session of its own, so that a signal to the worker's process group doesn't end it too.

It waits for the lock beside the folder, which the kernel frees when its holder ends, SIGKILL included. Then it removes
the folder, unless that is already done. Programs that are still being stopped may go on writing for some seconds, so it
looks again until nothing is left.

Arguments: the folder and its lock file.
"""

import fcntl
import os
import sys
import time

# A program below a supervisor has ten seconds to end by itself.
_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.05


def main(folder: str, lock_file: str) -> None:
    """Wait until nobody works in a folder, and remove it.

    Args:
        folder: the folder's path.
        lock_file: the path of the lock beside it.
    """
    try:
        lock = os.open(lock_file, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return  # The work is already over.
    fcntl.flock(lock, fcntl.LOCK_EX)
    until = time.monotonic() + _PATIENCE_SECONDS
    while os.path.lexists(folder) and time.monotonic() < until:
        import shutil  # noqa: PLC0415 - it takes longer to import than the rest, and is hardly ever needed

        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(_PAUSE_SECONDS)
    if not os.path.lexists(folder):
        try:  # noqa: SIM105 - contextlib takes longer to import than the rest of this script, as pathlib does
            os.unlink(lock_file)  # noqa: PTH108
        except OSError:
            pass


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
