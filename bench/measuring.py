"""Runs a command as a whole: how long it took, how much of the processors, and how much memory at most."""

import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        seconds: wall-clock time; of a variant that says its own, that.
        cpu_seconds: processor time of the command and everything that it started, the servers' not among it.
        peak_bytes: the most memory of all those processes together; what they share counts once.
        said: what it wrote to standard output.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    said: str


def measure(
    command: Sequence[str | Path], environment: Mapping[str, str], *, answers: Sequence[int] = (0,)
) -> Run:
    """Runs a command to its end.

    Args:
        command: what is run.
        environment: its variables.
        answers: the exit codes that are an answer; `status` returns 1 where something is amiss.

    Raises:
        SystemExit: it failed.
    """
    before = _children_seconds()
    began = time.monotonic()
    with subprocess.Popen(
        command, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        memory = _Memory(process.pid)
        memory.start()
        said, complaints = process.communicate()
        seconds = time.monotonic() - began
        memory.ended.set()
    memory.join()
    if process.returncode not in answers:
        raise SystemExit(
            f"{' '.join(map(str, command))} ended with {process.returncode}:\n{complaints.decode()}"
        )
    return Run(seconds, _children_seconds() - before, memory.peak_bytes, said.decode())


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Memory(threading.Thread):
    """Looks at a process and its descendants until it has ended."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self._root = root
        self.ended = threading.Event()
        self.peak_bytes = 0

    def run(self) -> None:
        while not self.ended.wait(_SAMPLE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, sum(map(_proportional_bytes, _tree(self._root))))


def _tree(root: int) -> list[int]:
    found = [root]
    for process in found:
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            with suppress(OSError):  # it has ended
                found += map(int, children.read_text().split())
    return found


def _proportional_bytes(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def machine() -> str:
    """This machine, in a line."""
    cores = len(os.sched_getaffinity(0))
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "an unnamed processor",
    )
    return f"{cores} cores of {model}, {memory_bytes / 2**30:.0f} GiB of memory"
