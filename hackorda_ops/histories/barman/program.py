"""Runs Barman: a child that never outlives us, whose output is parsed or redacted."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from hackorda_ops.config.barman import BarmanSection
from hackorda_ops.errors import HistoryRefused
from hackorda_ops.histories.barman import catalog
from hackorda_ops.histories.barman.catalog import BarmanBase, BarmanRetention
from hackorda_ops.processes import child
from hackorda_ops.processes.child_handle import Finished
from hackorda_ops.redaction.passwords import without_passwords
from hackorda_ops.redaction.tool_lines import without_rows

# Barman answers in seconds, but looks at its server for as long as that takes to time out.
WAL_FOLDER: Final = "barman_wal"
"""Where in a recovered data folder Barman puts the WAL."""

_ANSWER_SECONDS: Final = 180.0
_KEPT_VARIABLES: Final = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True)
class Barman:
    """Barman's program for one of its servers.

    Attributes:
        section: what databases.yaml says of it.
        environ: of which it gets what it needs to run.
    """

    section: BarmanSection
    environ: Mapping[str, str] = field(repr=False)

    def failed_checks(self) -> tuple[str, ...]:
        """What `barman check` finds wrong.

        Raises:
            HistoryRefused: it did not say.
        """
        # It ends with 1 where a check failed.
        finished = self._run("check", formatted=True)
        return catalog.failed_checks(_text(finished), self.section.server)

    def backups(self) -> tuple[tuple[str, datetime], ...]:
        """The ids and ends of its finished base backups, newest first.

        Raises:
            HistoryRefused: there is none, or it did not say.
        """
        found = catalog.finished(self._asked("list-backups"), self.section.server)
        if not found:
            raise HistoryRefused(
                f"Barman has no finished base backup of {self.section.server}.",
                meaning="It has no history yet that anything could be recovered from.",
                next_step=f"Take one: barman backup {self.section.server}",
            )
        return found

    def backup(self, backup_id: str) -> BarmanBase:
        """One of its base backups.

        Args:
            backup_id: Barman's.

        Raises:
            HistoryRefused: it did not say.
        """
        return catalog.shown(self._asked("show-backup", backup_id), self.section.server)

    def retention(self) -> BarmanRetention:
        """What it removes.

        Raises:
            HistoryRefused: it did not say.
        """
        return catalog.retention(self._asked("show-server"), self.section.server)

    def recover(self, backup_id: str, folder: Path, *, target: tuple[str, ...]) -> None:
        """Copies a base backup, and into its `WAL_FOLDER` the WAL that leads from it to a target.

        Args:
            backup_id: Barman's.
            folder: the data folder to be made.
            target: Barman's options that name the target; none for all WAL there is.

        Raises:
            HistoryRefused: it could not.
            Stalled: it took too long.
        """
        # With what was streamed of the segment that is still being received; older releases don't know the option.
        for partial in (("--partial-wal",), ()):
            finished = self._run(
                "recover",
                "--no-get-wal",
                *partial,
                *target,
                trailing=(backup_id, str(folder)),
                deadline_seconds=self.section.deadline_hours * 3600,
            )
            if finished.returncode == 0:
                return
            if "unrecognized arguments" not in finished.stderr_tail:
                break
        raise _refused("recover", finished)

    def _asked(self, command: str, *arguments: str) -> str:
        finished = self._run(command, trailing=arguments, formatted=True)
        if finished.returncode != 0:
            raise _refused(command, finished)
        return _text(finished)

    def _run(
        self,
        command: str,
        *options: str,
        trailing: tuple[str, ...] = (),
        formatted: bool = False,
        deadline_seconds: float = _ANSWER_SECONDS,
    ) -> Finished:
        section = self.section
        config = ["-c", str(section.config)] if section.config is not None else []
        form = ["-f", "json"] if formatted else []
        kept = {name: self.environ[name] for name in _KEPT_VARIABLES if name in self.environ}
        return child.run(
            [section.command, *config, *form, command, *options, section.server, *trailing],
            environment={"PATH": os.defpath} | kept | {"LC_ALL": "C.UTF-8"},
            capture_stdout=True,
            working_directory=Path("/"),
            redact=_redacted,
            deadline_seconds=deadline_seconds,
        )


def _redacted(line: str) -> str:
    return without_passwords(line, ())


def _text(finished: Finished) -> str:
    return finished.stdout.decode("utf-8", "replace")


def _refused(command: str, finished: Finished) -> HistoryRefused:
    said = without_rows(_redacted(finished.stderr_tail or _text(finished)[-2000:])).strip()
    return HistoryRefused(
        f"barman {command} ended with {finished.returncode}:\n{said or '(it said nothing)'}",
        meaning="Nothing can be recovered from Barman's history until that is solved.",
        next_step=f"Run `barman {command}` by hand, as the user that this runs as, and fix what it names.",
    )
