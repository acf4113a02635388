"""Makes blocks ahead in a thread of its own, so that whoever takes them has a core to itself."""

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from typing import Final

# A batch is worth passing to another thread; one waits while the next is made and the last is used.
_BATCH_BYTES: Final = 1024 * 1024
_BATCHES: Final = 1
_END: Final = None


def made_ahead(blocks: Iterable[bytes]) -> Generator[bytes, None, None]:
    """The same blocks, each made up to a megabyte or two before it's taken.

    What making them raises is raised where they're taken.
    """
    made: queue.Queue[list[bytes] | Exception | None] = queue.Queue(_BATCHES)
    unwanted = threading.Event()

    def make() -> None:
        try:
            for batch in _batches(blocks):
                made.put(batch)
                if unwanted.is_set():
                    return
            made.put(_END)
        except Exception as problem:  # noqa: BLE001 - raised again where the blocks are taken
            made.put(problem)

    maker = threading.Thread(target=make, name="read ahead", daemon=True)
    maker.start()
    try:
        while (item := made.get()) is not _END:
            if isinstance(item, Exception):
                raise item
            yield from item
    finally:
        unwanted.set()
        while maker.is_alive():
            # It may wait for room to put what nobody takes any longer.
            while not made.empty():
                made.get()
            maker.join(0.05)


def _batches(blocks: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch, batch_bytes = [], 0
    for block in blocks:
        batch.append(block)
        batch_bytes += len(block)
        if batch_bytes >= _BATCH_BYTES:
            yield batch
            batch, batch_bytes = [], 0
    yield batch
