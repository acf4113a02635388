"""A source of bytes that must match what was announced, before a store publishes it under its name."""

import hashlib
from collections.abc import Iterator

from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.stores.store import CHUNK_BYTES, Readable


class CheckedSource:
    """A source that must have exactly the announced bytes; a store checks this before publishing.

    Args:
        source: where the bytes come from.
        name: what the file is called in the message.
        size_bytes: how many bytes there must be.
        sha256: their hex SHA-256.
    """

    def __init__(self, source: Readable, *, name: str, size_bytes: int, sha256: str) -> None:
        self._source = source
        self._name = name
        self._left_bytes = size_bytes
        self._size_bytes = size_bytes
        self._sha256 = sha256
        self._hash = hashlib.sha256()

    @property
    def left_bytes(self) -> int:
        """How many of the announced bytes haven't been read yet."""
        return self._left_bytes

    def blocks(self, at_most_bytes: int) -> Iterator[bytes]:
        """The next `at_most_bytes` bytes, or what is left, in blocks.

        Raises:
            ArtifactDamaged: the source ended early.
        """
        wanted = min(at_most_bytes, self._left_bytes)
        while wanted:
            block = self._source.read(min(wanted, CHUNK_BYTES))
            if not block:
                raise self._damaged(f"ends {self._left_bytes} bytes before the announced {self._size_bytes}")
            self._hash.update(block)
            wanted -= len(block)
            self._left_bytes -= len(block)
            yield block

    def finish(self) -> None:
        """Checks that the source is at its end and that its bytes were the announced ones.

        Raises:
            ArtifactDamaged: they were not.
        """
        if self._source.read(1):
            raise self._damaged(f"continues after the announced {self._size_bytes} bytes")
        if self._hash.hexdigest() != self._sha256:
            raise self._damaged(
                f"has SHA-256 {self._hash.hexdigest()} instead of the announced {self._sha256}"
            )

    def _damaged(self, problem: str) -> ArtifactDamaged:
        return ArtifactDamaged(
            f"The source of {self._name} {problem}.",
            meaning="It is not the file that the manifest describes; nothing was stored under that name.",
            next_step="Do not rely on this artifact: check the source's disk, and use another one, or dump again.",
        )
