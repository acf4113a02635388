"""How the C library keeps what transfers are done with."""

import ctypes
from contextlib import suppress
from functools import cache
from typing import Final

from hackorda_ops.stores.store import CHUNK_BYTES

# From glibc's malloc.h: from how many bytes on a buffer is memory of its own.
_M_MMAP_THRESHOLD: Final = -3


@cache
def give_memory_back_at_once() -> None:
    """Lets glibc return each large buffer to the system when it's done with, and not keep it for the next one.

    It would raise that limit with each larger buffer that is freed, and then keep some of every thread's: a copy of
    500 MB grew by 40 MB. Once for the whole process.
    """
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 2 * CHUNK_BYTES)
