"""A protected database with a night in its store, scratch of both kinds, and a copy off-site for each test."""

import io
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest, digest_of, to_bytes
from hackorda_ops.config.models import Policy
from hackorda_ops.drill.drill import run_drill
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.environment import Protected
from hackorda_ops.history.points import AtLsn
from hackorda_ops.local.hackorda import seed
from hackorda_ops.local.neon import LocalNeon, running_local_neon
from hackorda_ops.local.neon.faults import ProjectPlan
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.neon.branches import list_own_branches
from hackorda_ops.neon.client import open_client
from hackorda_ops.night.night import take_night
from hackorda_ops.proof.check import Check
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.week import week
from hackorda_ops_tests.drill.fault_matrix import MATRIX
from hackorda_ops_tests.one_clone import all_of_one_clone

PROGRAMS = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
MIGRATE = f"{sys.executable} -m hackorda_ops.local.migrate"
# What a server has that nobody has used yet.
EMPTY = {"postgres", "template0", "template1"}


@dataclass(frozen=True)
class Night:
    """A source, and the artifact that was made of it."""

    url: str
    store: FolderStore
    manifest: Manifest


@dataclass(frozen=True)
class Shipped(Protected):
    """A protected database with an artifact off-site; `changed` gives variants."""

    bucket: str
    manifest: Manifest

    @property
    def written(self) -> dict[str, Any]:
        """Its policy as databases.yaml has it."""
        return self.policy.model_dump(mode="json", exclude_unset=True)

    @property
    def fetched(self) -> list[Path]:
        """What lies in the work folder now, beside receipts that wait until they are in their places."""
        work = self.policy.dump.work_folder
        return [path for path in work.rglob("*") if path.is_file() and work / "receipts" not in path.parents]

    def changed(self, *, environ: Mapping[str, str] | None = None, **policy: Any) -> "Shipped":
        changed = Policy.model_validate(self.written | policy)
        return replace(self, policy=changed, environ={**self.environ, **(environ or {})})

    def drill(self, **options: Any) -> DrillResult:
        return run_drill(self, **options)

    def get_offsite(self, name: str) -> bytes:
        """The bytes of one of the artifact's files, off-site."""
        with self.offsite.open(f"{self.manifest.prefix}/{name}") as stream:
            return stream.read()

    def put_manifest(self, **changes: Any) -> None:
        """Puts a manifest off-site that says something else."""
        self.put_offsite(MANIFEST_NAME, to_bytes(replace(self.manifest, **changes)))

    def put_offsite(self, name: str, data: bytes) -> None:
        """Puts other bytes in the place of one of the artifact's files, off-site."""
        self.offsite.put(
            f"{self.manifest.prefix}/{name}", io.BytesIO(data), size_bytes=len(data), sha256=digest_of(data)
        )


@dataclass(frozen=True)
class Shipments:
    """Nights that a week has copied off-site: once each, because every file is read back, and then from the copy.

    Attributes:
        s3: the server of all buckets.
        buckets: what a week made of a night, by the artifact's id; no test changes them.
    """

    s3: S3Server
    buckets: dict[str, str] = field(default_factory=dict)

    def deliver(self, night: Night, protected: Shipped) -> None:
        """Puts a night off-site, into the empty bucket of a database."""
        kept = self.buckets.get(night.manifest.artifact_id)
        if kept is not None:
            self._copy(kept, protected.bucket)
            return
        week.ship(protected, night.manifest)
        kept = f"shipped-{len(self.buckets)}"
        create_bucket(self.s3, kept)
        self._copy(protected.bucket, kept)
        self.buckets[night.manifest.artifact_id] = kept

    def _copy(self, source: str, target: str) -> None:
        client = self.s3.client()
        for entry in client.list_objects_v2(Bucket=source)["Contents"]:
            client.copy_object(
                Bucket=target, Key=entry["Key"], CopySource={"Bucket": source, "Key": entry["Key"]}
            )


@pytest.fixture(scope="package")
def night(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A small Hackorda database, which no test changes, and its night."""
    url = create_database(postgres_server, f"hackorda drilled {secrets.token_hex(3)}")
    seed(url, scale=0.005)
    return night_of(url, tmp_path_factory.mktemp("night") / "store")


def night_of(url: str, store: Path, **policy: Any) -> Night:
    database = Policy.model_validate({"store": str(store)} | policy)
    taken = take_night(Protected("hackorda", database, {**PROGRAMS, "DATABASE_URL": url}))
    return Night(url, FolderStore(store), taken.manifest)


@pytest.fixture(scope="session")
def shipments(s3_server: S3Server) -> Shipments:
    """What weeks have copied off-site."""
    return Shipments(s3_server)


@pytest.fixture
def ship(
    new_bucket: str, scratch_server: PostgresServer, s3_server: S3Server, shipments: Shipments, tmp_path: Path
) -> Callable[[Night], Shipped]:
    """Copies a night's artifact into a bucket of its own; a plain server is the scratch."""

    def ship(night: Night) -> Shipped:
        policy = {
            "store": str(night.store.root),
            "offsite": {"bucket": new_bucket},
            "scratch": {"server": {"superuser": "postgres"}},
            "dump": {"work_folder": str(tmp_path / "work")},
        }
        protected = Shipped(
            name="hackorda",
            policy=Policy.model_validate(policy),
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
        shipments.deliver(night, protected)
        return protected

    return ship


@pytest.fixture
def protected(
    night: Night, ship: Callable[[Night], Shipped], scratch_server: PostgresServer
) -> Iterator[Shipped]:
    roles = roles_on(scratch_server)
    shipped = ship(night)
    yield shipped
    # Whatever the test was about: a drill leaves nothing behind.
    assert databases_on(scratch_server) == EMPTY
    assert roles_on(scratch_server) == roles
    assert shipped.fetched == []


@pytest.fixture(scope="package")
def neon_and_recent(
    postgres_server: PostgresServer,
    server_folder: Path,
    night: Night,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[LocalNeon, Night]]:
    # After the first night, so that one artifact lies before the history and one inside of it: near its far end,
    # because it's taken at once.
    passwords = {postgres_server.superuser: postgres_server.password, "plain owner": "pw"}
    with running_local_neon(postgres_server, server_folder / "neon-drill", role_passwords=passwords) as neon:
        yield neon, night_of(night.url, tmp_path_factory.mktemp("recent") / "store")


@pytest.fixture(scope="package")
def neon(neon_and_recent: tuple[LocalNeon, Night]) -> LocalNeon:
    """A control plane over the server of the nights."""
    return neon_and_recent[0]


@pytest.fixture(scope="package")
def recent(neon_and_recent: tuple[LocalNeon, Night]) -> Night:
    """A night that the control plane's history reaches back to."""
    return neon_and_recent[1]


@pytest.fixture
def branching(recent: Night, neon: LocalNeon, ship: Callable[[Night], Shipped]) -> Iterator[Shipped]:
    """The recent night, drilled on a branch."""
    shipped = on_neon(ship(recent), neon)
    yield shipped
    neon.change_plan(ProjectPlan())
    neon.forget_faults()
    assert own_branches(neon) == []
    assert shipped.fetched == []


@pytest.fixture(scope="module")
def tiny(postgres_server: PostgresServer, neon: LocalNeon, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """As little as a drill can be about, because it is drilled so often."""
    url = create_database(postgres_server, f"tiny drilled {secrets.token_hex(3)}")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE notes AS SELECT n AS id FROM generate_series(1, 10) n")
    return night_of(url, tmp_path_factory.mktemp("tiny") / "store")


@pytest.fixture(scope="module")
def one_clone(neon: LocalNeon, tiny: Night) -> Iterator[None]:
    """All branches stand for one real clone: each is of the same artifact's position."""
    with all_of_one_clone(neon, AtLsn(tiny.manifest.lsn)):
        yield


def on_neon(protected: Shipped, neon: LocalNeon) -> Shipped:
    return protected.changed(
        scratch={"neon": {}},
        environ={
            "NEON_PROJECT_ID": neon.project_id,
            "NEON_API_KEY": neon.api_key,
            "NEON_API_URL": neon.base_url,
        },
    )


def own_branches(neon: LocalNeon) -> list[str]:
    with open_client(neon.project_id, neon.api_key, base_url=neon.base_url) as client:
        return [found.branch.name for found in list_own_branches(client)]


def databases_on(server: PostgresServer) -> set[str]:
    with psycopg.connect(server.url()) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def roles_on(server: PostgresServer) -> set[str]:
    with psycopg.connect(server.url()) as connection:
        return {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}


def check(result: DrillResult, name: str) -> Check:
    [found] = [each for each in result.checks if each.name == name]
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Shows what became of a drill at each fault of Neon's API, where the tests of that ran."""
    if MATRIX in config.stash:
        terminalreporter.section("a drill at each fault of Neon's API, by call")
        for line in config.stash[MATRIX].lines():
            terminalreporter.write_line(line)
