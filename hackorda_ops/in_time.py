"""A time limit for something that has none, or none that can be relied on."""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from hackorda_ops.errors import Stalled

Result = TypeVar("Result")


def within(seconds: float, what: str, work: Callable[[], Result]) -> Result:
    """Runs something in a thread of its own, and waits no longer than this.

    Time-outs of sockets bound each step of an exchange and not the whole, and looking up a host name has none.

    Args:
        seconds: how long to wait.
        what: is running, for the error ("The webhook").
        work: what to do. If it takes longer, it goes on in the background; it must do no harm there.

    Raises:
        Stalled: it took longer.
        Exception: whatever it raised.
    """
    ended: queue.SimpleQueue[tuple[Result | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            ended.put((work(), None))
        except BaseException as error:  # noqa: BLE001  # raised again where it's waited for
            ended.put((None, error))

    # A daemon, so that no process waits for it at its end.
    threading.Thread(target=run, name=f"hackorda_ops {what}", daemon=True).start()
    try:
        result, error = ended.get(timeout=seconds)
    except queue.Empty:
        raise Stalled(
            f"{what} took longer than {seconds:g} seconds.",
            meaning="It was given up, so that nothing else has to wait.",
            next_step="Check whether it answers, and whether this machine can reach it.",
        ) from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # it's None only where that is the result
