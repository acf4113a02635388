"""Restores a dump: one parallel pg_restore, which stops at its first error, or restores what it can."""

import os
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hackorda_ops.errors import ToolFailed
from hackorda_ops.own_folders import private_folder
from hackorda_ops.postgres.archives.contents import ArchiveEntry, list_entries, restorable, write_list
from hackorda_ops.postgres.restoring.by_administrator import create, remarks, reserved
from hackorda_ops.postgres.restoring.failures import cause_of
from hackorda_ops.postgres.restoring.rest import NotRestored, left_out
from hackorda_ops.postgres.sessions.answering import WatchedServer
from hackorda_ops.postgres.sessions.connection import (
    ConnectionTarget,
    environment,
    redact,
    secret_files,
    with_database,
)
from hackorda_ops.postgres.sessions.session import conninfo_of, translated_errors
from hackorda_ops.postgres.sessions.settings import RESTORE_SETTINGS
from hackorda_ops.postgres.tools.clients import Clients
from hackorda_ops.postgres.tools.dump import KEEPALIVES
from hackorda_ops.postgres.tools.tool_errors import ToolOutput, require_success
from hackorda_ops.processes import child
from hackorda_ops.progress import OnProgress, Progress

# pg_restore writes a line's parts one by one ("pg_restore:", " error:", the text), and its workers to one stream: a
# line may begin with parts of another, or lack its own.
_FAILED_ENTRY = re.compile(r"(?:^|pg_restore:|error:|warning:|detail:|hint:) ?from TOC entry (\d+); ")
# The last line of a pg_restore that finished despite errors.
_ERRORS_IGNORED = "pg_restore: warning: errors ignored on restore: "
_FINISHED_DATA = re.compile(r"finished item (\d+) TABLE DATA ")


@dataclass(frozen=True)
class RestoreResult:
    """A finished restore.

    Attributes:
        seconds: how long pg_restore took.
        warnings: what pg_restore or the server warned about without stopping.
        not_restored: what the server rejected in a restore that kept going.
    """

    seconds: float
    warnings: tuple[str, ...]
    not_restored: tuple[NotRestored, ...] = ()


def restore(
    target: ConnectionTarget,
    *,
    clients: Clients,
    folder: Path,
    on_progress: OnProgress,
    deadline_seconds: float | None,
    jobs: int = 2,
    keep_going: bool = False,
    only: Collection[int] | None = None,
    administrator: ConnectionTarget | None = None,
) -> RestoreResult:
    """Restores a dump into an empty database (`restore_target.require_empty`), without owners and grants.

    Subscriptions are left out: one in the copy would immediately receive the source's changes. So are tablespaces,
    which belong to a server: everything goes into the database's own.

    Args:
        target: the empty database.
        clients: of the target server's major version, and of the one that wrote the dump.
        folder: the dump.
        on_progress: called about every second with how many bytes of the dump's table data are loaded; indexes and
            foreign keys follow after the last of them.
        deadline_seconds: how long it may take; None for no limit.
        jobs: tables loaded, or indexes built, at a time; at least 2 for progress in the middle.
        keep_going: restores everything that the server accepts, and reports what it rejects. If the server,
            not the dump, is at fault, or the dump can't be read, that is still an error.
        only: the numbers of the entries to restore; None for all.
        administrator: any database of the server as a superuser, who creates what `target`'s role may not
            (`by_administrator`); None where that creates everything.

    Raises:
        RightsMissing: the role can't create something in the dump; the message names it.
        DiskFull: the target's server has no room.
        RestoreRefused: the server rejects the dump's data or definitions; the message names the object.
        ToolFailed: anything else that the server refuses, if the cause is unknown.
        OpsError: the login or the connection failed (`tool_errors`).
        ConnectionLost: the server has not answered for minutes, although its connections are open.
        ArtifactDamaged: the dump's table of contents can't be read.
    """
    entries = restorable(list_entries(clients, folder))
    if only is not None:
        entries = tuple(entry for entry in entries if entry.dump_id in only)
    special = () if administrator is None else reserved(entries, clients=clients, archive=folder)
    ours = {each.entry for each in special}
    entries = tuple(entry for entry in entries if entry not in ours)
    progress = _Progress(_data_sizes(entries, folder), on_progress)
    server = WatchedServer(conninfo_of(target))

    def poll() -> None:
        progress.tell()
        with translated_errors(target, "Restoring"):
            server.look()

    started = time.monotonic()
    lacking: list[NotRestored] = []
    with private_folder() as private:
        chosen = private / "part.list"
        waiting = list(_parts(entries))
        while waiting:
            part = waiting.pop(0)
            write_list(part, chosen)
            progress.begin()
            finished = child.run(
                [
                    clients.pg_restore,
                    f"--jobs={jobs}",
                    "--no-data-for-failed-tables" if keep_going else "--exit-on-error",
                    "--no-owner",
                    "--no-privileges",
                    "--no-subscriptions",
                    "--no-tablespaces",
                    "--no-password",
                    "--verbose",
                    f"--use-list={chosen}",
                    KEEPALIVES,
                    folder,
                ],
                environment=environment(target, settings=RESTORE_SETTINGS, base=os.environ),
                secret_files=secret_files(target),
                on_stderr_line=progress.hear,
                redact=lambda text: redact(text, target),
                poll=poll,
                deadline_seconds=deadline_seconds,
            )
            complaints = progress.output.complaints
            try:
                require_success(
                    "pg_restore",
                    f"restoring into {target.describe()}",
                    returncode=finished.returncode,
                    complaints=complaints,
                )
            except ToolFailed as failure:
                failed = [entry for entry in part if entry.dump_id in progress.failed]
                if not (keep_going and progress.reached_end and failed):
                    raise cause_of(failure, complaints, target, clients=clients, archive=folder) from None
                rest = left_out(failed, failure, target, clients=clients, archive=folder)
                if rest.complete:
                    lacking += rest.not_restored
                elif len(failed) < len(part):
                    waiting.insert(
                        0, failed
                    )  # again: some of them failed temporarily, and others because those were missing
                else:
                    raise
    if administrator is not None and not lacking:
        create(with_database(administrator, target.database), special)
    progress.complete()
    warnings = (*progress.output.warnings, *remarks(special))
    return RestoreResult(time.monotonic() - started, warnings, tuple(lacking))


def _parts(entries: Sequence[ArchiveEntry]) -> Iterator[Sequence[ArchiveEntry]]:
    """All entries in the order of their restore: event triggers separately, after everything else.

    pg_restore creates them before it refreshes the materialized views, so they would already fire: one that
    logs every command would write into the copy what the source never had.
    """
    last = [entry for entry in entries if _is_of_event_trigger(entry)]
    yield [entry for entry in entries if not _is_of_event_trigger(entry)] if last else entries
    if last:
        yield last


def _is_of_event_trigger(entry: ArchiveEntry) -> bool:
    about = entry.type in ("COMMENT", "SECURITY LABEL") and entry.description.startswith("- EVENT TRIGGER ")
    return entry.type == "EVENT TRIGGER" or about


def failed_entries(line: str) -> set[int]:
    """The numbers of the entries that a line of pg_restore says have failed. Pure."""
    return set(map(int, _FAILED_ENTRY.findall(line)))


class _Progress:
    """Follows pg_restore's lines. They arrive in another thread; the caller is notified in its own."""

    def __init__(self, data_bytes: Mapping[int, int], on_progress: OnProgress) -> None:
        self.output = ToolOutput()
        self.begin()
        self._data_bytes = data_bytes
        self._total_bytes = sum(data_bytes.values())
        self._done_bytes = 0
        self._on_progress = on_progress

    def begin(self) -> None:
        """Called before each pg_restore, so that messages about a failure are of this run."""
        self.output.complaints.clear()
        self.failed: set[int] = set()
        self.reached_end = False

    def hear(self, line: str) -> None:
        self.failed.update(failed_entries(line))
        if _ERRORS_IGNORED in line:
            self.reached_end = True
            return
        self.output.hear(line)
        for dump_id in _FINISHED_DATA.findall(line):
            self._done_bytes += self._data_bytes.get(int(dump_id), 0)

    def tell(self) -> None:
        self._on_progress(Progress("restore", self._done_bytes, self._total_bytes, "bytes"))

    def complete(self) -> None:
        self._done_bytes = self._total_bytes
        self.tell()


def _data_sizes(entries: Iterable[ArchiveEntry], folder: Path) -> dict[int, int]:
    """The bytes on disk of each table's data, by the entry's number in the archive."""
    numbers = {entry.dump_id for entry in entries if entry.type == "TABLE DATA"}
    files = {path.name.partition(".")[0]: path for path in folder.glob("*.dat*")}
    return {number: files[str(number)].stat().st_size for number in numbers if str(number) in files}
