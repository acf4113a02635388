"""A worker's side of the work that `workers` shares out. It imports little, because every worker does.

A worker is a module of this package that calls `serve` when it is run. It reads its share as JSON on
standard input and answers in lines of JSON.
"""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from hackorda_ops.errors import OpsError


class WorkerAnswer:
    """A worker's side of the conversation: what it reports goes to its parent at once."""

    def done(self, amount: int) -> None:
        """This much more (usually bytes) has been processed."""
        _say({"done": amount})

    def result(self, value: object) -> None:
        """One finished piece of the share; anything that JSON can hold."""
        _say({"result": value})


def serve(work: Callable[[Any, WorkerAnswer], None]) -> None:
    """The main function of a worker: does its share, and passes an `OpsError` on to the parent."""
    order = json.load(sys.stdin)
    try:
        work(order, WorkerAnswer())
    except OpsError as error:
        _say({"error": [type(error).__name__, error.what, error.meaning, error.next_step]})


def _say(message: Mapping[str, object]) -> None:
    print(json.dumps(message), flush=True)
