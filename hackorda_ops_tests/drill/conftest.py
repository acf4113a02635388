"""A protected database with a night in its store, a second server as scratch, and a copy off-site for each test."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hackorda_ops.backup import weekly
from hackorda_ops.backup.folder_store import FolderStore
from hackorda_ops.backup.manifest import Manifest
from hackorda_ops.backup.nightly import take_night
from hackorda_ops.config import Database
from hackorda_ops.drill.drill import run_drill
from hackorda_ops.drill.result import Check, DrillResult
from hackorda_ops.local.hackorda import seed
from hackorda_ops.local.postgres import PostgresServer, create_database, delete_server, running_postgres
from hackorda_ops.local.s3 import S3Server

QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "32MB"}
PROGRAMS = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
MIGRATE = f"{sys.executable} -m hackorda_ops.local.migrate"


@dataclass(frozen=True)
class Night:
    """A source, and the artifact that was made of it."""

    url: str
    store: FolderStore
    manifest: Manifest


@dataclass(frozen=True)
class Protected:
    """A database as databases.yaml and the environment have it; `changed` gives variants."""

    policy: dict[str, Any]
    environ: Mapping[str, str]
    bucket: str
    manifest: Manifest

    @property
    def database(self) -> Database:
        return Database.model_validate(self.policy)

    def changed(self, *, environ: Mapping[str, str] | None = None, **policy: Any) -> "Protected":
        return replace(self, policy=self.policy | policy, environ={**self.environ, **(environ or {})})

    def drill(self, **options: Any) -> DrillResult:
        return run_drill("hackorda", self.database, environ=self.environ, **options)


@pytest.fixture(scope="package")
def scratch_server(server_folder: Path) -> Iterator[PostgresServer]:
    """Another server than the sources'."""
    folder = server_folder / "scratch"
    with running_postgres(folder, settings=QUICK) as server:
        yield server
    delete_server(folder)


@pytest.fixture(scope="package")
def night(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A small Hackorda database, which no test changes, and its night."""
    url = create_database(postgres_server, "hackorda drilled")
    seed(url, scale=0.005)
    return night_of(url, tmp_path_factory.mktemp("night") / "store")


def night_of(url: str, store: Path) -> Night:
    database = Database.model_validate({"store": str(store)})
    taken = take_night("hackorda", database, environ={**PROGRAMS, "DATABASE_URL": url})
    return Night(url, FolderStore(store), taken.manifest)


@pytest.fixture
def ship(
    new_bucket: str, scratch_server: PostgresServer, s3_server: S3Server, tmp_path: Path
) -> Callable[[Night], Protected]:
    """Copies a night's artifact into a bucket of its own; a plain server is the scratch."""

    def ship(night: Night) -> Protected:
        protected = Protected(
            policy={
                "store": str(night.store.root),
                "offsite": {"bucket": new_bucket},
                "scratch": {"server": {}},
                "dump": {"work_folder": str(tmp_path / "work")},
            },
            environ={
                **PROGRAMS,
                "DATABASE_URL": night.url,
                "OFFSITE_ENDPOINT_URL": s3_server.endpoint_url,
                "OFFSITE_REGION": s3_server.region,
                "OFFSITE_ACCESS_KEY_ID": s3_server.access_key_id,
                "OFFSITE_SECRET_ACCESS_KEY": s3_server.secret_access_key,
                "SCRATCH_ADMIN_URL": scratch_server.url(),
            },
            bucket=new_bucket,
            manifest=night.manifest,
        )
        weekly.ship(night.store, "hackorda", protected.database, night.manifest, environ=protected.environ)
        return protected

    return ship


@pytest.fixture
def protected(
    night: Night, ship: Callable[[Night], Protected], scratch_server: PostgresServer
) -> Iterator[Protected]:
    yield ship(night)
    # Whatever the test was about: a drill leaves nothing behind.
    assert databases_on(scratch_server) == {"postgres", "template0", "template1"}


def databases_on(server: PostgresServer) -> set[str]:
    with psycopg.connect(server.url()) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def check(result: DrillResult, name: str) -> Check:
    [found] = [each for each in result.checks if each.name == name]
    return found


def files_in(folder: str) -> list[Path]:
    return [path for path in Path(folder).rglob("*") if path.is_file()]
