"""A dump that is read back while it's still written: never a file as it was before its end."""

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hackorda_ops.age.data_key import new_data_key
from hackorda_ops.age.streams import decrypt_file
from hackorda_ops.errors import ArtifactDamaged, DiskFull, Stalled
from hackorda_ops.postgres.archives import reading_back as module
from hackorda_ops.postgres.archives.reading_back import ReadBack, read_back, reading_back
from hackorda_ops.postgres.archives.row_digest import digest_of
from hackorda_ops.progress import Progress, ignore
from hackorda_ops_tests.postgres.archives.test_contents import ROWS, TRAILER, written, zstd
from hackorda_ops_tests.processes.process_watch import until

only_on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux says what is open"
)

DATA = zstd(ROWS + TRAILER)
DIGEST = digest_of([ROWS]).hexdigest()


class Writer:
    """A process that writes files as it's told, in place of pg_dump."""

    _PROGRAM = """
import sys
files = {}
for line in sys.stdin:
    what, path, data = line.rstrip("\\n").split("\\t")
    if what == "close":
        files.pop(path).close()
    else:
        file = files.setdefault(path, open(path, "ab") if path not in files else files[path])
        file.write(bytes.fromhex(data))
        file.flush()
    print("done", flush=True)
"""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", self._PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def _tell(self, what: str, path: Path, data: bytes = b"") -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what}\t{path}\t{data.hex()}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def append(self, path: Path, data: bytes) -> None:
        self._tell("append", path, data)

    def close(self, path: Path) -> None:
        self._tell("close", path)


@contextmanager
def writing() -> Iterator[Writer]:
    writer = Writer()
    try:
        yield writer
    finally:
        writer.process.communicate()


@contextmanager
def seen_reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The files whose reading has ended, in that order."""
    seen: list[str] = []
    read_file = module.read_file

    def read(folder: Path, path: str, **options: Any) -> object:
        try:
            return read_file(folder, path, **options)
        finally:
            seen.append(path)

    with monkeypatch.context() as patched:
        patched.setattr(module, "read_file", read)
        yield seen


@only_on_linux
def test_a_complete_file_is_read_once_while_another_is_still_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "1.dat.zst", tmp_path / "2.dat.zst"
    with seen_reading(monkeypatch) as seen, writing() as writer, reading_back(tmp_path, jobs=2) as reading:
        writer.append(second, DATA[:50])
        writer.append(first, DATA)
        writer.close(first)
        reading.follow(writer.process.pid)
        until(lambda: seen == ["1.dat.zst"], "the complete file is read")
        writer.append(second, DATA[50:])
        writer.close(second)
        written(tmp_path, "toc.dat", b"PGDMP")
        files = reading.finish(ignore)
        assert sorted(seen) == ["1.dat.zst", "2.dat.zst", "toc.dat"]
    assert [(file.path, file.rows, file.digest) for file in files] == [
        ("1.dat.zst", 500, DIGEST),
        ("2.dat.zst", 500, DIGEST),
        ("toc.dat", None, None),
    ]


@only_on_linux
@pytest.mark.parametrize(
    ("early", "late", "text"),
    [
        pytest.param(DATA[:50], DATA[50:], ROWS, id="cut off"),
        pytest.param(b"", DATA, ROWS, id="empty"),
        pytest.param(DATA, zstd(b"more\n" + TRAILER), ROWS + TRAILER + b"more\n", id="looks whole"),
    ],
)
def test_a_file_that_grows_after_it_was_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, early: bytes, late: bytes, text: bytes
) -> None:
    path = tmp_path / "1.dat.zst"
    with seen_reading(monkeypatch) as seen, writing() as writer, reading_back(tmp_path, jobs=2) as reading:
        writer.append(path, early)
        writer.close(path)
        reading.follow(writer.process.pid)
        until(lambda: seen == ["1.dat.zst"], "it is read, because nobody has it open")
        writer.append(path, late)
        written(tmp_path, "toc.dat", b"PGDMP")
        [data, _] = reading.finish(ignore)
    assert (data.size_bytes, data.digest) == (len(early + late), digest_of([text]).hexdigest())


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every file that is still written is large enough to be followed."""
    monkeypatch.setattr(module, "LARGE_BYTES", 1)
    with seen_reading(monkeypatch) as seen:
        yield seen


@contextmanager
def reading_half(folder: Path) -> Iterator[tuple[Writer, ReadBack]]:
    """A file that is followed, and has come to its middle."""
    path = folder / "1.dat.zst"
    with writing() as writer, reading_back(folder, jobs=2) as reading:
        writer.append(path, DATA[:50])
        reading.follow(writer.process.pid)
        until(lambda: "1.dat.zst" in reading._in_hand, "it is followed")
        yield writer, reading


@only_on_linux
def test_a_large_file_is_read_as_it_grows_and_only_hashed_when_it_is_complete(
    tmp_path: Path, followed: list[str]
) -> None:
    with reading_half(tmp_path) as (writer, reading):
        for start in range(50, len(DATA), 50):
            writer.append(tmp_path / "1.dat.zst", DATA[start : start + 50])
        assert followed == []
        writer.close(tmp_path / "1.dat.zst")
        until(lambda: followed == ["1.dat.zst"], "it's read to its end")
        written(tmp_path, "toc.dat", b"PGDMP")
        [data, _] = reading.finish(ignore)
    assert (data.rows, data.digest) == (500, DIGEST)
    assert data.sha256 == hashlib.sha256(DATA).hexdigest()
    assert followed.count("1.dat.zst") == 1


@only_on_linux
def test_a_large_file_is_followed_to_its_end_when_pg_dump_ends_first(
    tmp_path: Path, followed: list[str]
) -> None:
    with reading_half(tmp_path) as (writer, reading):
        writer.append(tmp_path / "1.dat.zst", DATA[50:])
        writer.process.kill()
        written(tmp_path, "toc.dat", b"PGDMP")
        [data, _] = reading.finish(ignore)
    assert (data.rows, data.digest, data.size_bytes) == (500, DIGEST, len(DATA))
    assert followed.count("1.dat.zst") == 1


@only_on_linux
def test_a_followed_file_that_grows_after_it_looked_complete_is_read_again(
    tmp_path: Path, followed: list[str]
) -> None:
    with reading_half(tmp_path) as (writer, reading):
        writer.append(tmp_path / "1.dat.zst", DATA[50:])
        writer.close(tmp_path / "1.dat.zst")
        until(lambda: followed == ["1.dat.zst"], "it's read to its end")
        with (tmp_path / "1.dat.zst").open("ab") as late:
            late.write(zstd(b"more\n" + TRAILER))
        written(tmp_path, "toc.dat", b"PGDMP")
        [data, _] = reading.finish(ignore)
    assert data.digest == digest_of([ROWS + TRAILER + b"more\n"]).hexdigest()


@only_on_linux
def test_a_disk_that_gives_back_other_bytes_than_were_written_is_found(
    tmp_path: Path, followed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "hash_of", lambda *_, **__: "0" * 64)
    with reading_half(tmp_path) as (writer, reading):
        writer.append(tmp_path / "1.dat.zst", DATA[50:])
        writer.close(tmp_path / "1.dat.zst")
        until(lambda: followed == ["1.dat.zst"], "it's read to its end")
        written(tmp_path, "toc.dat", b"PGDMP")
        with pytest.raises(ArtifactDamaged, match="gives back other bytes"):
            reading.finish(ignore)


@only_on_linux
def test_a_followed_file_that_is_damaged_is_damage_in_the_end(tmp_path: Path, followed: list[str]) -> None:
    with reading_half(tmp_path) as (writer, reading):
        writer.append(tmp_path / "1.dat.zst", DATA[50:-1])
        writer.close(tmp_path / "1.dat.zst")
        written(tmp_path, "toc.dat", b"PGDMP")
        with pytest.raises(ArtifactDamaged, match=r"1\.dat\.zst is damaged: it is cut off"):
            reading.finish(ignore)


@only_on_linux
def test_no_follower_is_left_when_pg_dump_fails(tmp_path: Path, followed: list[str]) -> None:
    with reading_half(tmp_path):
        pass
    assert not any(thread.name.startswith("read back") for thread in threading.enumerate())


@only_on_linux
def test_a_file_that_is_damaged_all_along_is_damage_in_the_end(tmp_path: Path) -> None:
    with writing() as writer, reading_back(tmp_path, jobs=2) as reading:
        writer.append(tmp_path / "1.dat.zst", DATA[:-1])
        writer.close(tmp_path / "1.dat.zst")
        reading.follow(writer.process.pid)
        written(tmp_path, "toc.dat", b"PGDMP")
        with pytest.raises(ArtifactDamaged, match=r"1\.dat\.zst is damaged: it is cut off"):
            reading.finish(ignore)


def test_where_the_system_does_not_say_what_is_open_all_is_read_in_the_end(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    with reading_back(tmp_path / "dump", jobs=2) as reading:
        reading.follow(ended.pid)
        (tmp_path / "dump").mkdir()
        written(tmp_path / "dump", "1.dat.zst", DATA)
        assert [file.path for file in reading.finish(ignore)] == ["1.dat.zst", "toc.dat"]


def test_a_file_that_changes_while_it_is_read_in_the_end_is_damage(tmp_path: Path) -> None:
    def grow(path: Path) -> None:
        if path.name == "1.dat.zst":
            path.write_bytes(DATA + zstd(TRAILER))

    written(tmp_path, "1.dat.zst", DATA)
    with (
        reading_back(tmp_path, jobs=1, flush=grow) as reading,
        pytest.raises(ArtifactDamaged, match=r"1\.dat\.zst is damaged: it changes while it is read"),
    ):
        reading.finish(ignore)


@only_on_linux
def test_a_file_that_grew_before_pg_dump_ended_but_after_it_was_looked_at_is_read_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "1.dat.zst"
    flushed: list[str] = []

    def flush(file: Path) -> None:
        if file.name not in flushed and file == path:
            writer.append(path, DATA[50:])
            written(tmp_path, "toc.dat", b"PGDMP")
            flushed.append(file.name)
            until(lambda: reading._final is not None, "pg_dump has ended")

    with writing() as writer, reading_back(tmp_path, jobs=1, flush=flush) as reading:
        writer.append(path, DATA[:50])
        writer.close(path)
        reading.follow(writer.process.pid)
        until(lambda: bool(flushed), "it's about to be read")
        [data, _] = reading.finish(ignore)
    assert (data.rows, data.digest) == (500, DIGEST)


def test_every_file_is_flushed_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 200):
        written(tmp_path, f"{number}.dat.zst", DATA)
    flushed: list[str] = []
    with (
        seen_reading(monkeypatch) as seen,
        reading_back(tmp_path, jobs=1, flush=lambda path: flushed.append(path.name)) as reading,
    ):
        files = reading.finish(ignore)
        assert seen == flushed
    assert len(files) == len(set(flushed)) == 200


def test_a_disk_that_takes_no_more_is_said_in_the_end(tmp_path: Path) -> None:
    full = DiskFull("full", meaning="m", next_step="n")

    def flush(_path: Path) -> None:
        raise full

    written(tmp_path, "1.dat.zst", DATA)
    with reading_back(tmp_path, jobs=2, flush=flush) as reading, pytest.raises(DiskFull):
        reading.finish(ignore)


def test_a_read_that_never_returns_ends_in_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(module, "_TELL_SECONDS", 0.05)
    returns = threading.Event()
    written(tmp_path, "1.dat.zst", DATA)
    with reading_back(tmp_path, jobs=2, flush=lambda _: bool(returns.wait(30))) as reading:
        try:
            with pytest.raises(Stalled, match="could be read"):
                reading.finish(ignore)
        finally:
            returns.set()


def test_progress_ends_with_all_bytes(tmp_path: Path) -> None:
    written(tmp_path, "1.dat.zst", DATA)
    told: list[Progress] = []
    read_back(tmp_path, jobs=2, on_progress=told.append)
    size_bytes = len(DATA) + len(b"PGDMP")
    assert told[-1] == Progress("read back", size_bytes, size_bytes, "bytes")


def test_no_reader_is_left_when_the_block_ends(tmp_path: Path) -> None:
    written(tmp_path, "1.dat.zst", DATA)
    with reading_back(tmp_path, jobs=3):
        assert sum(thread.name.startswith("read back") for thread in threading.enumerate()) == 3
    assert not any(thread.name.startswith("read back") for thread in threading.enumerate())


def test_what_is_read_is_encrypted_and_the_plaintext_is_gone(tmp_path: Path) -> None:
    key, folder = new_data_key(), tmp_path / "dump"
    folder.mkdir()
    whole = b"1\ttwo\n" * 400_000 + b"\\.\n\n\n"
    (folder / "1.dat").write_bytes(whole)
    (folder / "blob_2.dat").write_bytes(b"an object")
    (folder / "toc.dat").write_bytes(b"what is still needed")
    with reading_back(folder, jobs=2, encrypt_to=key.recipient) as reading:
        read = reading.finish(lambda _: None)
    assert [(each.path, each.rows, each.encrypted_bytes is not None) for each in read] == [
        ("1.dat", 400_000, True),
        ("blob_2.dat", None, True),
        ("toc.dat", None, False),
    ]
    assert {path.name for path in folder.iterdir()} == {"1.dat.age", "blob_2.dat.age", "toc.dat"}
    decrypt_file(folder / "1.dat.age", tmp_path / "again", [key.identity])
    assert (tmp_path / "again").read_bytes() == whole


def test_a_damaged_file_leaves_no_ciphertext(tmp_path: Path) -> None:
    (tmp_path / "1.dat").write_bytes(b"1\ttwo\n" * 400_000)
    (tmp_path / "toc.dat").write_bytes(b"x")
    with (
        pytest.raises(ArtifactDamaged, match="cut off"),
        reading_back(tmp_path, jobs=1, encrypt_to=new_data_key().recipient) as reading,
    ):
        reading.finish(lambda _: None)
    assert {path.name for path in tmp_path.iterdir()} == {"1.dat", "toc.dat"}
