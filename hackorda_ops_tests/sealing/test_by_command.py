"""Encrypted artifacts by the commands that people type, in a store and in a bucket that locks what it has."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.receipts.verify import read_receipt
from hackorda_ops_tests.sealing.keys import everything_in, keygen

pytestmark = pytest.mark.server

ROWS = 500
# What only somebody with the identity may see, of all that lies in a store or a bucket.
TELLING = (b"telling_customers", b"telling_column", b"a telling row")


@dataclass(frozen=True)
class Desk:
    """Where an operator sits: a folder with databases.yaml, and what its variables hold."""

    folder: Path
    policy: dict[str, Any]
    environ: dict[str, str]
    bucket: str
    server: S3Server

    def run(self, *arguments: str, policy: dict[str, Any] | None = None, **variables: str) -> "Answer":
        """Runs a command; `policy` changes databases.yaml for it."""
        changed = {**self.policy, **(policy or {})}
        config = self.folder / f"{secrets.token_hex(4)}.yaml"
        config.write_text(json.dumps({"databases": {"hackorda": changed}}))
        done = subprocess.run(
            [sys.executable, "-m", "hackorda_ops.cli", *arguments, "--config", str(config)],
            cwd=self.folder,
            env={**self.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert "AGE-SECRET-KEY" not in done.stdout + done.stderr
        return Answer(done.returncode, done.stdout, " ".join(done.stderr.split()))

    @property
    def artifact(self) -> Path:
        """The newest artifact's folder in the store."""
        return max(path.parent for path in self.folder.glob("store/hackorda/*/manifest.json"))

    def versions(self) -> list[dict[str, Any]]:
        """Every version in the bucket."""
        found: list[dict[str, Any]] = (
            self.server.client().list_object_versions(Bucket=self.bucket).get("Versions", [])
        )
        return found


@dataclass(frozen=True)
class Answer:
    """How a command ended, and what it printed; standard error in one line."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> str:
    made = create_database(postgres_server, "encrypted by command")
    with psycopg.connect(made, autocommit=True) as session:
        session.execute(
            "CREATE TABLE telling_customers AS SELECT n AS id, 'a telling row ' || n AS telling_column "
            f"FROM generate_series(1, {ROWS}) n"
        )
    return made


@pytest.fixture(scope="module")
def desk(
    url: str,
    seaweed_server: S3Server,
    scratch_server: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Desk:
    """A night and its copy in a locked bucket, which the commands made on a machine without an identity."""
    folder, bucket = tmp_path_factory.mktemp("desk"), f"sealed-{secrets.token_hex(4)}"
    create_bucket(seaweed_server, bucket, object_lock=True)
    policy = {
        "store": str(folder / "store"),
        "dump": {"work_folder": str(folder / "work")},
        "offsite": {"bucket": bucket, "lock": {"mode": "governance", "days": 1}},
        "encrypt_to": [keygen(folder / "id.txt")],
        "scratch": {"server": {"superuser": "postgres"}},
        "key_tables": ["telling_customers"],
    }
    keygen(folder / "wrong.txt")
    (folder / "tmp").mkdir()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "COLUMNS": "200",
        "DATABASE_URL": url,
        "SCRATCH_ADMIN_URL": scratch_server.url(),
        "OFFSITE_ENDPOINT_URL": seaweed_server.endpoint_url,
        "OFFSITE_REGION": seaweed_server.region,
        "OFFSITE_ACCESS_KEY_ID": seaweed_server.access_key_id,
        "OFFSITE_SECRET_ACCESS_KEY": seaweed_server.secret_access_key,
    }
    made = Desk(folder, policy, environ, bucket, seaweed_server)
    for command in ("dump", "copy"):
        done = made.run(command)
        assert done.code == 0, done.err
    return made


@pytest.fixture
def empty(scratch_server: PostgresServer, database_on: Callable[[PostgresServer], str]) -> str:
    return database_on(scratch_server)


def rows_in(url: str) -> int:
    with psycopg.connect(url) as session:
        [(exists,)] = session.execute("SELECT to_regclass('telling_customers') IS NOT NULL").fetchall()
        if not exists:
            return 0
        [(count,)] = session.execute("SELECT count(*) FROM telling_customers").fetchall()
    return int(count)


def test_without_an_identity_it_is_listed_verified_and_pruned(desk: Desk) -> None:
    listed = desk.run("backups", "--json")
    assert (listed.code, desk.artifact.name in listed.out) == (0, True), listed.err
    seen = desk.run("verify")
    assert (seen.code, "not measured" in seen.out + seen.err) == (0, True), seen.out + seen.err
    pruned = desk.run("prune")
    assert (pruned.code, desk.artifact.name in pruned.out) == (0, True), pruned.err
    fetched = desk.run("download", "--to", str(desk.folder / "fetched"))
    assert fetched.code == 0, fetched.err
    for told in (listed, seen, pruned, fetched):
        for name in TELLING:
            assert name.decode() not in told.out + told.err


def test_nothing_that_leaves_the_machine_tells_a_row_or_a_name(desk: Desk) -> None:
    """Its receipts neither, which lie beside it in the clear."""
    kept = everything_in(desk.folder / "store")
    client = desk.server.client()
    for each in desk.versions():
        kept += client.get_object(Bucket=desk.bucket, Key=each["Key"])["Body"].read()
    payloads = [
        json.dumps(read_receipt(path.read_bytes()).predicate).encode()
        for path in desk.folder.glob("store/hackorda/receipts/0*.json")
    ]
    assert len(payloads) >= 2
    for name in TELLING:
        assert name not in kept + b"".join(payloads)
    night = next(json.loads(each) for each in payloads if json.loads(each)["kind"] == "night")
    assert (night["tables"], night["artifact"]["sealed"], "rows" in night["artifact"]) == ([], True, False)


@pytest.mark.parametrize("way", ["file", "env", "command"])
def test_the_identity_is_taken_from_where_the_configuration_says(desk: Desk, way: str) -> None:
    path = desk.folder / "id.txt"
    identity = {"file": str(path), "env": "KEY", "command": ["cat", str(path)]}[way]
    seen = desk.run("verify", policy={"identity": {way: identity}}, KEY=path.read_text())
    assert (seen.code, "not measured" in seen.out + seen.err) == (0, False), seen.err


def test_with_the_identity_every_command_opens_it(desk: Desk, empty: str) -> None:
    identity = ("--identity", str(desk.folder / "id.txt"))
    restored = desk.run("restore", *identity, "--to-env", "RESTORE_URL", RESTORE_URL=empty)
    assert (restored.code, rows_in(empty)) == (0, ROWS), restored.err
    shown = desk.run("show", *identity)
    assert (shown.code, "telling_customers" in shown.out) == (0, True), shown.err
    fetched = desk.run("download", "--decrypt", *identity, "--to", str(desk.folder / "decrypted here"))
    assert fetched.code == 0, fetched.err
    assert list((desk.folder / "decrypted here").rglob("decrypted/dump/toc.dat"))
    for command in ("prove", "drill"):
        done = desk.run(command, *identity)
        assert (done.code, "PASS" in done.out) == (0, True), done.out + done.err
    # Whoever restores, proves and drills leaves nothing of it behind either.
    left = everything_in(desk.folder / "work") + everything_in(desk.folder / "tmp")
    assert b"a telling row" not in left


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("restore", 3),
        ("show", 3),
        ("verify", 3),
        ("download --decrypt", 3),
        ("rewrap", 3),
        ("prove", 1),
        ("drill", 1),
    ],
)
def test_a_wrong_identity_is_named_with_whom_the_artifact_is_for(
    desk: Desk, empty: str, command: str, code: int
) -> None:
    wrong = ("--identity", str(desk.folder / "wrong.txt"))
    done = desk.run(*command.split(), *wrong, RESTORE_URL=empty)
    told = " ".join((done.out + done.err).split())
    assert done.code == code, told
    assert "doesn't open" in told, told
    assert desk.policy["encrypt_to"][0] in told.replace(" ", "") or command == "rewrap", told
    assert rows_in(empty) == 0


@pytest.mark.parametrize("command", ["restore", "download --decrypt", "prove"])
def test_no_identity_is_a_matter_of_configuration_and_says_where_to_name_one(
    desk: Desk, empty: str, command: str
) -> None:
    done = desk.run(*command.split(), RESTORE_URL=empty)
    told = " ".join((done.out + done.err).split())
    assert done.code == (3 if command == "prove" else 2), told
    assert "no identity is named here" in told, told
    assert "--identity FILE" in told, told


def test_a_rewrapped_artifact_opens_for_the_new_recipient_also_under_a_lock_and_after_markers(
    desk: Desk, empty: str
) -> None:
    new = {"encrypt_to": [keygen(desk.folder / "new.txt")]}
    manifests = [each for each in desk.versions() if each["Key"].endswith("manifest.json")]

    done = desk.run("rewrap", "--identity", str(desk.folder / "id.txt"), policy=new)

    # The lock holds the earlier key, whose version is only hidden: the command says so, and that it isn't all.
    assert done.code == 3, done.err
    assert "key-1.age is hidden by a delete marker, and the version beneath still opens" in done.err
    assert [each for each in desk.versions() if each["Key"].endswith("manifest.json")] == manifests
    seen = desk.run("verify", "--identity", str(desk.folder / "new.txt"), policy=new)
    assert seen.code == 0, seen.err
    old = desk.run("verify", "--identity", str(desk.folder / "id.txt"), policy=new)
    assert (old.code, "doesn't open" in old.err) == (3, True), old.err

    # A thief with the daemon's keys puts a marker on everything: all comes back, with the key in force.
    client = desk.server.client()
    for each in client.list_objects_v2(Bucket=desk.bucket)["Contents"]:
        client.delete_object(Bucket=desk.bucket, Key=each["Key"])
    back = desk.run("undelete", policy=new)
    assert (back.code, "1 artifact brought back" in back.out) == (0, True), back.out + back.err
    restored = desk.run(
        *("restore", "--from", "offsite", "--identity", str(desk.folder / "new.txt")),
        policy=new,
        RESTORE_URL=empty,
    )
    assert (restored.code, rows_in(empty)) == (0, ROWS), restored.err
