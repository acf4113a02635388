"""How much of objects may be in memory at a time: the one budget that all transfers of this process share.

A transfer streams, or has one seat of its own while it has no shared one, so that none waits for another. What is free
of the shared ones makes it faster: a large file alone gets them all. The memory of a seat is used again by the next
piece, as long as anything is on its way: what is freed and taken again in pieces of this size by many threads isn't
given back to the system, and adds up to several times the budget.
"""

import io
from contextlib import suppress
from threading import BoundedSemaphore, Lock
from typing import Final, Self

from hackorda_ops.stores.store import CHUNK_BYTES

# S3's smallest part.
SEAT_BYTES: Final = 5 * 1024 * 1024
# A connection each; as many as the AWS command line has.
SHARED_SEATS: Final = 10


class MemoryBudget:
    """The seats that transfers share, and the memory of those that are free.

    Args:
        seats: how many there are.
    """

    def __init__(self, seats: int) -> None:
        self._free = BoundedSemaphore(seats)
        self._memory: list[bytearray] = []
        self._transfers = 0
        self._counting = Lock()

    def begin(self) -> None:
        """A transfer begins."""
        with self._counting:
            self._transfers += 1

    def end(self) -> None:
        """A transfer has ended; with the last one, what was kept for the next pieces goes."""
        with self._counting:
            self._transfers -= 1
            if not self._transfers:
                self._memory.clear()

    def acquire(self) -> bool:
        """Whether there is a seat; it never waits."""
        return self._free.acquire(blocking=False)

    def release(self) -> None:
        """Gives a seat back."""
        self._free.release()

    def memory(self, size_bytes: int) -> bytearray:
        """Memory for a piece of exactly this size."""
        if size_bytes == SEAT_BYTES:
            with suppress(IndexError):
                return self._memory.pop()
        return bytearray(size_bytes)

    def keep(self, memory: bytearray) -> None:
        """Keeps memory for the next piece, as long as there may be one."""
        with self._counting:
            if len(memory) == SEAT_BYTES and self._transfers:
                self._memory.append(memory)


# Of all buckets together: an artifact may be on its way to several.
SHARED: Final = MemoryBudget(SHARED_SEATS)


class Seats:
    """One transfer's seats, each for one piece of an object in memory. All are given back at the end of the block.

    Args:
        shared: the budget.
        own: how many it has of its own while it has no shared one, so that it never waits for others.
        alone: whether it never gets more than its own, because its pieces are too large for memory.
    """

    def __init__(self, shared: MemoryBudget, *, own: int = 1, alone: bool = False) -> None:
        self._shared = shared
        self._alone = alone
        self._own_free = own
        self._taken = 0

    def __enter__(self) -> Self:
        self._shared.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._shared.end()
        while self._taken:
            self._taken -= 1
            self._shared.release()

    def take(self) -> bool:
        """Whether there is a seat for another piece; for the only one there always is."""
        if not self._alone and self._shared.acquire():
            self._taken += 1
        elif self._own_free and not self._taken:
            self._own_free -= 1
        else:
            return False
        return True

    def give_back(self) -> None:
        """One piece is done with; the shared seats are given back first."""
        if self._taken:
            self._taken -= 1
            self._shared.release()
        else:
            self._own_free += 1


class Piece(io.RawIOBase):
    """A piece of an object in memory, to be read as often as needed.

    Args:
        memory: its bytes, which whoever made it may use again once it's closed.
    """

    def __init__(self, memory: bytearray) -> None:
        self._view = memoryview(memory)
        self._offset_bytes = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always: a part that is sent again begins again."""
        return True

    def read(self, size_bytes: int | None = -1, /) -> bytes:
        """At most so many bytes, and no more than a block of them; none at the end."""
        begin = self._offset_bytes
        left = len(self._view) - begin
        wanted = left if size_bytes is None or size_bytes < 0 else min(left, size_bytes, CHUNK_BYTES)
        self._offset_bytes += wanted
        return bytes(self._view[begin : begin + wanted])

    def seek(self, offset_bytes: int, whence: int = io.SEEK_SET, /) -> int:
        """Goes to an offset."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._offset_bytes, io.SEEK_END: len(self._view)}[whence]
        self._offset_bytes = max(0, min(len(self._view), base + offset_bytes))
        return self._offset_bytes

    def tell(self) -> int:
        """The offset of the next byte."""
        return self._offset_bytes

    def close(self) -> None:
        """Lets go of the memory."""
        self._view.release()
        super().close()
