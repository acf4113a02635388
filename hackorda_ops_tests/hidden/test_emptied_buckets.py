"""A bucket emptied by its own credentials: the database comes back row for row, or a sentence had said so before."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError
from psycopg import sql

from hackorda_ops.artifacts import catalog
from hackorda_ops.config.alerts import Alerts
from hackorda_ops.config.models import Policy
from hackorda_ops.doctor import buckets
from hackorda_ops.doctor.patient import Patient
from hackorda_ops.environment import Protected
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.week import week
from hackorda_ops_tests.drill.fixtures import PROGRAMS, Night

pytestmark = pytest.mark.server


@pytest.fixture
def locked(seaweed_server: S3Server, night: Night, tmp_path: Path) -> Protected:
    """A night that a week has copied into a bucket that locks it, on a server that enforces the lock."""
    return shipped(seaweed_server, night, tmp_path, lock={"mode": "compliance", "days": 7})


def shipped(
    server: S3Server, night: Night, folder: Path, *, versions: bool = True, **bucket: Any
) -> Protected:
    """The night in a bucket of its own; databases.yaml in the folder, without the store."""
    name = f"emptied-{secrets.token_hex(4)}"
    create_bucket(server, name, object_lock="lock" in bucket)
    if versions:
        server.client().put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    policy = Policy.model_validate(
        {
            "store": str(night.store.root),
            "offsite": {"bucket": name, **bucket},
            "dump": {"work_folder": str(folder / "work")},
        }
    )
    environ = {
        **PROGRAMS,
        "OFFSITE_ENDPOINT_URL": server.endpoint_url,
        "OFFSITE_REGION": server.region,
        "OFFSITE_ACCESS_KEY_ID": server.access_key_id,
        "OFFSITE_SECRET_ACCESS_KEY": server.secret_access_key,
        "DATABASE_URL": night.url,
    }
    protected = Protected("hackorda", policy, environ)
    done = week.ship(protected, night.manifest)
    assert done.locks is None or done.locks.not_locked == ()
    return protected


def empty(server: S3Server, protected: Protected) -> int:
    """Deletes all that the key can: markers on all keys, then every version; returns how many were refused."""
    client, name, refused = server.client(), protected.policy.offsite.bucket or "", 0
    for entry in client.list_objects_v2(Bucket=name).get("Contents", []):
        client.delete_object(Bucket=name, Key=entry["Key"])
    for each in client.list_object_versions(Bucket=name).get("Versions", []):
        try:
            client.delete_object(
                Bucket=name, Key=each["Key"], VersionId=each["VersionId"], BypassGovernanceRetention=True
            )
        except ClientError:
            refused += 1
    return refused


def run(
    command: str, protected: Protected, folder: Path, *arguments: str, restore_url: str = ""
) -> subprocess.CompletedProcess[str]:
    """A command as an operator runs it who has nothing but the bucket's address and keys."""
    environ = {name: value for name, value in protected.environ.items() if name != "DATABASE_URL"}
    return subprocess.run(
        [
            *(sys.executable, "-m", "hackorda_ops.cli", command, "hackorda"),
            *("--offsite", f"s3://{protected.policy.offsite.bucket}", *arguments),
        ],
        cwd=folder,
        env={**environ, "RESTORE_URL": restore_url},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def rows(url: str) -> dict[str, list[Any]]:
    """Every row of every table."""
    with psycopg.connect(url) as session:
        tables = session.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        return {
            name: sorted(row[0] for row in session.execute(f"SELECT t::text FROM {name} t").fetchall())
            for (name,) in tables
        }


@pytest.fixture
def restored(scratch_server: PostgresServer) -> Iterator[str]:
    """An empty database to restore into."""
    name = f"back {secrets.token_hex(3)}"
    yield create_database(scratch_server, name)
    with psycopg.connect(scratch_server.url(), autocommit=True) as session:
        session.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def test_a_locked_bucket_that_its_own_key_empties_gives_the_database_back_row_for_row(
    seaweed_server: S3Server,
    locked: Protected,
    night: Night,
    restored: str,
    tmp_path: Path,
) -> None:
    assert empty(seaweed_server, locked) >= len(night.manifest.files) + 1
    assert catalog.read(locked.offsite, "hackorda").artifacts == ()

    lost = run("restore", locked, tmp_path, restore_url=restored)
    assert "hides 1 artifact behind delete markers" in " ".join(lost.stderr.split())

    back = run("undelete", locked, tmp_path)
    assert back.returncode == 0, back.stderr
    assert "1 artifact brought back" in back.stdout

    done = run("restore", locked, tmp_path, restore_url=restored)
    assert done.returncode == 0, done.stderr
    assert rows(restored) == rows(night.url)


def test_a_delete_marker_on_every_key_does_not_stop_a_restore_from_beneath(
    s3_server: S3Server,
    night: Night,
    restored: str,
    tmp_path: Path,
) -> None:
    versioned = shipped(s3_server, night, tmp_path)
    for file in list(versioned.offsite.list("")):
        versioned.offsite.delete(file.key)

    done = run("restore", versioned, tmp_path, "--hidden", restore_url=restored)

    assert done.returncode == 0, done.stderr
    assert rows(restored) == rows(night.url)
    assert catalog.read(versioned.offsite, "hackorda").artifacts == ()
    listed = run("backups", versioned, tmp_path)
    assert "hidden behind delete markers since" in listed.stdout
    assert "hackorda-ops undelete hackorda --from offsite" in listed.stdout


def test_what_an_unlocked_bucket_would_lose_was_said_beforehand(
    s3_server: S3Server, night: Night, tmp_path: Path
) -> None:
    plain = shipped(s3_server, night, tmp_path, versions=False)
    said = buckets.lock(Patient(plain, Alerts(), datetime.now(UTC)))
    assert said.outcome == "attention"
    assert "whoever has its key can delete every copy" in said.seen

    assert empty(s3_server, plain) == 0

    undeleted = run("undelete", plain, tmp_path)
    assert "0 artifacts brought back" in undeleted.stdout
