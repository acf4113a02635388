"""Reading an S3 object as a stream that survives broken connections, and is as fast as several of them."""

import io
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from threading import Event
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from hackorda_ops.stores.s3.patient import RETRY_BUDGET_SECONDS
from hackorda_ops.stores.s3.seats import SEAT_BYTES, SHARED_SEATS, MemoryBudget, Piece, Seats
from hackorda_ops.stores.store import CHUNK_BYTES

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Opened:
    """An answer that has begun.

    Attributes:
        body: its bytes, from the offset that was asked for.
        object_bytes: how long the whole object is; None where the answer is the whole object.
    """

    body: "StreamingBody"
    object_bytes: int | None


# Opens the object at a byte offset, and up to another; an answer may be longer, where a server knows no ranges.
Fetch = Callable[[int, int], Opened]


def opened_range(client: "S3Client", which: Mapping[str, Any], start_bytes: int, end_bytes: int) -> Opened:
    """Opens a range of an object.

    Args:
        client: of the bucket's provider.
        which: bucket, the object's whole key, and the version where it isn't the current one.
        start_bytes: the first byte's offset.
        end_bytes: the offset behind the last; it may lie beyond the object's end.

    Raises:
        ClientError, BotoCoreError: there is no such object, or it can't be read.
    """
    try:
        answer = client.get_object(**which, Range=f"bytes={start_bytes}-{end_bytes - 1}")
    except ClientError as error:
        # An empty object has no byte 0.
        if (
            start_bytes
            or error.response["ResponseMetadata"]["HTTPStatusCode"]
            != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        ):
            raise
        answer = client.get_object(**which)
    said = answer.get("ContentRange", "").rpartition("/")[2]
    if said.isdecimal():
        return Opened(answer["Body"], int(said))
    if not start_bytes and answer["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.PARTIAL_CONTENT:
        # A part of who knows how much: taken for the whole, it would make a sound file look cut off.
        answer["Body"].close()
        answer = client.get_object(**which)
    return Opened(answer["Body"], None)


class _Piece:
    """A piece of an object, from one offset to another.

    A broken connection is replaced by one that continues where it was: without this, one lost connection in an hour's
    download would cost the whole hour. A server that returns different bytes the second time is caught by the hash that
    every reader here checks.
    """

    def __init__(self, fetch: Fetch, start_bytes: int, end_bytes: int, attempts: int) -> None:
        self._fetch = fetch
        self._offset_bytes = start_bytes
        self._end_bytes = end_bytes
        self._attempts = attempts
        self._opened = fetch(start_bytes, end_bytes)
        self.object_bytes = self._opened.object_bytes
        if self.object_bytes is not None:
            self._end_bytes = min(end_bytes, self.object_bytes)

    def read(self, size_bytes: int) -> bytes:
        """At most so many bytes; none at the end.

        Raises:
            HTTPClientError, IncompleteReadError, ClientError: the last attempt's error.
        """
        failures, give_up_at = 0, float("inf")
        while True:
            try:
                block = self._opened.body.read(size_bytes)
            except (HTTPClientError, IncompleteReadError):
                failures += 1
                give_up_at = min(give_up_at, time.monotonic() + RETRY_BUDGET_SECONDS)
                if failures >= self._attempts or time.monotonic() > give_up_at:
                    raise
                self.close()
                if self.object_bytes is not None and self._offset_bytes == self._end_bytes:
                    return (
                        b""  # the connection broke behind the last byte, and there is no range without bytes
                    )
                self._opened = self._fetch(self._offset_bytes, self._end_bytes)
            else:
                self._offset_bytes += len(block)
                return block

    def close(self) -> None:
        """Returns the connection to the pool, or closes it if the piece was not read to its end."""
        self._opened.body.close()


class ObjectReader(io.RawIOBase):
    """An object's bytes in order: one piece as it arrives, while the next are on their way on connections of their own.

    Where no seat is free for a piece ahead, the next one is read as it arrives as well.

    Args:
        fetch: opens a range of the object.
        attempts: how many times in a row nothing has to arrive before the error is raised.
        seats: this reader's, for pieces that are fetched ahead.
        shared: the budget that has the memory for them.
    """

    def __init__(self, fetch: Fetch, attempts: int, seats: Seats, shared: MemoryBudget) -> None:
        self._fetch = fetch
        self._attempts = attempts
        self._seats = seats
        self._shared = shared
        self._ended = Event()
        self._ahead: deque[Future[bytearray]] = deque()
        self._pool: ThreadPoolExecutor | None = None
        self._memory: bytearray | None = None
        self._piece: _Piece | Piece = _Piece(fetch, 0, SEAT_BYTES, attempts)
        self._asked_bytes = SEAT_BYTES
        # Without its length the answer is the whole object.
        self._object_bytes = self._piece.object_bytes or 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fills a part of the buffer; 0 at the end of the object.

        Raises:
            HTTPClientError, IncompleteReadError, ClientError: the last attempt's error.
        """
        view = memoryview(buffer)
        self._look_ahead()
        while not (block := self._piece.read(min(len(view), CHUNK_BYTES))):
            if not self._next_piece():
                return 0
        view[: len(block)] = block
        return len(block)

    def _look_ahead(self) -> None:
        while self._asked_bytes < self._object_bytes and self._seats.take():
            if self._pool is None:
                self._pool = ThreadPoolExecutor(SHARED_SEATS, thread_name_prefix="ahead")
            self._ahead.append(self._pool.submit(self._whole, *self._next_range()))

    def _next_range(self) -> tuple[int, int]:
        begin_bytes = self._asked_bytes
        self._asked_bytes = min(begin_bytes + SEAT_BYTES, self._object_bytes)
        return begin_bytes, self._asked_bytes

    def _whole(self, start_bytes: int, end_bytes: int) -> bytearray:
        memory, offset = self._shared.memory(end_bytes - start_bytes), 0
        piece = _Piece(self._fetch, start_bytes, end_bytes, self._attempts)
        try:
            while not self._ended.is_set() and (block := piece.read(CHUNK_BYTES)):
                memory[offset : offset + len(block)] = block
                offset += len(block)
        finally:
            piece.close()
        # An answer that was cut off is no more than it is: whoever checks the whole finds it.
        return memory if offset == len(memory) else memory[:offset]

    def _next_piece(self) -> bool:
        self._let_go()
        self._look_ahead()
        if self._ahead:
            self._memory = self._ahead.popleft().result()
            self._piece = Piece(self._memory)
            return True
        if self._asked_bytes < self._object_bytes:
            self._piece = _Piece(self._fetch, *self._next_range(), self._attempts)
            return True
        self._piece = Piece(bytearray())
        return False

    def _let_go(self) -> None:
        self._piece.close()
        if self._memory is not None:
            self._shared.keep(self._memory)
            self._memory = None
            self._seats.give_back()

    def close(self) -> None:
        """Ends what is on its way, and returns the connections to the pool."""
        if not self.closed:
            self._ended.set()
            self._let_go()
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
        super().close()
