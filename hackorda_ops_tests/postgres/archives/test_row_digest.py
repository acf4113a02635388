"""The row digest: order does not count, everything else does."""

import random
import threading
import tracemalloc
from collections.abc import Iterable

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from hackorda_ops.postgres.archives import row_digest
from hackorda_ops.postgres.archives.row_digest import PythonRowDigest, RowDigest, digest_of, new_digest

ROWS = [
    b"1\tann\t\\N",
    b"2\tbob\tline one\\nline two",
    b"3\t\\\\x00ff\tback\\\\slash",
    b"",
    b"4\t\xd0\x9a\xd0\xb0\xd0\xb7",
]


@pytest.fixture(params=["in C", "in Python"], autouse=True)
def _each_form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here is one of the C extension and of the Python in its place."""
    if request.param == "in Python":
        monkeypatch.setattr(row_digest, "native", None)
    else:
        assert row_digest.native is not None, "the C extension was not built: is there a C compiler?"


def text(rows: list[bytes]) -> bytes:
    return b"".join(row + b"\n" for row in rows)


def digest(rows: list[bytes]) -> str:
    return digest_of([text(rows)]).hexdigest()


def test_it_is_the_sum_of_the_hashes_of_the_rows() -> None:
    # Stands in every manifest: another value would make every artifact that exists look damaged.
    assert (
        digest([b"a", b"b", b"a"])
        == f"{sum(map(xxhash.xxh3_128_intdigest, [b'a', b'b', b'a'])) % 2**128:032x}"
    )
    assert digest([b"a"]) == "a96faf705af16834e6c632b61e964e1f"


def test_no_rows_at_all_have_a_digest() -> None:
    empty = digest_of([])
    assert (empty.rows, empty.hexdigest(), empty.in_mid_row) == (0, "0" * 32, False)


def test_the_order_of_rows_does_not_count() -> None:
    shuffled = ROWS * 50
    random.Random(7).shuffle(shuffled)
    assert digest(shuffled) == digest(ROWS * 50)


@pytest.mark.parametrize(
    "other",
    [
        ROWS[:-1],
        [*ROWS, b""],
        [*ROWS, ROWS[0]],
        [*ROWS[:-1], ROWS[-1] + b" "],
        [ROWS[0] + ROWS[1], *ROWS[2:]],
    ],
    ids=["a row less", "an empty row more", "a row twice", "a blank more", "two rows run together"],
)
def test_rows_that_differ_differ_in_the_digest(other: list[bytes]) -> None:
    assert digest(other) != digest(ROWS)


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 7, 64, 1000])
def test_blocks_may_be_cut_anywhere(block_bytes: int) -> None:
    whole = text(ROWS * 3)
    cut = digest_of(whole[start : start + block_bytes] for start in range(0, len(whole), block_bytes))
    assert (cut.rows, cut.hexdigest(), cut.in_mid_row) == (len(ROWS) * 3, digest(ROWS * 3), False)


def test_text_that_ends_inside_of_a_row_is_noticed() -> None:
    cut = digest_of([b"whole\nhal"])
    assert (cut.rows, cut.in_mid_row) == (1, True)
    cut.update(b"f\n")
    assert (cut.rows, cut.in_mid_row, cut.hexdigest()) == (2, False, digest([b"half", b"whole"]))


def test_a_row_of_any_size_takes_no_memory() -> None:
    block = b"x" * 128 * 1024
    digested = new_digest()
    tracemalloc.start()
    try:
        for _ in range(256):
            digested.update(block)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    digested.update(b"\n")
    assert digested.hexdigest() == digest([block * 256])
    assert peak_bytes < 8 * len(block)


def fed(digested: RowDigest, blocks: Iterable[bytes]) -> tuple[int, bool, str]:
    for block in blocks:
        digested.update(block)
    return digested.rows, digested.in_mid_row, digested.hexdigest()


@given(st.lists(st.binary(max_size=300).map(lambda data: data.replace(b"x", b"\n")), max_size=20))
def test_any_bytes_in_any_blocks_give_the_same_in_c_and_in_python(blocks: list[bytes]) -> None:
    assert fed(new_digest(), blocks) == fed(PythonRowDigest(), blocks)


@pytest.mark.parametrize("length_bytes", [*range(1, 20), 127, 128, 129, 240, 241, 1023, 1024, 1025, 100_000])
def test_a_row_of_every_length_that_the_hash_treats_by_itself_gives_the_same(length_bytes: int) -> None:
    # XXH3 has another way for each of these lengths, and another for rows that come in pieces.
    row = bytes(number % 200 + 11 for number in range(length_bytes)) + b"\n"
    pieces = [row[:7], row[7:], row]

    assert fed(new_digest(), pieces) == fed(PythonRowDigest(), pieces)


def test_a_million_rows_overflow_the_sum_in_the_same_way() -> None:
    rows = b"".join(b"%d\n" % number for number in range(1_000_000))

    assert fed(new_digest(), [rows]) == fed(PythonRowDigest(), [rows])


def test_threads_with_digests_of_their_own_do_not_disturb_each_other() -> None:
    whole = text(ROWS) * 20_000
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(digest_of([whole]).hexdigest())) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert set(found) == {digest_of([whole]).hexdigest()}
