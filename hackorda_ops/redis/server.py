"""A redis-server of our own: on a private socket, with its own password, never saving, gone when the block ends."""

import os
import re
import secrets
import shutil
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hackorda_ops.errors import ArtifactDamaged, ClientMissing, ConnectionLost, OpsError, ToolFailed
from hackorda_ops.own_folders import private_folder
from hackorda_ops.processes import child
from hackorda_ops.processes.child import Child
from hackorda_ops.progress import OnProgress, Progress, ignore
from hackorda_ops.redis.info import read_info
from hackorda_ops.redis.target import RedisTarget
from hackorda_ops.redis.wire import Refusal, connected

_START_SECONDS: Final = 60.0
_LOAD_SECONDS: Final = 4 * 3600.0
_PAUSE_SECONDS: Final = 0.05
_LINES_KEPT: Final = 200
_VERSION: Final = re.compile(r"v=(\d+\.\d+\.\d+)")
# What redis-server writes when a snapshot's bytes are at fault. Its other words may quote a key, so none is shown.
_DAMAGED: Final = re.compile(
    r"Wrong RDB checksum|Unexpected EOF|Short read|Internal error in RDB|Bad file format|Wrong signature"
    r"|RDB file contains|Error loading|corrupt|Invalid|integrity check",
    re.IGNORECASE,
)
_FROM_NEWER: Final = re.compile(
    r"Can't handle RDB format version|Unknown RDB encoding type|unknown RDB", re.IGNORECASE
)
_MODULE: Final = re.compile(r"module", re.IGNORECASE)
_NO_MEMORY: Final = re.compile(r"Out Of Memory|Can't allocate", re.IGNORECASE)


@dataclass(frozen=True)
class Program:
    """A redis-server to start.

    Attributes:
        path: where it is.
        version: "7.0.15".
    """

    path: Path
    version: str

    @property
    def number(self) -> tuple[int, int]:
        """Major and minor version."""
        major, minor, _ = self.version.split(".")
        return int(major), int(minor)


def find_program(folder: Path | None, search: str | None) -> Program:
    """Looks for redis-server and asks for its version.

    Args:
        folder: where it must be; None to look on a PATH.
        search: that PATH; None for the system's default.

    Raises:
        ClientMissing: there is none, or it doesn't say its version.
    """
    found = shutil.which("redis-server", path=str(folder) if folder else search or os.defpath)
    if found is None:
        raise ClientMissing(
            f"There is no redis-server {'in ' + str(folder) if folder else 'on the PATH'}.",
            meaning="A snapshot can't be read back or restored without one, so nothing could be proven.",
            next_step="Install Redis (Debian: apt install redis-server; its service need not run), or name its folder "
            "in scratch.redis.program_folder.",
        )
    said = child.run([found, "--version"], environment={}, capture_stdout=True, deadline_seconds=30)
    version = _VERSION.search(said.stdout.decode("utf-8", "replace"))
    if said.returncode or version is None:
        raise ClientMissing(
            f"{found} doesn't say which version of Redis it is.",
            meaning="A snapshot can't be read back or restored with it.",
            next_step="Install Redis, or name its folder in scratch.redis.program_folder.",
        )
    return Program(Path(found), version.group(1))


@contextmanager
def running(
    program: Program, *, memory_bytes: int, rdb: Path | None = None, on_progress: OnProgress = ignore
) -> Iterator[RedisTarget]:
    """Runs a server, for as long as the block lasts; it ends with this process, however that happens.

    It listens on a socket in a folder that only we can enter. It never writes to disk, and doesn't run modules.

    Args:
        program: what to start.
        memory_bytes: more than this it may not take.
        rdb: the snapshot that it begins with, read where it lies; None for an empty server.
        on_progress: called with the bytes of the snapshot that were read.

    Raises:
        ArtifactDamaged: the snapshot can't be loaded.
        ToolFailed: it did not start, or the snapshot takes more memory.
    """
    # A short path: a socket's has 107 characters at most.
    with private_folder() as folder:
        target = RedisTarget("", socket=folder / "socket", password=secrets.token_hex(24))
        said: deque[str] = deque(maxlen=_LINES_KEPT)
        server = child.start(
            [program.path, "-"],
            environment={"PATH": os.defpath},
            stdin=_configuration(program, target, memory_bytes, rdb, folder).encode(),
            on_stdout_line=said.append,
        )
        try:
            _wait(server, target, said, memory_bytes=memory_bytes, rdb=rdb, on_progress=on_progress)
            yield target
        finally:
            server.stop()


def _configuration(
    program: Program, target: RedisTarget, memory_bytes: int, rdb: Path | None, folder: Path
) -> str:
    lines = (
        "port 0",
        f"unixsocket {target.socket}",
        "unixsocketperm 700",
        f"requirepass {target.password}",
        "daemonize no",
        'save ""',
        "appendonly no",
        f'dir "{_quoted(rdb.parent if rdb else folder)}"',
        f'dbfilename "{_quoted(rdb.name) if rdb else "none.rdb"}"',
        "sanitize-dump-payload yes",
        "enable-module-command no",
        "databases 10000",
        f"maxmemory {memory_bytes}",
        "maxmemory-policy noeviction",
        # For DEBUG DIGEST. Servers before 7 allow it, and don't know the directive.
        *(("enable-debug-command local",) if program.number >= (7, 0) else ()),
    )
    return "\n".join(lines) + "\n"


def _quoted(path: object) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def _wait(
    server: Child,
    target: RedisTarget,
    said: deque[str],
    *,
    memory_bytes: int,
    rdb: Path | None,
    on_progress: OnProgress,
) -> None:
    """Until it answers, and has loaded its snapshot."""
    begun = time.monotonic()
    total = rdb.stat().st_size if rdb else None
    while not server.ended_within(_PAUSE_SECONDS):
        if time.monotonic() - begun > (_LOAD_SECONDS if rdb else _START_SECONDS):
            raise _failed("redis-server did not start in time.")
        if target.socket is None or not target.socket.exists():
            continue
        try:
            with connected(target) as client:
                info = read_info(client)
        except (OpsError, Refusal, ConnectionLost):
            continue
        if rdb is not None and info.memory_bytes > memory_bytes:
            raise _failed(f"The snapshot takes more than {memory_bytes:,} bytes of memory.")
        if not info.loading:
            return
        on_progress(Progress("load", info.loaded_bytes, total, "bytes"))
    server.wait()
    raise _why_ended("\n".join(said), rdb)


def _why_ended(log: str, rdb: Path | None) -> OpsError:
    if rdb is None or _NO_MEMORY.search(log):
        return _failed("redis-server ended before it had started.")
    if _FROM_NEWER.search(log):
        return _failed(
            "This redis-server can't read the snapshot: a newer version wrote it, or it isn't one."
        )
    if _DAMAGED.search(log):
        return ArtifactDamaged(
            f"The snapshot {rdb.name} can't be loaded: its bytes are damaged.",
            meaning="It could not restore the database.",
            next_step="Use another artifact, and find out what changed this one.",
        )
    if _MODULE.search(log):
        return _failed("The snapshot has data of a module that this redis-server doesn't have.")
    return _failed("redis-server ended while it loaded the snapshot.")


def _failed(what: str) -> ToolFailed:
    return ToolFailed(
        what,
        meaning="What the snapshot holds is unknown. That says nothing against it.",
        next_step="Give this machine more memory (scratch.redis.memory_mb), or a redis-server of the source's version "
        "with its modules (scratch.redis.program_folder).",
    )
