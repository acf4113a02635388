"""The SQLSTATE of a login that a server refused, for servers whose messages aren't in English.

libpq keeps the text of a refusal but drops its SQLSTATE. Its trace of a connection (`PQtrace`) has it.
"""

import os
import re
import select
import sys
import time
from typing import Final

import psycopg
from psycopg import pq

from hackorda_ops.postgres.sessions.connection import CONNECT_TIMEOUT_SECONDS

_STATE: Final = re.compile(rb'\tErrorResponse\t.*? C "([0-9A-Z]{5})"')


def sqlstate_of_refusal(conninfo: str) -> str | None:
    """Tries once to log in, and returns the SQLSTATE with which the server refused it.

    The trace contains password proofs, so it is kept in memory only, and nothing else in it is read.

    Args:
        conninfo: libpq's connection string.

    Returns:
        None if the server refused nothing this time, or if this can't be determined: psycopg can trace on
        Linux only.
    """
    if sys.platform != "linux":
        return None
    memory = os.memfd_create("hackorda_ops")
    try:
        # psycopg writes to it with a stream of its own, and never closes the file.
        _try(conninfo, memory)
        found = _STATE.findall(os.pread(memory, os.fstat(memory).st_size, 0))
    except psycopg.Error:
        return None
    finally:
        os.close(memory)
    # The last one: if TLS is preferred, libpq tries again without it.
    return found[-1].decode() if found else None


def _try(conninfo: str, trace: int) -> None:
    deadline = time.monotonic() + CONNECT_TIMEOUT_SECONDS
    connection = pq.PGconn.connect_start(conninfo.encode())
    try:
        connection.trace(trace)
        waits_for = pq.PollingStatus.WRITING
        while waits_for in (pq.PollingStatus.READING, pq.PollingStatus.WRITING):
            reads = waits_for == pq.PollingStatus.READING
            remaining = deadline - time.monotonic()
            ready = select.select(
                [connection.socket] if reads else [],
                [] if reads else [connection.socket],
                [],
                max(0, remaining),
            )
            if not any(ready):
                return
            waits_for = pq.PollingStatus(connection.connect_poll())
    finally:
        connection.untrace()
        connection.finish()
