"""Tonight against the night before."""

from dataclasses import replace

import pytest

from hackorda_ops.backup.collapse import collapses
from hackorda_ops.backup.manifest import ClientRecord, FileEntry, Manifest
from hackorda_ops.config import Tolerances
from hackorda_ops_tests.builders import manifest

TOLERANCES = Tolerances(collapse_percent=50, collapse_minimum_rows=100)


def codes(before: Manifest, tonight: Manifest) -> list[tuple[str, str]]:
    return [(found.code, found.subject) for found in collapses(before, tonight, TOLERANCES)]


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
