"""How long a proof may take, kept by a clock that no call can block."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hackorda_ops.drilling.record import Record
from hackorda_ops.errors import Stalled
from hackorda_ops.findings import Finding
from hackorda_ops.progress import OnProgress, Progress
from hackorda_ops.proof.check import Check


class Budget:
    """The time that a proof has, from now on.

    Args:
        minutes: how long.
    """

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes
        self._ends = time.monotonic() + minutes * 60

    @property
    def left_seconds(self) -> float:
        """What is left of it; 0 where it's over."""
        return max(0.0, self._ends - time.monotonic())

    def exceeded(self) -> Stalled:
        """What is said where it's over."""
        return Stalled(
            f"The proof was given up after its {self.minutes:g} minutes.",
            meaning="Nothing is known against the backup, but it isn't proven either. Everything was taken down.",
            next_step="Give it more time (proof.within_minutes), more dump.jobs or a faster disk; or prove one night a "
            "week (proof.every).",
        )

    def watching(self, on_progress: OnProgress) -> OnProgress:
        """The same callback, which ends the work that reports to it once the time is over."""

        def tell(progress: Progress) -> None:
            if not self.left_seconds:
                raise self.exceeded()
            on_progress(progress)

        return tell

    @contextmanager
    def kept(self, record: Record, interrupt: Callable[[], None]) -> Iterator[None]:
        """Interrupts the block once the time is over.

        What the block makes of that says nothing about the backup: only what was seen before counts.

        Args:
            record: what the block writes into.
            interrupt: makes whatever the block waits for fail at once; called from another thread.

        Raises:
            Stalled: the time was over.
        """
        before: list[tuple[list[Check], list[Finding]]] = []

        def end() -> None:
            before.append(([*record.checks], [*record.findings]))
            interrupt()

        timer = threading.Timer(self.left_seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception:
            if self.left_seconds and not before:
                raise
            # What was raised is the interruption's doing.
            before = before or [([*record.checks], [*record.findings])]
        finally:
            timer.cancel()
            timer.join()
        if before:
            record.checks, record.findings = before[0]
            raise self.exceeded()
