"""A whole drill on a scratch server, by configuration alone: no Neon, a plain Postgres."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hackorda_ops import environment
from hackorda_ops.backup import calendar, catalog, nightly, weekly
from hackorda_ops.backup.manifest import Manifest
from hackorda_ops.config import Database
from hackorda_ops.drill import history, quarterly
from hackorda_ops.drill.quarterly import Quarter
from hackorda_ops.local.damage import damage_one_row
from hackorda_ops.local.postgres import PostgresServer, create_database, delete_server, running_postgres
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.postgres.inventory import TableName

SCHEMA = """
CREATE TABLE users (id serial PRIMARY KEY, name text, created_at timestamptz DEFAULT now());
INSERT INTO users (name) SELECT 'somebody' FROM generate_series(1, 300) n;
"""


class Shop:
    """A protected database with one night that was shipped off-site."""

    def __init__(self, url: str, folder: Path, scratch: PostgresServer, s3: S3Server, bucket: str) -> None:
        self.server = scratch
        self.environ = {
            "PATH": "/usr/bin:/bin",
            "DATABASE_URL": url,
            "SCRATCH_ADMIN_URL": scratch.url(),
            "OFFSITE_BUCKET": bucket,
            "OFFSITE_ENDPOINT_URL": s3.endpoint_url,
            "OFFSITE_REGION": s3.region,
            "OFFSITE_ACCESS_KEY_ID": s3.access_key_id,
            "OFFSITE_SECRET_ACCESS_KEY": s3.secret_access_key,
        }
        self.settings: dict[str, Any] = {
            "store": str(folder / "store"),
            "scratch": {"server": {}},
            "key_tables": ["users"],
            "dump": {"work_folder": str(folder / "work")},
        }
        night = nightly.take_night("shop", self.database, environ=self.environ)
        week = calendar.week_of(night.manifest.night)
        weekly.ship_week("shop", self.database, environ=self.environ, week=week)

    @property
    def database(self) -> Database:
        return Database.model_validate(self.settings)

    def drill(self) -> Quarter:
        return quarterly.hold_drill("shop", self.database, environ=self.environ)

    def offsite_manifest(self) -> Manifest:
        offsite = environment.open_offsite("shop", self.database, self.environ)
        return catalog.choose(catalog.read(offsite, "shop"), None)

    def databases(self) -> set[str]:
        with psycopg.connect(self.server.url()) as session:
            return {name for (name,) in session.execute("SELECT datname FROM pg_database")}


@pytest.fixture(scope="module")
def scratch_server(server_folder: Path) -> Iterator[PostgresServer]:
    """A server of its own: a drill refuses to restore on the source's."""
    folder = server_folder / "scratch"
    with running_postgres(folder, settings={"fsync": "off"}) as server:
        yield server
    delete_server(folder)


@pytest.fixture
def shop(
    new_database: str, tmp_path: Path, scratch_server: PostgresServer, s3_server: S3Server, new_bucket: str
) -> Shop:
    with psycopg.connect(new_database, autocommit=True) as session:
        session.execute(SCHEMA)
    return Shop(new_database, tmp_path, scratch_server, s3_server, new_bucket)


def outcomes(held: Quarter) -> dict[str, str]:
    return {check.name: check.outcome for check in held.result.checks}


def test_a_sound_backup_passes_is_reported_and_leaves_no_scratch(shop: Shop) -> None:
    before = shop.databases()
    held = shop.drill()
    assert (held.result.verdict, held.result.error, held.result.findings) == ("PASS", None, ())
    assert outcomes(held)["restored_equals_manifest"] == "passed"
    assert outcomes(held)["comparison_self_test"] == "passed"
    # There's no provider's history to compare with, and no migrate command: neither may look like a pass.
    assert outcomes(held)["branch_equals_manifest"] == "not measured"
    assert outcomes(held)["migrations_apply"] == "not measured"
    assert shop.databases() == before
    assert len(held.pages) == 2
    offsite = environment.open_offsite("shop", shop.database, shop.environ)
    assert history.read_past(offsite, "shop") == (held.result,)
    assert held.result.quarter == calendar.quarter_of(datetime.now(UTC).date())


def test_one_changed_row_with_hashes_made_to_fit_is_a_fail_that_names_the_table(shop: Shop) -> None:
    offsite = environment.open_offsite("shop", shop.database, shop.environ)
    damage_one_row(offsite, shop.offsite_manifest(), TableName("public", "users"))
    held = shop.drill()
    assert held.result.verdict == "FAIL"
    assert [finding.subject for finding in held.result.findings] == ["public.users"]
    assert held.pages


def test_a_migration_that_fails_is_a_fail(shop: Shop) -> None:
    shop.settings["migrate"] = {"command": "sh -c 'echo the migration broke; exit 7'"}
    held = shop.drill()
    assert held.result.verdict == "FAIL"
    assert outcomes(held)["migrations_apply"] == "failed"
    assert held.result.migration is not None
    assert held.result.migration.returncode == 7
    assert "the migration broke" in held.result.migration.output_tail


def test_a_scratch_server_that_refuses_the_login_is_an_error_and_no_fail(shop: Shop) -> None:
    shop.environ["SCRATCH_ADMIN_URL"] = shop.server.url(password="wrong")
    held = shop.drill()
    assert held.result.verdict == "ERROR"
    assert held.result.error is not None
    assert held.result.error.next_step
    assert "wrong@" not in str(held.result)


def test_a_bucket_without_an_artifact_is_no_pass(
    shop: Shop, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    other = create_database(postgres_server, "never dumped")
    held = quarterly.hold_drill("other", shop.database, environ={**shop.environ, "DATABASE_URL": other})
    assert held.result.verdict != "PASS"
    assert held.result.artifact is None
