"""Rows that only moved between leaves of a partitioned table, where leaves order their columns differently.

An enum hashes to other leaves in another database, and a digest covers a row's text: two leaves with columns in
different orders can't be added up. So both sides are read again, in one order for all of a table's leaves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME, PostgresManifest, TableEvidence
from hackorda_ops.postgres.archives import table_digest
from hackorda_ops.postgres.archives.reader import table_text
from hackorda_ops.postgres.archives.row_digest import digest_of
from hackorda_ops.postgres.archives.table_digest import TableDigest
from hackorda_ops.postgres.catalogs.inventory import Inventory, TableName
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.progress import OnProgress


def in_one_order(
    manifest: PostgresManifest,
    digests: Mapping[TableName, TableDigest],
    target: ConnectionTarget,
    there: Inventory,
    *,
    dump_folder: Path,
    jobs: int,
    on_progress: OnProgress,
) -> tuple[PostgresManifest, Mapping[TableName, TableDigest]]:
    """Rereads leaves that differ in rows and in column order, by the names of their columns.

    Args:
        manifest: what must be there.
        digests: what there is, in the manifest's own columns.
        target: the restored database.
        there: its inventory.
        dump_folder: the artifact's dump, checked against the manifest already.
        jobs: how many processes read the restored database.
        on_progress: called with the bytes read.

    Returns:
        The manifest and the digests with those leaves in one column order; unchanged if there are none.

    Raises:
        OpsError: the archive or the restored database can't be read.
    """
    moved = {leaf.name: leaf for leaf in _apart(manifest, digests)}
    if not moved:
        return manifest, digests
    again = {name: replace(leaf, columns=tuple(sorted(leaf.columns))) for name, leaf in moved.items()}
    read = table_digest.digest_tables(
        target,
        [replace(table, columns=again[table.name].columns) for table in there.tables if table.name in again],
        jobs=jobs,
        on_progress=on_progress,
    )
    archived = {
        name: replace(again[name], digest=_archived_digest(dump_folder, leaf)) for name, leaf in moved.items()
    }
    tables = tuple(archived.get(table.name, table) for table in manifest.tables)
    return replace(manifest, tables=tables), {**digests, **read}


def _apart(manifest: PostgresManifest, digests: Mapping[TableName, TableDigest]) -> Iterator[TableEvidence]:
    """Differing leaves of partitioned tables, where the column order isn't the same in all of them."""
    root_of = {table.name: table.partition_root for table in manifest.inventory.tables}
    by_root: dict[TableName, list[TableEvidence]] = {}
    for table in manifest.tables:
        root, found = root_of.get(table.name), digests.get(table.name)
        if root is not None and found is not None and found != TableDigest(table.rows, table.digest):
            by_root.setdefault(root, []).append(table)
    for leaves in by_root.values():
        if (
            len({leaf.columns for leaf in leaves}) > 1
            and len({frozenset(leaf.columns) for leaf in leaves}) == 1
        ):
            yield from leaves


def _archived_digest(dump_folder: Path, leaf: TableEvidence) -> str:
    order = [leaf.columns.index(column) for column in sorted(leaf.columns)]
    path = leaf.file.removeprefix(f"{DUMP_FOLDER_NAME}/")
    return digest_of(_reordered(table_text(dump_folder, path), order)).hexdigest()


def _reordered(blocks: Iterator[bytes], order: list[int]) -> Iterator[bytes]:
    """COPY text with its columns reordered: a tab or a line end inside a value is escaped there."""
    begun = b""
    for block in blocks:
        *rows, begun = (begun + block).split(b"\n")
        yield b"".join(_row(row.split(b"\t"), order) for row in rows)


def _row(values: list[bytes], order: list[int]) -> bytes:
    if len(values) != len(order):
        return b"\t".join(values) + b"\n"  # not what pg_dump wrote: it differs as it is
    return b"\t".join([values[position] for position in order]) + b"\n"
