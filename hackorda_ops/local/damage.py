"""Damages an artifact in a way that hashes alone don't catch: the demo's `--damage` shows a drill finding it."""

import gzip
import io
from dataclasses import replace

import zstandard

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, FileEntry, digest_of, to_bytes
from hackorda_ops.evidence.manifest import PostgresManifest, TableEvidence
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.stores.store import Store


def damage_one_row(store: Store, manifest: PostgresManifest, table: TableName) -> PostgresManifest:
    """Changes one value in one row of a table's data, and adjusts the file's size and hash to match.

    The row is still valid for Postgres, the number of rows stays, and the manifest lists the file as it now
    is. Only the digest of the rows, taken on the night of the dump, still shows the change.

    Args:
        store: where the artifact is, usually the off-site bucket.
        manifest: the artifact's.
        table: whose data to change; it has a row with a word of text in it.

    Returns:
        The manifest that is there now.

    Raises:
        ValueError: the table has no such row, or no data at all.
    """
    evidence = _evidence(manifest, table)
    with store.open(f"{manifest.prefix}/{evidence.file}") as stream:
        text = decompressed(stream.read(), evidence.file)
    row, rest = text.split(b"\n", 1)
    if not evidence.rows:
        raise ValueError(f"{table} has no row to damage")
    return replace_file(
        store, manifest, evidence.file, compressed(b"\n".join([_altered(row), rest]), evidence.file)
    )


def replace_file(store: Store, manifest: PostgresManifest, path: str, data: bytes) -> PostgresManifest:
    """Replaces a file's bytes, and the manifest by one whose size and hash match; returns that manifest.

    Args:
        store: the artifact's store.
        manifest: its manifest.
        path: the file's path, relative to the artifact.
        data: the file's new bytes.
    """
    entries = tuple(
        FileEntry(path, len(data), digest_of(data)) if entry.path == path else entry
        for entry in manifest.files
    )
    changed = replace(manifest, files=entries)
    for name, content in ((path, data), (MANIFEST_NAME, to_bytes(changed))):
        store.put(
            f"{manifest.prefix}/{name}",
            io.BytesIO(content),
            size_bytes=len(content),
            sha256=digest_of(content),
        )
    return changed


def _evidence(manifest: PostgresManifest, table: TableName) -> TableEvidence:
    for evidence in manifest.tables:
        if evidence.name == table:
            return evidence
    raise ValueError(f"the artifact has no data of {table}")


def _altered(row: bytes) -> bytes:
    fields = row.split(b"\t")
    # The longest word of plain letters is free text, not a number, time, boolean or escape.
    words = [field for field in fields if field.replace(b" ", b"").isalpha()]
    if not words:
        raise ValueError("the table's first row has no word of text in it")
    longest = max(words, key=len)
    position = fields.index(longest)
    fields[position] = longest.swapcase()
    return b"\t".join(fields)


def decompressed(data: bytes, name: str) -> bytes:
    """The text in a file of a dump; its name shows how it is compressed."""
    if name.endswith(".zst"):
        with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as reader:
            return reader.read()
    return gzip.decompress(data) if name.endswith(".gz") else data


def compressed(data: bytes, name: str) -> bytes:
    """A text as a file of a dump; its name shows how it is compressed."""
    if name.endswith(".zst"):
        return zstandard.ZstdCompressor(level=1).compress(data)
    return gzip.compress(data, compresslevel=1, mtime=0) if name.endswith(".gz") else data
