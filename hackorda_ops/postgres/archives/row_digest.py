"""The row digest: shows whether two copies of a table hold the same rows, in any order.

A restored heap keeps rows in a different order than its source, so a hash over the stream would differ
for equal data. The digest is the sum modulo 2^128 of XXH3-128 over each row's COPY text (without its
line end): order doesn't count, but duplicates do. It guards against accidents and broken tools;
the SHA-256 of an artifact's files guards against altered bytes.

Its value is in every manifest, so the definition must never change.

`hackorda_ops.native` has the same in C, ten times as fast; it's used where it was built.
"""

from collections.abc import Iterable
from typing import Protocol

import xxhash

try:
    from hackorda_ops.native import _row_digest as native
except ImportError:
    native = None  # type: ignore[assignment]  # built without a C compiler

_MODULUS = 2**128

# Blocks of this size are fastest: small enough for the CPU's cache, large enough to hold many rows.
BLOCK_BYTES = 128 * 1024


class RowDigest(Protocol):
    """The digest and the count of the rows seen so far; memory use stays flat, whatever a row's size."""

    @property
    def rows(self) -> int:
        """Whole rows, that is line ends, seen so far. COPY escapes line ends inside of values."""

    @property
    def in_mid_row(self) -> bool:
        """Whether the text so far ends inside a row, which then counts neither in `rows` nor in the digest."""

    def update(self, block: bytes, /) -> None:
        """Takes the next bytes of a table's COPY text; rows may be split anywhere between two calls."""

    def hexdigest(self) -> str:
        """The digest of all whole rows as 32 hex digits."""


class PythonRowDigest:
    """The row digest in Python. See `RowDigest`."""

    def __init__(self) -> None:
        self._rows = 0
        self._sum = 0
        # The row that the last block ended in: hashed piece by piece, because one value can be 1 GB.
        self._open_row = xxhash.xxh3_128()
        self._open_row_bytes = 0

    def update(self, block: bytes, /) -> None:
        """See `RowDigest.update`."""
        first, *lines = block.split(b"\n")
        self._open_row.update(first)
        self._open_row_bytes += len(first)
        if not lines:
            return
        last = lines.pop()
        self._rows += len(lines) + 1
        self._sum += self._open_row.intdigest() + sum(map(xxhash.xxh3_128_intdigest, lines))
        self._open_row = xxhash.xxh3_128(last)
        self._open_row_bytes = len(last)

    @property
    def rows(self) -> int:
        """See `RowDigest.rows`."""
        return self._rows

    @property
    def in_mid_row(self) -> bool:
        """See `RowDigest.in_mid_row`."""
        return self._open_row_bytes > 0

    def hexdigest(self) -> str:
        """See `RowDigest.hexdigest`."""
        return f"{self._sum % _MODULUS:032x}"


def new_digest() -> RowDigest:
    """An empty digest, by the fastest there is."""
    return PythonRowDigest() if native is None else native.RowDigest()


def digest_of(blocks: Iterable[bytes]) -> RowDigest:
    """The digest of a table's whole COPY text, given in blocks of any size."""
    digest = new_digest()
    for block in blocks:
        digest.update(block)
    return digest
