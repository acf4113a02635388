import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.postgres.archives import reader
from hackorda_ops.processes.ahead import made_ahead
from hackorda_ops_tests.postgres.archives.test_contents import (
    COMPRESSIONS,
    ROWS,
    TRAILER,
    read,
    written,
)


def no_maker_left() -> bool:
    return not any(thread.name == "read ahead" for thread in threading.enumerate())


@pytest.mark.parametrize("size_bytes", [0, 1, 100_000, 3_000_000])
def test_the_blocks_are_the_same_and_in_their_order(size_bytes: int) -> None:
    blocks = [bytes([number]) * size_bytes for number in range(20)]
    assert list(made_ahead(blocks)) == blocks
    assert no_maker_left()


def test_there_may_be_none() -> None:
    assert list(made_ahead([])) == []


def test_what_making_them_raises_comes_after_the_blocks_before_it() -> None:
    def broken() -> Iterator[bytes]:
        yield from [b"x" * 2_000_000] * 9
        raise ZeroDivisionError

    taken: list[bytes] = []
    with pytest.raises(ZeroDivisionError):
        taken.extend(made_ahead(broken()))
    assert len(taken) == 9
    assert no_maker_left()


def test_little_is_made_before_it_is_taken_and_nothing_once_nobody_takes_any() -> None:
    made: list[int] = []

    def many() -> Iterator[bytes]:
        for number in range(1000):
            made.append(number)
            yield b"x" * 1024 * 1024

    blocks = made_ahead(many())
    next(blocks)
    threading.Event().wait(0.2)
    assert len(made) <= 4
    blocks.close()
    assert len(made) <= 6
    assert no_maker_left()


@pytest.mark.parametrize(("name", "compress"), COMPRESSIONS.items())
def test_a_large_file_gives_the_same_as_a_small_one_and_shows_the_same_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, compress: Callable[[bytes], bytes]
) -> None:
    folder = written(tmp_path, name, compress(ROWS * 20 + TRAILER))
    small = read(folder, name)
    monkeypatch.setattr(reader, "LARGE_BYTES", 1)
    assert read(folder, name) == small
    for damaged in (compress(ROWS + TRAILER)[:-3], compress(ROWS), compress(b"half a row" + TRAILER)):
        with pytest.raises(ArtifactDamaged, match=name):
            read(written(tmp_path, name, damaged), name)
    assert no_maker_left()
