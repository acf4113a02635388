"""One reading of each file for all copies that are made of it at the same time.

The copies ask for the files in the same order. Whoever gets to a file first waits for the others; then each block is
read once and handed to all. A copy that keeps the others waiting for too long in total is left behind: it goes on with
readings of its own, and nobody waits for it any more.
"""

import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from hackorda_ops.stores.store import CHUNK_BYTES, Readable, Store

# Of each file, between the fastest copy and the slowest.
_WINDOW_BLOCKS: Final = 4
# How long a copy may keep one transfer of the others waiting: this, and this share of the time that has passed.
_PATIENCE_SECONDS: Final = 5.0
_PATIENCE_SHARE: Final = 0.1
# Whoever is the cause: every wait has an end.
_LONGEST_WAIT_SECONDS: Final = 60.0
_LOOK_EVERY_SECONDS: Final = 0.25


class LeftBehindError(Exception):
    """A copy is too slow for the others: it has to read its file again by itself. Never leaves the copy.

    Attributes:
        taken_bytes: what it had got of the file.
    """

    def __init__(self, taken_bytes: int) -> None:
        super().__init__(taken_bytes)
        self.taken_bytes = taken_bytes


@dataclass(eq=False)
class _FileReading:
    """One file: which block each copy is at, and the blocks that not all have taken."""

    at: dict[str, int] = field(default_factory=dict)
    blocks: deque[bytes] = field(default_factory=deque)
    first: int = 0
    started: bool = False
    busy: bool = False
    ended: bool = False
    error: BaseException | None = None
    stream: BinaryIO | None = None
    opened: ExitStack = field(default_factory=ExitStack)

    def trim(self) -> None:
        """Forgets the blocks that all have taken."""
        slowest = min(self.at.values(), default=self.first + len(self.blocks))
        while self.blocks and self.first < slowest:
            self.blocks.popleft()
            self.first += 1

    @property
    def slowest(self) -> list[str]:
        """Who still needs the oldest block."""
        return [copy for copy, at in self.at.items() if at == self.first]


class SharedReadings:
    """The readings that several copies of one artifact share.

    Args:
        source: where the artifact is.
        copies: their names.
        transfers: how many files each has in work at the same time.
    """

    def __init__(self, source: Store, copies: Iterable[str], *, transfers: int) -> None:
        self._source = source
        self._together = set(copies)
        self._transfers = transfers
        self._lacking: dict[str, frozenset[str]] = {}
        self._readings: dict[str, _FileReading] = {}
        self._waiting: dict[str, int] = dict.fromkeys(self._together, 0)
        self._kept_waiting: dict[str, float] = dict.fromkeys(self._together, 0.0)
        self._began = time.monotonic()
        self._changed = threading.Condition()

    def lacks(self, copy: str, keys: Collection[str]) -> None:
        """A copy says which files it will ask for; until then, all others expect it at every file."""
        with self._changed:
            self._lacking[copy] = frozenset(keys)
            self._changed.notify_all()

    def leave(self, copy: str) -> None:
        """A copy has ended, or is left behind: nobody waits for it any more."""
        with self._changed:
            self._leave(copy)

    @contextmanager
    def open(self, copy: str, key: str) -> Iterator[Readable]:
        """A file for one copy; the others that lack it take part in the same reading.

        Args:
            copy: whose.
            key: the file.

        Raises:
            LeftBehindError: from `read`: the copy has to open the file again, and is alone then.
            OpsError: as the source says.
        """
        reading = self._joined(copy, key)
        if reading is None:
            with self._source.open(key) as stream:
                yield stream
            return
        try:
            yield _Share(self, reading, copy, key)
        finally:
            self._left(reading, copy, key)

    def _joined(self, copy: str, key: str) -> _FileReading | None:
        """The reading that a copy takes part in, once it begins; None where the copy is alone."""
        with self._changed:
            if copy not in self._together or key not in self._lacking.get(copy, ()):
                return None
            reading = self._readings.setdefault(key, _FileReading())
            if reading.started:
                return None
            reading.at[copy] = 0
            self._changed.notify_all()
            since = time.monotonic()
            while not reading.started and copy in self._together:
                missing = [
                    each for each in self._together if each not in reading.at and self._expects(each, key)
                ]
                if missing:
                    self._wait_for(copy, missing, since)
                else:
                    reading.started = True
                    self._changed.notify_all()
            return reading if copy in reading.at else None

    def _expects(self, copy: str, key: str) -> bool:
        return copy not in self._lacking or key in self._lacking[copy]

    def _wait_for(self, copy: str, others: Collection[str], since: float) -> None:
        """Waits a moment, and counts that against those who are the cause; leaves behind who was too slow too often."""
        began = time.monotonic()
        # Who waits for a third one isn't the cause.
        causes = [each for each in others if not self._waiting[each]]
        self._waiting[copy] += 1
        self._changed.wait(_LOOK_EVERY_SECONDS)
        self._waiting[copy] -= 1
        now = time.monotonic()
        allowed = _PATIENCE_SECONDS + _PATIENCE_SHARE * (now - self._began)
        for each in causes:
            # Several transfers wait at the same time.
            self._kept_waiting[each] += (now - began) / self._transfers
            if self._kept_waiting[each] > allowed:
                self._leave(each)
        if now - since > _LONGEST_WAIT_SECONDS:
            for each in others:
                self._leave(each)

    def _leave(self, copy: str) -> None:
        self._together.discard(copy)
        for reading in self._readings.values():
            reading.at.pop(copy, None)
            reading.trim()
        self._changed.notify_all()

    def _left(self, reading: _FileReading, copy: str, key: str) -> None:
        with self._changed:
            reading.at.pop(copy, None)
            reading.trim()
            self._changed.notify_all()
            last = not reading.at and not reading.busy
            if last and self._readings.get(key) is reading:
                del self._readings[key]
        if last:
            reading.opened.close()

    def next_block(self, reading: _FileReading, copy: str, key: str) -> bytes | None:
        """The next block for one copy, b"" at the end; None where the copy was left behind.

        Args:
            reading: of the file.
            copy: whose.
            key: the file.
        """
        with self._changed:
            since = time.monotonic()
            while True:
                if copy not in reading.at:
                    return None
                at = reading.at[copy] - reading.first
                if at < len(reading.blocks):
                    block = reading.blocks[at]
                    reading.at[copy] += 1
                    reading.trim()
                    self._changed.notify_all()
                    return block
                if reading.error is not None:
                    raise reading.error
                if reading.ended:
                    return b""
                if reading.busy:
                    self._changed.wait(_LOOK_EVERY_SECONDS)
                elif len(reading.blocks) >= _WINDOW_BLOCKS:
                    self._wait_for(copy, reading.slowest, since)
                else:
                    reading.busy = True
                    break
        self._read_on(reading, key)
        return self.next_block(reading, copy, key)

    def _read_on(self, reading: _FileReading, key: str) -> None:
        """Reads one more block, for all; whoever needs it first does so."""
        block, error = b"", None  # type: bytes, Exception | None
        try:
            if reading.stream is None:
                reading.stream = reading.opened.enter_context(self._source.open(key))
            block = reading.stream.read(CHUNK_BYTES)
        except Exception as caught:  # noqa: BLE001  # each copy raises it in its own transfer
            error = _as_the_source_says(caught, reading.opened)
        with self._changed:
            reading.busy, reading.error = False, error
            reading.ended = error is None and not block
            if block:
                reading.blocks.append(block)
                reading.trim()
            self._changed.notify_all()


def _as_the_source_says(error: Exception, opened: ExitStack) -> Exception:
    """An error of the stream, in the words that the store has for it where the stream is closed with it."""
    try:
        opened.__exit__(type(error), error, error.__traceback__)
    except Exception as translated:  # noqa: BLE001  # raised again by each copy
        return translated
    return error


class _Share:
    """A reading, as one copy sees it."""

    def __init__(self, readings: SharedReadings, reading: _FileReading, copy: str, key: str) -> None:
        self._readings = readings
        self._reading = reading
        self._copy = copy
        self._key = key
        self._rest = b""
        self._taken_bytes = 0

    def read(self, size_bytes: int, /) -> bytes:
        """See `Readable.read`.

        Raises:
            LeftBehindError: the others didn't wait any longer.
        """
        if not self._rest:
            block = self._readings.next_block(self._reading, self._copy, self._key)
            if block is None:
                raise LeftBehindError(self._taken_bytes)
            self._rest = block
        taken, self._rest = self._rest[:size_bytes], self._rest[size_bytes:]
        self._taken_bytes += len(taken)
        return taken
