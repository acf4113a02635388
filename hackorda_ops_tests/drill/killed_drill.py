"""A drill that ends itself with SIGKILL at one point: `python -m hackorda_ops_tests.drill.killed_drill POLICY POINT`.

A point is "STAGE restore" (as it begins), "BEFORE POST branches" or "AFTER POST branches": a call of Neon's API by its
method and the words its path goes on with after the project, just before it is sent or when its answer has come.
"""

import json
import os
import re
import signal
import sys
from contextlib import AbstractContextManager
from unittest import mock

import httpx

from hackorda_ops.config.models import Policy
from hackorda_ops.drill.drill import run_drill
from hackorda_ops.drilling.record import Record
from hackorda_ops.environment import Protected


def main(policy: str, point: str) -> None:
    """Drills until the point."""
    moment, _, what = point.partition(" ")
    stage, handle = Record.stage, httpx.HTTPTransport.handle_request

    def watched_stage(
        record: Record, name: str, *, in_recovery: bool = False
    ) -> AbstractContextManager[None]:
        if (moment, what) == ("STAGE", name):
            die()
        return stage(record, name, in_recovery=in_recovery)

    def watched_call(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        called = re.sub(r"^/api/v2/projects/[^/]+/?", f"{request.method} ", request.url.path)
        met = re.sub(r"(?<=/)(br|ep)-local-[0-9a-f]+|(?<=operations/).*", "ID", called) == what
        if met and moment == "BEFORE":
            die()
        response = handle(transport, request)
        if met and moment == "AFTER":
            die()
        return response

    with (
        mock.patch.object(Record, "stage", watched_stage),
        mock.patch.object(httpx.HTTPTransport, "handle_request", watched_call),
    ):
        run_drill(Protected("hackorda", Policy.model_validate(json.loads(policy)), dict(os.environ)))


def die() -> None:
    """As when memory runs out: nothing is tidied up."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
