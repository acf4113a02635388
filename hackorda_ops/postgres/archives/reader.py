"""Reads a file of a directory-format dump: hash, rows and digest in one pass."""

import hashlib
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

import xxhash
import zstandard

from hackorda_ops import local_trouble
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.postgres.archives.one_frame import ends_with_a_frame
from hackorda_ops.postgres.archives.row_digest import BLOCK_BYTES, new_digest
from hackorda_ops.processes.ahead import made_ahead

# pg_dump ends each table's data with these bytes. No row looks like them: COPY escapes backslashes.
_TRAILER = b"\\.\n\n\n"
_CUT_OFF = "it is cut off: pg_dump's end mark after the last row is missing"
_ENDS_IN_THE_MIDDLE = "it is cut off: its compressed data ends in the middle"
_TABLE_DATA = re.compile(r"\d+\.dat(\.gz|\.zst)?")
LARGE_OBJECT_FILE = re.compile(r"blob_(\d+)\.dat(?:\.gz|\.zst)?")
ENCRYPTED = ".age"
# How much compressed text is read at a time. What becomes of it is taken in blocks, however much that is.
_COMPRESSED_BYTES = 64 * 1024
_GZIP_FORMAT = 31
# The largest that zstd takes without being asked to; pg_dump's highest level and its long mode write up to this.
_LARGEST_WINDOW_BYTES = 128 * 1024 * 1024
# COPY makes each row in one buffer, and Postgres makes none larger.
_LONGEST_ROW_BYTES = 1024 * 1024 * 1024
# From this size on, a file alone keeps whoever reads it waiting: it's worth a second thread, and reading as it grows.
LARGE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class ArchivedFile:
    """One file of a dump, as it was read back from disk.

    Attributes:
        path: relative to the dump's folder, with forward slashes ("3395.dat.zst").
        size_bytes: its length on disk.
        sha256: hex SHA-256 of those bytes.
        rows: rows of table data in it; None for a file that holds none (toc.dat, large objects).
        digest: of table data the row digest, of a large object XXH3-128 of its bytes, as 32 hex digits; None
            for every other file.
        object_bytes: length of the large object in it, decompressed; None for a file without one.
        encrypted_bytes: length of its ciphertext; None where it wasn't encrypted.
        encrypted_sha256: hex SHA-256 of that.
    """

    path: str
    size_bytes: int
    sha256: str
    rows: int | None
    digest: str | None
    object_bytes: int | None = None
    encrypted_bytes: int | None = None
    encrypted_sha256: str | None = None


class _Damage(Exception):
    """Why a file can't be what pg_dump wrote."""


def read_file(
    folder: Path,
    path: str,
    *,
    on_bytes: Callable[[int], None],
    is_complete: Callable[[], bool] | None = None,
    encrypt_to: str | None = None,
    most_rows: int | None = None,
) -> ArchivedFile:
    """Reads one file once, from its first byte to its last; one with data can be encrypted meanwhile.

    Args:
        folder: the dump.
        path: the file, relative to the folder.
        on_bytes: called with the number of bytes read since the last call, at least once every 8 MiB.
        is_complete: of a file that is still written: called at the end of what is there so far; it waits a moment, and
            says whether that is all. What is read then comes from memory and not from the disk (`hash_of`). None for a
            file that is complete.
        encrypt_to: whom the rows and large objects are encrypted to: the ciphertext is written beside, with ".age"
            after its name. The few other files are still needed, and aren't encrypted. None: nothing is.
        most_rows: where its reading ends: a few bytes can say that there are rows without end. None: whatever there is.

    Raises:
        ArtifactDamaged: missing, unreadable, cut off, of more rows than that, or not what pg_dump writes.
        DiskFull, StoreRefused: the ciphertext can't be written; nothing of it is left.
    """
    holds_data = _TABLE_DATA.fullmatch(path) or LARGE_OBJECT_FILE.fullmatch(path)
    if encrypt_to is None or not holds_data:
        return _read(folder, path, on_bytes, is_complete, most_rows=most_rows)
    # Few nights and no restore need it, and every worker would load it.
    from hackorda_ops.age.streams import encrypting  # noqa: PLC0415

    with encrypting(folder / f"{path}{ENCRYPTED}", encrypt_to) as encryptor:
        seen = _read(folder, path, on_bytes, is_complete, encryptor.update, most_rows=most_rows)
        written = encryptor.finish()
    return replace(seen, encrypted_bytes=written.size_bytes, encrypted_sha256=written.sha256)


def _read(
    folder: Path,
    path: str,
    on_bytes: Callable[[int], None],
    is_complete: Callable[[], bool] | None,
    also: Callable[[bytes], None] = lambda _: None,
    *,
    most_rows: int | None,
) -> ArchivedFile:
    with _damage_named(folder, path), ExitStack() as stack:
        file = stack.enter_context((folder / path).open("rb", buffering=BLOCK_BYTES))
        if is_complete is None:
            _forget_cached(file)
        source = _HashedSource(file, on_bytes, is_complete, also)
        text = _decompressed(source, Path(path).suffix)
        if is_complete is None and os.fstat(file.fileno()).st_size >= LARGE_BYTES:
            text = stack.enter_context(closing(made_ahead(text)))
        rows, digest, object_bytes = None, None, None
        if _TABLE_DATA.fullmatch(path):
            rows, digest = _table_digest(text, most_rows)
        elif LARGE_OBJECT_FILE.fullmatch(path):
            object_bytes, digest = _object_digest(text)
        else:
            _drain(text)
        source.finish()
    return ArchivedFile(
        path=path,
        size_bytes=source.size_bytes,
        sha256=source.sha256.hexdigest(),
        rows=rows,
        digest=digest,
        object_bytes=object_bytes,
    )


def hash_of(folder: Path, path: str, *, on_bytes: Callable[[int], None]) -> str:
    """The SHA-256 of a file's bytes on the disk, as hex digits.

    Args:
        folder: the dump.
        path: the file, relative to the folder.
        on_bytes: as for `read_file`.

    Raises:
        ArtifactDamaged: missing or unreadable.
    """
    with _damage_named(folder, path), (folder / path).open("rb", buffering=BLOCK_BYTES) as file:
        _forget_cached(file)
        source = _HashedSource(file, on_bytes)
        _drain(source.blocks(BLOCK_BYTES))
        source.finish()
    return source.sha256.hexdigest()


def table_text(folder: Path, path: str) -> Iterator[bytes]:
    """The COPY text of a table's rows, in blocks of any size.

    Args:
        folder: the dump.
        path: the table's file, relative to the folder.

    Raises:
        ArtifactDamaged: missing, unreadable, cut off, or not what pg_dump writes.
    """
    with _damage_named(folder, path), (folder / path).open("rb", buffering=BLOCK_BYTES) as file:
        yield from _without_trailer(_decompressed(_HashedSource(file, lambda _: None), Path(path).suffix))


@contextmanager
def _damage_named(folder: Path, path: str) -> Iterator[None]:
    try:
        yield
    except _Damage as damage:
        raise damaged(folder, path, str(damage)) from None
    except (zstandard.ZstdError, zlib.error) as error:
        raise damaged(folder, path, f"it can't be decompressed ({error})") from None
    except OSError as error:
        if trouble := local_trouble.of_exception(error):
            raise trouble from None
        raise damaged(folder, path, f"it can't be read ({error.strerror})") from None


class _HashedSource:
    """A file being read, which tracks the hash and the number of its bytes."""

    _EMIT_BYTES = 8 * 1024 * 1024

    def __init__(
        self,
        file: BinaryIO,
        on_bytes: Callable[[int], None],
        is_complete: Callable[[], bool] | None = None,
        also: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self.sha256 = hashlib.sha256()
        self.size_bytes = 0
        self._file = file
        self._on_bytes = on_bytes
        self._also = also
        self._told_bytes = 0
        self._is_complete = is_complete

    def blocks(self, block_bytes: int) -> Iterator[bytes]:
        while block := self.read(block_bytes):
            yield block

    def read(self, size_bytes: int) -> bytes:
        if block := self._next(size_bytes):
            self.sha256.update(block)
            self._also(block)
            self.size_bytes += len(block)
            if self.size_bytes - self._told_bytes >= self._EMIT_BYTES:
                self._tell()
        return block

    def fileno(self) -> int:
        return self._file.fileno()

    def finish(self) -> None:
        self._tell()

    def _next(self, block_bytes: int) -> bytes:
        while not (block := self._file.read(block_bytes)) and self._is_complete is not None:
            if self._is_complete():
                # Read once more: the last bytes may have come in between.
                self._is_complete = None
        return block

    def _tell(self) -> None:
        self._on_bytes(self.size_bytes - self._told_bytes)
        self._told_bytes = self.size_bytes


def _decompressed(source: _HashedSource, suffix: str) -> Iterator[bytes]:
    """The text, in blocks that are no larger for a file of only blanks, which grows thirty-thousandfold."""
    if suffix == ".zst":
        yield from _from_zstd(source)
    elif suffix == ".gz":
        yield from _from_gzip(source)
    else:
        yield from source.blocks(BLOCK_BYTES)


def _from_zstd(source: _HashedSource) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW_BYTES)
    # The format allows several frames in one file, one after the other.
    with decompressor.stream_reader(
        cast(BinaryIO, source), read_size=_COMPRESSED_BYTES, read_across_frames=True, closefd=False
    ) as reader:
        while text := reader.read(BLOCK_BYTES):
            yield text
    # Its end looks the same to the library wherever it is.
    if not ends_with_a_frame(source.fileno(), source.size_bytes):
        raise _Damage(_ENDS_IN_THE_MIDDLE)


def _from_gzip(source: _HashedSource) -> Iterator[bytes]:
    decompressor = zlib.decompressobj(_GZIP_FORMAT)
    for block in source.blocks(_COMPRESSED_BYTES):
        left = block
        while left:
            if decompressor.eof:
                decompressor = zlib.decompressobj(_GZIP_FORMAT)
            yield decompressor.decompress(left, BLOCK_BYTES)
            left = decompressor.unused_data if decompressor.eof else decompressor.unconsumed_tail
    # pg_dump leaves the file of an empty large object completely empty, without a frame.
    if not decompressor.eof and source.size_bytes > 0:
        raise _Damage(_ENDS_IN_THE_MIDDLE)


def _table_digest(blocks: Iterator[bytes], most_rows: int | None) -> tuple[int, str]:
    digest, open_bytes = new_digest(), 0
    for text in _without_trailer(blocks):
        digest.update(text)
        line_end = text.rfind(b"\n")
        open_bytes = len(text) - line_end - 1 if line_end >= 0 else open_bytes + len(text)
        if open_bytes > _LONGEST_ROW_BYTES:
            raise _Damage("it has a longer row than Postgres makes")
        if most_rows is not None and digest.rows > most_rows:
            raise _Damage("it has far more rows than its manifest lists")
    if digest.in_mid_row:
        raise _Damage(_CUT_OFF)
    return digest.rows, digest.hexdigest()


def _without_trailer(blocks: Iterator[bytes]) -> Iterator[bytes]:
    # The last five bytes so far might be the trailer, so they are held back.
    held_back = b""
    for block in blocks:
        text = held_back + block
        yield text[: -len(_TRAILER)]
        held_back = text[-len(_TRAILER) :]
    if held_back != _TRAILER:
        raise _Damage(_CUT_OFF)


def _object_digest(blocks: Iterator[bytes]) -> tuple[int, str]:
    digest, size_bytes = xxhash.xxh3_128(), 0
    for block in blocks:
        digest.update(block)
        size_bytes += len(block)
    return size_bytes, digest.hexdigest()


def _drain(blocks: Iterator[bytes]) -> None:
    # Nothing to count here; the bytes only go through the hash.
    for _block in blocks:
        pass


def _forget_cached(file: BinaryIO) -> None:
    # pg_dump has just written this file and synced it. Reading it from memory would prove nothing about the disk.
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def damaged(folder: Path, path: str, reason: str) -> ArtifactDamaged:
    """The error for a file of a dump that isn't what pg_dump wrote.

    Args:
        folder: the dump.
        path: the file, relative to the folder.
        reason: how that shows.
    """
    return ArtifactDamaged(
        f"The dump's file {folder / path} is damaged: {reason}.",
        meaning="This dump can't be restored as it is; it does not count as a backup.",
        next_step="Take a new dump, or use another artifact. If it happens again, check the disk and its free space.",
    )
