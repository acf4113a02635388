"""Decisions about multipart uploads."""

from datetime import UTC, datetime

import pytest

from hackorda_ops.errors import StoreRefused
from hackorda_ops.stores.s3.uploads import LARGEST_PART_BYTES, abandoned, part_size_bytes
from hackorda_ops.stores.store import ABANDONED_AFTER
from hackorda_ops_tests.stores.examples import MIB

GIB = 1024 * MIB


@pytest.mark.parametrize(
    ("size_bytes", "max_parts", "part_bytes"),
    [
        (0, 10_000, 5 * MIB),
        (5 * MIB * 10_000, 10_000, 5 * MIB),
        (5 * MIB * 10_000 + 1, 10_000, 6 * MIB),
        (5 * MIB * 1_000, 1_000, 5 * MIB),
        (80 * GIB, 1_000, 82 * MIB),
        (5 * 1024 * GIB, 10_000, 525 * MIB),
        (LARGEST_PART_BYTES * 1_000, 1_000, LARGEST_PART_BYTES),
    ],
)
def test_the_part_size_follows_from_the_size_of_the_file(
    size_bytes: int, max_parts: int, part_bytes: int
) -> None:
    assert part_size_bytes(size_bytes, max_parts) == part_bytes
    assert part_bytes * max_parts >= size_bytes


def test_a_file_that_no_number_of_parts_can_hold_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(StoreRefused, match="does not fit into 1000 parts") as caught:
        part_size_bytes(LARGEST_PART_BYTES * 1_000 + 1, 1_000)
    assert "max_parts" in caught.value.next_step


def test_an_upload_of_today_may_still_be_going_on() -> None:
    now = datetime(2026, 11, 8, 2, 0, tzinfo=UTC)
    begun = {name: now - age for name, age in (("old", ABANDONED_AFTER * 2), ("young", ABANDONED_AFTER / 2))}

    ended = abandoned([{"Key": name, "Initiated": at} for name, at in begun.items()], now)

    assert [upload["Key"] for upload in ended] == ["old"]
