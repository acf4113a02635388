"""How a supervisor receives what to run, and the errors if that fails."""

import errno
import os
import select
import time
from contextlib import suppress
from io import FileIO
from typing import Final

from hackorda_ops import local_trouble
from hackorda_ops.errors import OpsError, Stalled, ToolFailed

# It takes hundredths of a second; this is for an overloaded machine.
_START_SECONDS: Final = 60.0


def hand_over(name: str, order: bytes, *, life: FileIO, report: FileIO) -> tuple[int, bytes]:
    """Send a supervisor the order of what to run.

    Args:
        name: the program's name, for messages.
        order: its length in bytes as a line, then a dictionary as marshal writes it.
        life: the pipe that the supervisor reads; closing it stops the child.
        report: the pipe that the supervisor writes to.

    Returns:
        The child's pid, and anything else reported by then.

    Raises:
        Stalled: it was not started within a minute.
        ToolFailed: it could not be started, or its supervisor ended.
    """
    until = time.monotonic() + _START_SECONDS
    to_supervisor, from_supervisor = life.fileno(), report.fileno()
    os.set_blocking(to_supervisor, False)  # An order longer than a pipe holds must not block forever.
    waiting = select.poll()
    waiting.register(to_supervisor, select.POLLOUT)
    waiting.register(from_supervisor, select.POLLIN)
    reported = b""
    while b"\n" not in reported:
        ready = dict(waiting.poll(max(0.0, until - time.monotonic()) * 1000))
        if not ready:
            raise Stalled(
                f"{name} was not started within {_START_SECONDS:g} seconds.",
                meaning="This machine is too busy to start a process, so nothing was done.",
                next_step="Look at the machine's load and memory, then try again.",
            )
        if to_supervisor in ready:
            with suppress(BrokenPipeError):  # The end of the report shows the same, with a reason.
                order = order[os.write(to_supervisor, order) :]
            if not order or ready[to_supervisor] & (select.POLLERR | select.POLLHUP):
                waiting.unregister(to_supervisor)
        if from_supervisor in ready:
            block = os.read(from_supervisor, 4096)
            if not block:
                raise supervisor_lost(name)
            reported += block
    first, _, others = reported.partition(b"\n")
    word, *details = first.decode().split()
    if word != "started":
        raise _refused(name, step=details[0], number=int(details[1]))
    return int(details[0]), others


def supervisor_lost(name: str) -> ToolFailed:
    """The error for a supervisor that ended before its child."""
    return ToolFailed(
        f"The process that supervises {name} ended before it did.",
        meaning=f"{name} was stopped with it. The supervisor was killed, or the machine ran out of memory.",
        next_step="Look for an out-of-memory kill in the system's log (dmesg), then try again.",
    )


def _refused(name: str, *, step: str, number: int) -> OpsError:
    reason = os.strerror(number)
    if step == "program" and number == errno.ENOENT:
        next_step = f"Install {name}, or put the folder it is in on the PATH."
    elif step == "folder":
        next_step = "Create the working directory, or name another one."
    elif step == "secret":
        next_step = "Set TMPDIR to a writable folder of this machine with enough space."
    else:
        next_step = f"Check that this user can execute {name}."
    where = {
        "folder": " in its working directory",
        "user": " as the user it should run as",
        "secret": ", because its password could not be written to a private file in $TMPDIR (or /tmp)",
    }.get(step, "")
    trouble = local_trouble.of_exception(OSError(number, reason))
    kind = ToolFailed if trouble is None else type(trouble)
    return kind(
        f"{name} could not be started{where}: {reason}.",
        meaning="Nothing was done." if trouble is None else f"Nothing was done. {trouble.meaning}",
        next_step=next_step if trouble is None or step == "secret" else trouble.next_step,
    )
