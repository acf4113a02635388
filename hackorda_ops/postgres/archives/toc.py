"""An archive's table of contents (toc.dat), every entry with its SQL, read without pg_restore.

`pg_restore` shows the same as a script, but a function's body can imitate its headings, and it must be installed.
The file's own format is exact: it says where each entry begins and ends, and which object of the source it's for.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.postgres.archives.damage import unusable

TOC_NAME: Final = "toc.dat"

_MAGIC: Final = b"PGDMP"
# pg_dump's own numbers for what it writes: 1.14 up to release 15, 1.15 in 16, 1.16 from 17 on.
_OLDEST: Final = (1, 14)
_WITH_COMPRESSION_BY_NAME: Final = (1, 15)
_WITH_RELATION_KIND: Final = (1, 16)
# Some kilobytes a table: far above that of a hundred thousand.
_MOST_BYTES: Final = 512 * 1024 * 1024
_MOST_INTEGER_BYTES: Final = 8
_FIGURES_OF_THE_MOMENT: Final = 7

# The quoted text in these types of entries may be a password, so it's kept out of digests too: a short
# one could be guessed.
_SECRET_TYPES: Final = frozenset({"USER MAPPING", "SUBSCRIPTION", "SERVER", "FOREIGN DATA WRAPPER"})
_LITERAL: Final = re.compile(rb"'(?:[^']|'')*'")
_LATIN: Final = b"SET client_encoding = 'LATIN1';"


@dataclass(frozen=True)
class TocEntry:
    """One entry of the table of contents.

    Attributes:
        dump_id: its number; a table's data is in the file of this number.
        has_data: whether there is such a file.
        catalog_oid: OID of the catalog that the object is in; 0 if there is none.
        object_oid: the object's OID on the source; 0 if there is none.
        type: "TABLE", "TABLE DATA", "INDEX", ...
        schema: "" if it is in none.
        name: as pg_dump calls it ("users", "COLUMN users.name").
        definition: the SQL that makes it, in the archive's encoding; empty for data.
        needs: numbers of the entries that must be restored before.
        data_file: the file with its data, as a reader of this format would open it; "" if there is none.
        digest: 32 hex digits over the entry's whole content.
    """

    dump_id: int
    has_data: bool
    catalog_oid: int
    object_oid: int
    type: str
    schema: str
    name: str
    definition: bytes
    needs: tuple[int, ...]
    data_file: str
    digest: str

    def __str__(self) -> str:
        return f"{self.type} {self.schema}.{self.name}" if self.schema else f"{self.type} {self.name}"


def read_toc(folder: Path) -> tuple[TocEntry, ...] | None:
    """Reads the table of contents of a dump.

    Args:
        folder: the dump, in directory format.

    Returns:
        Its entries, in the archive's order; None if a newer pg_dump wrote it in an unknown format.

    Raises:
        ArtifactDamaged: it is missing, cut off, or not a table of contents.
    """
    path = folder / TOC_NAME
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _unreadable(path, f"it's larger than {_MOST_BYTES:,} bytes, which none is")
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error.strerror or type(error).__name__) from error
    try:
        return parse_toc(data)
    except (ValueError, OverflowError) as error:
        # The message is this module's own, or quotes no content.
        raise _unreadable(path, str(error) if type(error) is ValueError else type(error).__name__) from None


def parse_toc(data: bytes) -> tuple[TocEntry, ...] | None:
    """Reads the bytes of a toc.dat; see `read_toc`.

    Raises:
        ValueError: they are none.
    """
    if not data.startswith(_MAGIC):
        raise ValueError("it doesn't start like one")
    reader = _TocReader(data, at=len(_MAGIC))
    version = (reader.byte(), reader.byte())
    reader.byte()
    if version < _OLDEST or version > _WITH_RELATION_KIND:
        return None
    reader.expect_integers_of(reader.byte())
    reader.byte()  # bytes of an offset: a file in this format has none
    reader.byte()  # the archive's form
    if version >= _WITH_COMPRESSION_BY_NAME:
        reader.byte()
    else:
        reader.integer()
    for _ in range(_FIGURES_OF_THE_MOMENT):
        reader.integer()
    for _ in ("database", "server's version", "client's version"):
        reader.text()
    raw = [_entry(reader, version) for _ in range(reader.integer())]
    if not reader.at_end:
        raise ValueError("it has more bytes than entries")
    return tuple(raw)


def encoding_of(entries: Iterable[TocEntry]) -> str:
    """Python's name for the encoding of an archive's SQL."""
    # An archive of a database without an encoding contains plain bytes, which sessions read as Latin-1.
    latin = any(each.type == "ENCODING" and _LATIN in each.definition for each in entries)
    return "latin-1" if latin else "utf-8"


def digests_by_object(entries: Iterable[TocEntry]) -> Mapping[str, str]:
    """One digest for everything that the table of contents says about each object.

    Args:
        entries: the whole table of contents.

    Returns:
        By type and name ("TABLE public.users"), 32 hex digits; several entries of one name count together.
    """
    found: dict[str, list[str]] = {}
    for entry in entries:
        found.setdefault(str(entry), []).append(entry.digest)
    return {
        name: digests[0] if len(digests) == 1 else _digest("".join(sorted(digests)).encode())
        for name, digests in sorted(found.items())
    }


class _TocReader:
    """Numbers and texts as pg_dump writes them; a database of many tables has hundreds of thousands."""

    def __init__(self, data: bytes, *, at: int) -> None:
        self._data = data
        self._at = at
        self._integer_bytes = 0

    def expect_integers_of(self, integer_bytes: int) -> None:
        if not 0 < integer_bytes <= _MOST_INTEGER_BYTES:
            raise ValueError("its numbers have an unknown size")
        self._integer_bytes = integer_bytes

    @property
    def at_end(self) -> bool:
        return self._at == len(self._data)

    def byte(self) -> int:
        return self._exactly(1)[0]

    def integer(self) -> int:
        written = self._exactly(1 + self._integer_bytes)
        value = int.from_bytes(written[1:], "little")
        return -value if written[0] else value

    def text(self) -> bytes | None:
        length = self.integer()
        return None if length < 0 else self._exactly(length)

    def number(self) -> int:
        """A number written as text."""
        text = self.text() or b""
        if not text.isdigit():
            raise ValueError("an entry's number is not a number")
        return int(text)

    def _exactly(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._data):
            raise ValueError("it ends early")
        read = self._data[self._at : end]
        self._at = end
        return read


def _entry(reader: _TocReader, version: tuple[int, int]) -> TocEntry:
    dump_id, has_data = reader.integer(), reader.integer() != 0
    catalog_oid, object_oid = reader.number(), reader.number()
    name, kind = reader.text() or b"", reader.text() or b""
    section = reader.integer()
    definition, drop, copy = reader.text(), reader.text(), reader.text()
    schema, tablespace, access_method = reader.text(), reader.text(), reader.text()
    relation_kind = reader.integer() if version >= _WITH_RELATION_KIND else 0
    owner, with_oids = reader.text(), reader.text()
    needs = []
    while (needed := reader.text()) is not None:
        needs.append(int(needed) if needed.isdigit() else -1)
    data_file = reader.text() or b""
    entry_type = kind.decode("ascii", "backslashreplace")
    if entry_type in _SECRET_TYPES:
        definition = None if definition is None else _LITERAL.sub(b"''", definition)
    identity = (dump_id, has_data, catalog_oid, object_oid, kind, schema, name, owner)
    content = (section, definition, drop, copy, tablespace, access_method, relation_kind, with_oids)
    return TocEntry(
        dump_id,
        has_data,
        catalog_oid,
        object_oid,
        entry_type,
        _shown(schema or b""),
        _shown(name),
        definition or b"",
        tuple(needs),
        _shown(data_file),
        _digest(repr((identity, content, needs, data_file)).encode()),
    )


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace")


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _unreadable(path: Path, reason: str) -> ArtifactDamaged:
    return unusable(
        f"The dump's table of contents {path} can't be read: {reason}.",
        meaning="Without it nothing can be restored; it does not count as a backup.",
    )
