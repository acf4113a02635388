"""docs/teams: each team's example runs a night, a copy, a drill and a restore, all from one code location."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.calendar.partitions import night_of, quarter_of, week_of
from hackorda_ops.cutover.rehearse import rehearse
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.histories.registry import history_of
from hackorda_ops.history.labels import HISTORY_CHECK
from hackorda_ops.history.points import AtLsn
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.sessions.connection import parse
from hackorda_ops.progress import ignore
from hackorda_ops.readiness.judgement import judge
from hackorda_ops.readiness.standing import read_standing
from hackorda_ops.recovery.bring_back import bring_back
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.cutover.moving import Writer, application
from hackorda_ops_tests.e2e.redis import running_redis
from hackorda_ops_tests.e2e.teams import TEAMS, Teams, running_teams

ROWS = {
    "hackorda": ("issues", 600),
    "tech961": ('"Listing"', 300),
    "honeydue": ("task_task", 400),
    "amanat": ("chats", 200),
}


@pytest.fixture(scope="module")
def teams(  # noqa: PLR0917
    tmp_path_factory: pytest.TempPathFactory,
    server_folder: Path,
    postgres_server: PostgresServer,
    scratch_server: PostgresServer,
    debian_postgres_server: PostgresServer,
    s3_server: S3Server,
    node_modules: Path,
) -> Iterator[Teams]:
    folder = tmp_path_factory.mktemp("teams")
    with running_teams(
        folder,
        server_folder,
        postgres=postgres_server,
        scratch=scratch_server,
        before_neon=debian_postgres_server,
        s3=s3_server,
        node_modules=node_modules,
    ) as made:
        yield made


@pytest.mark.parametrize("name", ROWS)
def test_a_teams_night_is_taken_copied_drilled_and_restored(teams: Teams, name: str) -> None:
    protected = teams.protected(name)
    schedule, now = protected.policy.schedule, datetime.now(UTC)
    tonight = night_of(now, schedule)
    jobs = [(f"{name}_night", tonight)]
    jobs += [(f"{name}_week", week_of(tonight))] if protected.policy.copies == "weekly" else []
    jobs += [(f"{name}_quarter", quarter_of(tonight))]

    failed = [
        (job, event.event_specific_data)
        for job, partition in jobs
        for event in teams.run(job, partition.isoformat()).all_events
        if event.is_failure
    ]

    assert failed == []
    standing = read_standing(protected, now=datetime.now(UTC))
    assert standing.last_drill
    assert standing.last_drill.verdict == "PASS"
    ready = judge(standing, protected.policy)
    assert ready.word == "OK", ready.reasons
    [artifact] = catalog.read(protected.offsite, name).artifacts
    assert artifact.dumped_from == ("source" if name == "amanat" else "branch")
    assert artifact.inventory.source.server_version_number // 10_000 == (18 if name == "amanat" else 17)
    empty = create_database(teams.scratch_urls[name], f"restored {name}")
    brought = bring_back(
        protected,
        protected.offsite,
        artifact,
        parse(empty, origin="RESTORE_URL"),
        source=None,
        on_progress=ignore,
    )
    assert brought.findings == ()
    table, rows = ROWS[name]
    with psycopg.connect(empty) as connection:
        assert connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (rows,)


def test_hackordas_cutover_is_rehearsed_and_leaves_nothing(teams: Teams) -> None:
    hackorda = teams.protected("hackorda")
    hackorda = replace(hackorda, environ={**hackorda.environ, "DATABASE_URL": teams.droplet})

    done = rehearse(hackorda, on_progress=ignore, say=lambda _line: None)

    assert (done.problems, done.findings) == ((), ())
    assert done.rows >= ROWS["hackorda"][1]
    with psycopg.connect(teams.environ["MANAGED_DATABASE_URL"]) as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone() == (0,)
        databases = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
    assert not any("rehears" in name for name in databases)


def test_hackorda_moves_from_its_droplet_to_neon_and_its_nights_go_on_there(
    teams: Teams, tmp_path: Path, new_bucket: str
) -> None:
    """As its page says: rehearsed (above), then run in the window by a person who sets the variables."""
    place = tmp_path / "droplet"
    place.mkdir()
    variables = {"DATABASE_URL": teams.droplet, "OFFSITE_BUCKET": new_bucket}
    (place / "checkouts").symlink_to(teams.folder / "checkouts")
    moved = teams.environ["MANAGED_DATABASE_URL"]
    insert = "INSERT INTO issues (title) VALUES ('written meanwhile')"
    with application(200) as url, Writer(teams.droplet, place / "stopped", insert):
        example = (TEAMS / "hackorda.yaml").read_text().replace("https://hackorda.kz/app/test-cycles", url)
        (place / "databases.yaml").write_text(example)

        done = teams.type("cutover", "run", "hackorda", folder=place, answers="y\n", **variables)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Go on to" in done.stderr
    columns = "id, title, created_at"
    assert read(moved, f"SELECT {columns} FROM issues ORDER BY id") == read(
        teams.droplet, f"SELECT {columns} FROM issues ORDER BY id"
    )
    assert read(moved, "SELECT count(*) > 600, bool_or(severity IS NOT NULL) FROM issues") == [(True, False)]
    assert read(moved, "SELECT count(*) FROM drizzle.__drizzle_migrations") == [(2,)]
    assert read(teams.droplet, "SELECT count(*) FROM drizzle.__drizzle_migrations") == [(1,)]
    versions = [read(each, "SHOW server_version_num")[0][0] for each in (teams.droplet, moved)]
    assert [int(each) // 10_000 for each in versions] == [15, 17]

    variables["DATABASE_URL"] = moved
    night = teams.type("dump", "hackorda", "--new-source", folder=place, **variables)

    assert night.returncode == 0, night.stdout + night.stderr
    final, newest = catalog.read(FolderStore(place / "backups"), "hackorda").artifacts
    assert (newest.dumped_from, final.dumped_from) == ("branch", "source")
    assert (newest.new_source, final.new_source) == (True, False)


def test_961techs_exercise_runs_its_hooks_where_production_is_not(teams: Teams) -> None:
    checkout = teams.folder / "checkouts" / "961tech"
    (checkout / "docs" / "postmortems").mkdir(parents=True)
    policy = teams.protected("tech961").policy
    year = datetime.now(UTC).replace(month=1, day=1).date().isoformat()

    done = teams.run("tech961_year", year)

    assert policy.exercise.run_hooks
    assert done.success, [each.event_specific_data for each in done.all_events if each.is_failure]
    [rebind, deploy, smoke] = (
        json.loads(next(checkout.rglob(f"{each}-exercise.json")).read_text())
        for each in ("rebind-hyperdrive", "wrangler", "smoke")
    )
    assert [each["TARGET"] for each in (rebind, smoke)] == ["dr-test", "dr-test"]
    assert deploy["arguments"] == ["deploy", "--env", "dr-test"]
    [report] = (checkout / "docs" / "postmortems").iterdir()
    assert re.fullmatch(r"\d{4}-Q[1-4]-dr-test\.md", report.name)
    assert "## Hooks" in report.read_text()


def test_a_hook_of_961tech_does_nothing_in_a_stage_that_it_does_not_know(teams: Teams) -> None:
    for stage in ("cutover", ""):
        done = subprocess.run(
            ["./ops/deploy.sh"],
            cwd=teams.folder / "checkouts" / "961tech",
            env={"PATH": teams.environ["PATH"], "HACKORDA_OPS_STAGE": stage},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 2
        assert "neither production nor exercise" in done.stderr


def read(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as session:
        return session.execute(query.encode()).fetchall()


def test_amanats_redis_is_kept_copied_drilled_and_restored_beside_its_postgres(
    teams: Teams, tmp_path: Path
) -> None:
    protected = teams.protected("amanat_redis")
    tonight = night_of(datetime.now(UTC), protected.policy.schedule)
    jobs = {"night": tonight, "week": week_of(tonight), "quarter": quarter_of(tonight)}

    done = {kind: teams.run(f"amanat_redis_{kind}", day.isoformat()).success for kind, day in jobs.items()}

    assert done == dict.fromkeys(jobs, True)
    standing = read_standing(protected, now=datetime.now(UTC))
    assert judge(standing, protected.policy).word == "OK"
    [artifact] = catalog.read(protected.offsite, "amanat_redis").artifacts
    with running_redis(tmp_path) as url:
        target = engine_of(protected.policy).target(url, origin="RESTORE_URL")
        brought = bring_back(protected, protected.offsite, artifact, target, source=None, on_progress=ignore)
    assert (brought.verdict, brought.findings) == ("PASS", ())


@pytest.mark.parametrize(
    ("name", "checkout", "database"),
    [("tech961", "961tech", "tech961"), ("honeydue", "honeydue-api", "honeyDue")],
)
def test_a_team_on_neon_recovers_to_a_time_with_its_own_hooks(
    teams: Teams, name: str, checkout: str, database: str
) -> None:
    at = datetime.now(UTC) - timedelta(seconds=1)
    with psycopg.connect(teams.urls[name], autocommit=True) as connection:
        connection.execute("CREATE TABLE a_mistake ()")

    done = teams.type("recover", name, "--at", at.isoformat())
    gone = teams.type("recover", name, "--discard", "--yes")

    assert done.returncode == 0, done.stdout + done.stderr
    assert gone.returncode == 0, gone.stdout + gone.stderr
    [rebind, smoke] = (
        json.loads(
            next((teams.folder / "checkouts" / checkout).rglob(f"{each}*-production.json")).read_text()
        )
        for each in ("rebind", "smoke")
    )
    assert (rebind["database"], smoke["database"]) == (database, database)
    assert rebind["HACKORDA_OPS_STAGE"] == "production"
    if name == "tech961":
        assert (rebind["TARGET"], smoke["TARGET"]) == ("production", "production")
    if name == "honeydue":
        assert (rebind["DB_HOST"], rebind["POSTGRES_DB"]) == ("127.0.0.1", "honeyDue")
        assert rebind["DB_PORT"] != teams.environ["DB_PORT"]  # a branch, and not production
    password = teams.environ["POSTGRES_PASSWORD"]
    assert password not in done.stdout + done.stderr


def test_amanats_history_is_received_and_opens_at_a_nights_position(teams: Teams) -> None:
    protected = teams.protected("amanat")
    source = parse(teams.urls["amanat"], origin="PG_URL")
    night = take_night(protected).manifest
    kept = teams.type("history", "check", "--kept")  # as the container's health check does
    with (
        history_of(protected, source) as history,
        history.opened(
            purpose=HISTORY_CHECK,
            run=new_id(night.captured_at),
            point=AtLsn(night.lsn),
            expires_at=night.captured_at,
        ) as copy,
        psycopg.connect(**copy.target.parameters, password=copy.target.password) as there,
    ):
        found = there.execute("SELECT count(*) FROM chats").fetchone()

    assert kept.returncode == 0, kept.stdout + kept.stderr
    assert found == (ROWS["amanat"][1],)


def test_amanats_maintenance_window_is_opened_watched_compared_and_closed(teams: Teams) -> None:
    before = len(catalog.read(teams.protected("amanat").store, "amanat").artifacts)

    done = teams.type(
        "maintenance", "run", "amanat", "--hours", "1", "--reason", "a migration", "--", "sh", "-c", "true"
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(catalog.read(teams.protected("amanat").store, "amanat").artifacts) == before + 2
