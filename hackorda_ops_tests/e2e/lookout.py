"""A look at every process below this one while something runs, as anybody could who has an account here."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_PAUSE_SECONDS = 0.05


@dataclass
class Lookout:
    """What was seen.

    Attributes:
        environments: command line to all the environments that processes of that line had.
    """

    environments: dict[str, set[str]] = field(default_factory=dict)

    def look(self) -> None:
        """Looks once."""
        parents: dict[int, int] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                # The name in brackets may hold anything, brackets too.
                state = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
                parents[int(folder.name)] = int(state[1])
        for process in parents:
            if _is_below(process, os.getpid(), parents):
                with suppress(OSError):
                    self._look_at(Path("/proc", str(process)))

    def _look_at(self, process: Path) -> None:
        line, environment = _text(process / "cmdline"), _text(process / "environ")
        # A process that became another program in between would be taken for what it is not.
        if _text(process / "cmdline") == line:
            self.environments.setdefault(line, set()).add(environment)


@contextmanager
def looking_out() -> Iterator[Lookout]:
    """Looks again and again for as long as the block lasts."""
    lookout, ending = Lookout(), threading.Event()

    def look_on() -> None:
        while not ending.wait(_PAUSE_SECONDS):
            lookout.look()

    looking = threading.Thread(target=look_on)
    looking.start()
    try:
        yield lookout
    finally:
        ending.set()
        looking.join()


def _is_below(process: int, ancestor: int, parents: dict[int, int]) -> bool:
    while process := parents.get(process, 0):
        if process == ancestor:
            return True
    return False


def _text(file: Path) -> str:
    return file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
