"""Whether a file is one whole frame of zstd."""

import random
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from hackorda_ops.postgres.archives.one_frame import is_one_whole_frame

TEXT = random.Random(1).randbytes(300_000) + b"\0" * 500_000 + b"row\n" * 100_000


def frame(data: bytes, *, in_pieces: bool = False, checksum: bool = False, level: int = 1) -> bytes:
    compressor = zstandard.ZstdCompressor(
        level=level, write_checksum=checksum, write_content_size=not in_pieces
    )
    if not in_pieces:
        return compressor.compress(data)
    stream = compressor.compressobj()
    return (
        b"".join(stream.compress(data[at : at + 4096]) for at in range(0, len(data), 4096)) + stream.flush()
    )


@pytest.mark.parametrize("data", [b"", b"row\n", TEXT], ids=["empty", "short", "long"])
@pytest.mark.parametrize("in_pieces", [True, False])
@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("level", [1, 19])
def test_one_frame_is_whole_and_anything_else_is_not(
    data: bytes, in_pieces: bool, checksum: bool, level: int, tmp_path: Path
) -> None:
    whole, path = frame(data, in_pieces=in_pieces, checksum=checksum, level=level), tmp_path / "1.dat.zst"
    path.write_bytes(whole)
    assert is_one_whole_frame(path)
    for other in (
        whole + whole,
        whole + b"\n",
        whole[:-1],
        whole[: len(whole) // 2],
        whole[:4],
        b"",
        b"<html>Sign in</html>",
        data + b"plain text",
    ):
        path.write_bytes(other)
        assert not is_one_whole_frame(path)


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(data: bytes) -> None:
    path = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path.cwd()
    file = path / f"hackorda-ops-frame-{random.randrange(2**60)}"
    try:
        file.write_bytes(frame(b"row\n")[: len(data) // 3] + data)
        is_one_whole_frame(file)
    finally:
        file.unlink()
