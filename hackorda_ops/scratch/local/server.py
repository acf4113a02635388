"""The server: on a private socket, without network, with its files in a folder that is gone afterwards."""

import hashlib
import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from psycopg.conninfo import make_conninfo

from hackorda_ops.errors import PermanentError, ToolFailed
from hackorda_ops.postgres.servers import cluster
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.processes import server_user
from hackorda_ops.processes.child import Child
from hackorda_ops.processes.server_user import ServerUser
from hackorda_ops.redaction.tool_lines import without_rows

ADMIN: Final = "hackorda_ops_admin"
_HOME: Final = "home"
_START_SECONDS: Final = 60.0
# A killed process's server is ended by its supervisor, a moment later.
_STOPPING_SECONDS: Final = 30.0
_LOOK_AGAIN_SECONDS: Final = 0.1
_PORT: Final = "5432"
_SETTINGS: Final[Mapping[str, str]] = {
    **cluster.DISCARDED,
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "maintenance_work_mem": "128MB",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": _PORT,
}


@dataclass(frozen=True)
class LocalServer:
    """A server that runs.

    Attributes:
        admin: its own database, as its superuser.
        process: the server.
    """

    admin: ConnectionTarget
    process: Child

    def end(self) -> None:
        """Ends it at once: nothing of it is kept."""
        self.process.stop()


@contextmanager
def running(folder: Path, programs: Path, *, connections: int) -> Iterator[LocalServer]:
    """Makes a cluster in a folder, and runs its server for as long as the block lasts.

    Args:
        folder: an empty one of ours; `delete` removes it with everything that belongs to it.
        programs: the server's.
        connections: how many it must allow.

    Raises:
        ToolFailed: it did not start.
        PermanentError: somebody else has taken the place of its socket.
    """
    user = server_user.server_user()
    home = server_user.reachable_home(folder / _HOME, user)
    sockets = _socket_folder(folder)
    _make(sockets, user)
    password = secrets.token_urlsafe(24)
    with server_user.executables_for(user, programs) as reachable:
        cluster.initialise(
            home / "data", reachable, ADMIN, password, user, readable=sockets, checksums=False, sync=False
        )
        settings = {
            **_SETTINGS,
            "max_connections": str(connections),
            "unix_socket_directories": str(sockets),
        }
        admin = ConnectionTarget(
            {"host": str(sockets), "port": _PORT, "user": ADMIN, "dbname": "postgres", "sslmode": "disable"},
            password,
        )
        process = cluster.started(reachable, home / "data", settings, user, stop_signal=signal.SIGQUIT)
        try:
            conninfo = make_conninfo("", password=password, **dict(admin.parameters))
            if not cluster.ready(process, conninfo, deadline_seconds=_START_SECONDS):
                said = without_rows("\n".join(process.stderr_tail.splitlines()[-8:]))
                raise ToolFailed(
                    f"The Postgres server on this machine did not start:\n{said}",
                    meaning="Nothing was restored, so nothing is known against the backup.",
                    next_step="Fix what the server's log names above (memory, disk, permissions), then try again.",
                )
            yield LocalServer(admin, process)
        finally:
            process.stop()


def disk_of(folder: Path) -> Path:
    """A folder on the disk that the server of `folder` keeps its files on."""
    return server_user.reachable_home(folder / _HOME, server_user.server_user())


def delete(folder: Path) -> None:
    """Deletes a server's folder, and what belongs to it elsewhere; one that is still running is left alone."""
    home = folder / _HOME
    pointer = home / "elsewhere"
    pid = (pointer.readlink() if pointer.is_symlink() else home) / "data" / "postmaster.pid"
    deadline = time.monotonic() + _STOPPING_SECONDS
    while _runs(pid):
        if time.monotonic() > deadline:
            return
        time.sleep(_LOOK_AGAIN_SECONDS)
    sockets = _socket_folder(folder)
    if _is_ours(sockets, server_user.server_user()):
        shutil.rmtree(sockets, ignore_errors=True)
    server_user.delete_home(home)
    shutil.rmtree(folder, ignore_errors=True)


def _socket_folder(folder: Path) -> Path:
    # Not below the server's folder, nor in TMPDIR: the path of a Unix socket may have 103 bytes at most. Its name
    # follows from the folder's, so that it's found again where its process was killed.
    return Path("/tmp") / f"hackorda-ops-{hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:20]}"  # noqa: S108


def _make(sockets: Path, user: ServerUser | None) -> None:
    try:
        sockets.mkdir(mode=0o700)
    except FileExistsError:
        raise PermanentError(
            f"{sockets} is already there.",
            meaning="The server's socket belongs there, so it was not started.",
            next_step="Find out who made it, remove it, and try again.",
        ) from None
    server_user.give(sockets, user)


def _is_ours(path: Path, user: ServerUser | None) -> bool:
    with suppress(FileNotFoundError):
        return path.lstat().st_uid in {os.geteuid(), user.user_id if user else os.geteuid()}
    return False


def _runs(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text().splitlines()[0]), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, IndexError):
        return False
    return True
