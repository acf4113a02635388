"""How long work reports that it is still running: one value, one callback."""

from collections.abc import Callable
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
