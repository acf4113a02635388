"""What keeps a night from being proven is never the backup's fault: ERROR, with what to do, and nothing is left."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.errors import Problem
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.local.postgres import PostgresServer, create_database, wheel_bin_dir
from hackorda_ops.postgres.tools import clients
from hackorda_ops.scratch.sweep import left_behind, sweep
from hackorda_ops_tests.night_proof.conftest import Taken

pytestmark = pytest.mark.server

# A function of the source that does something only where it is restored on a private socket.
AWAY = """
CREATE TABLE t (id int);
INSERT INTO t VALUES (1);
CREATE FUNCTION run(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    IF inet_server_port() IS NULL THEN
        {};
    END IF;
    RETURN $1;
END $$;
CREATE INDEX ON t (run(id));
"""


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any Postgres but what the configuration names."""
    monkeypatch.setattr(clients, "WHEELS", {})
    monkeypatch.setattr(clients, "_INSTALL_FOLDERS", ())


@pytest.fixture
def acting(postgres_server: PostgresServer, take: Callable[..., Taken]) -> Callable[[str], Taken]:
    """The night of a database whose own function does something where it's restored."""

    def acting(action: str) -> Taken:
        url = create_database(postgres_server, f"acting {secrets.token_hex(3)}")
        with psycopg.connect(url) as connection:
            connection.execute(AWAY.format(action).encode())
        return take(url)

    return acting


def without(missing: str, tmp_path: Path) -> Path:
    """The programs of Postgres 17, as a package without some files would bring them."""
    whole = tmp_path / "without"
    shutil.copytree(wheel_bin_dir().parent, whole, symlinks=True)
    for path in whole.rglob(missing):
        path.unlink()
    return whole / "bin"


def on(taken: Taken, programs: Path) -> Taken:
    changed = taken.changed(source={"client_folders": [str(programs)]}, proof={"every": "night"})
    return replace(changed, environ={**taken.environ, "PATH": "/usr/bin:/bin"})


def test_without_the_servers_programs_it_is_an_error_that_names_the_package(
    shop: Taken, tmp_path: Path, nowhere: None
) -> None:
    proved = on(shop, without("initdb", tmp_path)).prove()
    proof = proved.proof
    assert (proof.verdict, proof.findings, proof.place, proved.nowhere) == ("ERROR", (), None, True)
    assert proof.error is not None
    assert "server programs of Postgres 17" in proof.error.what
    assert "postgresql-17" in proof.error.next_step
    # It says nothing against the artifact.
    [held] = read_judged({"store": shop.store}, "shop").held
    assert held.judgement.state == "unproven"
    assert shop.left == []


def test_without_an_extension_it_is_an_error_that_says_what_to_install(
    shop: Taken, tmp_path: Path, nowhere: None
) -> None:
    proof = on(shop, without("citext*", tmp_path)).prove().proof
    assert (proof.verdict, proof.findings) == ("ERROR", ())
    assert proof.error is not None
    assert "citext" in proof.error.what
    assert "postgresql-17-NAME" in proof.error.next_step
    assert shop.left == []


def test_what_this_machine_lacks_the_scratch_server_has(
    shop: Taken, tmp_path: Path, nowhere: None, scratch_server: PostgresServer
) -> None:
    lacking = on(shop, without("initdb", tmp_path)).changed(scratch={"server": {"superuser": "postgres"}})
    environ = {**lacking.environ, "PATH": "/usr/bin:/bin", "SCRATCH_ADMIN_URL": scratch_server.url()}
    proof = replace(lacking, environ=environ).prove().proof
    assert (proof.verdict, proof.error) == ("PASS", None)
    assert proof.place is not None
    assert proof.place.startswith("scratch server")
    with psycopg.connect(scratch_server.url()) as connection:
        assert connection.execute("SELECT FROM pg_database WHERE datname ~ '^hackorda_ops'").fetchall() == []


def test_a_full_disk_is_an_error_that_says_what_to_free(shop: Taken, small_disk: Path) -> None:
    if not small_disk.is_mount():
        pytest.skip("only root can mount a small disk")
    (small_disk / "filler").write_bytes(bytes(1_000_000))
    proof = shop.changed(dump={"work_folder": str(small_disk / "work")}).prove().proof
    assert (proof.verdict, proof.findings) == ("ERROR", ())
    assert proof.error is not None
    assert "room" in proof.error.next_step


def test_too_little_room_for_the_restored_database_is_found_before_anything_is_restored(
    shop: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hackorda_ops.scratch.local.scratch.OF_ITS_OWN_BYTES", 10**18)
    proved = shop.changed(proof={"where": "local"}).prove()
    assert (proved.proof.verdict, proved.proof.findings, proved.nowhere) == ("ERROR", (), True)
    assert proved.proof.error is not None
    assert "dump.work_folder" in proved.proof.error.next_step
    assert shop.left == []


def test_out_of_time_before_anything_is_restored_it_is_an_error(shop: Taken) -> None:
    proof = shop.changed(proof={"within_minutes": 1e-9}).prove().proof
    _given_up(proof.error)
    assert (proof.verdict, proof.findings, proof.place) == ("ERROR", (), None)
    assert shop.left == []


def test_out_of_time_while_the_server_works_it_is_an_error_and_the_server_is_gone(
    acting: Callable[[str], Taken],
) -> None:
    sleeping = acting("PERFORM pg_sleep(3600)").changed(proof={"within_minutes": 0.2})
    proof = sleeping.prove().proof
    _given_up(proof.error)
    assert (proof.verdict, proof.findings) == ("ERROR", ())
    assert proof.place is not None
    assert sleeping.left == []


def _given_up(error: Problem | None) -> None:
    assert error is not None
    assert "given up" in error.what
    assert "within_minutes" in error.next_step


@pytest.mark.parametrize("stage", ["fetch", "restore", "compare with the manifest", "take down"])
def test_of_a_killed_proof_nothing_is_left_after_a_sweep(stage: str, shop: Taken) -> None:
    policy = json.dumps(shop.policy.model_dump(mode="json", exclude_unset=True))
    ended = subprocess.run(
        [sys.executable, "-m", "hackorda_ops_tests.night_proof.killed_proof", policy, stage],
        env={**os.environ, **shop.environ},
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()

    if stage != "fetch":
        assert len(left_behind(shop, budget_seconds=1)) == 1
        [name] = sweep(shop)
        assert name.startswith("the local server ")
    assert [path for path in shop.left if "local-servers" in str(path)] == []
    # What was fetched goes with the next proof, which isn't held up by any of it.
    assert shop.prove().proof.verdict == "PASS"
    assert shop.left == []
    assert list((shop.policy.dump.work_folder / "local-servers" / "shop").iterdir()) == []


def test_the_sources_code_runs_no_program_on_this_machine(
    acting: Callable[[str], Taken], tmp_path: Path
) -> None:
    trace = Path("/tmp") / f"hackorda-ops-was-here-{secrets.token_hex(3)}"
    taken = acting(f"EXECUTE $x$COPY (SELECT 1) TO PROGRAM 'touch {trace}'$x$")
    proof = taken.prove().proof
    assert not trace.exists()
    # It could not be restored like that, which is no word against its rows.
    assert (proof.verdict, proof.findings) == ("ERROR", ())
    assert taken.left == []
