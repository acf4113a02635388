"""Real processes for tests to start, and a look at them from outside."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C"}

# A tool that forks two workers, one of which ignores what asks it to end; each writes its pid to a file.
FORKS_WORKERS = """
cd "$1"
(trap '' TERM INT; sh -c 'echo $PPID' > deaf.pid; while :; do sleep 0.2; done) &
(sh -c 'echo $PPID' > worker.pid; while :; do sleep 0.2; done) &
echo $$ > leader.pid
wait
"""


def shell(script: str, *arguments: str | Path) -> list[str | Path]:
    return ["sh", "-c", script, "sh", *arguments]


def until(condition: Callable[[], bool], what: str, *, limit_seconds: float = 30) -> None:
    """Wait for a condition; fail with `what` when it doesn't come."""
    give_up = time.monotonic() + limit_seconds
    while not condition():
        if time.monotonic() > give_up:
            raise AssertionError(f"this did not happen within {limit_seconds:g} seconds: {what}")
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie, which nobody has reaped yet, does not."""
    answer = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()[:1] not in ("", "Z")


def all_gone(pids: Iterable[int]) -> bool:
    """Whether none of the processes runs."""
    return not any(is_alive(pid) for pid in pids)


def pids_written_to(folder: Path, count: int) -> list[int]:
    """Wait until so many processes have written their pid into a file named `<something>.pid` each; return them."""

    def written() -> list[int]:
        return [
            int(file.read_text()) for file in sorted(folder.glob("*.pid")) if file.read_text().endswith("\n")
        ]

    until(lambda: len(written()) >= count, f"{count} processes have started")
    return written()


def python(script: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
    """Start a Python process of its own session, as a terminal or a scheduler would, that runs the script."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
