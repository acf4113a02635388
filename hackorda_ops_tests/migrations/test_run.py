"""The team's own migration command on a copy, and what it left behind there."""

import hashlib
import json
import os
import signal
import sys
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.config.expectations import Migrate
from hackorda_ops.errors import Stalled
from hackorda_ops.hooks.urls import url_of
from hackorda_ops.migrations.measure import applied, undone_findings
from hackorda_ops.migrations.run import migrate_copy, row_losses
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.migration_state import ToolState
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, parse
from hackorda_ops_tests.migrations.commands import PROGRAMS, found_in, migrated, running
from hackorda_ops_tests.postgres.awkward import execute, session, target_of

TABLE = TableName("drizzle", "__drizzle_migrations")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:p%40ss%2Fword@db.example:6543/honeyDue",
        "postgresql://app:pw@ep-x.eu.aws.neon.tech:5432/neondb?sslmode=require&channel_binding=require",
        "postgresql://app:pw@[::1]:5432/a%20b",
        "postgresql://app@:5433/app?host=%2Fvar%2Frun%2Fpostgresql",
        "postgresql://app:pw@db:5432/app?options=endpoint%3Dep-x",
    ],
)
def test_a_target_as_a_url_leads_to_the_same_database(url: str) -> None:
    target = parse(url, origin="test")
    again = parse(url_of(target), origin="test")
    assert again == target


def test_the_word_for_the_systems_certificates_is_not_handed_to_other_drivers() -> None:
    target = ConnectionTarget(
        {"host": "db", "user": "u", "dbname": "d", "sslmode": "verify-full", "sslrootcert": "system"}, "pw"
    )
    assert url_of(target) == "postgresql://u:pw@db:5432/d?sslmode=verify-full"


def state(*names: str) -> ToolState:
    return ToolState("drizzle", TABLE, names, names[-1] if names else "")


def test_what_was_applied_is_known_where_a_tool_keeps_its_state() -> None:
    assert applied((state("1"),), (state("1", "2"),), ()) == 1
    assert applied((), (state("1", "2"),), ()) == 2
    assert applied((), (), ()) is None


def test_a_migration_that_is_not_in_force_any_more_was_undone() -> None:
    assert list(undone_findings((state("1"),), (state("1", "2"),))) == []
    [found] = undone_findings((state("1", "2"),), (state("2", "3"),))
    assert (found.code, found.observed) == ("migration undone", "1 of them no longer are: 1")
    [found] = undone_findings((state("1"),), ())
    assert found.severity == "fatal"


def test_what_a_migration_took_away_is_told_and_no_fault_by_itself() -> None:
    users, issues, logs, notes = (TableName("public", name) for name in ("users", "issues", "logs", "notes"))
    found = list(row_losses({users: 5, issues: 5, logs: 0}, {users: 4, issues: 6, notes: 1}))
    assert [(each.code, each.subject, each.observed, each.severity) for each in found] == [
        ("rows lost in migration", "public.users", "4 rows", "warning"),
        ("table lost in migration", "public.logs", "no such table", "warning"),
    ]


@pytest.mark.server
def test_the_command_runs_in_its_folder_with_the_copys_url_in_its_own_variable(
    new_database: str, tmp_path: Path
) -> None:
    (tmp_path / "migrate.py").write_text(
        "import os, psycopg\n"
        "with psycopg.connect(os.environ['DIRECT_DATABASE_URL']) as connection:\n"
        "    connection.execute('CREATE TABLE migrated ()')\n"
        "print('done in', os.getcwd(), 'with', os.environ['DIRECT_DATABASE_URL'])\n"
    )
    run = migrated(
        new_database,
        command=f"{sys.executable} migrate.py",
        working_directory=tmp_path,
        url_env="DIRECT_DATABASE_URL",
    )
    result = run.result
    assert (result.returncode, result.before, result.applied, run.findings) == (0, None, None, ())
    # Of a tool that isn't known this much can be told.
    assert (result.schema_changed, result.pending_before, result.pending_after) == (True, None, None)
    assert f"done in {tmp_path}" in result.output_tail
    assert str(target_of(new_database).password) not in result.output_tail
    with psycopg.connect(new_database) as connection:
        assert connection.execute("SELECT to_regclass('migrated') IS NOT NULL").fetchone() == (True,)


DRIZZLE = (
    "CREATE SCHEMA drizzle",
    "CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)",
    "INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('h1', 10), ('h2', 20)",
)
PRISMA = (
    "CREATE TABLE _prisma_migrations (id text, migration_name text, finished_at timestamptz,"
    " rolled_back_at timestamptz)",
    "INSERT INTO _prisma_migrations VALUES ('1', '01_users', now(), NULL)",
)
GOOSE = (
    "CREATE TABLE goose_db_version (id serial, version_id bigint, is_applied boolean, tstamp timestamp)",
    "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true)",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A team's folder with three migrations of Drizzle, two of Prisma and two of goose."""
    drizzle, prisma, goose = tmp_path / "drizzle", tmp_path / "prisma" / "migrations", tmp_path / "migrations"
    entries = [{"when": when, "tag": f"000{when // 10}_step"} for when in (10, 20, 30)]
    (drizzle / "meta").mkdir(parents=True)
    (drizzle / "meta" / "_journal.json").write_text(json.dumps({"entries": entries}))
    for name in ("01_users", "02_issues"):
        (prisma / name).mkdir(parents=True)
        (prisma / name / "migration.sql").write_text("SELECT 1;")
    goose.mkdir()
    for number in (1, 2):
        (goose / f"0000{number}_step.sql").write_text("-- +goose Up\nSELECT 1;\n")
    return tmp_path


@pytest.mark.server
@pytest.mark.parametrize(
    ("before", "step", "pending", "after"),
    [
        (
            DRIZZLE,
            "INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('h3', 30)",
            "0003_step",
            "drizzle: 3, newest 0003_step",
        ),
        (
            PRISMA,
            "INSERT INTO _prisma_migrations VALUES ('2', '02_issues', now(), NULL)",
            "02_issues",
            "prisma: 2, newest 02_issues",
        ),
        (
            GOOSE,
            "INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, true)",
            "00002_step.sql",
            "goose: 2, newest 00002_step.sql",
        ),
    ],
)
def test_versions_before_and_after_are_told_and_what_is_left_is_a_fail(
    new_database: str, folder: Path, *, before: tuple[str, ...], step: str, pending: str, after: str
) -> None:
    execute(new_database, *before)
    idle = migrated(new_database, command="true", working_directory=folder)
    assert found_in(idle) == [("migrations pending", "fatal")]
    assert pending in idle.findings[0].observed
    assert (idle.result.applied, idle.result.pending_after) == (0, (pending,))

    done = migrated(new_database, command=running(step), working_directory=folder)
    assert done.findings == ()
    assert (done.result.pending_before, done.result.pending_after) == ((pending,), ())
    assert (done.result.applied, done.result.after) == (1, after)
    assert done.result.schema_changed is False


@pytest.mark.server
def test_a_migration_that_half_applies_is_a_fail_whatever_its_exit_code(
    new_database: str, folder: Path
) -> None:
    execute(new_database, *PRISMA)
    half = "INSERT INTO _prisma_migrations VALUES ('2', '02_issues', NULL, NULL)"
    run = migrated(new_database, command=running("CREATE TABLE issues ()", half), working_directory=folder)
    assert found_in(run) == [("migration half applied", "fatal"), ("migrations pending", "fatal")]
    assert (run.result.returncode, run.result.half_applied) == (0, ("02_issues",))

    resolved = "UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL"
    again = "INSERT INTO _prisma_migrations VALUES ('3', '02_issues', now(), NULL)"
    assert migrated(new_database, command=running(resolved, again), working_directory=folder).findings == ()


@pytest.mark.server
def test_a_command_that_stops_in_the_middle_tells_how_far_it_came(new_database: str, folder: Path) -> None:
    execute(new_database, *GOOSE[:1])
    first = "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true)"
    run = migrated(new_database, command=running(first, exit_code=3), working_directory=folder)
    assert found_in(run) == [("migrations failed", "fatal")]
    assert (run.result.applied, run.result.pending_after) == (1, ("00002_step.sql",))


@pytest.mark.server
def test_a_command_that_goes_backwards_is_a_fail(new_database: str, folder: Path) -> None:
    execute(new_database, *GOOSE, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, true)")
    down = "INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, false)"
    run = migrated(new_database, command=running(down), working_directory=folder)
    assert found_in(run) == [
        ("migrations pending", "fatal"),
        ("migration undone", "fatal"),
        ("migration rolled back", "warning"),
    ]
    assert run.result.applied == -1


@pytest.mark.server
def test_a_migration_that_drizzle_passes_over_is_a_warning(new_database: str, folder: Path) -> None:
    execute(
        new_database,
        *DRIZZLE[:2],
        "INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('h1', 10), ('h3', 30)",
    )
    run = migrated(new_database, command="true", working_directory=folder)
    assert found_in(run) == [("migration skipped", "warning")]
    assert "0002_step" in run.findings[0].observed


@pytest.mark.server
def test_a_command_that_hangs_is_ended_with_all_its_children(new_database: str, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    hanging = Migrate.model_validate({"command": f"sh -c 'sleep 600 & echo $! $$ > {pids}; wait'"})
    with session(new_database) as connection, pytest.raises(Stalled):
        migrate_copy(
            # Less than the configuration lets anybody ask for, so that this test is short.
            hanging.model_copy(update={"timeout_minutes": 1 / 60}),
            target_of(new_database),
            connection,
            environ=PROGRAMS,
        )
    for pid in map(int, pids.read_text().split()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, signal.SIG_DFL)


@pytest.mark.server
def test_drizzles_newer_folders_are_known_and_its_table_may_be_taken_over_on_the_way(
    new_database: str, tmp_path: Path
) -> None:
    """As release 1 does it: it adds the names to the older table, and applies what isn't named."""
    names = [f"2026010{day}030405_step" for day in (1, 2, 3)]
    for name in names:
        (tmp_path / "drizzle" / name).mkdir(parents=True)
        (tmp_path / "drizzle" / name / "migration.sql").write_text(f"-- {name}")
        (tmp_path / "drizzle" / name / "snapshot.json").write_text('{"version": "8", "dialect": "postgres"}')
    second_hash = hashlib.sha256(f"-- {names[1]}".encode()).hexdigest()
    execute(
        new_database,
        *DRIZZLE[:2],
        "INSERT INTO drizzle.__drizzle_migrations (hash, created_at)"
        f" VALUES ('h1', 1767236645678), ('{second_hash}', 1767300000000)",
    )
    take_over = (
        "ALTER TABLE drizzle.__drizzle_migrations ADD COLUMN name text, ADD COLUMN applied_at timestamptz",
        f"UPDATE drizzle.__drizzle_migrations SET name = '{names[0]}' WHERE id = 1",
        f"UPDATE drizzle.__drizzle_migrations SET name = '{names[1]}' WHERE id = 2",
        "INSERT INTO drizzle.__drizzle_migrations (hash, created_at, name)"
        f" VALUES ('h3', 1767409445000, '{names[2]}')",
    )
    run = migrated(new_database, command=running(*take_over), working_directory=tmp_path)
    assert run.findings == ()
    assert (run.result.pending_before, run.result.pending_after) == ((names[2],), ())
    assert (run.result.before, run.result.after, run.result.applied) == (
        f"drizzle: 2, newest {names[1]}",
        f"drizzle: 3, newest {names[2]}",
        1,
    )

    stopped = migrated(
        new_database,
        command=running(f"DELETE FROM drizzle.__drizzle_migrations WHERE name = '{names[1]}'"),
        working_directory=tmp_path,
    )
    assert found_in(stopped) == [("migrations pending", "fatal"), ("migration undone", "fatal")]
