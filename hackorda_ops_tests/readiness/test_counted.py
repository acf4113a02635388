"""3-2-1-1-0, counted from what was seen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hackorda_ops.readiness.counted import CopySeen, Counted
from hackorda_ops.stores.store import Location

NOW = datetime(2026, 11, 8, 12, tzinfo=UTC)
STORE = CopySeen("store", Location("this machine", "/srv/backups"), off_site=False, there=True, proven=True)
AWS = CopySeen("aws", Location("AWS", "nights"), off_site=True, there=True, proven=True)
B2 = CopySeen(
    "b2",
    Location("s3.example", "nights"),
    off_site=True,
    there=True,
    proven=True,
    locked_until=NOW + timedelta(days=30),
)
ALL = Counted("shop", "20261108T020000Z-abcdef", NOW, (STORE, AWS, B2))


def test_three_proven_copies_with_three_providers_and_a_lock_are_short_of_nothing() -> None:
    assert ALL.numbers == "3-3-2-1-0"
    assert ALL.short == ()
    assert ALL.locks == ("b2 until 2026-12-08 12:00:00 UTC",)


def test_a_copy_that_was_never_read_back_does_not_count() -> None:
    found = replace(ALL, seen=(STORE, replace(AWS, proven=False), B2))

    assert found.numbers == "2-2-1-1-0"
    [short] = found.short
    assert short.sentence.startswith("The copy in aws was never read back whole")


def test_a_place_that_lacks_it_and_one_that_cannot_be_read_are_named() -> None:
    found = replace(
        ALL,
        seen=(STORE, replace(AWS, there=False, proven=False), CopySeen("b2", B2.location, True, read=False)),
    )

    assert found.numbers == "1-1-0-0-0"
    assert [each.sentence.split()[0] for each in found.short[:2]] == ["b2", "aws"]


def test_a_lock_that_is_over_makes_nothing_immutable() -> None:
    found = replace(ALL, seen=(STORE, AWS, replace(B2, locked_until=NOW - timedelta(days=1))))

    assert found.immutable == 0
    assert "object lock" in found.short[-1].next_step


def test_one_bucket_beside_a_folder_is_told_what_a_further_copy_would_take() -> None:
    found = replace(ALL, seen=(STORE, AWS))

    assert found.numbers == "2-2-1-0-0"
    assert "takes a list" in found.short[0].next_step


def test_two_buckets_of_one_provider_are_one_provider_and_errors_are_counted() -> None:
    other = replace(AWS, place="other", location=Location("AWS", "other"))
    found = replace(ALL, seen=(AWS, other), errors=("One is damaged.",))

    assert found.numbers == "2-1-2-0-1"
    assert found.short[-1].sentence == "One is damaged."
