"""What is planned to be read from a source, and what its digests say of the archive."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.config.models import Dump
from hackorda_ops.errors import ArtifactDamaged, RetryableError
from hackorda_ops.evidence.manifest import TableEvidence
from hackorda_ops.evidence.source import (
    HeldAgainstSource,
    Tonight,
    held_against_source,
    other_values,
    tonight,
)
from hackorda_ops.evidence.source_values import SourceComparison, SourceValues
from hackorda_ops.postgres.archives.source_digests import SourceDigests
from hackorda_ops.postgres.archives.table_digest import TableDigest
from hackorda_ops.postgres.catalogs.inventory import Inventory, TableName
from hackorda_ops_tests.builders import SOURCE, digest, inventory, manifest, table

BEFORE = manifest({"users": 10, "issues": 100}, timings_seconds={"night": 900, "dump": 600})
NOW = BEFORE.captured_at + timedelta(days=1)
USERS, ISSUES = (TableName("public", name) for name in ("users", "issues"))


def night_before(**changes: object) -> Manifest:
    """A night that compared users, and has 20 seconds left over."""
    earlier = BEFORE.captured_at - timedelta(days=4)
    values = SourceValues(
        (
            SourceComparison(USERS, BEFORE.captured_at, BEFORE.captured_at, 3.0),
            SourceComparison(ISSUES, None, earlier, 70.0),
        ),
        3.0,
        20.0,
    )
    return replace(BEFORE, source_values=values, **changes)  # type: ignore[arg-type]


def planned(before: Manifest | None, there: Inventory = BEFORE.inventory, **dump: float) -> Tonight:
    return tonight(there, {}, before=before, now=NOW, dump=Dump(**dump), of_a_branch=False)  # type: ignore[arg-type]


def test_the_share_of_the_dumps_time_and_what_was_left_over_is_what_a_night_may_take() -> None:
    night = planned(night_before())
    assert night.plan.limit_seconds == 80  # 10% of 600 seconds, and 20
    assert night.plan.tables == (ISSUES, USERS)
    assert planned(night_before(), compare_with_source_percent=1).plan.tables == (USERS,)
    off = planned(night_before(), compare_with_source_percent=0)
    assert off.plan.tables == ()
    assert [each.compared_at for each in off.standing] == [None, BEFORE.captured_at]


@pytest.mark.parametrize(
    "changes",
    [
        {"system_identifier": "7400000000000000002"},
        {"database": "another"},
        {"system_identifier": None, "host": "db2.example"},
    ],
    ids=str,
)
def test_what_was_known_of_another_source_says_nothing_of_this_one(changes: dict[str, str]) -> None:
    there = replace(BEFORE.inventory, source=replace(SOURCE, **changes))  # type: ignore[arg-type]
    night = planned(night_before(), there)
    assert [each.compared_at for each in night.standing] == [None, None]
    assert night.saved_seconds == 0


def test_a_table_made_anew_under_an_old_name_was_never_compared() -> None:
    anew = inventory(*(replace(each, oid=each.oid + 1000) for each in BEFORE.inventory.tables))
    assert [each.compared_at for each in planned(night_before(), anew).standing] == [None, None]


def test_a_night_of_an_earlier_release_knows_of_no_comparison() -> None:
    assert [each.compared_at for each in planned(BEFORE).standing] == [None, None]


def held(found: SourceDigests) -> HeldAgainstSource:
    return held_against_source(
        planned(night_before()), found, BEFORE.inventory, BEFORE.tables, now=NOW, dump_seconds=600
    )


def test_a_table_whose_values_are_the_archives_is_compared() -> None:
    found = SourceDigests({USERS: TableDigest(10, digest(10))}, {USERS: 2.0}, {}, 2.0)
    was = held(found)
    assert (was.differing, was.warnings) == ((), ())
    assert was.values.compared_in(NOW) == (USERS,)
    assert was.values.never_compared == (ISSUES,)
    assert was.values.saved_seconds == 78


def test_a_table_with_other_values_is_named() -> None:
    found = SourceDigests({USERS: TableDigest(10, digest(11))}, {USERS: 2.0}, {}, 2.0)
    assert held(found).differing == (USERS,)


def test_a_table_that_was_truncated_or_rewritten_meanwhile_is_left_for_another_night() -> None:
    # A snapshot doesn't see that: counting and COPY then differ, and neither says anything of the dump.
    found = SourceDigests({USERS: TableDigest(0, digest(0))}, {USERS: 2.0}, {}, 2.0)
    was = held(found)
    assert was.differing == ()
    assert was.values.compared_in(NOW) == ()
    [warning] = was.warnings
    assert "public.users" in warning


def test_a_digest_that_was_withdrawn_counts_as_not_compared() -> None:
    # The table was rewritten after the dump had let go of it.
    was = held(SourceDigests({}, {USERS: 2.0}, {}, 2.0))
    assert was.values.compared_in(NOW) == ()
    assert was.differing == ()


def test_a_session_that_was_lost_is_told_and_stops_nothing() -> None:
    was = held(SourceDigests(trouble="The connection broke."))
    assert was.differing == ()
    assert was.warnings == ("Not all values were compared with the source's: The connection broke.",)


def test_other_values_are_damage_unless_a_schema_change_may_have_written_them_otherwise() -> None:
    damage = other_values([USERS], schema_changed=False)
    assert isinstance(damage, ArtifactDamaged)
    assert "other values in public.users" in damage.what
    unclear = other_values([USERS], schema_changed=True)
    assert isinstance(unclear, RetryableError)
    assert "public.users" in unclear.what


def test_what_a_table_is_compared_by_is_read_from_the_archive() -> None:
    extra = TableEvidence(TableName("public", "new"), "dump/9.dat.zst", ("id",), 1, digest(5))
    there = inventory(*BEFORE.inventory.tables, table("new", oid=99, rows=1))
    found = SourceDigests({extra.name: TableDigest(1, digest(5))}, {extra.name: 0.1}, {}, 0.1)
    was = held_against_source(
        planned(None, there), found, there, (*BEFORE.tables, extra), now=NOW, dump_seconds=1
    )
    assert was.values.compared_in(NOW) == (extra.name,)
