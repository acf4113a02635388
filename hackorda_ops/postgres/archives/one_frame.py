"""Whether a compressed file is one whole frame of zstd, seen from the heads of its blocks: nothing is decompressed.

pg_dump writes one frame a file. pg_restore takes one that ends in the middle, or has more behind it, without a word.
"""

import os
from pathlib import Path
from typing import Final

import zstandard

_LONGEST_HEADER_BYTES: Final = 18
_BLOCK_HEADER_BYTES: Final = 3
_CHECKSUM_BYTES: Final = 4
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
        begun = os.pread(descriptor, _LONGEST_HEADER_BYTES, 0)
        try:
            frame, at_bytes = zstandard.get_frame_parameters(begun), zstandard.frame_header_size(begun)
        except zstandard.ZstdError:
            return False
        last = False
        while not last:
            header = os.pread(descriptor, _BLOCK_HEADER_BYTES, at_bytes)
            if len(header) < _BLOCK_HEADER_BYTES:
                return False
            said = int.from_bytes(header, "little")
            last, kind, size_bytes = bool(said & _LAST), said >> 1 & 3, said >> 3
            at_bytes += _BLOCK_HEADER_BYTES + (1 if kind == _REPEATED else size_bytes)
        if frame.has_checksum:
            at_bytes += _CHECKSUM_BYTES
        return at_bytes == os.fstat(descriptor).st_size
