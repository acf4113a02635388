"""A store full of hostile manifests and names: every command sees the good artifact among them, and acts on it."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hackorda_ops.artifacts.manifest import MANIFEST_NAME
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops_tests.artifacts.hostile import BESIDE, KEYS, MANIFESTS

PROGRAM = Path(sys.executable).with_name("hackorda-ops")
BUCKET = "hostile-neighbours"
ROWS = 321
# The exit codes of what was told: nothing wrong, or FAIL and at risk.
TOLD = {0, 1}


class Operator:
    """Runs commands, and reads what they say."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder = folder
        self.environ = environ
        self.artifact_id = ""

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [PROGRAM, *arguments],
            env=self.environ | variables,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert "This is a bug" not in done.stderr, done.stderr
        for stream in (done.stdout, done.stderr):
            assert "\x1b[2J" not in stream
            assert "\u202e" not in stream
        return done

    def said(self, *arguments: str, **variables: str) -> Any:
        done = self.run(*arguments, "--json", **variables)
        assert done.returncode in TOLD, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def operator(
    postgres_server: PostgresServer,
    scratch_server: PostgresServer,
    s3_server: S3Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Operator:
    """One artifact, in the store and off-site, and beside it whatever there is of hostile things."""
    url = create_database(postgres_server, "hostile neighbours")
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(f"CREATE TABLE users AS SELECT n AS id FROM generate_series(1, {ROWS}) n")
    create_bucket(s3_server, BUCKET)
    folder = tmp_path_factory.mktemp("operator")
    (folder / "databases.yaml").write_text(
        "databases: {hackorda: {scratch: {server: {}}, retention: {offsite: {}}}}", encoding="utf-8"
    )
    made = Operator(
        folder,
        {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "DATABASE_URL": url,
            "SCRATCH_ADMIN_URL": scratch_server.url(),
            "OFFSITE_BUCKET": BUCKET,
            "OFFSITE_ENDPOINT_URL": s3_server.endpoint_url,
            "OFFSITE_REGION": s3_server.region,
            "OFFSITE_ACCESS_KEY_ID": s3_server.access_key_id,
            "OFFSITE_SECRET_ACCESS_KEY": s3_server.secret_access_key,
        },
    )
    made.said("dump")
    [found] = (folder / "backups" / "hackorda").glob(f"*/{MANIFEST_NAME}")
    made.artifact_id = found.parent.name
    made.said("copy")
    client = s3_server.client()

    def put(key: str, data: bytes) -> None:
        # This server fails at some names, which others take.
        if key.isprintable():
            client.put_object(Bucket=BUCKET, Key=key, Body=data)

    _surround(found.parent, put)
    return made


def _surround(artifact: Path, put: Callable[[str, bytes], object]) -> None:
    root, good = artifact.parents[1], (artifact / MANIFEST_NAME).read_bytes()

    def everywhere(key: str, data: bytes) -> None:
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        put(key, data)

    began = datetime.strptime(artifact.name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    for number, change in enumerate(MANIFESTS.values(), 1):
        # Each is a little older or newer than the good one, so that all of them come before it and after it.
        at = began + timedelta(seconds=number if number % 2 else -number)
        artifact_id = f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        everywhere(
            f"hackorda/{artifact_id}/{MANIFEST_NAME}",
            change(good.replace(artifact.name.encode(), artifact_id.encode())),
        )
    for number, data in enumerate(BESIDE):
        own = f"20261101T00000{number}Z-aaaaaa"
        for key in (
            f"verifications/{artifact.name}/{own}.json",
            f"proofs/{artifact.name}/{own}.json",
            f"pins/{own}.json",
            f"drills/{own}/report.json",
            f"exercises/{own}/result.json",
            f"operations/20261101T00000{number}Z-night-aaaaaa.json",
            f"receipts/0000090{number}.json",
        ):
            everywhere(f"hackorda/{key}", data)
    for key in KEYS:
        everywhere(key.format(database="hackorda", artifact=artifact.name), b"{}")
    # Only a bucket has these.
    for key in (
        "hackorda//manifest.json",
        f"hackorda/{artifact.name}/dump/../../../x",
        "hackorda/" + "y" * 1015,
    ):
        put(key, b"{}")


def test_backups_lists_the_good_one_and_each_damaged_one_with_its_reason(operator: Operator) -> None:
    assert operator.artifact_id in operator.run("backups", "--json").stdout
    said = " ".join(operator.run("backups").stdout.split())
    assert operator.artifact_id in said
    for reason in ("nested too deeply", "a key that is given twice", "inside another file", "NUL character"):
        assert reason in said, reason


def test_status_judges_the_database_by_the_good_one(operator: Operator) -> None:
    assert operator.artifact_id in json.dumps(operator.said("status"))


@pytest.mark.parametrize("place", ["store", "offsite"])
def test_the_good_one_is_verified_where_it_lies(operator: Operator, place: str) -> None:
    done = operator.run("verify", "--in", place, "--json")
    assert done.returncode == 0, done.stderr
    assert operator.artifact_id in done.stdout


def test_pruning_deletes_nothing_of_what_cant_be_read(operator: Operator) -> None:
    before = set((operator.folder / "backups").rglob(MANIFEST_NAME))
    done = operator.run("prune", "--delete")
    assert done.returncode in TOLD, done.stderr
    assert set((operator.folder / "backups").rglob(MANIFEST_NAME)) == before


@pytest.mark.parametrize(("place", "named"), [("store", True), ("offsite", False)])
def test_the_good_one_is_restored(operator: Operator, new_database: str, place: str, named: bool) -> None:
    which = ("--artifact", operator.artifact_id) if named else ()
    done = operator.run("restore", "--from", place, *which, RESTORE_URL=new_database)
    assert done.returncode == 0, done.stdout + done.stderr
    with psycopg.connect(new_database) as session:
        assert session.execute("SELECT count(*) FROM users").fetchone() == (ROWS,)


def test_a_drill_says_which_newer_ones_are_damaged_and_restores_the_good_one(operator: Operator) -> None:
    done = operator.run("drill", "--json")
    # What is newer and can't be read is a finding: somebody has to look.
    assert done.returncode in TOLD, done.stderr
    result = json.loads(done.stdout)
    assert operator.artifact_id in json.dumps(result)
    assert "ERROR" not in json.dumps(result.get("verdict", ""))


@pytest.mark.parametrize("command", [("history",), ("receipts", "verify")])
def test_what_looks_at_everything_else_ends_with_an_answer(
    operator: Operator, command: tuple[str, ...]
) -> None:
    assert operator.run(*command).returncode in {*TOLD, 2, 3}
