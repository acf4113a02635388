"""What is read back from a dump's files: rows, digests, and every sort of damage."""

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import xxhash
import zstandard

from hackorda_ops.errors import ArtifactDamaged, ToolFailed
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.archives.contents import (
    ArchivedFile,
    list_entries,
    parse_list,
    table_files,
)
from hackorda_ops.postgres.archives.reader import read_file
from hackorda_ops.postgres.archives.reading_back import read_back
from hackorda_ops.postgres.archives.row_digest import digest_of
from hackorda_ops.processes.workers import shares
from hackorda_ops.progress import Progress, ignore
from hackorda_ops_tests.postgres.dumping import clients_of

TRAILER = b"\\.\n\n\n"
ROWS = b"".join(b"%d\tuser %d\t\\N\tline one\\nline two\n" % (n, n) for n in range(500))


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=1).compress(data)


COMPRESSIONS = {"1.dat.zst": zstd, "1.dat.gz": gzip.compress, "1.dat": bytes}


def nobody_listens(_size_bytes: int) -> None:
    pass


def written(folder: Path, name: str, data: bytes) -> Path:
    (folder / "toc.dat").write_bytes(b"PGDMP")
    (folder / name).write_bytes(data)
    return folder


def read(folder: Path, name: str) -> ArchivedFile:
    return read_file(folder, name, on_bytes=nobody_listens)


@pytest.mark.parametrize(("name", "compress"), COMPRESSIONS.items())
def test_rows_digest_hash_and_size_come_from_one_pass(
    tmp_path: Path, name: str, compress: Callable[[bytes], bytes]
) -> None:
    data = compress(ROWS + TRAILER)
    assert read(written(tmp_path, name, data), name) == ArchivedFile(
        path=name,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        rows=500,
        digest=digest_of([ROWS]).hexdigest(),
    )


@pytest.mark.parametrize(("name", "compress"), COMPRESSIONS.items())
def test_an_empty_table_has_no_rows_and_one_without_columns_has_some(
    tmp_path: Path, name: str, compress: Callable[[bytes], bytes]
) -> None:
    empty = read(written(tmp_path, name, compress(TRAILER)), name)
    assert (empty.rows, empty.digest) == (0, "0" * 32)
    without_columns = read(written(tmp_path, name, compress(b"\n\n\n" + TRAILER)), name)
    assert (without_columns.rows, without_columns.digest) == (3, digest_of([b"\n\n\n"]).hexdigest())


def test_several_compressed_frames_in_one_file_are_one_text(tmp_path: Path) -> None:
    half = ROWS[:1234]
    for name, compress in (("1.dat.zst", zstd), ("1.dat.gz", gzip.compress)):
        folder = written(tmp_path, name, compress(half) + compress(ROWS[1234:]) + compress(TRAILER))
        assert read(folder, name).digest == digest_of([ROWS]).hexdigest()


@pytest.mark.parametrize(("name", "compress"), COMPRESSIONS.items())
def test_a_file_cut_off_anywhere_is_damaged(
    tmp_path: Path, name: str, compress: Callable[[bytes], bytes]
) -> None:
    data = compress(ROWS[:400] + TRAILER)
    for length in range(len(data)):
        written(tmp_path, name, data[:length])
        with pytest.raises(ArtifactDamaged, match=name):
            read(tmp_path, name)


def test_a_flipped_bit_in_compressed_data_never_goes_unseen(tmp_path: Path) -> None:
    # zstd as pg_dump writes it has no checksum, so what still opens has to differ in the digest or be equal.
    data = zstd(ROWS + TRAILER)
    sound = read(written(tmp_path, "1.dat.zst", data), "1.dat.zst")
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 0x10
        try:
            seen = read(written(tmp_path, "1.dat.zst", bytes(flipped)), "1.dat.zst")
        except ArtifactDamaged:
            continue
        assert seen.sha256 != sound.sha256


def test_one_changed_row_changes_the_digest_and_not_the_count(tmp_path: Path) -> None:
    changed = ROWS.replace(b"7\tuser 7\t", b"7\tuser 8\t", 1)
    seen = read(written(tmp_path, "1.dat.zst", zstd(changed + TRAILER)), "1.dat.zst")
    assert seen.rows == 500
    assert seen.digest != digest_of([ROWS]).hexdigest()


@pytest.mark.parametrize("text", [ROWS, ROWS + b"\\.\n", b"half a row" + TRAILER, TRAILER + b"more\n", b""])
def test_text_without_the_mark_of_its_end_is_damaged(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(ArtifactDamaged, match=r"after the last row"):
        read(written(tmp_path, "1.dat.zst", zstd(text)), "1.dat.zst")


def test_a_missing_file_is_damage_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ArtifactDamaged, match=r"7\.dat\.gz.*No such file"):
        read(tmp_path, "7.dat.gz")


def test_other_files_are_hashed_and_large_objects_opened(tmp_path: Path) -> None:
    written(tmp_path, "blob_16401.dat.zst", zstd(b"any bytes"))
    seen = read(tmp_path, "blob_16401.dat.zst")
    assert (seen.rows, seen.object_bytes, seen.digest) == (None, 9, xxhash.xxh3_128_hexdigest(b"any bytes"))
    assert read(tmp_path, "toc.dat").sha256 == hashlib.sha256(b"PGDMP").hexdigest()
    written(tmp_path, "blob_16401.dat.zst", zstd(b"any bytes")[:-2])
    with pytest.raises(ArtifactDamaged, match="blob_16401"):
        read(tmp_path, "blob_16401.dat.zst")


def test_a_folder_is_read_back_by_several_processes_with_progress(tmp_path: Path) -> None:
    for number in range(1, 6):
        written(tmp_path, f"{number}.dat.zst", zstd(ROWS * number + TRAILER))
    told: list[Progress] = []
    files = read_back(tmp_path, jobs=2, on_progress=told.append)
    assert [(file.path, file.rows) for file in files] == [
        *((f"{number}.dat.zst", number * 500) for number in range(1, 6)),
        ("toc.dat", None),
    ]
    size_bytes = sum(file.size_bytes for file in files)
    assert told[-1] == Progress("read back", size_bytes, size_bytes, "bytes")


def test_damage_found_by_a_process_of_its_own_is_the_same_error(tmp_path: Path) -> None:
    for number in range(1, 4):
        written(tmp_path, f"{number}.dat.zst", zstd(ROWS + TRAILER))
    written(tmp_path, "2.dat.zst", zstd(ROWS + TRAILER)[:-1])
    with pytest.raises(ArtifactDamaged, match=r"2\.dat\.zst is damaged: it is cut off") as caught:
        read_back(tmp_path, jobs=2, on_progress=ignore)
    assert caught.value.next_step.startswith("Take a new dump")


def test_a_folder_that_holds_no_dump_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "not there"):
        with pytest.raises(ArtifactDamaged, match=r"toc\.dat"):
            read_back(folder, jobs=2, on_progress=ignore)


def test_the_list_is_read_by_numbers_and_survives_odd_names() -> None:
    entries = parse_list(
        ";\n; Archive created at 2026-11-21\n;\n"
        "7; 2615 16475 SCHEMA - DATA x postgres\n"
        "2641; 0 0 COMMENT - EXTENSION pg_trgm \n"
        "220; 1259 16477 TABLE DATA x Spaced Name nl postgres\n"
        "2629; 0 16477 TABLE DATA DATA x Spaced Name nl postgres\n"
        "2471; 0 0 TABLE ATTACH public p1 postgres\n"
        "2644; 0 0 SEQUENCE SET public s postgres\n"
        "2631; 0 16489 MATERIALIZED VIEW DATA public mv postgres\n"
        "222; 1259 16489 MATERIALIZED VIEW public mv postgres\n"
        "2642; 0 0 SEQUENCE OWNED BY public s postgres\n"
    )
    assert [(entry.dump_id, entry.type) for entry in entries] == [
        (7, "SCHEMA"),
        (2641, "COMMENT"),
        (220, "TABLE"),
        (2629, "TABLE DATA"),
        (2471, "TABLE ATTACH"),
        (2644, "SEQUENCE SET"),
        (2631, "MATERIALIZED VIEW DATA"),
        (222, "MATERIALIZED VIEW"),
        (2642, "SEQUENCE OWNED BY"),
    ]
    assert entries[3].object_oid == 16477
    assert entries[3].description == "DATA x Spaced Name nl postgres"


def test_a_line_of_the_list_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(ToolFailed, match="something new"):
        parse_list("something new\n")


def test_tables_are_matched_with_their_files_by_oid() -> None:
    entries = parse_list("12; 0 901 TABLE DATA public users app\n13; 0 902 TABLE DATA public issues app\n")
    files = [
        ArchivedFile(path, 1, "", 0, "") for path in ("13.dat.zst", "12.dat.gz", "toc.dat", "blob_12.dat.zst")
    ]
    assert {oid: file.path for oid, file in table_files(entries, files).items()} == {
        901: "12.dat.gz",
        902: "13.dat.zst",
    }
    with pytest.raises(ArtifactDamaged, match="public issues app"):
        table_files(entries, files[1:])


def test_a_damaged_table_of_contents_is_damage(tmp_path: Path, postgres_server: PostgresServer) -> None:
    (tmp_path / "toc.dat").write_bytes(b"PGDMP\x01\x0e")
    with pytest.raises(ArtifactDamaged, match="table of contents"):
        list_entries(clients_of(postgres_server), tmp_path)


def test_work_is_shared_out_with_the_heaviest_first() -> None:
    assert shares([1, 9, 5, 4, 1], weight=lambda size: size, count=2) == [[9, 1], [5, 4, 1]]
    assert shares(["only"], weight=len, count=4) == [["only"]]
    assert shares([], weight=len, count=4) == []
    assert [len(share) for share in shares([0] * 9, weight=lambda size: size, count=3)] == [3, 3, 3]
