"""Takes a dump: one pg_dump in directory format, watched until its end."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hackorda_ops.errors import UsageError
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, environment, redact, secret_files
from hackorda_ops.postgres.sessions.session import SERVER_KEEPALIVES
from hackorda_ops.postgres.sessions.settings import COMPARABLE_SETTINGS, client_encoding
from hackorda_ops.postgres.sessions.snapshot import Snapshot
from hackorda_ops.postgres.tools.clients import Clients
from hackorda_ops.postgres.tools.tool_errors import ToolOutput, require_success
from hackorda_ops.processes import child
from hackorda_ops.progress import OnProgress, Progress

# libpq has no environment variables for these; without them, a tool whose network died would wait for two
# hours. They go into a connection string with nothing else: host, user and password stay in the environment.
KEEPALIVES: Final = (
    "--dbname=keepalives=1 keepalives_idle=60 keepalives_interval=15 keepalives_count=4 "
    "tcp_user_timeout=120000"
)
# How long pg_dump may wait for a table that a schema change has locked. It keeps others locked meanwhile.
_LOCK_WAIT_SECONDS: Final = 30
_PROBE_EVERY_SECONDS: Final = 30.0


@dataclass(frozen=True)
class DumpResult:
    """A finished dump.

    Attributes:
        folder: where its files are; the folder is 0700, its files are 0600.
        options: pg_dump's options that say what the dump holds and how, for the manifest.
        compression: "zstd" or "gzip".
        seconds: how long pg_dump took.
        warnings: what pg_dump warned about without stopping.
    """

    folder: Path
    options: tuple[str, ...]
    compression: str
    seconds: float
    warnings: tuple[str, ...]


def dump(
    target: ConnectionTarget,
    *,
    clients: Clients,
    snapshot: Snapshot | None,
    folder: Path,
    encoding: str = "UTF8",
    application_name: str = "hackorda_ops dump",
    on_progress: OnProgress,
    on_start: Callable[[int], None] = lambda _: None,
    poll: Callable[[], None],
    check: Callable[[], None] = lambda: None,
    deadline_seconds: float | None,
    jobs: int = 2,
    schema_only: bool = False,
) -> DumpResult:
    """Dumps a database into a folder. On failure, neither folder nor child process is left.

    The files are complete, but not flushed to the disk: whoever keeps them does that, file by file.

    Args:
        target: the source, by its direct endpoint.
        clients: of the server's major version.
        snapshot: what the dump sees; its session must stay open. None: a snapshot of pg_dump's own.
        folder: where to; it must not exist, its parent must.
        encoding: the database's own.
        application_name: how the sessions of pg_dump show in pg_stat_activity.
        on_progress: called about every second with how many bytes were written so far.
        on_start: called with the process id of pg_dump once it runs.
        poll: called at once and then every 30 seconds; what it raises ends the dump (`Lock.probe`).
        check: called every second, likewise (`Reading.raise_if_in_the_way`).
        deadline_seconds: how long it may take; None for no limit but `poll`.
        jobs: tables dumped at a time, each on a connection of its own.
        schema_only: leaves out all rows; tables are locked for as long as it takes to read their definitions.

    Raises:
        RightsMissing: the role can't read everything.
        ClientMissing: the clients are not of the server's major version.
        DiskFull: the folder's disk has no room.
        ConnectionLost: the connection broke, or the snapshot's session ended.
        SourceBusy: a table stayed locked, or another session wanted it meanwhile.
        Stalled: the deadline passed.
        OpsError: any other failure (`tool_errors`).
    """
    options = (*_options(clients, jobs, encoding), *(["--schema-only"] if schema_only else []))
    held = () if snapshot is None else (f"--snapshot={snapshot.identifier}",)
    output = ToolOutput()
    _make_private(folder)
    try:
        finished = child.run(
            [
                clients.pg_dump,
                *options,
                *held,
                "--no-sync",
                f"--lock-wait-timeout={_LOCK_WAIT_SECONDS}s",
                "--no-password",
                f"--file={folder}",
                KEEPALIVES,
            ],
            environment=_environment(target, application_name),
            secret_files=secret_files(target),
            on_stderr_line=output.hear,
            redact=lambda text: redact(text, target),
            on_start=lambda process: on_start(process.pid),
            poll=_Watch(folder, on_progress, poll, check),
            deadline_seconds=deadline_seconds,
        )
        require_success(
            "pg_dump",
            f"dumping {target.describe()}",
            returncode=finished.returncode,
            complaints=output.complaints,
        )
        on_progress(Progress("dump", _size_bytes(folder), None, "bytes"))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return DumpResult(folder, options, clients.compression, finished.seconds, tuple(output.warnings))


def _environment(target: ConnectionTarget, application_name: str) -> dict[str, str]:
    # The name goes into the options too: a proxy may forward nothing else. While its workers copy, pg_dump's
    # own session only waits, with every table locked: the server must notice when this machine is gone.
    settings = {**COMPARABLE_SETTINGS, **SERVER_KEEPALIVES, "application_name": application_name}
    return {
        **environment(target, settings=settings, base=os.environ),
        "PGAPPNAME": application_name,
    }


class _Watch:
    """What happens every second of a dump: progress, and from time to time the caller's probe."""

    def __init__(
        self, folder: Path, on_progress: OnProgress, probe: Callable[[], None], check: Callable[[], None]
    ) -> None:
        self._folder = folder
        self._on_progress = on_progress
        self._probe = probe
        self._check = check
        self._next_probe = time.monotonic()

    def __call__(self) -> None:
        self._check()
        self._on_progress(Progress("dump", _size_bytes(self._folder), None, "bytes"))
        if time.monotonic() >= self._next_probe:
            self._probe()
            self._next_probe = time.monotonic() + _PROBE_EVERY_SECONDS


def _options(clients: Clients, jobs: int, encoding: str) -> tuple[str, ...]:
    # Before 16, pg_dump only knows gzip, and only accepts its level.
    level = f"{clients.compression}:1" if clients.major >= 16 else "1"
    return (
        "--format=directory",
        f"--jobs={jobs}",
        f"--compress={level}",
        f"--encoding={client_encoding(encoding)}",
        "--no-owner",
        "--no-privileges",
    )


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise UsageError(
            f"The folder {folder} for the dump already exists.",
            meaning="Nothing was dumped, so nothing is mixed up or overwritten.",
            next_step="Name a folder that does not exist, or remove this one.",
        ) from None


def _size_bytes(folder: Path) -> int:
    return sum(entry.stat().st_size for entry in os.scandir(folder))
