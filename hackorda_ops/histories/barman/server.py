"""The server of a recovered copy: on loopback only, with settings of our own, and nothing that acts by itself."""

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import make_conninfo

from hackorda_ops.errors import ClientMissing, HistoryRefused, LoginRefused, PointGone, Stalled
from hackorda_ops.postgres.servers import cluster
from hackorda_ops.postgres.servers.cluster import DISCARDED
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.processes import server_user
from hackorda_ops.processes.child import Child
from hackorda_ops.processes.server_user import ServerUser
from hackorda_ops.redaction.tool_lines import without_rows

_LOOK_AGAIN_SECONDS: Final = 0.1
_CONNECT_SECONDS: Final = 5
_STARTS: Final = 3
_ENDED: Final = "recovery ended before configured recovery target was reached"
_NOT_REACHED: Final = (
    _ENDED,
    "requested recovery stop point is before consistent recovery point",
    "could not locate a valid checkpoint record",
    "could not locate required checkpoint record",
)
_RECOVERING: Final = ("starting up", "not accepting connections", "not yet accepting", "shutting down")
# A copy is discarded with its folder. Nothing on it may act by itself: no archiving, no replication, no libraries that
# run jobs (pg_cron), no subscriptions.
_FIXED: Final = {
    **DISCARDED,
    "synchronous_commit": "on",
    "archive_cleanup_command": "",
    "recovery_end_command": "",
    "primary_conninfo": "",
    "primary_slot_name": "",
    "hot_standby": "off",
    "max_prepared_transactions": "200",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}
# What a copy needs that another is made of: full WAL, and all of it.
_KEEPS_WAL: Final = {"wal_level": "replica", "wal_keep_size": "1TB"}


class WalEnded(PointGone):
    """The WAL was replayed to its end, and nothing in it lies after the point: it may lie beyond that end."""


@contextmanager
def running(
    home: Path,
    programs: Path,
    source: ConnectionTarget,
    *,
    recovery: Mapping[str, str],
    keeps_wal: bool,
    deadline_seconds: float,
) -> Iterator[ConnectionTarget]:
    """Recovers the data folder in `home` and runs its server for as long as the block lasts.

    Args:
        home: with the restored data folder in `data`; the server user can reach it.
        programs: of its major version.
        source: whose role and password log in.
        recovery: the settings of the recovery.
        keeps_wal: whether another copy is to be made of it.
        deadline_seconds: how long the recovery may take.

    Yields:
        The source's database on it.

    Raises:
        WalEnded: the WAL ends without anything that lies after the target.
        PointGone: the WAL doesn't lead to the target.
        HistoryRefused: the server does not run.
        LoginRefused: the source's role can't log in.
        Stalled: the recovery took too long.
    """
    user = server_user.server_user()
    data = home / "data"
    _write_configuration(data, source, recovery)
    server_user.give_all(data, user)
    with server_user.executables_for(user, programs) as reachable:
        for start in range(_STARTS):
            port = _free_port()
            target = _target(source, port)
            settings = _FIXED | (_KEEPS_WAL if keeps_wal else {"wal_level": "minimal"}) | {"port": str(port)}
            process = _started(reachable, data, settings, user)
            try:
                if _answers(process, target, deadline_seconds):
                    yield target
                    return
            finally:
                process.stop()
            if "Address already in use" not in process.stderr_tail or start + 1 == _STARTS:
                raise _did_not_start(process)


def programs_of(folder: Path, major: int) -> Path:
    """The folder of a major version's server program, which has to be beside its client tools.

    Raises:
        ClientMissing: it isn't there.
    """
    if not (folder / "postgres").exists():
        raise ClientMissing(
            f"The server program of Postgres {major} is not in {folder}.",
            meaning="A copy of the source can't be recovered on this machine.",
            next_step=f"Install the server package of Postgres {major} (postgresql-{major} on Debian).",
        )
    return folder


def _write_configuration(data: Path, source: ConnectionTarget, recovery: Mapping[str, str]) -> None:
    # None of the source's own settings are taken over: an ALTER SYSTEM of it may archive, listen or replicate.
    for name in ("postgresql.auto.conf", "postgresql.conf", "standby.signal"):
        (data / name).unlink(missing_ok=True)
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in recovery.items()]
    (data / "postgresql.conf").touch(mode=0o600)
    (data / "postgresql.conf").write_text("\n".join([*lines, "recovery_target_action = 'promote'", ""]))
    (data / "recovery.signal").touch(mode=0o600)
    role = source.user.replace('"', '""')
    # Only the source's own role, by its own password, whichever way it's hashed.
    (data / "pg_hba.conf").unlink(missing_ok=True)
    (data / "pg_hba.conf").touch(mode=0o600)
    (data / "pg_hba.conf").write_text(f'host all "{role}" 127.0.0.1/32 md5\n')
    (data / "pg_ident.conf").unlink(missing_ok=True)
    (data / "pg_ident.conf").touch(mode=0o600)


def _target(source: ConnectionTarget, port: int) -> ConnectionTarget:
    return ConnectionTarget(
        {
            "host": "127.0.0.1",
            "port": str(port),
            "user": source.user,
            "dbname": source.database,
            "sslmode": "disable",
        },
        source.password,
    )


def _started(programs: Path, data: Path, settings: Mapping[str, str], user: ServerUser | None) -> Child:
    files = {"hba_file": str(data / "pg_hba.conf"), "ident_file": str(data / "pg_ident.conf")}
    return cluster.started(programs, data, {**files, **settings}, user)


def _answers(process: Child, target: ConnectionTarget, deadline_seconds: float) -> bool:
    """Waits until the server has recovered and answers (True), or has ended (False)."""
    deadline = time.monotonic() + deadline_seconds
    conninfo = make_conninfo("", password=target.password, **dict(target.parameters))
    while process.running:
        try:
            with psycopg.connect(conninfo, connect_timeout=_CONNECT_SECONDS):
                return True
        except psycopg.OperationalError as error:
            if _refuses(str(error)):
                raise LoginRefused(
                    f"The recovered copy refuses the role {target.user}.",
                    meaning="Nothing of it can be compared. Its role and password are those of that time.",
                    next_step="Give the source's role a password, or look whether it was changed since.",
                ) from None
        if time.monotonic() > deadline:
            raise Stalled(
                f"The copy did not recover within {deadline_seconds / 3600:g} hours.",
                meaning="Nothing was compared with it.",
                next_step="Take base backups more often, or raise history.barman.deadline_hours.",
            )
        time.sleep(_LOOK_AGAIN_SECONDS)
    return False


def _refuses(said: str) -> bool:
    """Whether waiting won't help: the server answers, and not that it is still recovering."""
    if "no password supplied" in said:
        return True
    return "FATAL" in said and not any(each in said for each in _RECOVERING)


def _did_not_start(process: Child) -> PointGone | HistoryRefused:
    log = process.stderr_tail
    said = without_rows("\n".join(log.splitlines()[-8:]))
    if any(each in log for each in _NOT_REACHED):
        kind = WalEnded if _ENDED in log else PointGone
        return kind(
            f"The WAL that Barman has doesn't lead to that point:\n{said}",
            meaning="A segment is missing or damaged, was not received yet, or nothing was committed after it.",
            next_step="Look at `barman check` and at its WAL archive around that time, then try again.",
        )
    return HistoryRefused(
        f"The recovered copy's server did not start:\n{said}",
        meaning="Nothing was recovered. That says nothing about Barman's backups yet.",
        next_step="Fix what the server's log names above, then try again.",
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
