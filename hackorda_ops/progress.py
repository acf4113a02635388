"""How long work tells that it goes on: one value, one callback."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far one stage has come.

    Attributes:
        stage: what is being done, as a reader would say it ("dump", "read back", "upload").
        done: how much of it is done, in `unit`.
        total: how much there is in all, in `unit`; None where nobody knows.
        unit: "bytes", "rows", "tables", "files" or "seconds".
    """

    stage: str
    done: int
    total: int | None
    unit: str


OnProgress = Callable[[Progress], None]


def ignore(_progress: Progress) -> None:
    """The callback of a caller who does not want to hear."""
