"""The Barman of a database: the team's own, or the one that is run here, with its folder and its configuration."""

import math
import os
import pwd
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from typing import Final

from cronsim import CronSim
from psycopg.conninfo import make_conninfo

from hackorda_ops.config.barman import BarmanRun, BarmanSection
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ClientMissing, ConfigError, HistoryRefused
from hackorda_ops.histories.barman.program import Barman
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, secret_files
from hackorda_ops.postgres.tools.clients import Clients

SERVER: Final = "source"
"""What the server is called in a configuration that is written here: there is one server in each."""

_CONFIG: Final = "barman.conf"
_PASSWORDS: Final = "pgpass"
# Of a connection's parameters those that another session, of another program, has use for.
_LEFT_OUT: Final = frozenset({"dbname", "options", "application_name", "fallback_application_name"})
_TICKS: Final = 60
_ANY_DATABASE: Final = "postgres"


def barman_of(section: BarmanSection, protected: Protected) -> Barman:
    """The Barman of a database, to ask it and to recover from it.

    Args:
        section: what databases.yaml says of it.
        protected: the database.

    Raises:
        HistoryRefused: it is run here, and nobody has begun to.
    """
    if section.run is None:
        return _barman(section, protected, str(section.server), section.config)
    config = folder_of(section.run, protected) / _CONFIG
    if not is_installed(section.run, protected):
        raise HistoryRefused(
            f"Nothing has received the WAL of {protected.name} on this machine: there is no {config}.",
            meaning="There is no history yet that anything could be recovered from.",
            next_step=f"Start `hackorda-ops history receive {protected.name}`, and keep it running as a service.",
        )
    return _barman(section, protected, SERVER, config)


def is_installed(run: BarmanRun, protected: Protected) -> bool:
    """Whether the Barman that is run here has its configuration."""
    return (folder_of(run, protected) / _CONFIG).is_file()


def folder_of(run: BarmanRun, protected: Protected) -> Path:
    """Where the Barman that is run here keeps all of a database."""
    return run.folder.absolute() / protected.name


def slot_of(run: BarmanRun, protected: Protected) -> str:
    """The replication slot that the WAL of a database is received by."""
    return run.slot or f"hackorda_ops_{protected.name.lower()}"[:63]


def receiving_role(run: BarmanRun, protected: Protected) -> ConnectionTarget:
    """The source, as the role that receives its WAL.

    Raises:
        ConfigError: its variables are missing or wrong.
    """
    protected.require("source", "history")
    folder = folder_of(run, protected)
    if run.url_env is not None:
        return protected.source_by(run.url_env, private_folder=folder)
    return protected.source(private_folder=folder)


def install(
    section: BarmanSection, run: BarmanRun, protected: Protected, source: ConnectionTarget, clients: Clients
) -> Barman:
    """Writes the folder and the configuration of the Barman that is run here; what is there is kept.

    Args:
        section: what databases.yaml says of Barman.
        run: what it says of running it here.
        protected: the database.
        source: as the role that receives.
        clients: of the source's major version.

    Raises:
        ConfigError: something can't be written into Barman's configuration.
        ClientMissing: the source's version has no pg_receivewal here.
    """
    for program in ("pg_receivewal", "pg_basebackup"):
        if not (clients.folder / program).exists():
            raise ClientMissing(
                f"{program} is not in {clients.folder}.",
                meaning="Barman can't receive the source's WAL, or take base backups, on this machine.",
                next_step=f"Install all client programs of Postgres {clients.major} (postgresql-client-{clients.major} "
                "on Debian).",
            )
    folder = folder_of(run, protected)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    parameters = {name: value for name, value in source.parameters.items() if name not in _LEFT_OUT}
    if source.password is not None:
        write_private(folder / _PASSWORDS, secret_files(source)["PGPASSFILE"])
        parameters["passfile"] = str(folder / _PASSWORDS)
    text = configuration(
        folder,
        user=_own_user(),
        parameters=parameters,
        database=source.database,
        slot=slot_of(run, protected),
        programs=clients.folder,
        keep_days=protected.policy.objectives.history_days,
        base_backup_days=longest_gap(run.base_backup) / timedelta(days=1),
    )
    write_private(folder / _CONFIG, text)
    return _barman(section, protected, SERVER, folder / _CONFIG)


def configuration(
    folder: Path,
    *,
    user: str,
    parameters: Mapping[str, str],
    database: str,
    slot: str,
    programs: Path,
    keep_days: float,
    base_backup_days: float,
) -> str:
    """Barman's configuration file. Pure.

    Args:
        folder: where it keeps everything.
        user: the user that runs it: Barman refuses every other.
        parameters: of the connection to the source, without a database and without a password.
        database: of the sessions that are no replication.
        slot: the replication slot.
        programs: the folder of the client programs.
        keep_days: how far back it has to reach.
        base_backup_days: the longest time between two base backups.

    Raises:
        ConfigError: a value can't be written into it.
    """
    # Barman takes a connection string apart at its blanks. It only asks about the server, in whichever database.
    if any(map(str.isspace, database)):
        database = _ANY_DATABASE
    _require_writable(
        {
            **{f"connection's {name}": value for name, value in parameters.items()},
            "folder": str(folder),
            "folder of client programs": str(programs),
            "user of this machine": user,
        }
    )
    conninfo = make_conninfo("", **parameters)
    settings = {
        "barman": {
            "barman_user": user,
            "barman_home": str(folder),
            "barman_lock_directory": str(folder),
            "configuration_files_directory": str(folder / "none"),
            "log_file": str(folder / "barman.log"),
        },
        SERVER: {
            "description": "kept by hackorda-ops",
            "conninfo": make_conninfo(conninfo, dbname=database),
            "streaming_conninfo": conninfo,
            "backup_method": "postgres",
            "streaming_archiver": "on",
            "archiver": "off",
            "slot_name": slot,
            "create_slot": "manual",
            "path_prefix": str(programs),
            "compression": "pygzip",
            "retention_policy": f"RECOVERY WINDOW OF {math.ceil(keep_days)} DAYS",
            "minimum_redundancy": "1",
            # Half a day for a late one.
            "last_backup_maximum_age": f"{math.ceil(base_backup_days * 24) + 12} HOURS",
        },
    }
    lines = [
        "# Written by hackorda-ops, and written again at each start. The password is in pgpass, beside it."
    ]
    for section, of_section in settings.items():
        lines += ["", f"[{section}]", *(f"{name} = {value}" for name, value in of_section.items())]
    return "\n".join([*lines, ""])


def _require_writable(values: Mapping[str, str]) -> None:
    for name, value in values.items():
        # A % begins a variable in Barman's configuration, and a blank another part of a connection string.
        if any(each == "%" or each.isspace() for each in value):
            raise ConfigError(
                f"Barman can't use this {name}, because it has a % or a blank in it: {value}",
                meaning="Nothing was written, and nothing is received.",
                next_step="Use a folder, a role and a host without these characters (history.barman.run).",
            )


def longest_gap(cron: str) -> timedelta:
    """The longest time between two ticks of a schedule. Pure."""
    ticks = islice(CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC)), _TICKS)
    return max((after - before for before, after in pairwise(ticks)), default=timedelta(days=366))


def _barman(section: BarmanSection, protected: Protected, server: str, config: Path | None) -> Barman:
    return Barman(server, config, section.command, section.deadline_hours * 3600, protected.environ)


def _own_user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise ConfigError(
            f"The user id {os.geteuid()} that this runs as has no name on this machine.",
            meaning="Barman runs only as a user that it knows by name.",
            next_step="Give it one (a line in /etc/passwd), or run this as another user.",
        ) from None


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, so that nobody ever sees half of it."""
    unfinished = path.with_name(f".{path.name}-{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.replace(path)
