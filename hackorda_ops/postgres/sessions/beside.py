"""Work beside a block: what a session that only holds a lock needs so as to keep it.

Neon suspends a compute whose sessions have asked nothing for five minutes, and the locks end with them.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

PING_SECONDS: Final = 15.0
"""How often such a session asks something."""

_LONGEST_END_SECONDS: Final = 5.0


@contextmanager
def beside(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Runs work in a thread of its own for as long as the block runs.

    Args:
        work: is given an event that is set when the block ends, and then has to end as well. One that hangs,
            on a network that is gone, is waited for a few seconds only: what it holds it has to let go itself.
    """
    ended = threading.Event()
    thread = threading.Thread(target=work, args=(ended,), name="beside", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_LONGEST_END_SECONDS)
