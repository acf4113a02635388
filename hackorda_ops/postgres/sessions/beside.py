"""Work alongside a block: what a session that only holds a lock needs to keep it.

Neon suspends a compute whose sessions have been idle for five minutes, and the locks end with them.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

PING_SECONDS: Final = 15.0
"""How often such a session runs a query."""

_LONGEST_END_SECONDS: Final = 5.0


@contextmanager
def beside(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Runs work in a thread of its own for as long as the block runs.

    Args:
        work: gets an event that is set when the block ends, and must then end too. If it hangs,
            on a dead network, it's only waited for a few seconds: it must release what it holds itself.
    """
    ended = threading.Event()
    thread = threading.Thread(target=work, args=(ended,), name="beside", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_LONGEST_END_SECONDS)
