"""Runs Barman: a child that never outlives us, whose output is parsed or redacted."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from hackorda_ops.errors import HistoryRefused, PointGone
from hackorda_ops.histories.barman import catalog
from hackorda_ops.histories.barman.catalog import BarmanBase, BarmanRetention
from hackorda_ops.processes import child
from hackorda_ops.processes.child_handle import Child, Finished
from hackorda_ops.redaction.passwords import without_passwords
from hackorda_ops.redaction.tool_lines import without_rows

WAL_FOLDER: Final = "barman_wal"
"""Where in a recovered data folder Barman puts the WAL."""

# Barman answers in seconds, but looks at its server for as long as that takes to time out.
_ANSWER_SECONDS: Final = 180.0
_SWITCH_SECONDS: Final = 60
_LOST_SEGMENT: Final = re.compile(r"No such file or directory.*?\b([0-9A-F]{24})\b")
# A server's fields look like that, and are left out of what is shown; these lines are Barman's own.
_LEVEL: Final = re.compile(r"^(?:ERROR|WARNING|EXCEPTION): ", re.MULTILINE)
_KEPT_VARIABLES: Final = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True)
class Barman:
    """Barman's program for one of its servers.

    Attributes:
        server: the server's name in its configuration.
        config: its configuration file; None for its own default.
        command: the program.
        deadline_seconds: after which a recovery or a base backup is stopped.
        environ: of which it gets what it needs to run.
    """

    server: str
    config: Path | None
    command: str
    deadline_seconds: float
    environ: Mapping[str, str] = field(repr=False)

    @property
    def by_hand(self) -> str:
        """How a person calls it."""
        return self.command if self.config is None else f"{self.command} -c {self.config}"

    def failed_checks(self) -> tuple[str, ...]:
        """What `barman check` finds wrong.

        Raises:
            HistoryRefused: it did not say.
        """
        # It ends with 1 where a check failed.
        finished = self._run("check", formatted=True)
        failed = catalog.failed_checks(_text(finished), self.server)
        if finished.returncode != 0 and not failed:
            raise self._refused("check", finished)
        return tuple(without_rows(_redacted(each)) for each in failed)

    def any_backup(self) -> bool:
        """Whether it has a finished base backup.

        Raises:
            HistoryRefused: it did not say.
        """
        return bool(catalog.finished(self._asked("list-backups"), self.server))

    def backups(self) -> tuple[tuple[str, datetime], ...]:
        """The ids and ends of its finished base backups, newest first.

        Raises:
            HistoryRefused: there is none, or it did not say.
        """
        found = catalog.finished(self._asked("list-backups"), self.server)
        if not found:
            raise HistoryRefused(
                f"Barman has no finished base backup of {self.server}.",
                meaning="It has no history yet that anything could be recovered from.",
                next_step=f"Take one: {self.by_hand} backup {self.server}",
            )
        return found

    def backup(self, backup_id: str) -> BarmanBase:
        """One of its base backups.

        Args:
            backup_id: Barman's.

        Raises:
            HistoryRefused: it did not say.
        """
        return catalog.shown(self._asked("show-backup", backup_id), self.server)

    def retention(self) -> BarmanRetention:
        """What it removes.

        Raises:
            HistoryRefused: it did not say.
        """
        return catalog.retention(self._asked("show-server"), self.server)

    def recover(self, backup_id: str, folder: Path, *, target: tuple[str, ...]) -> None:
        """Copies a base backup, and into its `WAL_FOLDER` the WAL that leads from it to a target.

        Args:
            backup_id: Barman's.
            folder: the data folder to be made.
            target: Barman's options that name the target; none for all WAL there is.

        Raises:
            PointGone: a segment that it lists is not there.
            HistoryRefused: it could not.
            Stalled: it took too long.
        """
        # What was received whole lies beside the archive until the next minute's cron, and would be left out.
        self._run("archive-wal")
        # With what was streamed of the segment that is still being received; older releases don't know the option.
        for partial in (("--partial-wal",), ()):
            finished = self._run(
                "recover",
                "--no-get-wal",
                *partial,
                *target,
                trailing=(backup_id, str(folder)),
                deadline_seconds=self.deadline_seconds,
            )
            if finished.returncode == 0:
                return
            if "unrecognized arguments" not in finished.stderr_tail:
                break
        lost = _LOST_SEGMENT.search(finished.stderr_tail)
        if lost is not None:
            raise PointGone(
                f"Barman's archive lacks the WAL segment {lost[1]}, which it lists.",
                meaning="Somebody or something deleted it: no older base backup leads beyond it.",
                next_step=f"Take a base backup ({self.by_hand} backup {self.server}), and find out who can write to "
                "Barman's folder.",
            )
        raise self._refused("recover", finished)

    def receiving(self, say: Callable[[str], None]) -> Child:
        """Starts to receive WAL, until the child is stopped or fails.

        Args:
            say: is given each line that it writes; from another thread.
        """
        return child.start(
            self._arguments("receive-wal", self.server),
            environment=self._environment,
            working_directory=Path("/"),
            redact=_redacted,
            on_stdout_line=say,
            on_stderr_line=say,
        )

    def change_slot(self, option: str) -> None:
        """Makes or drops the replication slot, or lets reception begin anew with it.

        Args:
            option: of `receive-wal`.

        Raises:
            HistoryRefused: it could not.
        """
        finished = self._run("receive-wal", option)
        if finished.returncode != 0:
            raise self._refused(f"receive-wal {option}", finished)

    def end_stray_receiver(self) -> None:
        """Ends a reception that `cron` started by itself, if there is one."""
        self._run("receive-wal", "--stop")

    def cron(self) -> str:
        """What Barman has done every minute: segments archived, retention applied. "" or what went wrong."""
        finished = self._run("cron", of_server=False)
        return "" if finished.returncode == 0 else _said(finished)

    def switch_wal(self) -> None:
        """Has the source begin a new segment, and archives the old one; where that fails, the backup says why."""
        self._run("switch-wal", "--force", "--archive", "--archive-timeout", str(_SWITCH_SECONDS))

    def take_backup(self) -> None:
        """Takes a base backup, and waits for the WAL that it needs.

        Raises:
            HistoryRefused: it could not.
            Stalled: it took too long.
        """
        finished = self._run("backup", "--wait", deadline_seconds=self.deadline_seconds)
        if finished.returncode != 0:
            raise self._refused("backup", finished)

    def _asked(self, command: str, *arguments: str) -> str:
        finished = self._run(command, trailing=arguments, formatted=True)
        if finished.returncode != 0:
            raise self._refused(command, finished)
        return _text(finished)

    @property
    def _environment(self) -> dict[str, str]:
        kept = {name: self.environ[name] for name in _KEPT_VARIABLES if name in self.environ}
        return {"PATH": os.defpath} | kept | {"LC_ALL": "C.UTF-8"}

    def _arguments(self, *arguments: str) -> list[str]:
        config = ["-c", str(self.config)] if self.config is not None else []
        return [self.command, *config, *arguments]

    def _run(
        self,
        command: str,
        *options: str,
        trailing: tuple[str, ...] = (),
        formatted: bool = False,
        of_server: bool = True,
        deadline_seconds: float = _ANSWER_SECONDS,
    ) -> Finished:
        form = ["-f", "json"] if formatted else []
        server = [self.server] if of_server else []
        return child.run(
            self._arguments(*form, command, *options, *server, *trailing),
            environment=self._environment,
            capture_stdout=True,
            working_directory=Path("/"),
            redact=_redacted,
            deadline_seconds=deadline_seconds,
        )

    def _refused(self, command: str, finished: Finished) -> HistoryRefused:
        return HistoryRefused(
            f"barman {command} ended with {finished.returncode}:\n{_said(finished)}",
            meaning="Nothing can be recovered from Barman's history until that is solved.",
            next_step=f"Run `{self.by_hand} {command} {self.server}` by hand, as the user that this runs as, and fix "
            "what it names.",
        )


def _redacted(line: str) -> str:
    return without_passwords(line, ())


def _text(finished: Finished) -> str:
    return finished.stdout.decode("utf-8", "replace")


def _said(finished: Finished) -> str:
    text = _LEVEL.sub("", _redacted(finished.stderr_tail or _text(finished)[-2000:]))
    return without_rows(text).strip() or "(it said nothing)"
