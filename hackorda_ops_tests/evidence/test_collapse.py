"""Tonight against the night before."""

from dataclasses import replace
from typing import Any

import pytest

from hackorda_ops.artifacts.manifest import FileEntry, Manifest
from hackorda_ops.config.expectations import Tolerances
from hackorda_ops.evidence.collapse import collapses
from hackorda_ops.evidence.manifest import ClientRecord
from hackorda_ops.postgres.catalogs.inventory import Extension, Sequence, TableName
from hackorda_ops_tests.builders import manifest, table

TOLERANCES = Tolerances(collapse_percent=50, collapse_minimum_rows=100)


def codes(before: Manifest, tonight: Manifest, tolerances: Tolerances = TOLERANCES) -> list[tuple[str, str]]:
    return [(found.code, found.subject) for found in collapses(before, tonight, tolerances)]


def holding(rows: dict[str, int] | None = None, **inventory: Any) -> Manifest:
    """A manifest whose inventory holds this as well."""
    plain = manifest(rows if rows is not None else {"users": 1})
    return replace(plain, inventory=replace(plain.inventory, **inventory))


def partitioned(**rows_of_leaves: int) -> Manifest:
    """A partitioned table "events", with these leaves."""
    plain = manifest(rows_of_leaves)
    root = table("events", kind="partitioned")
    leaves = [replace(leaf, kind="partition", partition_root=root.name) for leaf in plain.inventory.tables]
    return replace(plain, inventory=replace(plain.inventory, tables=(root, *leaves)))


def sequence(last_value: int, *, is_called: bool = True) -> Sequence:
    return Sequence(TableName("public", "users_id_seq"), last_value, is_called)


def test_growth_and_small_losses_are_no_finding() -> None:
    assert codes(manifest({"users": 1000, "issues": 500}), manifest({"users": 501, "issues": 900})) == []


def test_a_table_that_vanished_is_a_finding() -> None:
    assert codes(manifest({"users": 5, "issues": 500}), manifest({"users": 5})) == [
        ("table vanished", "public.issues")
    ]


@pytest.mark.parametrize("rows_before", [1, 99, 100, 1_000_000])
def test_a_table_that_was_emptied_is_a_finding_however_small_it_was(rows_before: int) -> None:
    assert codes(manifest({"users": rows_before}), manifest({"users": 0})) == [
        ("table emptied", "public.users")
    ]


def test_a_table_that_was_empty_before_may_stay_empty() -> None:
    assert codes(manifest({"users": 0}), manifest({"users": 0})) == []


def test_a_table_that_lost_more_than_the_tolerated_share_is_a_finding() -> None:
    assert codes(manifest({"users": 1000}), manifest({"users": 499})) == [("table collapsed", "public.users")]
    assert codes(manifest({"users": 1000}), manifest({"users": 500})) == []


def test_a_small_table_may_shrink_without_a_word() -> None:
    assert codes(manifest({"users": 99}), manifest({"users": 1})) == []


def sized(size_bytes: int, compression: str = "zstd") -> Manifest:
    plain = manifest({"users": 1})
    [file] = plain.files
    return replace(
        plain,
        files=(FileEntry(file.path, size_bytes, file.sha256),),
        client=ClientRecord(17, "17.10", compression, ()),
    )


def test_a_dump_that_collapsed_is_a_finding_and_names_both_sizes() -> None:
    [found] = collapses(sized(10_000_000), sized(4_000_000), TOLERANCES)
    assert found.code == "dump collapsed"
    assert "10,000,000 bytes" in found.expected
    assert found.observed == "4,000,000 bytes"


def test_a_dump_of_another_compression_is_not_compared_by_size() -> None:
    assert codes(sized(10_000_000, "gzip"), sized(4_000_000, "zstd")) == []


def test_a_tiny_dump_is_not_compared_by_size() -> None:
    assert codes(sized(900_000), sized(10_000)) == []


def test_partitions_that_rotate_by_design_are_no_finding() -> None:
    before = partitioned(events_1=1000, events_2=1000, events_3=1000)
    assert codes(before, partitioned(events_2=1000, events_3=1000, events_4=900)) == []


def test_a_partitioned_table_is_compared_as_a_whole() -> None:
    before = partitioned(events_1=1000, events_2=1000)
    assert codes(before, partitioned(events_3=10)) == [("table collapsed", "public.events")]
    assert codes(before, partitioned(events_3=0)) == [("table emptied", "public.events")]
    assert ("table emptied", "public.events") in codes(before, partitioned())
    assert ("table vanished", "public.events") in codes(before, manifest({}))


def test_a_table_that_became_a_partition_has_not_vanished() -> None:
    assert codes(manifest({"events_1": 1000}), partitioned(events_1=1000, events_2=5)) == []


def test_a_sequence_that_went_back_is_a_finding_and_names_both_values() -> None:
    before = holding(sequences=(sequence(1_000),))
    [found] = collapses(before, holding(sequences=(sequence(999),)), TOLERANCES)
    assert (found.code, found.subject) == ("sequence went back", "public.users_id_seq")
    assert found.expected.startswith("1,000 or later")
    assert found.observed == "999"
    assert codes(before, holding(sequences=(sequence(1_000),))) == []
    assert codes(before, holding(sequences=(sequence(5_000),))) == []


def test_a_sequence_that_forgot_it_was_used_went_back() -> None:
    before, tonight = (holding(sequences=(sequence(1, is_called=used),)) for used in (True, False))
    assert codes(before, tonight) == [("sequence went back", "public.users_id_seq")]
    assert codes(tonight, before) == []


def test_a_sequence_that_counts_downwards_or_starts_over_may_go_back() -> None:
    falling = (sequence(1).name,)
    before = holding(sequences=(sequence(1_000),), falling_sequences=falling)
    assert codes(before, holding(sequences=(sequence(3),), falling_sequences=falling)) == []


def test_what_the_schema_lost_is_a_finding() -> None:
    citext = Extension("citext", "1.6", "public")
    before = holding(sequences=(sequence(1),), extensions=(citext,))
    assert codes(before, holding()) == [
        ("sequence vanished", "public.users_id_seq"),
        ("extension vanished", "citext"),
    ]


@pytest.mark.parametrize(
    ("before", "tonight", "found"),
    [(3, 0, True), (200, 99, True), (200, 100, False), (99, 1, False), (0, 0, False), (0, 500, False)],
)
def test_large_objects_collapse_as_tables_do(before: int, tonight: int, found: bool) -> None:
    seen = codes(holding(large_objects=before), holding(large_objects=tonight))
    assert seen == ([("large objects collapsed", "large objects")] if found else [])


def test_what_is_volatile_by_design_may_do_as_it_likes() -> None:
    tolerances = Tolerances(volatile=("sessions", "public.cache_*", "public.users_id_seq"))
    before = holding({"sessions": 500, "cache_1": 900, "cached": 900}, sequences=(sequence(9),))
    assert codes(before, holding({"sessions": 0, "cached": 900}, sequences=(sequence(1),)), tolerances) == []
    assert codes(before, holding({"sessions": 0, "cached": 0}), tolerances) == [
        ("table emptied", "public.cached")
    ]
