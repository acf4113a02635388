"""Whole drills on a Neon branch, with the local control plane over real clones."""

import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import zstandard

from hackorda_ops.drill.causes import causes_of
from hackorda_ops.drill.report import markdown
from hackorda_ops.findings import fatal
from hackorda_ops.history.alive import kept_alive
from hackorda_ops.history.labels import Label, source_id
from hackorda_ops.history.points import AtHead
from hackorda_ops.local.damage import replace_file
from hackorda_ops.local.neon import LocalNeon
from hackorda_ops.local.neon.faults import Fault, ProjectPlan
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.neon.branches import create_branch, delete_branch
from hackorda_ops.neon.client import open_client
from hackorda_ops.neon.models import CreatedBranch
from hackorda_ops.postgres.archives.row_digest import digest_of
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops.postgres.sessions.lock import dump_lock
from hackorda_ops.scratch.sweep import sweep
from hackorda_ops_tests.drill.fixtures import MIGRATE, Night, Shipped, check, night_of, on_neon, own_branches

pytestmark = pytest.mark.server


def test_a_branch_at_the_artifacts_position_agrees_row_for_row(branching: Shipped) -> None:
    result = branching.changed(key_tables=["users"]).drill()

    assert (result.verdict, result.error, result.findings) == ("PASS", None, ())
    assert check(result, "branch_equals_manifest").outcome == "passed"
    assert all(
        (table.branch_rows, table.branch_digest) == (table.expected_rows, table.expected_digest)
        for table in result.tables
    )
    assert result.scratch is not None
    assert "hackorda-ops-hackorda-drill" in result.scratch


def test_the_migrations_run_on_the_branch_as_well_where_that_is_asked_for_and_never_on_the_source(
    branching: Shipped,
) -> None:
    before = tables_of(branching.environ["DATABASE_URL"])

    result = branching.changed(migrate={"command": MIGRATE, "also_on_branch": True}).drill()

    assert (result.verdict, result.error) == ("PASS", None)
    assert check(result, "branch_equals_manifest").outcome == "passed"
    assert result.migration is not None
    tried = result.branch_migration
    assert tried is not None
    assert (tried.returncode, tried.after) == (0, result.migration.after)
    assert "On the branch: " in check(result, "migrations_apply").summary
    assert "migrate the branch" in [each.name for each in result.stages]
    assert "On the branch itself" in markdown.document(result, ())
    assert tables_of(branching.environ["DATABASE_URL"]) == before


def test_a_migration_that_fails_on_the_branch_alone_is_a_fail_about_the_migrations(
    branching: Shipped,
) -> None:
    # The copy is in a database of another name than the branch's own.
    program = "import os, sys; sys.exit('hackorda_ops_restore' not in os.environ['DATABASE_URL'])"
    only_there = shlex.join([sys.executable, "-c", program])
    result = branching.changed(migrate={"command": only_there, "also_on_branch": True}).drill()

    assert result.branch_migration is not None
    assert result.branch_migration.returncode == 1
    assert result.verdict == "FAIL"
    assert causes_of(result) == ("migrations",)
    # What the command left pending on the copy is a finding of its own.
    failed = [each for each in fatal(result.findings) if each.code == "migrations failed"]
    assert [each.subject for each in failed] == [f"{result.branch_migration.command} (on the branch)"]


def test_what_proves_nothing_on_the_branch_is_not_said_to_have_applied_there(
    branching: Shipped, tmp_path: Path
) -> None:
    # It migrates the copy, and leaves the branch alone; there are no files to show what is pending.
    program = (
        "import os, runpy, sys; 'hackorda_ops_restore' in os.environ['DATABASE_URL'] or sys.exit(0); "
        "sys.argv = ['migrate']; runpy.run_module('hackorda_ops.local.migrate', run_name='__main__')"
    )
    only_the_copy = shlex.join([sys.executable, "-c", program])
    migrate = {"command": only_the_copy, "working_directory": str(tmp_path), "also_on_branch": True}
    result = branching.changed(migrate=migrate).drill()

    assert (result.verdict, check(result, "migrations_apply").outcome) == ("PASS", "passed")
    assert result.branch_migration is not None
    assert result.branch_migration.applied == 0
    assert "On the branch: not measured: " in check(result, "migrations_apply").summary


def tables_of(url: str) -> list[tuple[object, ...]]:
    """Every table of a database."""
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^pg_' ORDER BY 1, 2"
        ).fetchall()


def test_a_branch_with_commits_that_the_snapshot_did_not_see_is_not_measured(branching: Shipped) -> None:
    with psycopg.connect(branching.environ["DATABASE_URL"], autocommit=True) as connection:
        # The servers of the tests flush a commit some time later otherwise.
        connection.execute("SET synchronous_commit = on")
        connection.execute("COMMENT ON TABLE users IS 'a commit that changes no row'")
        [(later,)] = connection.execute("SELECT pg_current_wal_flush_lsn()::text").fetchall()
    branching.put_manifest(lsn=later)

    result = branching.drill()

    assert result.verdict == "PASS"
    assert check(result, "branch_equals_manifest").outcome == "not measured"
    assert "could not see yet" in check(result, "branch_equals_manifest").summary


def test_an_artifact_older_than_the_history_is_drilled_on_a_branch_at_head(
    night: Night, neon: LocalNeon, ship: Callable[[Night], Shipped]
) -> None:
    protected = on_neon(ship(night), neon)

    result = protected.drill()

    assert result.verdict == "PASS"
    assert check(result, "branch_equals_manifest").outcome == "not measured"
    assert "GC cutoff" in check(result, "branch_equals_manifest").summary
    assert result.scratch is not None
    assert "at head" in result.scratch
    assert own_branches(neon) == []


def test_a_branch_that_differs_from_the_dump_fails_and_names_the_table(branching: Shipped) -> None:
    # As if the dump had left a row out: the archive and its manifest agree with each other, and not with history.
    users = next(each for each in branching.manifest.tables if each.name.name == "users")
    store = branching.offsite
    with store.open(f"{branching.manifest.prefix}/{users.file}") as stream:
        rows = zstandard.ZstdDecompressor().stream_reader(stream.read(), read_across_frames=True).read()
    altered = rows.replace(b"@", b"_", 1)
    digest = digest_of([altered[: -len(b"\\.\n\n\n")]])
    changed = replace_file(
        store, branching.manifest, users.file, zstandard.ZstdCompressor().compress(altered)
    )
    tables = tuple(
        replace(each, digest=digest.hexdigest()) if each.name == users.name else each
        for each in changed.tables
    )
    branching.put_manifest(tables=tables, files=changed.files)

    result = branching.drill()

    assert result.verdict == "FAIL"
    assert check(result, "offsite_equals_manifest").outcome == "passed"
    assert check(result, "restored_equals_manifest").outcome == "passed"
    assert [(each.code, each.subject) for each in result.findings] == [
        ("branch: content differs", "public.users")
    ]


def test_an_owner_that_may_not_create_databases_leaves_it_to_neon(
    neon: LocalNeon,
    postgres_server: PostgresServer,
    ship: Callable[[Night], Shipped],
    tmp_path: Path,
) -> None:
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE \"plain owner\" LOGIN PASSWORD 'pw'")
    create_database(postgres_server, "plainly owned", owner="plain owner")
    url = postgres_server.url("plainly owned", user="plain owner", password="pw")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE notes AS SELECT n FROM generate_series(1, 10) n")
    protected = on_neon(ship(night_of(url, tmp_path / "store")), neon)

    result = protected.drill()

    assert (result.verdict, result.error, result.findings) == ("PASS", None, ())
    assert check(result, "branch_equals_manifest").outcome == "passed"


def test_a_wrong_api_key_is_an_error_that_does_not_show_it(branching: Shipped) -> None:
    result = branching.changed(environ={"NEON_API_KEY": "napi_of_somebody_else"}).drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "401" in result.error.what
    assert "napi_of_somebody_else" not in repr(result)


def test_a_reached_branch_limit_is_an_error_with_the_remedy(branching: Shipped, neon: LocalNeon) -> None:
    neon.change_plan(ProjectPlan(branches_limit=1))
    result = branching.drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "BRANCHES_LIMIT_EXCEEDED" in result.error.what
    assert "Delete branches" in result.error.next_step


def test_a_branch_that_can_not_be_deleted_is_told_and_no_pass_and_the_next_sweep_takes_it(
    branching: Shipped, neon: LocalNeon
) -> None:
    neon.misbehave(Fault("deleteProjectBranch", 403, message="not with this key", times=2))

    result = branching.drill()

    [left] = own_branches(neon)
    assert check(result, "restored_equals_manifest").outcome == "passed"
    assert check(result, "scratch_gone").outcome == "failed"
    assert "not with this key" in check(result, "scratch_gone").summary
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "not with this key" in result.error.what
    assert sweep(branching) == (left,)


def test_an_address_that_is_not_the_branchs_own_is_an_error(branching: Shipped, neon: LocalNeon) -> None:
    neon.change_plan(ProjectPlan(pooled_hosts=True))
    result = branching.drill()
    assert result.verdict == "ERROR"
    assert result.error is not None
    assert "-pooler" in result.error.what


def test_a_branch_of_a_killed_drill_is_swept_and_one_of_a_living_drill_is_not(
    branching: Shipped, neon: LocalNeon
) -> None:
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    source = parse(branching.environ["DATABASE_URL"], origin="test")
    with (
        open_client(neon.project_id, neon.api_key, base_url=neon.base_url) as client,
        kept_alive(source, "20261108T060000Z-a11fe0"),
    ):
        ours = source_id(source)
        dead, living, foreign = (
            create_branch(
                client, label=Label(name, ours, run, "drill"), point=AtHead(), expires_at=expires_at
            )
            for name, run in (
                ("hackorda", "20261108T060000Z-dead00"),
                ("hackorda", "20261108T060000Z-a11fe0"),
                ("honeydue", "20261108T060000Z-dead00"),
            )
        )
        assert sweep(branching) == (dead.name,)
        assert set(own_branches(neon)) == {living.name, foreign.name}
        for branch in (living, foreign):
            delete_branch(client, branch.branch_id)


def test_the_branch_of_a_living_drill_of_another_installation_is_not_swept(
    branching: Shipped, neon: LocalNeon, postgres_server: PostgresServer
) -> None:
    # Staging, under the same name in its databases.yaml and in the same project: its drill lives on its own source.
    staging = parse(postgres_server.url("staging"), origin="test")
    label = Label("hackorda", source_id(staging), "20261108T060000Z-a11fe0", "drill")
    name = "hackorda-ops-hackorda-drill-20261108-060000-a11fe0"
    with open_client(neon.project_id, neon.api_key, base_url=neon.base_url) as client:
        made = client.create_branch(
            {"branch": {"name": name}, "annotation_value": label.annotation()}, name=name
        )
        assert isinstance(made, CreatedBranch)

        assert sweep(branching) == ()
        assert own_branches(neon) == [name]
        delete_branch(client, made.branch.id)


def test_a_branch_of_a_killed_night_is_swept_and_one_of_a_running_night_is_not(
    branching: Shipped, neon: LocalNeon
) -> None:
    source = parse(branching.environ["DATABASE_URL"], origin="test")
    label = Label("hackorda", source_id(source), "20261108T060000Z-dead00", "night")
    name = "hackorda-ops-hackorda-night-20261108-060000-dead00"
    with open_client(neon.project_id, neon.api_key, base_url=neon.base_url) as client:
        client.create_branch({"branch": {"name": name}, "annotation_value": label.annotation()}, name=name)
        with dump_lock(source, application_name="a night"):
            assert sweep(branching) == ()
            assert own_branches(neon) == [name]
        assert sweep(branching) == (name,)
