"""What an archive must hold to become an artifact."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.evidence.night import as_restored, large_object_evidence
from hackorda_ops.postgres.archives.contents import ArchivedFile, ArchiveEntry
from hackorda_ops_tests.builders import inventory, table


def files(oids: Iterable[int]) -> list[ArchivedFile]:
    return [
        ArchivedFile("3395.dat.zst", 100, "a" * 64, 5, "b" * 32),
        ArchivedFile("blobs_12.toc", 100, "a" * 64, None, None),
        *(ArchivedFile(f"blob_{oid}.dat.zst", 60, "a" * 64, None, "c" * 32, 100) for oid in oids),
    ]


def test_large_objects_that_are_all_there_are_counted_and_summed_up() -> None:
    there = replace(inventory(), large_objects=3)
    evidence = large_object_evidence(there, {1, 2, 3}, files([1, 2, 3]))
    assert (evidence.objects, evidence.size_bytes) == (3, 300)


@pytest.mark.parametrize(
    ("in_snapshot", "listed", "held", "says"),
    [
        (3, {1, 2, 3}, [1, 3], "the large object 2 has no data file"),
        (3, {1, 2}, [1, 2, 3], "the large object 3 is not listed in the dump"),
        (3, {1, 2}, [1, 2], "there are 2 large objects in the archive, but 3 in the snapshot"),
        (2, {1, 2, 3}, [1, 2, 3], "there are 3 large objects in the archive, but 2 in the snapshot"),
        (3, set(), [], "there are 0 large objects in the archive, but 3 in the snapshot"),
        (900, set(range(900)), [], "and 890 more"),
    ],
)
def test_an_archive_with_other_large_objects_than_the_snapshot_becomes_no_artifact(
    in_snapshot: int, listed: set[int], held: list[int], says: str
) -> None:
    there = replace(inventory(), large_objects=in_snapshot)
    with pytest.raises(ArtifactDamaged, match=says):
        large_object_evidence(there, listed, files(held))


def test_views_that_the_dump_does_not_fill_are_expected_empty_and_told() -> None:
    view = table("totals", oid=7, kind="materialized view", populated=True)
    empty = table("never", oid=8, kind="materialized view", populated=False)
    filled = ArchiveEntry(20, 0, 7, "MATERIALIZED VIEW DATA", "public totals app")
    assert as_restored(inventory(view, empty, table("users")), [filled]) == (
        inventory(view, empty, table("users")),
        (),
    )
    expected, [warning] = as_restored(inventory(view, empty, table("users")), [])
    assert expected == inventory(replace(view, populated=False), empty, table("users"))
    assert "public.totals" in warning
    assert "public.never" not in warning
