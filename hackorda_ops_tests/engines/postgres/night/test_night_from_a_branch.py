"""Nights that are read from a Neon branch, with the local control plane over real clones."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.calendar import partitions
from hackorda_ops.config.models import Policy
from hackorda_ops.engines.postgres.night import branch as night_branch
from hackorda_ops.environment import Protected
from hackorda_ops.errors import (
    ConfigError,
    HistoryRefused,
    LockHeld,
    LoginRefused,
    NeonRefused,
    PartitionGone,
    PointGone,
    TargetRefused,
)
from hackorda_ops.history.labels import Label, source_id
from hackorda_ops.history.points import AtHead
from hackorda_ops.local.neon import LocalNeon, running_local_neon
from hackorda_ops.local.neon.faults import Fault, ProjectPlan
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.neon import branches
from hackorda_ops.neon.branches import ScratchBranch, create_branch, delete_branch, list_own_branches
from hackorda_ops.neon.client import NeonClient, open_client
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, parse, with_database
from hackorda_ops.postgres.sessions.lock import dump_lock
from hackorda_ops.progress import OnProgress, Progress, ignore

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> str:
    made = create_database(postgres_server, "branched at night")
    with psycopg.connect(made) as connection:
        connection.execute("CREATE TABLE notes (id serial PRIMARY KEY, body text)")
        connection.execute("INSERT INTO notes (body) SELECT 'note ' || n FROM generate_series(1, 200) n")
    return made


@pytest.fixture(scope="module")
def plane(postgres_server: PostgresServer, server_folder: Path, url: str) -> Iterator[LocalNeon]:
    with running_local_neon(postgres_server, server_folder / "neon-night") as made:
        yield made


@dataclass(frozen=True)
class Nights:
    """Takes nights of one database into a store of its own."""

    policy: dict[str, Any]
    environ: dict[str, str]

    def take(self, *, night: date | None = None, on_progress: OnProgress = ignore, **policy: Any) -> Manifest:
        database = Policy.model_validate(self.policy | policy)
        return take_night(
            Protected("notes", database, self.environ), night=night, on_progress=on_progress
        ).manifest

    def artifacts(self) -> list[Path]:
        return list(Path(self.policy["store"]).rglob("manifest.json"))


@pytest.fixture
def nights(plane: LocalNeon, url: str, tmp_path: Path) -> Iterator[Nights]:
    environ = {
        "PATH": "/usr/bin:/bin",
        "DATABASE_URL": url,
        "NEON_PROJECT_ID": plane.project_id,
        "NEON_API_KEY": plane.api_key,
        "NEON_API_URL": plane.base_url,
    }
    yield Nights({"store": str(tmp_path / "store")}, environ)
    plane.change_plan(ProjectPlan())
    plane.forget_faults()
    assert own_branches(plane) == []


def own_branches(plane: LocalNeon) -> list[str]:
    with open_client(plane.project_id, plane.api_key, base_url=plane.base_url) as client:
        return [found.branch.name for found in list_own_branches(client)]


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_with_a_project_and_a_key_a_night_is_dumped_from_a_branch(
    nights: Nights, postgres_server: PostgresServer
) -> None:
    manifest = nights.take()

    assert (manifest.dumped_from, manifest.as_of, manifest.rows) == ("branch", None, 200)
    assert (manifest.warnings, manifest.lsn_aligned) == ((), True)
    assert manifest.source_values is not None
    assert [each.name for each in manifest.source_values.compared_in(manifest.captured_at)] == ["notes"]
    # It tells of the source: the branch's address is of no use to anybody.
    assert manifest.inventory.source.port == postgres_server.port


def test_without_a_key_the_source_itself_is_dumped(nights: Nights) -> None:
    keyless = replace(nights, environ=nights.environ | {"NEON_API_KEY": ""})

    assert (keyless.take().dumped_from, keyless.take().warnings) == ("source", ())
    with pytest.raises(ConfigError, match="NEON_API_KEY"):
        keyless.take(dump_from="branch")


def test_who_wants_the_source_dumped_gets_no_branch(nights: Nights) -> None:
    assert nights.take(dump_from="source").dumped_from == "source"


def test_a_branch_needs_a_project_to_branch() -> None:
    with pytest.raises(ValueError, match=r"dump_from: branch needs a history: scratch\.neon"):
        Policy.model_validate({"dump_from": "branch", "scratch": {"server": {}}})


def test_a_table_that_production_keeps_locked_does_not_hold_up_the_night(nights: Nights, url: str) -> None:
    with psycopg.connect(url) as holder:
        holder.execute("LOCK TABLE notes IN ACCESS EXCLUSIVE MODE")
        holder.execute("INSERT INTO notes (body) VALUES ('not committed')")

        manifest = nights.take()

        holder.rollback()
    assert (manifest.dumped_from, manifest.rows) == ("branch", 200)


def test_a_second_night_at_once_is_refused_by_the_lock_on_the_source(nights: Nights, url: str) -> None:
    with (
        dump_lock(parse(url, origin="test"), application_name="another machine"),
        pytest.raises(LockHeld, match="another machine"),
    ):
        nights.take()


def test_a_source_that_is_not_the_projects_is_dumped_itself(
    nights: Nights, scratch_server: PostgresServer
) -> None:
    # The local computes differ by port alone, so it's the branch itself that shows whose it is.
    url = create_database(scratch_server, "branched at night")
    elsewhere = replace(nights, environ=nights.environ | {"DATABASE_URL": url})
    try:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE elsewhere AS SELECT n FROM generate_series(1, 10) n")
        manifest = elsewhere.take()
        with pytest.raises((TargetRefused, NeonRefused, HistoryRefused, PointGone)):
            elsewhere.take(dump_from="branch")
    finally:
        execute(scratch_server.url(), 'DROP DATABASE "branched at night"')

    assert (manifest.dumped_from, manifest.rows) == ("source", 10)


def test_where_neon_makes_no_branch_the_source_is_dumped_and_the_artifact_says_why(
    nights: Nights, plane: LocalNeon
) -> None:
    plane.change_plan(ProjectPlan(branches_limit=1))

    manifest = nights.take()

    assert (manifest.dumped_from, manifest.rows) == ("source", 200)
    assert any("BRANCHES_LIMIT_EXCEEDED" in warning for warning in manifest.warnings)


def test_where_the_branch_lets_nobody_in_the_source_is_dumped_and_the_artifact_says_why(
    nights: Nights, plane: LocalNeon
) -> None:
    plane.change_plan(ProjectPlan(wrong_in_uris={"password": "wrong-secret"}))

    manifest = nights.take()

    assert (manifest.dumped_from, manifest.rows) == ("source", 200)
    [warning] = manifest.warnings
    assert "instead of a branch" in warning
    assert "password authentication failed" in warning
    with pytest.raises(LoginRefused):
        nights.take(dump_from="branch")


def test_what_was_done_before_no_branch_could_be_made_is_told_as_well(
    nights: Nights, plane: LocalNeon, url: str
) -> None:
    label = Label("notes", source_id(parse(url, origin="test")), "run", "night")
    name = "hackorda-ops-notes-night-20261108-060000-dead00"
    with open_client(plane.project_id, plane.api_key, base_url=plane.base_url) as client:
        client.create_branch({"branch": {"name": name}, "annotation_value": label.annotation()}, name=name)
    plane.change_plan(ProjectPlan(branches_limit=1))

    removed, why = nights.take().warnings

    assert removed == f"Removed a branch that a killed night left behind: {name}."
    assert "BRANCHES_LIMIT_EXCEEDED" in why


def test_where_a_branch_that_is_not_dumped_can_not_be_deleted_either_both_is_told(
    nights: Nights, plane: LocalNeon
) -> None:
    plane.change_plan(ProjectPlan(wrong_in_uris={"password": "wrong-secret"}))
    plane.misbehave(Fault("deleteProjectBranch", 403, message="not with this key", times=2))

    not_gone, why = nights.take().warnings

    [left] = own_branches(plane)
    assert left in not_gone
    assert "password authentication failed" in why
    plane.change_plan(ProjectPlan())
    nights.take()


def test_a_branch_that_is_not_at_the_position_asked_for_is_not_dumped(
    nights: Nights, plane: LocalNeon
) -> None:
    for echoed in (None, "no position"):
        plane.change_plan(ProjectPlan(wrong_echoes={"parent_lsn": echoed}))
        with pytest.raises(HistoryRefused, match="was requested"):
            nights.take(dump_from="branch")

    plane.change_plan(ProjectPlan(wrong_echoes={"parent_lsn": "0/10"}))
    manifest = nights.take()

    assert (manifest.dumped_from, manifest.rows) == ("source", 200)
    assert "left its parent at 0/10" in manifest.warnings[0]


def test_a_branch_that_is_not_of_a_past_nights_time_is_not_dumped(
    nights: Nights, plane: LocalNeon, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(url) as connection:
        [(due,)] = connection.execute("SELECT clock_timestamp()").fetchall()
    execute(url, "COMMENT ON TABLE notes IS 'a commit after it'")
    # The control plane's history begins with these tests, so the night's scheduled time is moved into it.
    monkeypatch.setattr(partitions, "scheduled_at", lambda night, schedule: due)
    yesterday = {"night": due.date() - timedelta(days=1), "schedule": {"night": "0 0 * * *"}}

    for echoed in (None, "0001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"):
        plane.change_plan(ProjectPlan(wrong_echoes={"parent_timestamp": echoed}))
        with pytest.raises(HistoryRefused, match="was requested"):
            nights.take(**yesterday)

    assert nights.artifacts() == []
    plane.change_plan(ProjectPlan())
    assert nights.take(**yesterday).as_of == due


def test_a_branchs_database_that_is_not_the_sources_is_not_dumped(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = branches.connection

    def another(client: NeonClient, branch: ScratchBranch, *, database: str, role: str) -> ConnectionTarget:
        return with_database(right(client, branch, database=database, role=role), "postgres")

    monkeypatch.setattr(branches, "connection", another)

    with pytest.raises(TargetRefused, match="a branch of another database than the source"):
        nights.take(dump_from="branch")


def test_jobs_of_pg_cron_are_found_in_the_database_that_the_server_keeps_them_in(
    url: str, postgres_server: PostgresServer
) -> None:
    source = parse(url, origin="test")
    acting = ("the source's pg_cron jobs may run on it",)
    execute(url, "ALTER DATABASE \"branched at night\" SET cron.database_name = 'jobs of all'")
    try:
        assert night_branch.look(source).hazards == ()  # that database is not there
        there = create_database(postgres_server, "jobs of all")
        assert night_branch.look(source).hazards == ()  # pg_cron is loaded, and nobody uses it

        # The extension itself is on no server here: this is all that is looked for.
        execute(
            there,
            "INSERT INTO pg_extension SELECT 16000, 'pg_cron', extowner, extnamespace, false, '1.6'"
            " FROM pg_extension WHERE extname = 'plpgsql'",
        )
        assert night_branch.look(source).hazards == acting

        execute(there, "DELETE FROM pg_extension WHERE extname = 'pg_cron'")
        execute(url, 'ALTER DATABASE "jobs of all" ALLOW_CONNECTIONS false')
        assert night_branch.look(source).hazards == acting  # nobody can tell
    finally:
        execute(url, 'ALTER DATABASE "branched at night" RESET cron.database_name')
        execute(url, 'DROP DATABASE IF EXISTS "jobs of all"')


def test_a_source_that_is_not_the_projects_compute_is_dumped_and_the_artifact_says_so(
    nights: Nights, url: str
) -> None:
    # The same server by another name: Neon's computes are told by theirs.
    elsewhere = replace(
        nights, environ=nights.environ | {"DATABASE_URL": url.replace("127.0.0.1", "localhost")}
    )

    manifest = elsewhere.take()

    assert (manifest.dumped_from, manifest.rows) == ("source", 200)
    [warning] = manifest.warnings
    assert "not the compute of the Neon project's default branch" in warning
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    with pytest.raises(TargetRefused, match="not the compute"):
        elsewhere.take(night=yesterday, schedule={"night": "0 0 * * *"})


def test_without_a_key_a_past_night_is_not_said_to_be_gone(nights: Nights) -> None:
    keyless = replace(nights, environ=nights.environ | {"NEON_API_KEY": ""})
    yesterday = datetime.now(UTC).date() - timedelta(days=1)

    with pytest.raises(ConfigError, match="NEON_API_KEY") as caught:
        keyless.take(night=yesterday, schedule={"night": "0 0 * * *"})

    assert f"The night of {yesterday} is over" in caught.value.what


def test_who_asks_for_a_branch_and_gets_none_is_told_why(nights: Nights, plane: LocalNeon) -> None:
    plane.change_plan(ProjectPlan(branches_limit=1))

    with pytest.raises(NeonRefused, match="BRANCHES_LIMIT_EXCEEDED"):
        nights.take(dump_from="branch")
    assert nights.artifacts() == []


def test_an_address_that_is_not_the_branchs_own_is_not_dumped(nights: Nights, plane: LocalNeon) -> None:
    plane.change_plan(ProjectPlan(pooled_hosts=True))

    with pytest.raises(TargetRefused, match="-pooler"):
        nights.take(dump_from="branch")


def test_an_interrupted_night_leaves_no_branch(nights: Nights, plane: LocalNeon) -> None:
    there: list[str] = []

    def interrupt(progress: Progress) -> None:
        if progress.stage == "dump":
            there.extend(own_branches(plane))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nights.take(on_progress=interrupt)
    assert len(there) == 1
    assert nights.artifacts() == []


def test_a_branch_without_an_expiry_is_told(nights: Nights, plane: LocalNeon) -> None:
    plane.change_plan(ProjectPlan(takes_expiry=False))

    manifest = nights.take()

    assert manifest.dumped_from == "branch"
    [warning] = manifest.warnings
    assert warning.startswith("Neon accepted no expiry for the branch hackorda-ops-notes-night")


def test_a_branch_that_can_not_be_deleted_costs_no_backup_and_the_next_night_takes_it(
    nights: Nights, plane: LocalNeon
) -> None:
    plane.misbehave(Fault("deleteProjectBranch", 403, message="not with this key", times=2))

    first = nights.take()
    [left] = own_branches(plane)
    second = nights.take()

    assert any(left in warning and "not with this key" in warning for warning in first.warnings)
    assert second.warnings == (f"Removed a branch that a killed night left behind: {left}.",)


def test_a_night_sweeps_no_branch_of_another_source_or_database_or_of_a_drill(
    nights: Nights, plane: LocalNeon, url: str
) -> None:
    ours = source_id(parse(url, origin="test"))
    with open_client(plane.project_id, plane.api_key, base_url=plane.base_url) as client:
        others = [
            create_branch(
                client, label=label, point=AtHead(), expires_at=datetime.now(UTC) + timedelta(hours=1)
            )
            for label in (
                Label("notes", ours, "run", "drill"),
                Label("hackorda", ours, "run", "night"),
                Label("notes", "another installation", "run", "night"),
            )
        ]

        nights.take()

        assert set(own_branches(plane)) == {branch.name for branch in others}
        for branch in others:
            delete_branch(client, branch.branch_id)


def test_unlogged_tables_are_a_reason_to_dump_the_source_unless_told_otherwise(
    nights: Nights, url: str
) -> None:
    execute(url, "CREATE UNLOGGED TABLE cache AS SELECT n FROM generate_series(1, 150) n")
    try:
        unasked = nights.take()
        asked_for = nights.take(dump_from="branch")
    finally:
        execute(url, "DROP TABLE cache")

    assert (unasked.dumped_from, unasked.rows) == ("source", 350)
    assert any("unlogged tables" in warning for warning in unasked.warnings)
    # That its rows are gone is no collapse: production still has them.
    assert (asked_for.dumped_from, asked_for.rows, asked_for.findings) == ("branch", 200, ())
    assert any("unlogged tables" in warning for warning in asked_for.warnings)


def test_a_sequence_that_the_branch_read_ahead_has_not_gone_back_on_the_source(
    nights: Nights, url: str
) -> None:
    execute(url, "CREATE SEQUENCE ahead; SELECT nextval('ahead')")
    try:
        from_branch, from_source = nights.take(), nights.take(dump_from="source")
    finally:
        execute(url, "DROP SEQUENCE ahead")

    values = [
        sequence.last_value
        for manifest in (from_branch, from_source)
        for sequence in manifest.inventory.sequences
        if sequence.name.name == "ahead"
    ]
    assert values[0] > values[1]
    assert from_source.findings == ()


@pytest.mark.parametrize(
    "ways", [("branch", "source", "branch"), ("source", "branch", "source"), ("branch", "branch", "source")]
)
def test_nights_from_branches_and_from_the_source_itself_are_of_one_source(
    nights: Nights, url: str, ways: tuple[str, ...]
) -> None:
    # On Neon a branch has a timeline of its own; the source's is what a night has to be known by.
    execute(url, "ALTER DATABASE \"branched at night\" SET neon.timeline_id = 'of a branch'")
    timed = replace(nights, environ=nights.environ | {"DATABASE_URL": _on_timeline(url, "first")})
    restored = replace(nights, environ=nights.environ | {"DATABASE_URL": _on_timeline(url, "restored")})
    try:
        taken = [timed.take(dump_from=way) for way in ways]
        others = [restored.take(dump_from=way) for way in ("branch", "source")]
    finally:
        execute(url, 'ALTER DATABASE "branched at night" RESET neon.timeline_id')

    assert [each.dumped_from for each in taken] == list(ways)
    assert [each.inventory.source.neon_timeline for each in taken] == ["first"] * 3
    assert [each.findings for each in taken] == [()] * 3
    # A source that was put back to an earlier moment goes on in another history: somebody has to confirm that.
    assert [[found.code for found in each.findings] for each in others] == [["another source"]] * 2


def _on_timeline(url: str, timeline: str) -> str:
    return f"{url}?options=-c%20neon.timeline_id%3D{timeline}"


def test_a_night_before_the_history_is_gone_for_good_and_the_error_says_since_when(
    nights: Nights, plane: LocalNeon
) -> None:
    today = datetime.now(UTC).date()
    for_good = {"schedule": {"night": "0 0 * * *"}}

    with pytest.raises(PartitionGone, match=r"the history of main begins at \d{4}-\d\d-\d\d \d\d:\d\d UTC"):
        nights.take(night=today - timedelta(days=1), **for_good)
    since = today - timedelta(days=8) + timedelta(days=7)
    with pytest.raises(PartitionGone, match=f"out of reach since {since} 00:00 UTC"):
        nights.take(night=today - timedelta(days=8), **for_good)
    with pytest.raises(PartitionGone, match="ended at"):
        nights.take(night=today - timedelta(days=1), dump_from="source", **for_good)
    assert nights.artifacts() == []
