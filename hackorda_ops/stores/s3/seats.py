"""How much of objects may be in memory at a time: the one budget that all transfers of a store share.

A transfer always has one seat of its own, so that none waits for another. What is free of the shared ones makes it
faster: a large file alone gets them all.
"""

from threading import BoundedSemaphore
from typing import Final, Self

SEAT_BYTES: Final = 8 * 1024 * 1024
SHARED_SEATS: Final = 6


class Seats:
    """One transfer's seats, each for one piece of an object in memory. All are given back at the end of the block.

    Args:
        shared: the store's budget.
        alone: whether it never gets more than its own, because its pieces are too large for memory.
    """

    def __init__(self, shared: BoundedSemaphore, *, alone: bool = False) -> None:
        self._shared = shared
        self._alone = alone
        self._own_free = True
        self._taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._taken:
            self.give_back()

    def take(self) -> bool:
        """Whether there is a seat for another piece; the first of a transfer always gets one."""
        if self._own_free:
            self._own_free = False
        elif not self._alone and self._shared.acquire(blocking=False):
            self._taken += 1
        else:
            return False
        return True

    def give_back(self) -> None:
        """One piece is done with; the shared seats are given back first."""
        if self._taken:
            self._taken -= 1
            self._shared.release()
        else:
            self._own_free = True
