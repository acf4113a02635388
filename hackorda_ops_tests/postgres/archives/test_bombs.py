"""A few bytes that would decompress to more than this machine has: read in flat memory, and given up in time."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.postgres.archives.reader import read_file
from hackorda_ops.postgres.archives.reading_back import read_back
from hackorda_ops.progress import ignore
from hackorda_ops_tests.postgres.archives.test_contents import ROWS, TRAILER, written, zstd

MEGABYTE = 1_000_000


def grown(text: bytes, times: int) -> bytes:
    """The same text many times over, in as few bytes as there can be."""
    compressor = zstandard.ZstdCompressor(level=1).compressobj()
    return b"".join(compressor.compress(text) for _ in range(times)) + compressor.flush()


# In a process of its own, because only its peak says what it took.
_READ = """
import resource, sys
from pathlib import Path
import hackorda_ops.postgres.archives.reader as reader
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print(reader.read_file(Path(sys.argv[1]), sys.argv[2], on_bytes=lambda _: None).object_bytes)
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("form", [".zst", ".gz"])
def test_a_large_object_that_grows_thousandfold_is_read_in_flat_memory(tmp_path: Path, form: str) -> None:
    data = grown(b" " * MEGABYTE, 500) if form == ".zst" else gzip.compress(b" " * 200 * MEGABYTE, 1)
    (tmp_path / f"blob_1.dat{form}").write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", _READ, tmp_path, f"blob_1.dat{form}"],
        capture_output=True,
        text=True,
        check=True,
    )
    read_bytes, more_kilobytes = map(int, done.stdout.split())
    assert read_bytes > 200 * len(data)
    assert more_kilobytes < 30_000


def test_a_row_that_no_server_makes_is_damage(tmp_path: Path) -> None:
    written(tmp_path, "1.dat.zst", grown(b" " * MEGABYTE, 1100))
    with pytest.raises(ArtifactDamaged, match="a longer row than Postgres makes"):
        read_file(tmp_path, "1.dat.zst", on_bytes=ignore_bytes)


def test_rows_without_end_are_given_up_where_the_manifest_says(tmp_path: Path) -> None:
    written(tmp_path, "1.dat.zst", grown(b"\n" * MEGABYTE, 100) + zstd(TRAILER))
    with pytest.raises(ArtifactDamaged, match="far more rows than its manifest lists"):
        read_back(tmp_path, jobs=1, on_progress=ignore, most_rows={"1.dat.zst": 5})


def test_a_table_is_read_whose_rows_are_within_the_limit(tmp_path: Path) -> None:
    written(tmp_path, "1.dat.zst", zstd(ROWS + TRAILER))
    [data, _] = read_back(tmp_path, jobs=1, on_progress=ignore, most_rows={"1.dat.zst": 500})
    assert data.rows == 500


def test_a_window_larger_than_pg_dump_writes_is_damage(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=29, enable_ldm=False)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    written(tmp_path, "1.dat.zst", compressor.compress(ROWS + TRAILER) + compressor.flush())
    with pytest.raises(ArtifactDamaged, match="it can't be decompressed"):
        read_file(tmp_path, "1.dat.zst", on_bytes=ignore_bytes)


@pytest.mark.parametrize("frames", [[ROWS, TRAILER], [b"", ROWS, b"", TRAILER], [ROWS + TRAILER, b""]])
def test_frames_one_after_the_other_are_one_text(tmp_path: Path, frames: list[bytes]) -> None:
    skipped = b"\x50\x2a\x4d\x18\x05\x00\x00\x00hello"
    written(tmp_path, "1.dat.zst", skipped + b"".join(map(zstd, frames)))
    assert read_file(tmp_path, "1.dat.zst", on_bytes=ignore_bytes).rows == 500


@pytest.mark.parametrize("cut", [1, 3, 40, 700])
def test_a_second_frame_that_is_cut_off_is_damage(tmp_path: Path, cut: int) -> None:
    second = zstd(ROWS)
    data = zstd(ROWS + TRAILER) + second[: len(second) - cut if cut < len(second) - 5 else 5]
    written(tmp_path, "blob_1.dat.zst", data)
    with pytest.raises(ArtifactDamaged, match="it is cut off: its compressed data ends"):
        read_file(tmp_path, "blob_1.dat.zst", on_bytes=ignore_bytes)


def ignore_bytes(_size_bytes: int) -> None:
    pass
