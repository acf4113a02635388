"""Whether an archive holds what the snapshot held: every table, every row. Tonight, not at the drill."""

from collections.abc import Sequence

from hackorda_ops.backup.manifest import DUMP_FOLDER_NAME, TableEvidence
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.postgres.archive import ArchivedFile, ArchiveEntry, table_files
from hackorda_ops.postgres.inventory import Inventory, Table

_SHOWN = 10


def table_evidence(
    inventory: Inventory, entries: Sequence[ArchiveEntry], files: Sequence[ArchivedFile]
) -> tuple[TableEvidence, ...]:
    """Holds the archive, as read back from disk, against the snapshot's exact counts.

    Args:
        inventory: with the rows of every table counted.
        entries: the archive's list.
        files: what reading every file of it gave.

    Returns:
        One entry per table whose data the dump holds, by name.

    Raises:
        ArtifactDamaged: a table is missing from the archive, or has another number of rows in it.
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
                f"{table.name} has {file.rows} rows in the archive and {table.rows} in the snapshot"
            )
        else:
            evidence.append(_entry(table, file.path, file.rows, file.digest))
    if problems:
        more = f" and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise ArtifactDamaged(
            f"The dump does not hold what the database held: {'; '.join(problems[:_SHOWN])}{more}.",
            meaning="No artifact was made of it: it could not have brought the database back.",
            next_step="Dump again. If it happens again, look for a failing disk, or for something that "
            "truncates or rewrites these tables at that hour.",
        )
    return tuple(evidence)


def _entry(table: Table, path: str, rows: int, digest: str) -> TableEvidence:
    return TableEvidence(table.name, f"{DUMP_FOLDER_NAME}/{path}", table.columns, rows, digest)
