"""Whether an archive holds what the snapshot held: every row, every large object. Checked tonight, before any drill."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.evidence import refusals
from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME, TableEvidence
from hackorda_ops.postgres.archives import large_objects
from hackorda_ops.postgres.archives.contents import ArchivedFile, ArchiveEntry, table_files
from hackorda_ops.postgres.archives.large_objects import LargeObjectsDigest
from hackorda_ops.postgres.catalogs.inventory import Inventory, Table
from hackorda_ops.words import named


def table_evidence(
    inventory: Inventory, entries: Sequence[ArchiveEntry], files: Sequence[ArchivedFile]
) -> tuple[TableEvidence, ...]:
    """Compares the archive, as read back from disk, with the snapshot's exact counts.

    Args:
        inventory: with the rows of every table counted.
        entries: the archive's list.
        files: what reading every file of it gave.

    Returns:
        One entry per table whose data the dump holds, by name.

    Raises:
        ArtifactDamaged: a table is missing from the archive, or has a different number of rows in it.
    """
    file_of = table_files(entries, files)
    problems, evidence = [], []
    for table in inventory.tables:
        if not table.has_data_in_dump:
            continue
        file = file_of.get(table.oid)
        if file is None or file.rows is None or file.digest is None:
            problems.append(f"{table.name} has no data file")
        elif file.rows != table.rows:
            problems.append(
                f"{table.name} has {file.rows} rows in the archive, but {table.rows} in the snapshot"
            )
        else:
            evidence.append(_entry(table, file.path, file.rows, file.digest))
    if problems:
        raise _incomplete(problems)
    return tuple(evidence)


def large_object_evidence(
    inventory: Inventory, listed: Collection[int], files: Iterable[ArchivedFile]
) -> LargeObjectsDigest:
    """Compares the archive's large objects with the snapshot's.

    Args:
        inventory: knows how many there were in the snapshot.
        listed: the OIDs that a restore would load.
        files: what reading every file of the archive gave.

    Raises:
        ArtifactDamaged: one has no file, one is not on the list, or their number differs.
    """
    objects = list(large_objects.archived(files))
    held = {each.oid for each in objects}
    problems = [f"the large object {oid} has no data file" for oid in sorted(set(listed) - held)]
    problems += [f"the large object {oid} is not listed in the dump" for oid in sorted(held - set(listed))]
    if not problems and len(held) != inventory.large_objects:
        problems.append(
            f"there are {len(held)} large objects in the archive, but {inventory.large_objects} in the snapshot"
        )
    if problems:
        raise _incomplete(problems)
    return large_objects.digest_of(objects)


def as_restored(inventory: Inventory, entries: Iterable[ArchiveEntry]) -> tuple[Inventory, tuple[str, ...]]:
    """Which of the inventory's materialized views the archive refreshes.

    pg_dump leaves a view empty if it reads an empty one, even where the source still has rows in it.

    Returns:
        The inventory with `populated` as a restore leaves it; and a warning where there are such views.
    """
    filled = {entry.object_oid for entry in entries if entry.type == "MATERIALIZED VIEW DATA"}
    left_empty = [
        table.name
        for table in inventory.tables
        if table.populated and table.extension is None and table.oid not in filled
    ]
    if not left_empty:
        return inventory, ()
    tables = tuple(
        replace(table, populated=False) if table.name in left_empty else table for table in inventory.tables
    )
    return replace(inventory, tables=tables), (
        "a restore leaves these materialized views empty until they are refreshed, because they read one that has "
        f"no rows on the source either: {', '.join(map(str, left_empty))}",
    )


def _incomplete(problems: Sequence[str]) -> ArtifactDamaged:
    return refusals.not_what_was_there(
        named(problems, between="; "),
        next_step="Run the dump again. If it happens again, look for a failing disk, or for something that "
        "truncates, rewrites or removes them at that hour.",
    )


def _entry(table: Table, path: str, rows: int, digest: str) -> TableEvidence:
    return TableEvidence(table.name, f"{DUMP_FOLDER_NAME}/{path}", table.columns, rows, digest)
