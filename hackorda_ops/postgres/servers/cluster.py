"""A Postgres cluster of our own: made by initdb, and served by a process that ends with this one.

As root it belongs to an unprivileged user, and so does its server (`processes.server_user`).
"""

import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psycopg

from hackorda_ops.errors import ToolFailed
from hackorda_ops.postgres.servers import programs
from hackorda_ops.processes import child, server_user
from hackorda_ops.processes.child import Child
from hackorda_ops.processes.server_user import ServerUser

_INITDB_DEADLINE_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.02

DISCARDED: Final[Mapping[str, str]] = {
    # Nothing of it outlives its server: durability is useless.
    "fsync": "off",
    "full_page_writes": "off",
    "archive_mode": "off",
    # Nothing on it acts by itself, or reaches another server.
    "archive_command": "",
    "shared_preload_libraries": "",
    "session_preload_libraries": "",
    "synchronous_standby_names": "",
    "max_logical_replication_workers": "0",
    "max_wal_senders": "0",
    "ssl": "off",
    # Its log holds no rows and no statements, and goes to us.
    "logging_collector": "off",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_destination": "stderr",
    "max_connections": "40",
    "max_locks_per_transaction": "256",
    "shared_buffers": "128MB",
    "huge_pages": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "restart_after_crash": "off",
}
"""The settings of every server that is taken down with its files."""


def initialise(
    data: Path,
    folder: Path,
    superuser: str,
    password: str,
    user: ServerUser | None,
    *,
    readable: Path,
    checksums: bool,
    sync: bool,
) -> None:
    """Makes a cluster (UTF-8, scram passwords).

    Args:
        data: its folder, which appears only once it is whole.
        folder: of the server programs, where `user` can execute them.
        superuser: the name of the role that may do everything.
        password: that role's.
        user: who will own it; None for ourselves.
        readable: a folder that `user` can enter, for the password on its way.
        checksums: whether it has data checksums.
        sync: whether it is flushed to disk.

    Raises:
        ToolFailed: initdb could not.
    """
    # Created under another name and renamed: an interrupted initdb never passes for a cluster.
    unfinished = data.with_name(f"{data.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    server_user.make_private_folder(unfinished, user)
    # initdb reads the password as the server's user, who can't read our copy.
    password_file = readable / "initdb-password"
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    server_user.give(password_file, user)
    major = programs.major_of(folder) or 0
    try:
        finished = child.run(
            [
                folder / "initdb",
                f"--pgdata={unfinished}",
                f"--username={superuser}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                *_locale_options(major),
                *_checksum_options(major, checksums=checksums),
                *([] if sync else ["--no-sync"]),
            ],
            environment=programs.environment(),
            working_directory=Path("/"),
            run_as=None if user is None else user.name,
            deadline_seconds=_INITDB_DEADLINE_SECONDS,
        )
    finally:
        password_file.unlink()
    if finished.returncode != 0:
        raise ToolFailed(
            f"initdb could not make a cluster in {unfinished}:\n{finished.stderr_tail}",
            meaning="No Postgres server was started.",
            next_step="Fix what initdb names above, then start again.",
        )
    unfinished.rename(data)


def started(
    folder: Path,
    data: Path,
    settings: Mapping[str, str],
    user: ServerUser | None,
    *,
    stop_signal: signal.Signals = signal.SIGINT,
) -> Child:
    """Starts the server of a cluster; it ends with this process, however that happens.

    Args:
        folder: of the server programs, where `user` can execute them.
        data: the cluster's folder.
        settings: of the server.
        user: who it runs as; None for ourselves.
        stop_signal: how it's stopped: SIGINT ends the sessions and writes the data ("fast"), SIGQUIT doesn't write.
    """
    return child.start(
        [folder / "postgres", "-D", data, *(f"--{name}={value}" for name, value in settings.items())],
        environment=programs.environment(),
        working_directory=Path("/"),
        stop_signal=stop_signal,
        run_as=None if user is None else user.name,
    )


def ready(process: Child, conninfo: str, *, deadline_seconds: float) -> bool:
    """Waits until a server accepts connections (True), or has ended or run out of time (False).

    Args:
        process: the server.
        conninfo: how it's reached.
        deadline_seconds: how long it may take.
    """
    deadline = time.monotonic() + deadline_seconds
    while process.running and time.monotonic() < deadline:
        try:
            with psycopg.connect(conninfo, connect_timeout=5):
                return True
        except psycopg.OperationalError:
            time.sleep(_POLL_SECONDS)
    return False


def _locale_options(major: int) -> list[str]:
    # From 17 on, Postgres includes C.UTF-8; before, the operating system has to provide it.
    if major >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C.UTF-8"]


def _checksum_options(major: int, *, checksums: bool) -> list[str]:
    # From 18 on, they are the default.
    return ["--data-checksums"] if checksums else ["--no-data-checksums"] if major >= 18 else []
