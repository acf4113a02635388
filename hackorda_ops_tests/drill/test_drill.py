"""Whole drills on a scratch server: from the off-site bucket to the verdict."""

import sys
from typing import get_args

import psycopg
import pytest

from hackorda_ops import environment
from hackorda_ops.backup import catalog
from hackorda_ops.backup.store import Store
from hackorda_ops.drill.result import CheckName
from hackorda_ops.local.damage import damage_one_row, replace_file
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.postgres.inventory import TableName
from hackorda_ops_tests.drill.conftest import MIGRATE, Protected, check, files_in

pytestmark = pytest.mark.server

KEY_TABLES = ["users", "test_cycles", "issues", "issue_payouts"]
USERS = TableName("public", "users")


def offsite(protected: Protected) -> Store:
    return environment.open_offsite("hackorda", protected.database, protected.environ)


def state_of(url: str) -> list[tuple[object, ...]]:
    """What a drill must leave as it is in production: its rows, its databases, its schema's age."""
    with psycopg.connect(url) as connection:
        return [
            *connection.execute("SELECT datname FROM pg_database ORDER BY 1"),
            *connection.execute("SELECT relname, xmin::text FROM pg_class WHERE oid > 16384 ORDER BY 1, 2"),
            *connection.execute("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"),
        ]


def test_a_sound_backup_passes_with_everything_measured(protected: Protected) -> None:
    before = state_of(protected.environ["DATABASE_URL"])

    result = protected.changed(key_tables=KEY_TABLES, migrate={"command": MIGRATE}).drill()

    assert (result.verdict, result.error, result.findings) == ("PASS", None, ())
    assert tuple(each.name for each in result.checks) == get_args(CheckName)
    outcomes = {each.name: each.outcome for each in result.checks}
    assert outcomes.pop("branch_equals_manifest") == "not measured"
    assert set(outcomes.values()) == {"passed"}
    assert result.artifact is not None
    assert result.artifact.artifact_id == protected.manifest.artifact_id
    assert len(result.tables) == result.artifact.tables
    assert all(table.equal for table in result.tables)
    assert result.sequences_compared == len(protected.manifest.inventory.sequences) > 0
    assert [table.table for table in result.key_tables] == [f"public.{name}" for name in KEY_TABLES]
    assert result.migration is not None
    assert (result.migration.returncode, result.migration.applied) == (0, 1)
    [journal] = [table for table in result.tables if table.table == "drizzle.__drizzle_migrations"]
    assert journal.migrated_rows == journal.expected_rows + 1
    in_recovery = {stage.name for stage in result.stages if stage.in_recovery}
    assert in_recovery == {"fetch", "check", "make scratch", "make the database", "restore"}
    assert state_of(protected.environ["DATABASE_URL"]) == before
    assert files_in(protected.policy["dump"]["work_folder"]) == []


def test_without_key_tables_and_migrations_it_passes_and_says_that_they_were_not_measured(
    protected: Protected,
) -> None:
    result = protected.drill()
    assert result.verdict == "PASS"
    for name in ("key_tables_near_production", "newest_row_recent", "migrations_apply"):
        assert check(result, name).outcome == "not measured"


def test_one_changed_row_under_fitting_hashes_fails_and_names_the_table(protected: Protected) -> None:
    damage_one_row(offsite(protected), protected.manifest, USERS)

    result = protected.drill()

    assert result.verdict == "FAIL"
    assert [(each.code, each.subject) for each in result.findings] == [("table changed", "public.users")]
    assert check(result, "offsite_equals_manifest").outcome == "failed"
    assert check(result, "restored_equals_manifest").outcome == "not measured"
    assert result.scratch is None


def test_a_file_that_was_cut_off_fails(protected: Protected) -> None:
    store = offsite(protected)
    path = next(each.file for each in protected.manifest.tables if each.name == USERS)
    data = store.read_small(f"{protected.manifest.prefix}/{path}")
    replace_file(store, protected.manifest, path, data[:-20])

    result = protected.drill()

    assert result.verdict == "FAIL"
    assert path.removeprefix("dump/") in result.findings[0].observed


def test_a_missing_file_fails(protected: Protected, s3_server: S3Server) -> None:
    path = protected.manifest.tables[0].file
    s3_server.client().delete_object(Bucket=protected.bucket, Key=f"{protected.manifest.prefix}/{path}")

    result = protected.drill()

    assert result.verdict == "FAIL"
    assert path in result.findings[0].observed


def test_a_sequence_that_was_set_back_fails_after_the_restore(protected: Protected) -> None:
    store = offsite(protected)
    path = "dump/toc.dat"
    data = store.read_small(f"{protected.manifest.prefix}/{path}")
    [users] = [each for each in protected.manifest.inventory.sequences if "issues" in each.name.name]
    said = f"setval('{users.name}', {users.last_value},".encode()
    assert data.count(said) == 1
    replace_file(
        store,
        protected.manifest,
        path,
        data.replace(said, said.replace(str(users.last_value).encode(), b"1" * len(str(users.last_value)))),
    )

    result = protected.drill()

    assert result.verdict == "FAIL"
    assert [(each.code, each.subject) for each in result.findings] == [("sequence differs", str(users.name))]
    assert check(result, "offsite_equals_manifest").outcome == "passed"
    assert check(result, "restored_equals_manifest").outcome == "failed"
    assert check(result, "scratch_gone").outcome == "passed"


def test_an_archive_that_does_not_restore_fails(protected: Protected) -> None:
    store = offsite(protected)
    path = "dump/toc.dat"
    data = store.read_small(f"{protected.manifest.prefix}/{path}")
    assert b"CREATE TABLE public.users" in data
    replace_file(
        store,
        protected.manifest,
        path,
        data.replace(b"CREATE TABLE public.users", b"CREATE TABLE publix.users"),
    )

    result = protected.drill()

    assert result.verdict == "FAIL"
    [finding] = result.findings
    assert (finding.code, "publix" in finding.observed) == ("restore failed", True)
    assert check(result, "scratch_gone").outcome == "passed"


def test_a_failing_migration_fails_with_its_own_words_and_without_the_password(protected: Protected) -> None:
    script = (
        "import os, sys; print(os.environ['DATABASE_URL']); print(sorted(os.environ)); "
        "sys.exit('column x is gone')"
    )
    result = protected.changed(
        migrate={"command": f'{sys.executable} -c "{script}"', "pass_env": ["WANTED"]},
        environ={"WANTED": "1", "PGPASSWORD": "not passed on"},
    ).drill()

    assert result.verdict == "FAIL"
    assert check(result, "migrations_apply").outcome == "failed"
    assert result.migration is not None
    assert "column x is gone" in result.migration.output_tail
    assert "column x is gone" in result.findings[0].observed
    assert "'WANTED'" in result.migration.output_tail
    assert "OFFSITE_SECRET_ACCESS_KEY" not in result.migration.output_tail
    assert "PGPASSWORD" not in result.migration.output_tail
    password = protected.environ["SCRATCH_ADMIN_URL"].split(":")[2].split("@")[0]
    assert password not in repr(result)


def test_a_migration_command_that_is_not_there_is_an_error(protected: Protected) -> None:
    result = protected.changed(migrate={"command": "no-such-program migrate"}).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "no-such-program" in result.error.what
    assert check(result, "restored_equals_manifest").outcome == "passed"
    assert check(result, "migrations_apply").outcome == "not measured"


def test_a_slow_recovery_misses_its_objective(protected: Protected) -> None:
    result = protected.changed(objectives={"recovery_time_minutes": 0.0001}).drill()
    assert result.verdict == "FAIL"
    assert check(result, "within_recovery_time_objective").outcome == "failed"
    assert [each.code for each in result.findings] == ["recovery too slow"]


def test_nothing_off_site_is_an_error(protected: Protected) -> None:
    result = protected.changed(offsite={"bucket": protected.bucket, "prefix": "elsewhere"}).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "No sound artifact is off-site" in result.error.what
    assert result.artifact is None


def test_missing_variables_are_an_error_that_names_each(protected: Protected) -> None:
    result = protected.changed(environ={"SCRATCH_ADMIN_URL": "", "DATABASE_URL": ""}).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "SCRATCH_ADMIN_URL" in result.error.what
    assert "DATABASE_URL" in result.error.what


def test_a_quarter_without_artifacts_is_an_error(protected: Protected) -> None:
    past = catalog.quarter_of(protected.manifest.night).replace(year=2020)
    result = protected.drill(quarter=past)
    assert (result.verdict, result.quarter) == ("ERROR", past)
    assert result.error is not None
    assert "2020-Q" in result.error.what
