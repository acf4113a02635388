"""What a restore would do is told without doing any of it."""

import json
from collections.abc import Callable
from urllib.parse import urlsplit

import psycopg
import pytest

from hackorda_ops.artifacts.operations_log import read_log
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops_tests.inspection.conftest import Run, TwoNights


@pytest.fixture
def empty(postgres_server: PostgresServer, database_on: Callable[[PostgresServer], str]) -> str:
    return database_on(postgres_server)


def objects_in(url: str) -> int:
    with psycopg.connect(url) as session:
        found = session.execute("SELECT count(*) FROM pg_class WHERE oid >= 16384").fetchone()
    assert found is not None
    return int(found[0])


def test_a_dry_run_names_the_artifact_why_and_what_it_did_not_take_and_changes_nothing(
    run: Run, nights: TwoNights, empty: str
) -> None:
    events = len(read_log(nights.store, "shop"))
    done = run("restore", "--dry-run", RESTORE_URL=empty)
    assert done.returncode == 0, done.stderr
    assert f"It would restore {nights.store.describe()}/{nights.first.prefix}: not proven" in done.stderr
    assert f"Not taken: {nights.store.describe()}/{nights.second.prefix}: not sound" in done.stderr
    assert "Nothing was changed. It can be restored." in done.stdout
    assert objects_in(empty) == 0
    assert len(read_log(nights.store, "shop")) == events
    assert sorted(path.name for path in nights.folder.iterdir()) == ["databases.yaml", "store"]


def test_a_dry_run_of_all_access_creates_no_role(run: Run, nights: TwoNights, empty: str) -> None:
    done = run("restore", "--dry-run", "--with-access", "--json", RESTORE_URL=empty)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["would_restore"] is True
    assert objects_in(empty) == 0


def test_a_dry_run_refuses_what_a_restore_would_refuse(run: Run, source: str, empty: str) -> None:
    done = run("restore", "--dry-run", "--json", RESTORE_URL=source)
    assert done.returncode == 3
    found = json.loads(done.stdout)
    assert found["would_restore"] is False
    assert "is the source itself" in str(found["parts"])
    with psycopg.connect(empty, autocommit=True) as session:
        session.execute("CREATE TABLE precious (id int)")
    done = run("restore", "--dry-run", RESTORE_URL=empty)
    assert done.returncode == 3
    assert "It can't be restored like this." in done.stdout
    assert "not empty" in done.stdout


def test_a_dry_run_of_an_unreachable_target_is_no_promise(run: Run, empty: str) -> None:
    parts = urlsplit(empty)
    done = run(
        "restore", "--dry-run", RESTORE_URL=empty.replace(f"@{parts.hostname}", "@no-such-host.invalid")
    )
    assert done.returncode == 3
    assert "no-such-host.invalid" in done.stdout


def test_tables_that_an_artifact_lacks_are_a_mistake_and_so_is_access_with_tables(
    run: Run, empty: str
) -> None:
    for arguments, says in (
        (("--tables", "nonesuch"), "has no rows of nonesuch"),
        (("--tables", ","), "names no table"),
        (("--tables", "users", "--with-access"), "a part of one"),
    ):
        done = run("restore", "--dry-run", *arguments, RESTORE_URL=empty)
        assert (done.returncode, says in done.stderr) == (2, True), done.stderr


def test_some_tables_are_restored_by_the_command_line(run: Run, nights: TwoNights, empty: str) -> None:
    done = run("restore", "--tables", "users,quiet", RESTORE_URL=empty)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"PASS  only users, quiet of {nights.store.describe()}")
    assert "301 rows in 2 tables compared with the manifest" in done.stdout
    assert "nothing was restored: no other tables" in done.stderr
