"""The embedded Postgres server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.errors import ServerUnreachable
from hackorda_ops.local.postgres import PostgresServer, create_database, delete_server, running_postgres

pytestmark = pytest.mark.server

_QUICK = {"fsync": "off"}
# A process of its own, so that it can be killed: it starts a server, says where, and waits for its end.
_HOLDER = """
import sys, time
from pathlib import Path
from hackorda_ops.local.postgres import running_postgres
with running_postgres(Path(sys.argv[1]), settings={"fsync": "off"}) as server:
    print(server.url(), server.socket_folder, flush=True)
    time.sleep(600)
"""


def test_only_the_right_password_opens_the_server(postgres_server: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres_server.url(password="wrong"))


def test_the_unix_socket_asks_for_the_password_too(postgres_server: PostgresServer) -> None:
    socket = f"host={postgres_server.socket_folder} port={postgres_server.port} user=postgres"

    with psycopg.connect(socket, password=postgres_server.password) as connection:
        assert connection.execute("SELECT inet_server_addr()").fetchone() == (None,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(socket, password="wrong")


def test_the_cluster_has_utf8_and_data_checksums(new_database: str) -> None:
    with psycopg.connect(new_database) as connection:
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_the_systems_own_postgres_runs_as_well(
    debian_postgres_server: PostgresServer, database_on: Callable[[PostgresServer], str]
) -> None:
    with psycopg.connect(database_on(debian_postgres_server)) as connection:
        assert connection.execute("SELECT upper('қазақ')").fetchone() == ("ҚАЗАҚ",)


def test_a_database_with_an_odd_name_can_be_created_and_created_again(
    postgres_server: PostgresServer,
) -> None:
    url = create_database(postgres_server, 'odd/"näme"?')

    assert create_database(postgres_server, 'odd/"näme"?') == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ('odd/"näme"?',)


def test_the_password_is_not_in_the_servers_representation(postgres_server: PostgresServer) -> None:
    assert postgres_server.password not in repr(postgres_server)


def test_a_server_started_again_on_its_folder_has_its_databases_and_the_settings_of_this_run(
    server_folder: Path,
) -> None:
    folder = server_folder / "again"
    with running_postgres(folder, settings=_QUICK) as first:
        create_database(first, "kept")

    with (
        running_postgres(folder, settings=_QUICK | {"wal_level": "logical"}) as second,
        psycopg.connect(second.url("kept")) as connection,
    ):
        assert connection.execute("SHOW wal_level").fetchone() == ("logical",)
        assert second.password == first.password
    delete_server(folder)


def test_a_server_that_can_not_start_says_why(server_folder: Path) -> None:
    folder = server_folder / "broken"

    with (
        pytest.raises(ServerUnreachable, match='invalid value for parameter "wal_level"'),
        running_postgres(folder, settings=_QUICK | {"wal_level": "none at all"}),
    ):
        pytest.fail("it started")
    delete_server(folder)


def test_the_server_ends_with_a_process_that_is_killed_and_starts_again_at_once(server_folder: Path) -> None:
    folder = server_folder / "killed"
    holder = subprocess.Popen([sys.executable, "-c", _HOLDER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    url, socket_folder = holder.stdout.readline().split()
    psycopg.connect(url).close()

    holder.send_signal(signal.SIGKILL)
    holder.wait(30)
    holder.stdout.close()
    # The old server may still be shutting down: this waits for it.
    with running_postgres(folder, settings=_QUICK), pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=5).close()
    assert not (folder / "data" / "postmaster.pid").exists()
    # Nobody was left to remove it; the server took its socket along.
    Path(socket_folder).rmdir()
    delete_server(folder)


def test_everything_has_ended_when_the_block_does(server_folder: Path) -> None:
    folder = server_folder / "ended"
    with running_postgres(folder, settings=_QUICK) as server:
        main_process = int((server.data_folder / "postmaster.pid").read_text().splitlines()[0])
        owner = Path(f"/proc/{main_process}")
        if owner.exists() and os.geteuid() == 0:
            assert owner.stat().st_uid != 0
        workers = _children_of(main_process)

    for process in (main_process, *workers):
        _wait_until_gone(process)
    delete_server(folder)


def _children_of(process: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [line.split() for line in listed.stdout.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == process]


def _wait_until_gone(process: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail(f"process {process} is still there")
