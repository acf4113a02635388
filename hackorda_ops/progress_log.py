"""Progress as log lines: often enough to see that work continues, rarely enough to read."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hackorda_ops.progress import Progress
from hackorda_ops.words import size

_LEAST_SECONDS_BETWEEN: Final = 5.0
_LEAST_GROWTH: Final = 0.1


@dataclass(frozen=True)
class Told:
    """What was last logged of a stage: how far it was, and when (seconds of a monotonic clock)."""

    progress: Progress
    at_seconds: float


def worth_telling(last: Told | None, progress: Progress, now_seconds: float) -> bool:
    """Whether a log line is due: the stage began, ended, or advanced by a tenth in five seconds.

    A tenth of the total, or of what is done where the total is unknown: then the lines of an
    endless stage grow rarer.

    Args:
        last: the last line written for this stage; None if there was none.
        progress: how far the stage is.
        now_seconds: seconds of a monotonic clock.
    """
    if last is None:
        return True
    if last.progress.done == last.progress.total:
        # A stage of the same name starts again: an S3 store is read back after the disk was.
        return progress != last.progress
    if progress.done <= last.progress.done:
        return False
    if progress.done == progress.total:
        return True
    whole = progress.total if progress.total is not None else progress.done
    grown = progress.done - last.progress.done >= whole * _LEAST_GROWTH
    return grown and now_seconds - last.at_seconds >= _LEAST_SECONDS_BETWEEN


def amount(progress: Progress) -> str:
    """How far a stage is, in words: "3.1 MB of 12.3 MB", "12,000 rows"."""

    def one(value: int) -> str:
        return size(value) if progress.unit == "bytes" else f"{value:,}"

    text = one(progress.done) if progress.total is None else f"{one(progress.done)} of {one(progress.total)}"
    return text if progress.unit == "bytes" else f"{text} {progress.unit}"


def line(progress: Progress) -> str:
    """A progress as a line: "dump: 12.3 MB", "count: 14 of 20 tables"."""
    return f"{progress.stage}: {amount(progress)}"


class ProgressLog:
    """Takes progress from any thread and writes what is worth logging.

    Args:
        write: takes a line; called by one thread at a time.
        clock: seconds of a monotonic clock.
    """

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[str, Told] = {}

    def __call__(self, progress: Progress) -> None:
        """Takes one progress update."""
        with self._lock:
            now = self._clock()
            if worth_telling(self._told.get(progress.stage), progress, now):
                self._told[progress.stage] = Told(progress, now)
                self._write(line(progress))
