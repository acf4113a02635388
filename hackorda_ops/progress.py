"""How long work reports that it is still running: one value, one callback."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far one stage has got.

    Attributes:
        stage: what is being done, as a reader would say it ("dump", "read back", "upload").
        done: how much of it is done, in `unit`.
        total: how much there is in all, in `unit`; None if unknown.
        unit: "bytes", "rows", "tables", "files" or "seconds".
    """

    stage: str
    done: int
    total: int | None
    unit: str


OnProgress = Callable[[Progress], None]


def ignore(_progress: Progress) -> None:
    """The callback of a caller that wants no progress."""


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Notes how long a stage took, however it ended.

    Args:
        seconds: where it is noted, by stage.
        stage: its name.
    """
    started = time.monotonic()
    try:
        yield
    finally:
        seconds[stage] = time.monotonic() - started
