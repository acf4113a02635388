"""An encrypted night that is killed at any stage leaves no row of the database on a disk."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import zstandard

from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops_tests.e2e.nights import until_it_says
from hackorda_ops_tests.e2e.processes import until
from hackorda_ops_tests.sealing.keys import keygen

pytestmark = pytest.mark.server

ROW = b"a telling row"


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> str:
    made = create_database(postgres_server, "killed nights")
    with psycopg.connect(made, autocommit=True) as session:
        session.execute(
            "CREATE TABLE customers AS SELECT n, 'a telling row ' || n AS name FROM generate_series(1, 20000) n"
        )
    return made


def decompressed(data: bytes) -> bytes:
    """What can be had of what may be half a file of pg_dump's."""
    found = b""
    try:
        with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as stream:
            while block := stream.read(1 << 16):
                found += block
    except zstandard.ZstdError:
        pass
    return found


def tells_rows(folder: Path) -> list[Path]:
    """The files with a row in them, as it is or compressed."""
    found = []
    for path in folder.rglob("*"):
        try:
            data = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:
            continue
        if ROW in data or ROW in decompressed(data):
            found.append(path)
    return found


@pytest.fixture
def config(tmp_path: Path) -> Path:
    policy = {
        "store": str(tmp_path / "store"),
        "dump": {"work_folder": str(tmp_path / "work")},
        "encrypt_to": [keygen(tmp_path / "id.txt")],
        "identity": {"file": str(tmp_path / "id.txt")},
    }
    path = tmp_path / "databases.yaml"
    path.write_text(json.dumps({"databases": {"hackorda": policy}}))
    (tmp_path / "tmp").mkdir()
    return path


def at_work(config: Path, url: str, *what: str) -> subprocess.Popen[str]:
    environ = {"PATH": os.environ["PATH"], "TMPDIR": str(config.with_name("tmp")), "DATABASE_URL": url}
    return subprocess.Popen(
        [sys.executable, "-m", "hackorda_ops_tests.sealing.killed_night", config, *what],
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("stage", ["count", "dump", "read back", "encrypt"])
def test_no_row_stays_on_the_disk_of_a_night_that_is_killed(config: Path, url: str, stage: str) -> None:
    with at_work(config, url, "night", stage) as night:
        try:
            until_it_says(night, stage)
            if stage == "dump":
                until(lambda: bool(tells_rows(config.parent)), "rows lie in the clear while pg_dump writes")
            if stage == "encrypt":
                assert tells_rows(config.parent) == []
        finally:
            night.kill()
    until(
        lambda: not list(config.parent.glob("store/.staging/hackorda/*")),
        "what it left is removed",
        limit_seconds=90,
    )
    assert tells_rows(config.parent) == []


def test_no_row_stays_on_the_disk_of_a_verification_that_is_killed(config: Path, url: str) -> None:
    with at_work(config, url, "night", "") as night:
        night.communicate()
    assert tells_rows(config.parent) == []
    with at_work(config, url, "verify", "decrypt") as verification:
        try:
            until_it_says(verification, "decrypt")
            until(lambda: bool(tells_rows(config.parent)), "rows lie in the clear while they are compared")
        finally:
            verification.kill()
    until(lambda: not list(config.parent.glob("work/verify-*")), "what it left is removed", limit_seconds=90)
    assert tells_rows(config.parent) == []
