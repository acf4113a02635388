"""Bytes on their way from one store to another: counted, and stopped when the whole copy is."""

import threading
from typing import Final

from hackorda_ops.progress import OnProgress, Progress
from hackorda_ops.stores.store import Readable

# A listener is called about every half percent, so it can do something slow like logging.
_REPORTS_PER_STAGE: Final = 200


class Meter:
    """Counts the bytes of one stage over all threads, and reports now and then."""

    def __init__(
        self, stage: str, total_bytes: int, on_progress: OnProgress, telling: threading.Lock
    ) -> None:
        self._stage = stage
        self._total_bytes = total_bytes
        self._on_progress = on_progress
        self._telling = telling
        self._done_bytes = 0
        self._told_bytes = 0

    def expect(self, more_bytes: int) -> None:
        """There is more to do than was known."""
        with self._telling:
            self._total_bytes += more_bytes

    def add(self, more_bytes: int) -> None:
        """More is done."""
        with self._telling:
            self._done_bytes += more_bytes
            news_bytes = self._done_bytes - self._told_bytes
            # The end of a file is read as well, without any bytes: that is no news.
            finished = news_bytes > 0 and self._done_bytes == self._total_bytes
            if finished or news_bytes * _REPORTS_PER_STAGE >= self._total_bytes:
                self._told_bytes = self._done_bytes
                self._on_progress(Progress(self._stage, self._done_bytes, self._total_bytes, "bytes"))


class EndedError(Exception):
    """Ends the files in progress when another one has failed; never leaves the copy."""


class Watched:
    """A source whose bytes are counted, and that stops when the whole copy does."""

    def __init__(self, source: Readable, meter: Meter, ended: threading.Event) -> None:
        self._source = source
        self._meter = meter
        self._ended = ended

    def read(self, size_bytes: int, /) -> bytes:
        """The next block.

        Raises:
            EndedError: another file of the copy has failed.
        """
        if self._ended.is_set():
            raise EndedError
        block = self._source.read(size_bytes)
        self._meter.add(len(block))
        return block
