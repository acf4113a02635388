"""A server's history, from which its branches are made: one base backup, and all of the WAL since."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg

from hackorda_ops.errors import ToolFailed
from hackorda_ops.local.neon.wal import Wal, environment, password_file, received_wal
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.processes import child, server_user
from hackorda_ops.processes.server_user import ServerUser

_BACKUP_DEADLINE_SECONDS = 600.0


@dataclass(frozen=True)
class WalMoment:
    """A place in the parent's history.

    Attributes:
        lsn: the end of the WAL then, in bytes.
        time: by the parent's clock.
    """

    lsn: int
    time: datetime


@dataclass(frozen=True)
class KeptHistory:
    """What clones are made from; valid inside `kept_history` only, and a branch's own while its server runs.

    Attributes:
        parent: the server it is the history of.
        base: the data folder of the base backup.
        wal: all WAL since.
        begins: the first moment that a clone can be made of.
        timeline: what `recovery_target_timeline` leads to the parent.
    """

    parent: PostgresServer
    base: Path
    wal: Wal
    begins: WalMoment
    timeline: str = "current"

    def mark(self) -> WalMoment:
        """The current end of the history, received, and with a commit after it.

        Recovery stops at a position only when it meets a record after it, and at a time only when it meets a
        commit after it. Hence the commit, which contains only a message that no database stores.

        Raises:
            Stalled: the WAL did not arrive.
            ToolFailed: nothing receives the WAL any more.
        """
        with psycopg.connect(self.parent.url(), autocommit=True) as connection:
            connection.execute("SET synchronous_commit = local")
            moment = _now(connection)
            connection.execute("SELECT pg_logical_emit_message(true, 'hackorda_ops', 'branch')")
            self.wal.wait(connection)
        return moment


@contextmanager
def kept_history(parent: PostgresServer, folder: Path, user: ServerUser | None) -> Iterator[KeptHistory]:
    """Takes a base backup of `parent` and receives its WAL for as long as the block lasts.

    Args:
        parent: a running server. No database on it is changed; it has a replication slot meanwhile.
        folder: where backup and WAL go; what is there from before is replaced. The server user can reach it.
        user: that the servers run as.

    Raises:
        ToolFailed: the base backup failed, or the WAL can't be received.
    """
    base, archive = folder / "base", folder / "archive"
    for path in (base, archive):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(mode=0o700)
        server_user.give(path, user)
    # The WAL first: the backup's own has to be among what is received.
    with (
        psycopg.connect(parent.url(), autocommit=True) as connection,
        received_wal(parent, archive, user, connection) as wal,
    ):
        finished = child.run(
            [
                parent.bin_dir / "pg_basebackup",
                f"--pgdata={base}",
                "--checkpoint=fast",
                "--wal-method=none",
                "--no-sync",
                "--no-manifest",
                "--no-password",
            ],
            environment=environment(parent),
            secret_files=password_file(parent),
            working_directory=Path("/"),
            run_as=None if user is None else user.name,
            deadline_seconds=_BACKUP_DEADLINE_SECONDS,
        )
        if finished.returncode != 0:
            raise ToolFailed(
                f"The local server could not be copied:\n{finished.stderr_tail}",
                meaning="The local stand-in for Neon was not started.",
                next_step="Fix what pg_basebackup names above, then start again.",
            )
        yield KeptHistory(parent, base, wal, begins=_now(connection))


def _now(connection: psycopg.Connection) -> WalMoment:
    row = connection.execute(
        "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, clock_timestamp()"
    ).fetchone()
    if row is None:
        raise AssertionError("a SELECT without FROM gives one row")
    return WalMoment(lsn=row[0], time=row[1])
