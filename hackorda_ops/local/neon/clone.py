"""One clone of the parent: a server of its own, recovered from the base backup to a position or a time."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hackorda_ops.errors import ToolFailed
from hackorda_ops.local.neon.history import KeptHistory, WalMoment
from hackorda_ops.local.neon.positions import lsn_bytes, lsn_text
from hackorda_ops.local.neon.wal import BranchWal
from hackorda_ops.local.postgres import PostgresServer, delete_server, running_postgres
from hackorda_ops.processes import child, server_user
from hackorda_ops.processes.server_user import ServerUser

_COPY_DEADLINE_SECONDS = 600.0

# A clone is discarded with its branch, and never outlives this process: durability is useless here.
_DISPOSABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "archive_mode": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # No connections before recovery has finished, whatever the parent's settings were.
    "hot_standby": "off",
}
# What a clone needs to be branched itself: full WAL, and all of it.
_BRANCHED = {"wal_level": "replica", "wal_keep_size": "1TB"}


@dataclass(frozen=True)
class Clone:
    """A running clone.

    Attributes:
        server: it.
        lsn: where it left its parent, in bytes: the end of the last record it has.
    """

    server: PostgresServer
    lsn: int


@contextmanager
def running_clone(
    history: KeptHistory,
    folder: Path,
    user: ServerUser | None,
    *,
    until: int | datetime,
    branched: bool = False,
) -> Iterator[Clone]:
    """Runs a clone for as long as the block lasts, then deletes it.

    Args:
        history: must reach beyond `until` (`KeptHistory.mark`).
        folder: made for the clone. The server user can reach it.
        user: that the servers run as.
        until: a WAL position in bytes (the clone has what was written before it), or a time (the last commit at
            or before it).
        branched: whether clones may be made of the clone (`history_of`); this needs more WAL.

    Raises:
        ToolFailed: the base backup could not be copied.
        ServerUnreachable: the clone did not recover; the message has the end of its log.
    """
    folder.mkdir()
    folder.chmod(0o711)
    try:
        _copy_folder(history.base, folder / "data")
        password = folder / "superuser-password"
        password.touch(mode=0o600)
        password.write_text(history.parent.password)
        signal = folder / "data" / "recovery.signal"
        signal.touch(mode=0o600)
        server_user.give(signal, user)
        settings = _DISPOSABLE | (_BRANCHED if branched else {}) | _target(history, until)
        with running_postgres(folder, bin_dir=history.parent.bin_dir, settings=settings) as server:
            yield Clone(server, _fork_position(server.data_folder))
    finally:
        delete_server(folder)


def history_of(clone: Clone, history: KeptHistory, *, begins_at: datetime) -> KeptHistory:
    """The history of a clone that runs with `branched`, from where it left its parent.

    Args:
        clone: it.
        history: that it was made from.
        begins_at: a time at which it had left its parent.
    """
    folder = clone.server.data_folder / "pg_wal"
    return KeptHistory(
        parent=clone.server,
        base=history.base,
        wal=BranchWal(folder, history.wal),
        begins=WalMoment(clone.lsn, begins_at),
        timeline=str(int(_timeline_file(clone.server.data_folder).stem, 16)),
    )


def _copy_folder(source: Path, destination: Path) -> None:
    """Copies a folder with its owners and modes, sharing blocks where the file system can."""
    sharing = "-c" if sys.platform == "darwin" else "--reflink=auto"
    finished = child.run(
        ["cp", "-a", sharing, source, destination],
        environment={"PATH": os.defpath, "LC_ALL": "C"},
        deadline_seconds=_COPY_DEADLINE_SECONDS,
    )
    if finished.returncode != 0:
        raise ToolFailed(
            f"The base backup could not be copied:\n{finished.stderr_tail}",
            meaning="The local stand-in for Neon can't make the branch.",
            next_step="Fix what cp names above (often a full disk), then try again.",
        )


def _target(history: KeptHistory, until: int | datetime) -> dict[str, str]:
    where = (
        {"recovery_target_lsn": lsn_text(until), "recovery_target_inclusive": "off"}
        if isinstance(until, int)
        else {"recovery_target_time": until.isoformat(sep=" "), "recovery_target_inclusive": "on"}
    )
    return where | {
        "restore_command": history.wal.restore_command(),
        "recovery_target_action": "promote",
        "recovery_target_timeline": history.timeline,
    }


def _fork_position(data_folder: Path) -> int:
    # "1<tab>0/3000148<tab>before 2026-…": the last line of the newest timeline's history is its own beginning.
    text = _timeline_file(data_folder).read_text()
    last = [line for line in text.splitlines() if line and not line.startswith("#")][-1]
    return lsn_bytes(last.split("\t")[1])


def _timeline_file(data_folder: Path) -> Path:
    """The file that a recovery ends with: named after its new timeline, with the position where it began."""
    files = sorted((data_folder / "pg_wal").glob("*.history"))
    if not files:
        raise ToolFailed(
            f"The clone in {data_folder} ended its recovery without a timeline of its own.",
            meaning="What it holds is unknown.",
            next_step="Read its log, and report this.",
        )
    return files[-1]
