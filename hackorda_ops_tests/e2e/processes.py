"""Processes as the system sees them, and waits that have an end."""

import os
import subprocess
import time
from collections.abc import Callable

# What a program needs to run here, and nothing of the caller's own settings.
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}


# Only what hangs takes as long: on a machine with far too much to do a demo has taken more than five minutes.
PATIENCE_SECONDS = 1800.0


def until(condition: Callable[[], bool], what: str, *, limit_seconds: float = PATIENCE_SECONDS) -> None:
    """Waits for a condition; fails with `what` where it doesn't come."""
    give_up = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < give_up, f"this did not happen within {limit_seconds:g} seconds: {what}"
        time.sleep(0.05)


def descendants(pid: int) -> dict[int, str]:
    """A process and all below it: pid to command line. Zombies, which only wait to be reaped, are left out."""
    listed = subprocess.run(
        ["ps", "-eww", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    )
    lines = [line.split(None, 3) for line in listed.stdout.splitlines()]
    alive = [(int(own), int(parent), args) for own, parent, state, args in lines if state[0] != "Z"]
    found = {own: args for own, _, args in alive if own == pid}
    while more := {own: args for own, parent, args in alive if parent in found and own not in found}:
        found |= more
    return found


def is_alive(pid: int) -> bool:
    """Whether a process runs."""
    return pid in descendants(pid)
