"""A night, or the verification of one, that stops at a stage, to be killed there: `… CONFIG night|verify STAGE`."""

import os
import sys
import threading
from pathlib import Path

from hackorda_ops.artifacts import catalog
from hackorda_ops.config import file as config_file
from hackorda_ops.environment import Protected
from hackorda_ops.night.night import take_night
from hackorda_ops.progress import Progress
from hackorda_ops.recovery.verify import verify


def stop(progress: Progress) -> None:
    """Says each stage, and goes no further than the one that is asked for."""
    print(progress.stage, flush=True)
    if progress.stage == sys.argv[3]:
        threading.Event().wait()


if __name__ == "__main__":
    config = config_file.load(Path(sys.argv[1]))
    protected = Protected("hackorda", config.databases["hackorda"], os.environ)
    if sys.argv[2] == "night":
        take_night(protected, on_progress=stop)
    else:
        newest = catalog.read(protected.store, "hackorda").newest
        assert newest is not None
        verify(protected, protected.store, newest, on_progress=stop)
