"""A whole drill on a scratch server, by configuration alone: no Neon, a plain Postgres."""

import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.artifacts.operations_log import read_log
from hackorda_ops.calendar import partitions
from hackorda_ops.config.expectations import Migrate
from hackorda_ops.drill import quarter
from hackorda_ops.drill.report import history
from hackorda_ops.local.damage import damage_one_row, replace_file
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops_tests.drill.fixtures import MIGRATE, Night, Shipped, check

pytestmark = pytest.mark.server


@pytest.fixture
def grown(night: Night, postgres_server: PostgresServer) -> Iterator[str]:
    """A production that has twice as many users by now."""
    url = create_database(postgres_server, "hackorda grown")
    users = next(each for each in night.manifest.tables if each.name.name == "users")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE users AS SELECT n FROM generate_series(1, {2 * users.rows}) n")
    yield url
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute('DROP DATABASE "hackorda grown" WITH (FORCE)')


@pytest.mark.quick
def test_a_sound_backup_passes_and_is_reported_in_both_stores(
    protected: Shipped, night: Night, tmp_path: Path
) -> None:
    shutil.copytree(night.store.root, tmp_path / "store")
    sound = protected.changed(
        store=str(tmp_path / "store"), key_tables=["users"], migrate={"command": MIGRATE}
    )

    held = quarter.hold_drill(sound)

    result = held.result
    assert (result.verdict, result.error, result.findings) == ("PASS", None, ())
    # There's no provider's history to compare with, which may not look like a pass.
    assert {each.name for each in result.checks if each.outcome != "passed"} == {"branch_equals_manifest"}
    assert check(result, "branch_equals_manifest").outcome == "not measured"
    assert all(table.equal and table.branch_rows is None for table in result.tables)
    assert result.quarter == partitions.quarter_of(result.started_at.date())
    assert len(held.pages) == 2
    assert history.read_past(sound.offsite, "hackorda") == (result,)
    event = read_log(sound.offsite, "hackorda")[-1]
    assert (event.kind, event.outcome) == ("drill", "PASS")
    assert f"public.users {result.key_tables[0].restored_rows:,}" in event.detail
    assert result.drill_id in event.detail


def test_what_was_not_asked_for_is_not_measured_and_no_pass(protected: Shipped) -> None:
    result = protected.drill()
    assert result.verdict == "PASS"
    for name in ("key_tables_near_production", "newest_row_recent", "migrations_apply"):
        assert check(result, name).outcome == "not measured"


def test_one_changed_row_with_hashes_made_to_fit_is_a_fail_that_names_the_table(protected: Shipped) -> None:
    damage_one_row(protected.offsite, protected.manifest, TableName("public", "users"))
    result = protected.drill()
    assert result.verdict == "FAIL"
    assert {each.subject for each in result.findings if each.code == "table changed"} == {"public.users"}
    assert check(result, "offsite_equals_manifest").outcome == "failed"
    assert check(result, "restored_equals_manifest").outcome == "failed"


def test_a_changed_sequence_with_hashes_made_to_fit_is_a_fail_that_names_it(protected: Shipped) -> None:
    sequence = next(each for each in protected.manifest.inventory.sequences if each.last_value > 1)
    contents = protected.get_offsite("dump/toc.dat")
    # One digit, so that the entries after it stay where they are.
    there, other = (
        f"setval('{sequence.name}', {value}, true)".encode()
        for value in (sequence.last_value, sequence.last_value ^ 1)
    )
    assert contents.count(there) == 1
    replace_file(protected.offsite, protected.manifest, "dump/toc.dat", contents.replace(there, other))

    result = protected.drill()

    assert result.verdict == "FAIL"
    # Before anything is restored.
    assert check(result, "offsite_equals_manifest").outcome == "failed"
    assert check(result, "restored_equals_manifest").outcome == "not reached"
    # The table of contents has evidence of its own beside the value that it sets.
    definition, value = result.findings
    assert (definition.code, definition.subject) == ("definition changed", f"SEQUENCE SET {sequence.name}")
    assert (value.code, value.subject) == ("sequence changed", str(sequence.name))
    assert (value.expected, value.observed) == (
        f"{sequence.last_value} (used)",
        f"{sequence.last_value ^ 1} (used)",
    )


def test_production_that_moved_further_than_time_allows_is_a_fail(protected: Shipped, grown: str) -> None:
    result = protected.changed(key_tables=["users"], environ={"DATABASE_URL": grown}).drill()
    assert result.verdict == "FAIL"
    assert [(each.code, each.subject) for each in result.findings] == [("key table drifted", "public.users")]
    [users] = result.key_tables
    assert (users.drift_percent, users.production_rows) == (100, 2 * users.restored_rows)
    assert check(result, "restored_equals_manifest").outcome == "passed"


def test_a_key_table_that_nobody_has_is_an_error_and_the_migrations_are_tried_all_the_same(
    protected: Shipped,
) -> None:
    result = protected.changed(key_tables=["Users", "users"], migrate={"command": MIGRATE}).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "'Users'" in result.error.what
    assert [each.table for each in result.key_tables] == ["public.users"]
    assert check(result, "migrations_apply").outcome == "passed"
    assert check(result, "scratch_gone").outcome == "passed"


def test_a_recovery_that_takes_longer_than_the_objective_is_a_fail(protected: Shipped) -> None:
    result = protected.changed(objectives={"recovery_time_minutes": 0.0001}).drill()
    assert result.verdict == "FAIL"
    assert [each.code for each in result.findings] == ["recovery too slow"]
    assert result.recovery_seconds is not None
    assert result.recovery_seconds > result.recovery_objective_seconds
    assert check(result, "restored_equals_manifest").outcome == "passed"


def test_a_migration_that_fails_is_a_fail(protected: Shipped) -> None:
    result = protected.changed(migrate={"command": "sh -c 'echo the migration broke; exit 7'"}).drill()
    assert result.verdict == "FAIL"
    assert [each.code for each in result.findings] == ["migrations failed"]
    assert check(result, "migrations_apply").outcome == "failed"
    assert result.migration is not None
    assert result.migration.returncode == 7
    assert "the migration broke" in result.migration.output_tail
    assert check(result, "scratch_gone").outcome == "passed"


def test_a_migration_that_left_something_pending_is_a_fail_though_it_said_nothing(
    protected: Shipped,
) -> None:
    result = protected.changed(migrate={"command": "true"}).drill()
    assert result.verdict == "FAIL"
    assert [each.code for each in result.findings] == ["migrations pending"]
    assert "0005_issue_watchers" in result.findings[0].observed


def test_a_migration_that_removes_rows_passes_and_is_told_and_so_is_the_seed(protected: Shipped) -> None:
    delete = (
        "import os, psycopg\n"
        "with psycopg.connect(os.environ['DATABASE_URL']) as c: c.execute('DELETE FROM issue_payouts')"
    )
    both = f"{MIGRATE} && {shlex.quote(sys.executable)} -c {shlex.quote(delete)}"
    result = protected.changed(migrate={"command": f"sh -c {shlex.quote(both)}"}).drill(seed=4711)
    assert result.verdict == "PASS"
    assert [(each.code, each.subject) for each in result.findings] == [
        ("rows lost in migration", "public.issue_payouts")
    ]
    assert check(result, "migrations_apply").outcome == "passed"
    tested = check(result, "comparison_self_test").summary
    assert "(seed 4711)" in tested
    assert "Not tried" not in tested


def test_a_migration_that_hangs_is_ended_and_an_error(protected: Shipped) -> None:
    # Less than the configuration lets anybody ask for, so that this test is short.
    migrate = Migrate(command="sleep 600").model_copy(update={"timeout_minutes": 1 / 60})
    hanging = replace(protected, policy=protected.policy.model_copy(update={"migrate": migrate}))
    result = hanging.drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "did not finish within 1 seconds" in result.error.what
    assert check(result, "restored_equals_manifest").outcome == "passed"
    assert check(result, "migrations_apply").outcome == "not measured"
    assert check(result, "scratch_gone").outcome == "passed"


def test_a_bucket_without_an_artifact_is_an_error(protected: Shipped, s3_server: S3Server) -> None:
    create_bucket(s3_server, f"{protected.bucket}-bare")
    result = protected.changed(offsite={"bucket": f"{protected.bucket}-bare"}).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "No sound artifact is off-site" in result.error.what
    assert result.artifact is None


def test_a_bucket_that_is_not_there_is_an_error(protected: Shipped) -> None:
    result = protected.changed(offsite={"bucket": "nobody-made-it"}).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "nobody-made-it" in result.error.what


def test_a_source_that_refuses_tls_is_an_error(protected: Shipped, night: Night) -> None:
    result = protected.changed(environ={"DATABASE_URL": f"{night.url}?sslmode=require"}).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "SSL" in result.error.what
