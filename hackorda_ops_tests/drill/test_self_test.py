"""The comparison's own test: a change has to be noticed, and taken back."""

from typing import Any

import pytest

from hackorda_ops.backup.comparison import evidenced_tables
from hackorda_ops.backup.manifest import Manifest, TableEvidence
from hackorda_ops.drill.self_test import SelfTest, compare_an_altered_table
from hackorda_ops.postgres import source_catalog
from hackorda_ops.postgres.table_digest import digest_table
from hackorda_ops_tests.builders import manifest
from hackorda_ops_tests.postgres.awkward import execute, session

pytestmark = pytest.mark.server


def tested(url: str) -> tuple[SelfTest, bool]:
    """The test on a database that is its own manifest's equal; and whether it is so afterwards."""
    with session(url) as connection:
        expected = manifest_of(connection)
        inventory = source_catalog.read_catalog(connection)
        result = compare_an_altered_table(connection, expected, evidenced_tables(expected, inventory))
        return result, manifest_of(connection) == expected


def manifest_of(connection: Any) -> Manifest:
    inventory = source_catalog.read_catalog(connection)
    evidence = []
    for table in inventory.tables:
        if table.has_data_in_dump:
            digest = digest_table(connection, table)
            evidence.append(
                TableEvidence(table.name, f"dump/{table.oid}", table.columns, digest.rows, digest.digest)
            )
    return manifest(tables=tuple(evidence), inventory=inventory)


@pytest.mark.parametrize(
    "columns",
    [
        "note text",
        "code varchar(3)",
        "id int PRIMARY KEY",
        "id bigint GENERATED ALWAYS AS IDENTITY, note text",
        "done boolean",
        "at timestamptz",
        "at timestamp",
        "day date",
        "amount numeric(10, 2)",
    ],
)
def test_a_change_of_one_value_is_noticed_and_taken_back(new_database: str, columns: str) -> None:
    value = {"text": "'x'", "varchar(3)": "'abc'", "boolean": "true", "date": "'2026-01-01'"}
    last_name, last_type = (
        columns.rsplit(", ", 1)[-1].split(" ", 1) if "numeric" not in columns else ("amount", "n")
    )
    default = "'2026-01-01'" if last_type.startswith("timestamp") else value.get(last_type, "7")
    execute(
        new_database,
        f"CREATE TABLE t ({columns})",
        f"INSERT INTO t ({last_name}) VALUES ({default})",
        "CREATE TABLE empty (id int)",
    )
    result, unchanged = tested(new_database)
    assert result.noticed is True
    assert "public.t." in result.summary
    assert unchanged


def test_tables_with_triggers_and_constraints_are_passed_over(new_database: str) -> None:
    execute(
        new_database,
        "CREATE TABLE watched (n int)",
        "INSERT INTO watched VALUES (1)",
        "CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$",
        "CREATE TRIGGER forbid BEFORE UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION forbid()",
        "CREATE TABLE narrow (n int CHECK (n = 5))",
        "INSERT INTO narrow VALUES (5)",
        "CREATE TABLE free (n int)",
        "INSERT INTO free SELECT generate_series(1, 50)",
    )
    result, unchanged = tested(new_database)
    assert result.noticed is True
    assert "public.free.n" in result.summary
    assert unchanged


def test_where_nothing_can_be_changed_nothing_is_claimed(new_database: str) -> None:
    execute(new_database, "CREATE TABLE empty (id int)")
    result, _ = tested(new_database)
    assert result.noticed is None
