"""Whether bytes come, or only trickle: a socket's time-out ends silence, and one byte a minute isn't silent."""

from dataclasses import dataclass, field
from typing import Final

SLOWEST_BYTES_PER_SECOND: Final = 1024
"""What is slower than this for too long counts as silence; a modem of 1991 was faster."""


@dataclass
class Pace:
    """The pace of one connection.

    Only the time counts in which somebody waits for the other side: neither what passes between two requests nor while
    a slow disk takes what has come.

    Attributes:
        for_seconds: how long it may be too slow.
        slowest_bytes_per_second: what is too slow.
    """

    for_seconds: float
    slowest_bytes_per_second: float = SLOWEST_BYTES_PER_SECOND
    _bytes: int = field(default=0, init=False)
    _seconds: float = field(default=0.0, init=False)
    _is_answered: bool = field(default=False, init=False)

    def begin(self) -> None:
        """Another request begins."""
        self._bytes, self._seconds, self._is_answered = 0, 0.0, False

    def sent(self, number_bytes: int, waited_seconds: float) -> None:
        """So much was taken by the other side.

        Raises:
            TimeoutError: it is too slow.
        """
        self._bytes += number_bytes
        self._seconds += waited_seconds
        if self._seconds < self.for_seconds:
            return
        if self._bytes < self.slowest_bytes_per_second * self._seconds:
            raise TimeoutError(
                f"slower than {self.slowest_bytes_per_second:g} bytes/s for {self._seconds:.0f} s"
            )
        self._bytes, self._seconds = 0, 0.0

    def received(self, number_bytes: int, waited_seconds: float) -> None:
        """So much came. How long an answer's first byte takes is the time-out's business, and not counted.

        Raises:
            TimeoutError: it is too slow.
        """
        if not self._is_answered:
            self.begin()
            self._is_answered, waited_seconds = True, 0.0
        self.sent(number_bytes, waited_seconds)
