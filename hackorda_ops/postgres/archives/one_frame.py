"""Where the frames of a zstd file end, seen from the heads of their blocks: nothing is decompressed.

pg_dump writes one frame a file. pg_restore takes one that ends in the middle, or has more behind it, without a word.
"""

import os
from pathlib import Path
from typing import Final

import zstandard

_LONGEST_HEADER_BYTES: Final = 18
_BLOCK_HEADER_BYTES: Final = 3
_CHECKSUM_BYTES: Final = 4
_MAGIC_BYTES: Final = 4
_SKIPPED: Final = frozenset((0x184D2A50 + number).to_bytes(4, "little") for number in range(16))
_LAST: Final = 1
# Of the block's kind: one byte, which is repeated.
_REPEATED: Final = 1


def is_one_whole_frame(path: Path) -> bool:
    """Whether a file begins and ends with the same frame.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb", buffering=0) as file:
        descriptor = file.fileno()
        return _end_of_frame(descriptor, 0) == os.fstat(descriptor).st_size


def ends_with_a_frame(descriptor: int, size_bytes: int) -> bool:
    """Whether a file that was decompressed to its end ends where a frame does.

    Args:
        descriptor: of the open file; where it reads next stays the same.
        size_bytes: how much of it was read.

    Raises:
        OSError: it can't be read.
    """
    at_bytes = 0
    while at_bytes < size_bytes:
        end_bytes = _end_of_frame(descriptor, at_bytes)
        if end_bytes is None:
            return False
        at_bytes = end_bytes
    return at_bytes == size_bytes


def _end_of_frame(descriptor: int, at_bytes: int) -> int | None:
    """Where the frame ends that begins somewhere; None where none begins there, or its last block is missing."""
    begun = os.pread(descriptor, _LONGEST_HEADER_BYTES, at_bytes)
    if begun[:_MAGIC_BYTES] in _SKIPPED:
        length = int.from_bytes(begun[_MAGIC_BYTES : 2 * _MAGIC_BYTES], "little")
        return at_bytes + 2 * _MAGIC_BYTES + length if len(begun) >= 2 * _MAGIC_BYTES else None
    try:
        frame = zstandard.get_frame_parameters(begun)
        at_bytes += zstandard.frame_header_size(begun)
    except zstandard.ZstdError:
        return None
    last = False
    while not last:
        header = os.pread(descriptor, _BLOCK_HEADER_BYTES, at_bytes)
        if len(header) < _BLOCK_HEADER_BYTES:
            return None
        said = int.from_bytes(header, "little")
        last, kind, size_bytes = bool(said & _LAST), said >> 1 & 3, said >> 3
        at_bytes += _BLOCK_HEADER_BYTES + (1 if kind == _REPEATED else size_bytes)
    return at_bytes + (_CHECKSUM_BYTES if frame.has_checksum else 0)
