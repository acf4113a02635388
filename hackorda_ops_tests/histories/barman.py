"""A real Barman that keeps the history of a server: its base backup, and its WAL as it is streamed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops_tests.e2e.processes import until

VERSION = "3.19.1"
SERVER = "own"


@dataclass(frozen=True)
class RealBarman:
    """Barman, with one server in its configuration.

    Attributes:
        command: the program.
        config: its configuration.
        home: where its backups and its WAL are.
        source: the server that it keeps the history of.
    """

    command: Path
    config: Path
    home: Path
    source: PostgresServer

    @property
    def section(self) -> dict[str, str]:
        """What databases.yaml says of it."""
        return {"server": SERVER, "config": str(self.config), "command": str(self.command)}

    def run(self, *arguments: str) -> str:
        ended = subprocess.run(
            [self.command, "-c", self.config, *arguments], capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"{arguments}: {ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def received(self) -> None:
        """Waits until all that the source has written by now was streamed, with a commit after it."""
        with psycopg.connect(self.source.url(), autocommit=True) as connection:
            connection.execute("SELECT pg_logical_emit_message(true, 'test', 'after it')")
            row = connection.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
            assert row is not None
            received = "SELECT FROM pg_stat_replication WHERE write_lsn >= %s"
            until(lambda: connection.execute(received, row).fetchone() is not None, "the WAL was received")


def segment_of(lsn: str) -> str:
    """The name of the segment that a position on the first timeline lies in."""
    high, low = (int(part, 16) for part in lsn.split("/"))
    return f"{1:08X}{high:08X}{low >> 24:08X}"


def installed(folder: Path) -> Path:
    """Barman in a folder of its own: it wants psycopg2, which is here under another package's name."""
    if shutil.which("rsync") is None:
        message = "no rsync, which Barman copies with (apt install rsync)"
        if "CI" in os.environ:
            pytest.fail(message)
        pytest.skip(message)
    install = [sys.executable, "-m", "pip", "install"]
    if subprocess.run([*install[:3], "--version"], capture_output=True, check=False).returncode != 0:
        install = ["uv", "pip", "install"]
    library = folder / "library"
    subprocess.run(
        [*install, "--quiet", "--no-deps", "--target", str(library), f"barman=={VERSION}"],
        check=True,
        capture_output=True,
    )
    command = folder / "barman"
    # A script, because Barman's cron starts others of itself by its own path.
    command.write_text(
        f'#!/bin/sh\nPYTHONPATH={library} exec {sys.executable} -W ignore {library}/bin/barman "$@"\n'
    )
    command.chmod(0o755)
    return command


@contextmanager
def keeping(source: PostgresServer, folder: Path) -> Iterator[RealBarman]:
    """Barman keeps the history of a server for as long as the block lasts; its first base backup is taken."""
    folder.mkdir(mode=0o700)
    home, config, passwords = folder / "home", folder / "barman.conf", folder / "pgpass"
    home.mkdir()
    passwords.touch(mode=0o600)
    passwords.write_text(f"127.0.0.1:{source.port}:*:{source.superuser}:{source.password}\n")
    conninfo = f"host=127.0.0.1 port={source.port} user={source.superuser} passfile={passwords}"
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    config.write_text(f"""
[barman]
barman_user = {user}
barman_home = {home}
barman_lock_directory = {home}
configuration_files_directory = {folder}/none
log_file = {folder}/barman.log

[{SERVER}]
description = the tests' own
conninfo = {conninfo} dbname=postgres
streaming_conninfo = {conninfo}
backup_method = postgres
streaming_archiver = on
slot_name = hackorda_ops_tests
create_slot = auto
archiver = off
path_prefix = {source.bin_dir}
retention_policy = RECOVERY WINDOW OF 7 DAYS
""")
    barman = RealBarman(installed(folder), config, home, source)
    barman.run("receive-wal", "--create-slot", SERVER)
    with (folder / "receive-wal.log").open("w") as log:
        receiving = subprocess.Popen(
            [barman.command, "-c", config, "receive-wal", SERVER],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        barman.received()
        barman.run("switch-wal", "--force", "--archive", "--archive-timeout", "120", SERVER)
        barman.run("backup", "--wait", SERVER)
        yield barman
    finally:
        os.killpg(receiving.pid, 15)
        receiving.wait()
