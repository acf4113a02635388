"""Opens a window, runs the work in it, and closes it: the order of a maintenance, in one call or in three."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hackorda_ops.artifacts.catalog import read_each
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.config import engines
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, PermanentError, UsageError
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.hooks.command import CommandRun, run_command
from hackorda_ops.maintenance import window as windows
from hackorda_ops.maintenance.changes import Change, changes
from hackorda_ops.maintenance.watch import watching
from hackorda_ops.maintenance.window import LONGEST, Window
from hackorda_ops.night.night import take_night
from hackorda_ops.own_folders import private_folder
from hackorda_ops.postgres.sessions.connection import redact
from hackorda_ops.progress import OnProgress
from hackorda_ops.receipts.record import recorded
from hackorda_ops.words import counted, named


@dataclass(frozen=True)
class Closed:
    """A window that is over.

    Attributes:
        window: it.
        after_id: the artifact that was taken at its end; None where none was.
        changes: what differs between the two artifacts; None where there are no two.
        findings: what the last dump's own checks found.
        command: how the work ended; None where it was done by hand.
    """

    window: Window
    after_id: str | None
    changes: tuple[Change, ...] | None
    findings: tuple[Finding, ...] = ()
    command: CommandRun | None = None

    @property
    def well(self) -> bool:
        """Whether the work succeeded, the last dump is sound, and nothing was lost."""
        lost = any(each.lost for each in self.changes or ())
        return not (
            lost or fatal(self.findings) or (self.command is not None and self.command.returncode != 0)
        )


def open_window(
    protected: Protected, *, hours: float, reason: str, dump: bool, on_progress: OnProgress
) -> Window:
    """Holds schedules and overdue alarms from now on, and takes a dump.

    Args:
        protected: the database.
        hours: after which the window ends by itself.
        reason: what for.
        dump: whether a dump is taken; without it nothing can be compared afterwards.
        on_progress: called at every stage, from more than one thread.

    Raises:
        UsageError: one is open, or it is to be too long.
        OpsError: the dump failed or isn't sound, and no window is open.
    """
    protected.require("store")
    if not 0 < hours <= LONGEST / timedelta(hours=1):
        raise UsageError(
            f"A window of {hours:g} hours can't be opened.",
            meaning="Nothing was done: alarms would be silent for too long.",
            next_step=f"Give up to {LONGEST / timedelta(hours=1):g} hours; open another one if the work takes longer.",
        )
    now, store = datetime.now(UTC), protected.store
    there = windows.read(store, protected.name)
    if there is not None and there.is_open(now):
        raise UsageError(
            f"{windows.words(there)}",
            meaning="Nothing was done: two windows at a time would close each other.",
            next_step=f"Close it first: hackorda-ops maintenance close {protected.name}",
        )
    window = Window(protected.name, reason, now, now + timedelta(hours=hours))
    windows.write(store, window)
    if not dump:
        return window
    try:
        taken = _sound_dump(protected, on_progress)
    except BaseException:
        windows.write(store, window.closed(datetime.now(UTC)))
        raise
    window = replace(window, before_id=taken.artifact_id)
    windows.write(store, window)
    return window


def _sound_dump(protected: Protected, on_progress: OnProgress) -> Manifest:
    taken = take_night(protected, reason="on demand", on_progress=on_progress).manifest
    if not taken.sound:
        found = named((f"{each.code} {each.subject}" for each in fatal(taken.findings)), 5)
        raise PermanentError(
            f"The dump before the window, {taken.artifact_id}, failed its checks: {found}.",
            meaning="Nothing was begun: there may be no way back to the present state.",
            next_step="Find out what is missing from it; then open the window again.",
        )
    return taken


def close_window(
    protected: Protected,
    *,
    dump: bool,
    new_source: bool,
    on_progress: OnProgress,
    command: CommandRun | None = None,
) -> Closed:
    """Takes a dump, compares it with the one before, and lets schedules and alarms go on.

    The window is closed even where the dump fails: what was missed is caught up on then, the night among it.

    Args:
        protected: the database.
        dump: whether a dump is taken.
        new_source: the server was upgraded or replaced: the dump is of the protected database all the same.
        on_progress: called at every stage, from more than one thread.
        command: how the work ended, if it was run here.

    Raises:
        UsageError: none was opened, or the newest is closed.
        OpsError: the dump failed.
    """
    store = protected.store
    window = windows.read(store, protected.name)
    if window is None or window.closed_at is not None:
        raise UsageError(
            f"No maintenance window of {protected.name} is open.",
            meaning="Nothing was done.",
            next_step=f"See hackorda-ops maintenance status {protected.name}.",
        )
    with recorded("maintenance", protected, subject=window.reason or "window") as line:
        after: Manifest | None = None
        try:
            if dump:
                taken = take_night(
                    protected, reason="on demand", new_source=new_source, on_progress=on_progress
                )
                after = taken.manifest
        finally:
            window = window.closed(datetime.now(UTC))
            windows.write(store, window)
        before = _artifact(protected, window.before_id)
        found = changes(before, after) if before is not None and after is not None else None
        closed = Closed(
            window, after.artifact_id if after else None, found, after.findings if after else (), command
        )
        line.outcome = "success" if closed.well else "FAIL"
        line.detail = f"From {window.before_id or 'no dump'} to {closed.after_id or 'no dump'}: " + (
            counted(len(found), "difference") if found is not None else "not compared"
        )
    return closed


def run_in_window(
    protected: Protected,
    arguments: Sequence[str],
    *,
    hours: float,
    reason: str,
    new_source: bool,
    environ: Mapping[str, str],
    on_progress: OnProgress,
    say: Callable[[str], None],
) -> Closed:
    """Dumps, holds, runs a command while watching the database, dumps again, compares and closes.

    Args:
        protected: the database.
        arguments: the command, as typed; it has the window's length to finish.
        hours: how long the window may be.
        reason: what for.
        new_source: the command upgrades or replaces the server.
        environ: the command's whole environment.
        on_progress: called at every stage, from more than one thread.
        say: shows a line.

    Raises:
        UsageError: the program doesn't exist, or a window is open.
        Stalled: the command was stopped at the window's end.
        OpsError: a dump failed. The window is closed in any case.
    """
    if not arguments or shutil.which(arguments[0], path=environ.get("PATH")) is None:
        raise UsageError(
            f"The program {arguments[0]!r} is not found." if arguments else "No command is given.",
            meaning="Nothing was done.",
            next_step="Give it after two dashes: hackorda-ops maintenance run NAME --hours 2 -- COMMAND …",
        )
    window = open_window(protected, hours=hours, reason=reason, dump=True, on_progress=on_progress)
    say(f"{windows.words(window)} The dump before it is {window.before_id}.")
    try:
        left = (window.ends_at - datetime.now(UTC)).total_seconds()
        run = _watched(protected, arguments, environ, max(1.0, left), say)
    except BaseException:
        windows.write(protected.store, window.closed(datetime.now(UTC)))
        raise
    return close_window(protected, dump=True, new_source=new_source, on_progress=on_progress, command=run)


def _watched(
    protected: Protected,
    arguments: Sequence[str],
    environ: Mapping[str, str],
    seconds: float,
    say: Callable[[str], None],
) -> CommandRun:
    with private_folder() as private:

        def run() -> CommandRun:
            return run_command(
                arguments,
                environment=environ,
                working_directory=Path.cwd(),
                deadline_seconds=seconds,
                redact=redact,
                on_line=lambda text: say(f"  {text}"),
            )

        if protected.policy.engine != engines.FIRST:
            return run()
        try:
            source = protected.source(private_folder=private)
        except ConfigError:
            return run()
        with watching(source, say):
            return run()


def _artifact(protected: Protected, artifact_id: str | None) -> Manifest | None:
    if artifact_id is None:
        return None
    found = next(iter(read_each(protected.store, protected.name, (artifact_id,))), None)
    return found if isinstance(found, Manifest) else None
