"""A restored database against its manifest: exactly, with no tolerance."""

from dataclasses import replace

import pytest

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.evidence.comparison import object_findings, sequence_findings, table_findings
from hackorda_ops.postgres.archives.table_digest import TableDigest
from hackorda_ops.postgres.catalogs.inventory import Extension, Sequence, Switch, TableName
from hackorda_ops_tests.builders import digest, inventory, manifest, table


def as_restored(expected: Manifest) -> dict[TableName, TableDigest]:
    return {each.name: TableDigest(each.rows, each.digest) for each in expected.tables}


USERS = TableName("public", "users")


def test_a_perfect_copy_has_no_finding() -> None:
    assert table_findings(manifest(), as_restored(manifest())) == ()


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (None, "table missing"),
        (TableDigest(9, digest(10)), "rows differ"),
        (TableDigest(11, digest(10)), "rows differ"),
        (TableDigest(10, digest(11)), "content differs"),
        (TableDigest(0, digest(0)), "rows differ"),
    ],
)
def test_any_difference_in_a_table_is_a_finding(found: TableDigest | None, code: str) -> None:
    restored = as_restored(manifest())
    if found is None:
        del restored[USERS]
    else:
        restored[USERS] = found
    [finding] = table_findings(manifest(), restored)
    assert (finding.code, finding.subject) == (code, "public.users")


def test_nothing_restored_at_all_is_a_finding_for_every_table() -> None:
    assert len(table_findings(manifest(), {})) == 2


ROOT = TableName("public", "events")


def partitioned(columns: tuple[str, ...] = ("id", "name")) -> Manifest:
    plain = manifest({"events_1": 4, "events_2": 6})
    leaves = tuple(replace(each, kind="partition", partition_root=ROOT) for each in plain.inventory.tables)
    first, second = plain.tables
    return replace(
        plain,
        inventory=inventory(table("events", kind="partitioned"), *leaves),
        tables=(first, replace(second, columns=columns)),
    )


def moved(rows: tuple[int, int], digests: tuple[int, int]) -> dict[TableName, TableDigest]:
    return {
        TableName("public", f"events_{number}"): TableDigest(rows[number - 1], digest(digests[number - 1]))
        for number in (1, 2)
    }


def test_rows_may_lie_in_other_leaves_where_all_leaves_together_agree() -> None:
    assert table_findings(partitioned(), moved((7, 3), (1, 9))) == ()


def test_the_sum_of_digests_wraps_around_as_the_digest_itself_does() -> None:
    wrapped = {
        TableName("public", "events_1"): TableDigest(4, f"{2**128 - 1:032x}"),
        TableName("public", "events_2"): TableDigest(6, digest(11)),
    }
    assert table_findings(partitioned(), wrapped) == ()


def test_leaves_that_do_not_add_up_are_findings() -> None:
    assert len(table_findings(partitioned(), moved((7, 4), (1, 9)))) == 2
    assert len(table_findings(partitioned(), moved((7, 3), (1, 8)))) == 2


def test_leaves_of_other_columns_are_compared_one_by_one() -> None:
    assert len(table_findings(partitioned(("name", "id")), moved((7, 3), (1, 9)))) == 2


def test_a_missing_leaf_is_a_finding_even_if_it_was_empty() -> None:
    restored = moved((10, 0), (10, 0))
    del restored[TableName("public", "events_2")]
    assert "table missing" in {found.code for found in table_findings(partitioned(), restored)}


def test_sequences_are_compared_exactly() -> None:
    ids = Sequence(TableName("public", "users_id_seq"), 10, is_called=True)
    assert list(sequence_findings([ids], [ids])) == []
    assert [each.code for each in sequence_findings([ids], [])] == ["sequence differs"]
    assert len(list(sequence_findings([ids], [replace(ids, last_value=9)]))) == 1
    assert len(list(sequence_findings([ids], [replace(ids, is_called=False)]))) == 1


CITEXT = Extension("citext", "1.6", "public")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((CITEXT,), []),
        ((CITEXT, replace(CITEXT, name="hstore")), []),
        ((), [("extension missing", "fatal")]),
        ((replace(CITEXT, schema="other"),), [("extension differs", "fatal")]),
        # A dump names no version, so another server's default one says nothing against the backup.
        ((replace(CITEXT, version="1.8"),), [("extension version differs", "warning")]),
        (
            (replace(CITEXT, version="1.5", schema="other"),),
            [("extension differs", "fatal"), ("extension version differs", "warning")],
        ),
    ],
)
def test_extensions_are_compared_by_name_schema_and_version(
    found: tuple[Extension, ...], expected: list[tuple[str, str]]
) -> None:
    wanted, there = replace(inventory(), extensions=(CITEXT,)), replace(inventory(), extensions=found)
    findings = list(object_findings(wanted, there))
    assert [(each.code, each.severity) for each in findings] == expected
    assert {each.subject for each in findings} <= {"citext"}


def test_an_object_that_the_source_had_and_a_restore_has_not_is_found_by_the_servers_own_words() -> None:
    was = replace(inventory(), made_objects=("function public.net(numeric)", "index public.by_name"))
    now = replace(inventory(), made_objects=("function public.net(numeric)", "index public.of_the_server"))
    [found] = object_findings(was, now)
    assert (found.code, found.subject) == ("schema object missing", "index public.by_name")


CARRIED = Switch("trigger audit on public.users", "off", True)
ENFORCING = Switch("constraint by_user of public.posts (RI_FKey_check_ins on public.posts)", "off", False)


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ((), (), []),
        ((), (ENFORCING,), [(ENFORCING.subject, "on", "off")]),
        ((), (CARRIED,), [(CARRIED.subject, "on", "off")]),
        ((CARRIED,), (), [(CARRIED.subject, "off", "on")]),
        ((CARRIED,), (replace(CARRIED, state="always on"),), [(CARRIED.subject, "off", "always on")]),
        # No dump says that a foreign key isn't enforced, so a restore enforces it again.
        ((ENFORCING,), (), []),
        ((ENFORCING, CARRIED), (ENFORCING, CARRIED), []),
        ((ENFORCING,), (replace(ENFORCING, state="always on"),), [(ENFORCING.subject, "on", "always on")]),
        # An earlier release didn't look.
        (None, (ENFORCING, CARRIED), []),
    ],
)
def test_what_is_switched_otherwise_than_on_the_source_is_found(
    was: tuple[Switch, ...] | None, now: tuple[Switch, ...], expected: list[tuple[str, str, str]]
) -> None:
    findings = list(object_findings(replace(inventory(), switches=was), replace(inventory(), switches=now)))
    assert [(each.subject, each.expected, each.observed) for each in findings] == expected
    assert {each.severity for each in findings} <= {"fatal"}
