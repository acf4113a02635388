"""The team's own migration command on a copy."""

import os
import signal
import sys
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.config import Migrate
from hackorda_ops.drill.migrations import applied, migrate_copy, url_of
from hackorda_ops.drill.result import MigrationResult
from hackorda_ops.errors import Stalled
from hackorda_ops.postgres.connection import ConnectionTarget, parse
from hackorda_ops.postgres.inventory import MigrationState, TableName
from hackorda_ops_tests.postgres.awkward import session, target_of

TABLE = TableName("drizzle", "__drizzle_migrations")
PROGRAMS = {"PATH": os.environ["PATH"]}


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


def test_what_was_applied_is_known_where_a_tool_keeps_its_state() -> None:
    def state(count: int) -> MigrationState:
        return MigrationState("drizzle", TABLE, count, "x")

    assert applied((state(5),), (state(6),)) == 1
    assert applied((), (state(6),)) == 6
    assert applied((), ()) is None


def migrated(url: str, **options: object) -> MigrationResult:
    with session(url) as connection:
        return migrate_copy(Migrate.model_validate(options), target_of(url), connection, environ=PROGRAMS)


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
    result = migrated(
        new_database,
        command=f"{sys.executable} migrate.py",
        working_directory=tmp_path,
        url_env="DIRECT_DATABASE_URL",
    )
    assert (result.returncode, result.before, result.applied) == (0, None, None)
    assert f"done in {tmp_path}" in result.output_tail
    assert str(target_of(new_database).password) not in result.output_tail
    with psycopg.connect(new_database) as connection:
        assert connection.execute("SELECT to_regclass('migrated') IS NOT NULL").fetchone() == (True,)


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
