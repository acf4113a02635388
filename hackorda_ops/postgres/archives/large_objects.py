"""Large objects with their bytes: those in an archive, and those of a live database.

There may be millions of them, and one may be terabytes long. So two sides are compared by one
figure over all of them (`LargeObjectsDigest`), and no object is ever held in memory completely.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
import xxhash
from psycopg import sql

from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.postgres.archives.damage import unusable
from hackorda_ops.postgres.archives.reader import LARGE_OBJECT_FILE, ArchivedFile, read_file
from hackorda_ops.postgres.archives.row_digest import new_digest

# How much of an object is read at a time. Shorter ones, nearly all, come in one stream without a round trip each.
_PIECE_BYTES: Final = 1024 * 1024
# pg_dump lists the objects that a restore will load: in one file up to release 16, in several from 17 on.
_LISTS: Final = "blobs*.toc"
# Of ten million objects.
_MOST_LIST_BYTES: Final = 512 * 1024 * 1024
_LIST_LINE: Final = re.compile(r"(\d{1,10}) blob_\1\.dat")


@dataclass(frozen=True)
class LargeObject:
    """One large object.

    Attributes:
        oid: its number, which the application's rows refer to; a restore keeps it.
        size_bytes: its length; unwritten holes count, because they read as zeros.
        digest: XXH3-128 of its bytes as 32 hex digits.
    """

    oid: int
    size_bytes: int
    digest: str


@dataclass(frozen=True)
class LargeObjectsDigest:
    """All large objects of a database or an archive, in one figure that does not depend on their order.

    Attributes:
        objects: how many.
        size_bytes: the sum of their lengths.
        digest: the row digest (`row_digest`) of a row "oid, size, digest" per object, with tabs between.
    """

    objects: int
    size_bytes: int
    digest: str

    def __str__(self) -> str:
        return f"{self.objects:,} objects of {self.size_bytes:,} bytes with digest {self.digest}"


def digest_of(objects: Iterable[LargeObject]) -> LargeObjectsDigest:
    """The figure for comparing two sides; reads the objects one by one."""
    rows, size_bytes = new_digest(), 0
    for each in objects:
        rows.update(f"{each.oid}\t{each.size_bytes}\t{each.digest}\n".encode())
        size_bytes += each.size_bytes
    return LargeObjectsDigest(rows.rows, size_bytes, rows.hexdigest())


def files_of_objects(paths: Iterable[str]) -> int:
    """How many of a dump's files hold a large object, by their names; each holds one."""
    return sum(LARGE_OBJECT_FILE.fullmatch(path) is not None for path in paths)


def archived(files: Iterable[ArchivedFile]) -> Iterator[LargeObject]:
    """The large objects among an archive's files, as they were read back."""
    for file in files:
        match = LARGE_OBJECT_FILE.fullmatch(file.path)
        if match is not None and file.object_bytes is not None and file.digest is not None:
            yield LargeObject(int(match[1]), file.object_bytes, file.digest)


def read_archived(folder: Path) -> Iterator[LargeObject]:
    """Reads the large objects of a dump from disk, and nothing else of it.

    Raises:
        ArtifactDamaged: one can't be read; it names the file.
    """
    names = (path.name for path in folder.iterdir() if LARGE_OBJECT_FILE.fullmatch(path.name))
    return archived(read_file(folder, name, on_bytes=lambda _: None) for name in names)


def listed(folder: Path) -> frozenset[int]:
    """The OIDs of the large objects that a restore of this dump would load.

    Raises:
        ArtifactDamaged: a list can't be read, or is malformed.
    """
    found: set[int] = set()
    for path in sorted(folder.glob(_LISTS)):
        try:
            if path.stat().st_size > _MOST_LIST_BYTES:
                raise _unreadable(path, f"it's larger than {_MOST_LIST_BYTES:,} bytes, which none is")
            lines = path.read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(path, type(error).__name__) from error
        for line in lines:
            match = _LIST_LINE.fullmatch(line)
            if match is None:
                raise _unreadable(path, f"it has a malformed line ({line[:100]!r})")
            found.add(int(match[1]))
    return frozenset(found)


def read_stored(
    connection: psycopg.Connection[Any], *, on_bytes: Callable[[int], None]
) -> Iterator[LargeObject]:
    """Reads every large object of a live database.

    Args:
        connection: of a role that can read them all. It is busy until the last of them was read.
        on_bytes: called with the number of bytes read since the last call.

    Raises:
        psycopg.Error: a right is missing, or the connection broke.
    """
    long: list[int] = []
    every = sql.SQL(
        "COPY (SELECT oid, pg_catalog.lo_get(oid, 0, {piece}) FROM pg_catalog.pg_largeobject_metadata)"
        " TO STDOUT (FORMAT binary)"
    ).format(piece=sql.Literal(_PIECE_BYTES))
    with connection.cursor() as cursor, cursor.copy(every) as copy:
        copy.set_types(["oid", "bytea"])
        for oid, start in copy.rows():
            if len(start) == _PIECE_BYTES:
                long.append(oid)
            else:
                on_bytes(len(start))
                yield LargeObject(oid, len(start), xxhash.xxh3_128_hexdigest(start))
    for oid in long:
        yield _read_long(connection, oid, on_bytes)


def _read_long(connection: psycopg.Connection[Any], oid: int, on_bytes: Callable[[int], None]) -> LargeObject:
    digest, size_bytes = xxhash.xxh3_128(), 0
    while True:
        [(piece,)] = connection.execute(
            "SELECT pg_catalog.lo_get(%s::oid, %s::bigint, %s)", (oid, size_bytes, _PIECE_BYTES), binary=True
        ).fetchall()
        digest.update(piece)
        size_bytes += len(piece)
        on_bytes(len(piece))
        if len(piece) < _PIECE_BYTES:
            return LargeObject(oid, size_bytes, digest.hexdigest())


def _unreadable(path: Path, reason: str) -> ArtifactDamaged:
    return unusable(
        f"The dump's list of large objects {path} can't be read: {reason}.",
        meaning="A restore would not know which large objects to load; this dump does not count as a backup.",
    )
