"""What a drill needs, looked at together with what a night needs: on a plain scratch server and on Neon."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hackorda_ops.concerns import Looked, concerns_in
from hackorda_ops.config.expectations import Migrate
from hackorda_ops.errors import NeonRefused
from hackorda_ops.local.neon import LocalNeon
from hackorda_ops.local.neon.faults import Fault, ProjectPlan
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.postgres.catalogs.inventory import Extension
from hackorda_ops.preflight.offsite import look_at_offsite
from hackorda_ops.preflight.preflight import look_at_migrations, preflight
from hackorda_ops.scratch.preflight import extension_concerns, major_concerns
from hackorda_ops_tests.drill.fixtures import MIGRATE, Night, Shipped, databases_on, on_neon
from hackorda_ops_tests.postgres import awkward
from hackorda_ops_tests.stores.s3_proxy import Forward, Misbehave, Reply, Request, proxied, refusal

HUGE_BYTES = 2**61


def look(protected: Shipped) -> tuple[Looked, ...]:
    return preflight(protected)


def stopping(parts: Sequence[Looked]) -> list[tuple[str, str]]:
    return [
        (part.part, concern.severity)
        for part in parts
        for concern in part.concerns
        if concern.severity != "worth knowing"
    ]


def told(parts: Sequence[Looked], part: str) -> str:
    return " ".join(concern.what for each in parts if each.part == part for concern in each.concerns)


def test_a_sound_setup_tells_nothing_and_leaves_nothing_behind(
    protected: Shipped, scratch_server: PostgresServer, s3_server: S3Server, tmp_path: Path
) -> None:
    def everything() -> tuple[object, ...]:
        listed = s3_server.client().list_objects_v2(Bucket=protected.bucket)["Contents"]
        nights = sorted(Path(protected.store.describe()).rglob("*"))
        return [each["Key"] for each in listed], nights, databases_on(scratch_server)

    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    before = everything()
    parts = look(
        protected.changed(
            key_tables=["users", "issues"], migrate={"command": MIGRATE}, environ={"DAGSTER_HOME": str(home)}
        )
    )
    assert concerns_in(parts) == ()
    assert "key tables" in [part.part for part in parts]
    assert [part.part for part in parts[-12:]] == [
        "off-site",
        "deletion",
        "night before",
        "work folder",
        "scratch",
        "scratch rights",
        "extensions",
        "scratch limits",
        "new database",
        "proof",
        "migrations",
        "Dagster",
    ]
    assert all(part.seen for part in parts)
    assert everything() == before
    for name in ("OFFSITE_SECRET_ACCESS_KEY", "SCRATCH_ADMIN_URL", "DATABASE_URL"):
        assert protected.environ[name] not in repr(parts)


def test_problems_of_every_kind_are_all_told_at_once(
    new_database: str, protected: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hackorda_ops.postgres.tools.clients._wheel_folders", lambda: iter(()))
    monkeypatch.setattr("hackorda_ops.artifacts.room.free_bytes", lambda _: 1)
    awkward.execute(
        new_database,
        "CREATE TABLE users (id int)",
        # As if it were installed here and not there.
        "UPDATE pg_extension SET extname = 'of_somebody' WHERE extname = 'plpgsql'",
    )
    with awkward.new_role(new_database, "modest") as role_url:
        parts = look(
            protected.changed(
                offsite={"bucket": "no-such-bucket"},
                migrate={"command": "no-such-program up", "working_directory": str(tmp_path / "nowhere")},
                environ={"DATABASE_URL": role_url},
            )
        )
    assert stopping(parts) == [
        ("rights", "stops the night"),
        ("clients", "stops the night"),
        ("room", "stops the night"),
        ("off-site", "stops the drill"),
        ("work folder", "stops the drill"),
        ("extensions", "stops the drill"),
        ("migrations", "stops the drill"),
        ("migrations", "stops the drill"),
    ]
    assert "of_somebody" in told(parts, "extensions")
    assert "no-such-bucket" in told(parts, "off-site")
    assert "nowhere" in told(parts, "migrations")
    assert "no-such-program" in told(parts, "migrations")
    for name in ("OFFSITE_SECRET_ACCESS_KEY", "SCRATCH_ADMIN_URL"):
        assert protected.environ[name] not in repr(parts)


def test_a_fetch_that_would_not_fit_stops_a_drill_and_no_night(
    protected: Shipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = protected.policy.dump.work_folder
    monkeypatch.setattr(
        "hackorda_ops.artifacts.room.free_bytes", lambda folder: 1 if folder == work else HUGE_BYTES
    )
    parts = look(protected)
    assert stopping(parts) == [("work folder", "stops the drill")]
    assert protected.manifest.artifact_id in told(parts, "work folder")


def test_a_scratch_role_that_may_not_create_databases_and_a_wrong_password_are_told(
    protected: Shipped, scratch_server: PostgresServer
) -> None:
    with awkward.new_role(scratch_server.url(), "modest") as url:
        parts = look(protected.changed(environ={"SCRATCH_ADMIN_URL": url}))
        assert "permission denied to create role" in told(parts, "new database")
        awkward.execute(scratch_server.url(), "ALTER ROLE modest CREATEROLE")
        parts = look(protected.changed(environ={"SCRATCH_ADMIN_URL": url}))
    assert stopping(parts) == [("new database", "stops the drill")]
    assert "permission denied to create database" in told(parts, "new database")
    unnamed = look(protected.changed(scratch={"server": {}}))
    assert ("scratch rights", "stops the drill") in stopping(unnamed)
    assert "The role postgres of the scratch server is a superuser" in told(unnamed, "scratch rights")
    wrong = scratch_server.url(password="wrong-secret")
    parts = look(protected.changed(environ={"SCRATCH_ADMIN_URL": wrong}))
    assert stopping(parts) == [("scratch", "stops the drill")]
    assert "wrong-secret" not in repr(parts)


def test_a_scratch_on_the_sources_own_server_is_told_and_nothing_is_made_there(
    protected: Shipped, postgres_server: PostgresServer
) -> None:
    before = databases_on(postgres_server)
    parts = look(protected.changed(environ={"SCRATCH_ADMIN_URL": postgres_server.url()}))
    assert stopping(parts) == [("new database", "stops the drill")]
    assert "on the source's own server" in told(parts, "new database")
    assert databases_on(postgres_server) == before


def test_a_scratch_server_of_another_version_is_told_and_its_own_clients_are_looked_for(
    protected: Shipped, debian_postgres_server: PostgresServer
) -> None:
    parts = look(protected.changed(environ={"SCRATCH_ADMIN_URL": debian_postgres_server.url()}))
    assert ("scratch", "stops the drill") in stopping(parts)
    assert "but the source runs 17" in told(parts, "scratch")
    assert "scratch clients" in [part.part for part in parts]


def test_a_source_that_does_not_answer_leaves_the_scratch_held_against_the_last_artifact(
    protected: Shipped,
) -> None:
    gone = "postgresql://somebody:secret@no-such-host.invalid/x"
    parts = look(protected.changed(environ={"DATABASE_URL": gone}))
    assert stopping(parts) == [("source", "stops the night")]
    assert "extensions" in [part.part for part in parts]
    # Nobody can tell whether the scratch is the source, so nothing is made there.
    assert "new database" not in [part.part for part in parts]


def test_missing_variables_of_every_part_are_told_at_once(protected: Shipped) -> None:
    parts = look(
        protected.changed(
            environ=dict.fromkeys(("DATABASE_URL", "OFFSITE_ACCESS_KEY_ID", "SCRATCH_ADMIN_URL"), "")
        )
    )
    assert stopping(parts) == [
        ("source", "stops the night"),
        ("off-site", "stops the drill"),
        ("scratch", "stops the drill"),
    ]


def test_before_the_first_copy_that_is_worth_knowing_and_no_problem(
    protected: Shipped, new_database: str, tmp_path: Path
) -> None:
    fresh = protected.changed(
        store=str(tmp_path / "fresh"),
        offsite={"bucket": protected.bucket, "prefix": "fresh"},
        environ={"DATABASE_URL": new_database},
    )
    parts = look(fresh)
    assert stopping(parts) == []
    assert "no artifact yet" in told(parts, "off-site")


def test_a_neon_project_tells_its_version_branches_and_history(branching: Shipped) -> None:
    parts = look(branching)
    assert stopping(parts) == []
    [seen] = [part.seen for part in parts if part.part == "scratch"]
    assert "Postgres 17" in seen
    assert "1 branch(es)" in seen
    assert "history of" in seen


def test_a_reached_branch_limit_and_a_wrong_key_are_told(branching: Shipped, neon: LocalNeon) -> None:
    neon.change_plan(ProjectPlan(branches_limit=1))
    parts = look(branching)
    assert stopping(parts) == [("scratch", "stops the drill")]
    assert "its plan allows 1" in told(parts, "scratch")
    parts = look(branching.changed(environ={"NEON_API_KEY": "napi_of_somebody_else"}))
    [concern] = concerns_in(part for part in parts if part.part != "Dagster")
    assert concern.kind is NeonRefused
    assert "napi_of_somebody_else" not in repr(parts)


def test_it_tells_what_nights_are_read_from_and_why(branching: Shipped, neon: LocalNeon) -> None:
    def nights(protected: Shipped) -> tuple[str, str, list[tuple[str, str]]]:
        parts = look(protected)
        [seen] = [part.seen for part in parts if part.part == "nights"]
        return seen, told(parts, "nights"), stopping(parts)

    assert nights(branching) == ("read from a branch of main", "", [])
    assert nights(branching.changed(dump_from="source")) == ("read from the source, as configured", "", [])
    with psycopg.connect(branching.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE UNLOGGED TABLE forgotten ()")
        seen, why, _ = nights(branching)
        assert seen == "read from the source"
        assert "unlogged tables are empty on it" in why
        seen, why, problems = nights(branching.changed(dump_from="branch"))
        assert (why, problems) == ("", [])
        assert "although unlogged tables" in seen
        connection.execute("DROP TABLE forgotten")
    for insisted, expected in ((False, []), (True, [("nights", "stops the night")])):
        neon.misbehave(Fault("listProjectBranchEndpoints", 403))
        variant = branching.changed(dump_from="branch") if insisted else branching
        assert nights(variant)[2] == expected


def test_a_history_shorter_than_the_policy_is_worth_knowing(branching: Shipped) -> None:
    parts = look(branching.changed(objectives={"history_days": 400}))
    assert "the policy requires 400 d" in told(parts, "scratch")
    assert stopping(parts) == []


def test_an_artifact_older_than_the_history_is_worth_knowing(
    night: Night, neon: LocalNeon, ship: Callable[[Night], Shipped], s3_server: S3Server
) -> None:
    protected = on_neon(ship(night), neon)
    s3_server.client().delete_object(
        Bucket=protected.bucket, Key=f"{protected.manifest.prefix}/manifest.json"
    )
    captured_at = night.manifest.captured_at - timedelta(days=30)
    old = replace(
        night.manifest,
        captured_at=captured_at,
        night=captured_at.date(),
        artifact_id=f"{captured_at:%Y%m%dT%H%M%SZ}-0a1b2c",
    )
    replace(protected, manifest=old).put_manifest()
    parts = look(protected)
    assert stopping(parts) == []
    assert "older than Neon's history" in told(parts, "scratch")


@pytest.mark.parametrize(
    ("prefix", "severity", "says"),
    [("", "stops the drill", "are the same place"), ("nights", "worth knowing", "are one bucket")],
)
def test_a_store_in_the_off_site_bucket_is_told(
    protected: Shipped, prefix: str, severity: str, says: str
) -> None:
    offsite = protected.policy.offsites["offsite"]
    prefix = "/".join(filter(None, (offsite.prefix, prefix)))
    parts = look(
        protected.changed(store={**offsite.model_dump(exclude={"name", "retention"}), "prefix": prefix})
    )
    [concern] = [each for part in parts if part.part == "off-site" for each in part.concerns]
    assert concern.severity == severity
    assert says in concern.what


def test_a_damaged_manifest_off_site_is_told(protected: Shipped) -> None:
    protected.put_offsite("manifest.json", b"{}")
    assert protected.manifest.prefix in told(look(protected), "off-site")


@pytest.mark.parametrize(
    ("source", "scratch", "severities"),
    [
        (17, 17, []),
        (17, 15, ["stops the drill"]),
        (15, 17, ["worth knowing"]),
        (None, 17, []),
    ],
)
def test_the_scratchs_major_version_is_held_against_the_sources(
    source: int | None, scratch: int, severities: list[str]
) -> None:
    assert [each.severity for each in major_concerns(source, scratch)] == severities


def test_missing_extensions_stop_a_drill_and_other_versions_are_worth_knowing() -> None:
    needed = [Extension(name, "1.1", "public") for name in ("citext", "postgis", "pgcrypto", "vector")]
    stops, knows = extension_concerns(needed, {"pgcrypto": "1.1", "vector": "0.8"})
    assert (stops.severity, knows.severity) == ("stops the drill", "worth knowing")
    assert "citext, postgis." in stops.what
    assert "vector 0.8 (the source has 1.1)." in knows.what


@pytest.mark.parametrize(
    ("migrate", "severities"),
    [
        ({"command": f"{sys.executable} -m whatever"}, []),
        ({"command": "sh -c true"}, []),
        ({"command": "./up.sh"}, []),
        ({"command": "./down.sh"}, ["stops the drill"]),
        ({"command": "no-such-program"}, ["stops the drill"]),
        ({"command": "sh -c 'open"}, ["stops the drill"]),
        ({"command": "  "}, ["stops the drill"]),
        ({"command": "sh", "pass_env": ["NOT_SET", "SET"]}, ["worth knowing"]),
        ({"command": "sh", "folder": "."}, []),
        ({"command": "sh", "folder": "gone"}, ["worth knowing"]),
        ({"command": "./npm run migrate"}, []),
        ({"command": "./npm run migrat"}, ["stops the drill"]),
        ({"command": "./npm run migrate", "working_directory": "/"}, ["stops the drill"]),
        ({"command": "./npm ci"}, []),
    ],
)
def test_a_migration_command_is_looked_for_where_it_would_run(
    tmp_path: Path, migrate: Mapping[str, Any], severities: list[str]
) -> None:
    (tmp_path / "up.sh").write_text("#!/bin/sh\n")
    (tmp_path / "up.sh").chmod(0o755)
    (tmp_path / "down.sh").write_text("not a program")
    (tmp_path / "npm").symlink_to("up.sh")
    (tmp_path / "package.json").write_text('{"scripts": {"migrate": "drizzle-kit migrate"}}')
    policy = Migrate.model_validate({"working_directory": str(tmp_path), **migrate})
    part = look_at_migrations(policy, {"PATH": "/usr/bin:/bin", "SET": ""})
    assert [each.severity for each in part.concerns] == severities


def test_a_key_table_or_a_time_column_that_is_not_there_is_told_with_what_may_be_meant(
    protected: Shipped,
) -> None:
    parts = look(
        protected.changed(
            key_tables=["Users", "billing.gone", {"table": "issues", "timestamp": "made_at"}, "test_cycles"]
        )
    )

    assert [each for each in stopping(parts) if each[0] == "key tables"] == [
        ("key tables", "stops the drill")
    ] * 2
    [part] = [each for each in parts if each.part == "key tables"]
    users, billing, column = part.concerns
    assert part.seen == "2 of 4 there"
    assert "key_tables names Users" in users.what
    assert "It may be users." in users.next_step
    assert "billing.gone" in billing.what
    assert "issues has no column made_at that holds a time" in column.what
    assert "created_at" in column.next_step
    assert column.severity == "worth knowing"


def test_a_bucket_that_takes_nothing_stops_the_copy_and_one_that_gives_nothing_up_is_worth_knowing(
    protected: Shipped, s3_server: S3Server
) -> None:
    def refuse(method: str, query: str) -> Misbehave:
        def misbehave(request: Request, forward: Forward) -> Reply:
            refused = request.method == method and query in request.path
            return refusal(403, "AccessDenied") if refused else forward(request)

        return misbehave

    keep = {"store": None, "offsite": {"nights": 7}}
    with proxied(s3_server, refuse("POST", "uploads")) as server:
        parts = look(protected.changed(environ={"OFFSITE_ENDPOINT_URL": server.endpoint_url}))
        assert stopping(parts) == [("off-site", "stops the copy")]
        assert "AccessDenied" in told(parts, "off-site")
    with proxied(s3_server, refuse("DELETE", "preflight-probe")) as server:
        parts = look(protected.changed(retention=keep, environ={"OFFSITE_ENDPOINT_URL": server.endpoint_url}))
        assert stopping(parts) == []
        assert "AccessDenied" in told(parts, "deletion")
    # Nobody asked for what isn't deleted.
    parts = look(protected.changed(retention={"store": None}))
    assert "deletion" not in [part.part for part in parts]


def test_a_first_dump_that_is_likely_not_to_fit_is_an_error_while_somebody_can_make_room(
    protected: Shipped, new_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hackorda_ops.artifacts.room.free_bytes", lambda _: 1)
    fresh = protected.changed(
        store=str(tmp_path / "fresh"),
        offsite={"bucket": protected.bucket, "prefix": "fresh"},
        environ={"DATABASE_URL": new_database},
    )

    parts = look(fresh)

    assert stopping(parts) == [("room", "stops the night"), ("work folder", "stops the drill")]
    assert "is expected to take about" in told(parts, "work folder")


def test_a_bucket_that_is_to_lock_and_was_made_without_object_lock_stops_the_copy(
    protected: Shipped,
) -> None:
    [plain] = [each for each in look_at_offsite(protected).parts if each.part == "off-site"]
    assert plain.seen.endswith("1 artifact(s), no object lock")

    locking = protected.changed(
        offsite={"bucket": protected.bucket, "lock": {"mode": "compliance", "days": 30}}
    )
    parts = look_at_offsite(locking).parts

    assert ("off-site", "stops the copy") in stopping(parts)
    assert "was made without object lock, and lock asks for 30 days in compliance mode" in told(
        parts, "off-site"
    )
