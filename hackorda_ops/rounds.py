"""Waiting for something that nobody announces: look, pause, look again, and give up in the end."""

import time
from collections.abc import Callable, Iterator


def rounds(
    within_seconds: float,
    *,
    pause_seconds: float,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Lets a loop look at once, after every pause, and once more when the time is up. Then the loop ends.

    Args:
        within_seconds: how long to go on.
        pause_seconds: between two looks.
        monotonic: seconds that only increase.
        sleep: waits that many seconds.

    Yields:
        For each look.
    """
    deadline = monotonic() + within_seconds
    yield
    while (left := deadline - monotonic()) > 0:
        sleep(min(pause_seconds, left))
        yield
