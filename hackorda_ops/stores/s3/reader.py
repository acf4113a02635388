"""Reading an S3 object as a stream that survives broken connections."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import HTTPClientError, IncompleteReadError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from botocore.response import StreamingBody


class ObjectReader(io.RawIOBase):
    """An object's bytes in order; a broken connection is replaced by one that continues from there.

    Without this, one lost connection in an hour's download would cost the whole hour. A server
    that returns different bytes the second time is caught by the hash that every reader here checks.

    Args:
        fetch: opens the object at a byte offset.
        attempts: how many times in a row nothing has to arrive before the error is raised.
    """

    def __init__(self, fetch: "Callable[[int], StreamingBody]", attempts: int) -> None:
        self._fetch = fetch
        self._attempts = attempts
        self._offset_bytes = 0
        self._body = fetch(0)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fills a part of the buffer; 0 at the end of the object.

        Raises:
            HTTPClientError, IncompleteReadError, ClientError: the last attempt's error.
        """
        view = memoryview(buffer)
        failures = 0
        while True:
            try:
                block = self._body.read(len(view))
            except (HTTPClientError, IncompleteReadError):
                failures += 1
                if failures >= self._attempts:
                    raise
                self._body.close()
                self._body = self._fetch(self._offset_bytes)
            else:
                self._offset_bytes += len(block)
                view[: len(block)] = block
                return len(block)

    def close(self) -> None:
        """Returns the connection to the pool, or closes it if the object was not read to its end."""
        if not self.closed:
            self._body.close()
        super().close()
