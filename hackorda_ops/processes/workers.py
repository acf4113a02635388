"""Our own Python child processes: several shares of one task at a time, each on a core of its own.

A worker is a module of this package that calls `worker.serve` when it is run. Workers run below the supervisor
(`child`), so they end when this process does.
"""

import json
import os
import queue
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from hackorda_ops import errors
from hackorda_ops.errors import OpsError, Stalled, ToolFailed
from hackorda_ops.processes import child
from hackorda_ops.processes.child import Child

# Workers report every few megabytes. One that is silent for this long hangs in a read that won't return.
_SILENCE_SECONDS: Final = 600.0
_POLL_SECONDS: Final = 1.0
# Wakes whoever waits at the inbox when a worker has ended; no line of JSON is empty.
_ENDED: Final = ""
# What a Python needs of its caller's environment to start and to find this package.
_PYTHON_VARIABLES: Final = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME")

Item = TypeVar("Item")


def shares(
    items: Sequence[Item], *, weight: Callable[[Item], int], count: int, least: int = 1
) -> list[list[Item]]:
    """Splits items into at most `count` shares of about the same weight, each beginning with its heaviest.

    Args:
        items: what there is to do.
        weight: how long an item takes, in any unit.
        count: how many shares can be processed at a time; at least 1.
        least: how much work makes another share worth its start, in the unit of `weight`.

    Returns:
        The non-empty shares; none if there are no items.
    """
    # Every item costs something, or thousands of empty tables would all be one worker's.
    count = max(1, min(count, sum(weight(item) + 1 for item in items) // least))
    split: list[list[Item]] = [[] for _ in range(count)]
    weights = [0] * count
    for item in sorted(items, key=weight, reverse=True):
        lightest = weights.index(min(weights))
        split[lightest].append(item)
        weights[lightest] += weight(item) + 1
    return [share for share in split if share]


def run_workers(
    module: str,
    orders: Sequence[object],
    *,
    environment: Mapping[str, str],
    on_done: Callable[[int], None],
    redact: Callable[[str], str],
) -> list[Any]:
    """Runs one worker per order, all at the same time.

    Args:
        module: the worker, for example "hackorda_ops.postgres.archives.table_digest".
        orders: one share per worker; anything that JSON can hold. It is sent on standard input,
            which nobody else can read, so it may hold a password; `environment` and `module` may not.
        environment: what the workers need in addition to what Python itself needs.
        on_done: called in this thread with how much was processed in total, whenever that grew.
        redact: removes secrets from what a crashed worker wrote to standard error.

    Returns:
        The results of all workers, in no particular order.

    Raises:
        OpsError: what a worker raised; the others have been stopped by then.
        ToolFailed: a worker crashed.
        Stalled: no worker reported anything for ten minutes.
    """
    inbox: queue.SimpleQueue[str] = queue.SimpleQueue()
    own = {name: os.environ[name] for name in _PYTHON_VARIABLES if name in os.environ}
    running: list[Child] = []
    results: list[Any] = []
    done = 0
    try:
        for order in orders:
            worker = child.start(
                # -P: a file in the working directory must not pass for a module.
                [sys.executable, "-P", "-m", module],
                environment=own | dict(environment),
                stdin=json.dumps(order).encode(),
                on_stdout_line=inbox.put,
            )
            running.append(worker)
            worker.call_at_end(lambda: inbox.put(_ENDED))
        last_heard = time.monotonic()
        while True:
            # Checked before the inbox is emptied: a worker that has ended has sent everything.
            ended = [worker for worker in running if not worker.running]
            for message in _received(inbox, wait_seconds=0 if ended else _POLL_SECONDS):
                last_heard = time.monotonic()
                if "error" in message:
                    raise _handed_over(message["error"])
                if "result" in message:
                    results.append(message["result"])
                else:
                    done += message["done"]
                    on_done(done)
            for worker in ended:
                _require_success(worker, module, redact)
                running.remove(worker)
            if not running:
                return results
            if time.monotonic() - last_heard > _SILENCE_SECONDS:
                raise _silent(module)
    finally:
        for worker in running:
            worker.stop()


def _received(inbox: queue.SimpleQueue[str], *, wait_seconds: float) -> list[dict[str, Any]]:
    """What has arrived; waits a moment for the first message, and until a worker ends."""
    lines: list[str] = []
    try:
        lines.append(inbox.get(timeout=wait_seconds))
        while True:
            lines.append(inbox.get_nowait())
    except queue.Empty:
        return [json.loads(line) for line in lines if line != _ENDED]


def _require_success(worker: Child, module: str, redact: Callable[[str], str]) -> None:
    finished = worker.wait()
    if finished.returncode != 0:
        raise ToolFailed(
            f"The worker {module} ended with return code {finished.returncode}:\n"
            f"{redact(_without_words(finished.stderr_tail)) or '(no output)'}",
            meaning="Its part of the work is not done, so nothing was proven.",
            next_step="Return code -9 means that it was killed, usually when memory ran out; otherwise report this.",
        )


def _without_words(written: str) -> str:
    """A traceback without its error messages, which may quote a row; without a traceback, what Python wrote."""
    before, traceback, after = written.partition("Traceback (most recent call last):")
    if not traceback:
        return before
    return "\n".join(re.findall(r'^ *File ".+", line \d+|^\w[\w.]*(?=:|$)', after, re.MULTILINE))


def _handed_over(said: Sequence[str]) -> OpsError:
    name, what, meaning, next_step = said
    kind: type[OpsError] = getattr(errors, name)
    return kind(what, meaning=meaning, next_step=next_step)


def _silent(module: str) -> Stalled:
    return Stalled(
        f"The workers of {module} reported nothing for {_SILENCE_SECONDS:g} seconds and were stopped.",
        meaning="Their work is not done, so nothing was proven.",
        next_step="Look for a disk, a network file system or a server that hangs; then try again.",
    )
