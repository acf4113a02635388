"""Every byte of a server's WAL from now on, received into a folder that clones recover from.

pg_receivewal streams it, so that the server needs no settings of its own and a position is here as soon as the server
has flushed it, without a switch of segments.
"""

import os
import secrets
import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import errors as postgres_errors

from hackorda_ops.errors import Stalled, ToolFailed
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.sessions.connection import parse, secret_files
from hackorda_ops.processes import child
from hackorda_ops.processes.child import Child
from hackorda_ops.processes.server_user import ServerUser

_SLOT_PREFIX = "hackorda_ops_local_neon_"
_DEADLINE_SECONDS = 120.0
_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class ReceivedWal:
    """WAL that is being received; valid inside `received_wal` only.

    Attributes:
        folder: of the segments.
        slot: the replication slot that keeps the server from removing what has not been received.
        receiver: the child that receives.
    """

    folder: Path
    slot: str
    receiver: Child

    def wait(self, connection: psycopg.Connection) -> None:
        """Waits until everything that the server has flushed by now is in the folder.

        Raises:
            ToolFailed: nothing receives the WAL any more.
            Stalled: it did not arrive in time.
        """
        row = connection.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while not connection.execute(
            "SELECT 1 FROM pg_replication_slots slot JOIN pg_stat_replication sender ON sender.pid = slot.active_pid "
            "WHERE slot_name = %s AND flush_lsn >= %s",
            [self.slot, row[0] if row else None],
        ).fetchone():
            if not self.receiver.running:
                raise ToolFailed(
                    f"Nothing receives the WAL of the local server:\n{self.receiver.wait().stderr_tail}",
                    meaning="The local stand-in for Neon can't make branches.",
                    next_step="Mend what pg_receivewal names above, then start the local stack again.",
                )
            if time.monotonic() > deadline:
                raise Stalled(
                    f"The local server's WAL did not arrive within {_DEADLINE_SECONDS:.0f} seconds.",
                    meaning="The local stand-in for Neon can't make branches.",
                    next_step="Look whether the machine is short of disk or time, then try again.",
                )
            time.sleep(_POLL_SECONDS)

    def restore_command(self) -> str:
        """The `restore_command` of a clone. A segment that is still being received has another name."""
        folder = shlex.quote(str(self.folder)).replace("%", "%%")
        # The last attempt is for a segment that was completed, and so renamed, between the first two.
        return " || ".join(f'cp {folder}/%f{suffix} "%p" 2>/dev/null' for suffix in ("", ".partial", ""))


@dataclass(frozen=True)
class BranchWal:
    """The WAL of a branch: its parent's up to where it left, and its own in the data folder of its server.

    Attributes:
        folder: where its server keeps all of its own segments.
        parent: where those before it come from.
    """

    folder: Path
    parent: "Wal"

    def wait(self, connection: psycopg.Connection) -> None:
        """Nothing to wait for: what the server has flushed is in the folder."""

    def restore_command(self) -> str:
        """See `ReceivedWal.restore_command`."""
        folder = shlex.quote(str(self.folder)).replace("%", "%%")
        return f'cp {folder}/%f "%p" 2>/dev/null || {self.parent.restore_command()}'


Wal = ReceivedWal | BranchWal


@contextmanager
def received_wal(
    server: PostgresServer, folder: Path, user: ServerUser | None, connection: psycopg.Connection
) -> Iterator[ReceivedWal]:
    """Receives the WAL of `server` for as long as the block lasts, and begins only once it flows.

    Args:
        server: a running server.
        folder: empty, and `user`'s.
        user: that the servers run as: clones read the segments.
        connection: to `server`, in autocommit mode.

    Raises:
        ToolFailed: pg_receivewal does not work.
    """
    _drop_abandoned_slots(connection)
    slot = _SLOT_PREFIX + secrets.token_hex(4)
    connection.execute("SELECT pg_create_physical_replication_slot(%s, true)", [slot])
    try:
        receiver = child.start(
            [
                server.bin_dir / "pg_receivewal",
                f"--directory={folder}",
                f"--slot={slot}",
                "--synchronous",
                "--no-password",
            ],
            environment=environment(server),
            secret_files=password_file(server),
            working_directory=Path("/"),
            run_as=None if user is None else user.name,
        )
        try:
            received = ReceivedWal(folder, slot, receiver)
            received.wait(connection)
            yield received
        finally:
            receiver.stop()
    finally:
        # A server that is gone takes no connection, and its slot is dropped at the next start.
        with suppress(psycopg.OperationalError):
            _drop_slot(server, slot)


def environment(server: PostgresServer) -> Mapping[str, str]:
    """The environment of a client program that connects to `server` as its superuser."""
    return {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGUSER": server.superuser,
    }


def password_file(server: PostgresServer) -> Mapping[str, str]:
    """The superuser's password for such a program, as `child.run` takes it."""
    return secret_files(parse(server.url(), origin="the local server's URL"))


def _drop_abandoned_slots(connection: psycopg.Connection) -> None:
    # Those of a process that was killed: they would hold back WAL for ever.
    connection.execute(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
        "WHERE NOT active AND starts_with(slot_name, %s)",
        [_SLOT_PREFIX],
    )


def _drop_slot(server: PostgresServer, slot: str) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    with psycopg.connect(server.url(), autocommit=True) as connection:
        while True:
            try:
                connection.execute("SELECT pg_drop_replication_slot(%s)", [slot])
            except postgres_errors.ObjectInUse:
                # The server has not noticed yet that the receiver is gone.
                if time.monotonic() > deadline:
                    raise
                time.sleep(_POLL_SECONDS)
            else:
                return
