"""The one budget of memory that all transfers of a process share."""

import os
import threading
from pathlib import Path

import pytest

from hackorda_ops.artifacts.copying import copy_artifact
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.s3 import store as s3_store
from hackorda_ops.stores.s3.seats import SEAT_BYTES, SHARED_SEATS, MemoryBudget, Piece, Seats
from hackorda_ops_tests.stores.examples import MIB, entries, put, store_on

JOBS = 4


class Counting(MemoryBudget):
    """A budget that knows how much of its memory is in use, and how much was at most."""

    def __init__(self) -> None:
        super().__init__(SHARED_SEATS)
        self._lock = threading.Lock()
        self.in_use = self.most = 0

    def memory(self, size_bytes: int) -> bytearray:
        with self._lock:
            self.in_use += size_bytes
            self.most = max(self.most, self.in_use)
        return super().memory(size_bytes)

    def keep(self, memory: bytearray) -> None:
        with self._lock:
            self.in_use -= len(memory)
        super().keep(memory)

    @property
    def free_seats(self) -> int:
        """How many seats nobody has."""
        taken = 0
        while self.acquire():
            taken += 1
        for _ in range(taken):
            self.release()
        return taken


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    budget = Counting()
    monkeypatch.setattr(s3_store, "SHARED", budget)
    return budget


def test_a_transfer_has_what_is_free_of_the_shared_seats_and_its_own_where_none_is() -> None:
    shared = MemoryBudget(2)
    with Seats(shared) as one, Seats(shared) as other:
        assert [one.take() for _ in range(3)] == [True, True, False]
        assert [other.take() for _ in range(2)] == [True, False]
        one.give_back()
        assert other.take()
        one.give_back()
        assert one.take()
    with Seats(shared, own=0) as reading, Seats(shared, alone=True) as large:
        assert [reading.take() for _ in range(3)] == [True, True, False]
        assert [large.take() for _ in range(2)] == [True, False]


def test_memory_of_a_whole_seat_is_used_again_and_no_other() -> None:
    shared = MemoryBudget(2)
    whole, short = shared.memory(SEAT_BYTES), shared.memory(3)
    with Seats(shared):
        shared.keep(whole)
        shared.keep(short)
        assert shared.memory(SEAT_BYTES) is whole
        assert shared.memory(3) is not short


def test_memory_is_kept_until_the_last_transfer_has_ended_and_no_longer() -> None:
    shared = MemoryBudget(2)
    whole = shared.memory(SEAT_BYTES)
    with Seats(shared):
        with Seats(shared):
            shared.keep(whole)
        assert shared.memory(SEAT_BYTES) is whole
        shared.keep(whole)
    assert shared.memory(SEAT_BYTES) is not whole
    # What comes late, from a reader that was closed, stays with nobody.
    shared.keep(whole)
    assert shared.memory(SEAT_BYTES) is not whole


def test_a_piece_is_read_to_its_end_as_often_as_it_is_sent() -> None:
    data = os.urandom(3 * MIB + 7)
    piece = Piece(bytearray(data))
    for _ in range(2):
        assert piece.seek(0) == 0
        assert b"".join(iter(lambda: piece.read(MIB), b"")) == data
    assert (piece.seek(0, 2), piece.tell(), piece.seek(-7, 1)) == (len(data), len(data), len(data) - 7)
    assert piece.read() == data[-7:]
    piece.close()


@pytest.mark.server
def test_a_copy_holds_no_more_than_its_budget_however_large_its_files_are(
    s3_server: S3Server, new_bucket: str, tmp_path: Path, counting: Counting
) -> None:
    source = FolderStore(tmp_path / "nights")
    files = {
        f"dump/{number}": os.urandom(size * MIB) for number, size in enumerate((70, 33, 32, 31, 12, 2, 0))
    }
    for path, data in files.items():
        put(source, f"db/one/{path}", data)
    there = store_on(s3_server, new_bucket, connect_timeout_seconds=60, read_timeout_seconds=60, attempts=5)

    done = copy_artifact(
        source, there, prefix="db/one", files=entries(files), manifest_bytes=b"{}", jobs=JOBS
    )

    assert done.bytes_read_back == sum(map(len, files.values())) + 2
    assert SEAT_BYTES < counting.most <= (SHARED_SEATS + JOBS) * SEAT_BYTES
    assert counting.in_use == 0
    assert counting.free_seats == SHARED_SEATS


@pytest.mark.server
def test_a_large_object_is_read_as_it_is_while_others_have_all_the_memory(
    s3_server: S3Server, new_bucket: str, counting: Counting
) -> None:
    there, data = store_on(s3_server, new_bucket), os.urandom(23 * MIB)
    put(there, "db/large", data)
    while counting.acquire():
        pass
    before = counting.most
    assert there.read_small("db/large") == data
    assert counting.most == before
    counting.release()
    assert there.read_small("db/large") == data


@pytest.mark.server
def test_what_is_left_half_read_gives_everything_back(
    s3_server: S3Server, new_bucket: str, counting: Counting
) -> None:
    there = store_on(s3_server, new_bucket, connect_timeout_seconds=60, read_timeout_seconds=60, attempts=5)
    put(there, "db/large", os.urandom(33 * MIB))
    with there.open("db/large") as stream:
        stream.read(12 * MIB)
    assert counting.free_seats == SHARED_SEATS
