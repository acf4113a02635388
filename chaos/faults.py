"""What is done to a call, and which call it is done to."""

import hashlib
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FAULTS: Final = {
    "error": "refused, and not done",
    "hang": "no answer, with everything kept open",
    "lost": "done, and its answer lost",
    "twice": "done or answered twice",
    "cut": "cut off in the middle",
    "garbled": "answered with noise in it",
}
# Which faults a boundary can have. A file operation that never returns can't be ended by any process: the kernel
# holds it; and nothing answers one twice.
_OF: Final = {
    "file read": ("error", "cut", "garbled"),
    "file write": ("error", "lost", "cut", "garbled"),
    "file": ("error", "lost"),
    "server": ("error", "hang", "cut"),
}
_WITH_DIGITS = re.compile(r"[A-Za-z_]*\d\w*")
_LONGEST_LABEL: Final = 90


@dataclass(frozen=True, order=True)
class Position:
    """One call of a command.

    Attributes:
        boundary: what is called: "postgres source", "file", "child", "s3", …
        label: the call itself, with whatever differs from run to run taken out.
        occurrence: 1 for the first such call of the command.
    """

    boundary: str
    label: str
    occurrence: int

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults that this call can have."""
        if self.boundary == "file":
            kind = self.label.split()[0]
            return _OF.get(f"file {kind}", _OF["file"])
        if self.boundary == "child" and self.label.split()[0] in {"postgres", "redis-server"}:
            return _OF["server"]
        return tuple(FAULTS)

    def __str__(self) -> str:
        return f"{self.boundary}: {self.label} #{self.occurrence}"


@dataclass(frozen=True, order=True)
class Fault:
    """A fault at a position."""

    position: Position
    kind: str


@dataclass
class Meeting:
    """Counts the calls of one run, and says which of them is the one to disturb.

    Attributes:
        planned: the fault; None only to list the positions.
        met: every position so far.
        fired: whether the planned one was among them.
    """

    planned: Fault | None = None
    met: list[Position] = field(default_factory=list)
    fired: bool = False
    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def meet(self, boundary: str, label: str) -> str | None:
        """Notes a call; returns the fault that it is to have."""
        with self._lock:
            self._counts[boundary, label] += 1
            position = Position(boundary, label, self._counts[boundary, label])
            self.met.append(position)
            if self.planned is not None and self.planned.position == position:
                self.fired = True
                return self.planned.kind
        return None

    def read_log(self, path: Path, marker: Path) -> None:
        """Adds what the command's own process and its children have logged."""
        if path.exists():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                boundary, _, label = line.partition("\t")
                self.meet(boundary, label)
        # `fired` is theirs to say where the fault was theirs to make.
        if self.planned is not None and self.planned.position.boundary in {"file", "child"}:
            self.fired = marker.exists()


def labelled(text: str) -> str:
    """A call without what differs from run to run: every word with a digit in it, and its length."""
    plain = _WITH_DIGITS.sub("#", " ".join(text.split()))
    if len(plain) <= _LONGEST_LABEL:
        return plain
    return f"{plain[:_LONGEST_LABEL]}… {hashlib.sha256(plain.encode()).hexdigest()[:6]}"
