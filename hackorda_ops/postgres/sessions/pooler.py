"""Detects a connection pooler before a lock or a snapshot gets lost in it."""

from typing import Any

import psycopg

from hackorda_ops.errors import SnapshotUnavailable


def refuse_pooler(first: psycopg.Connection[Any], second: psycopg.Connection[Any]) -> None:
    """Refuses two connections that turn out to share one server process.

    A pooler in transaction mode lends its server connections out: the second client gets the one that
    the first has just left. Two direct connections to a server never have the same process.

    Args:
        first: idle, outside a transaction.
        second: another connection made with the same target.

    Raises:
        SnapshotUnavailable: they share a process.
        psycopg.Error: the caller translates.
    """
    processes = []
    for connection in (first, second):
        [(process,)] = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchall()
        processes.append(process)
    if processes[0] == processes[1]:
        raise SnapshotUnavailable(
            f"{first.info.host}:{first.info.port} is a connection pooler in transaction mode.",
            meaning="Neither a lock nor a snapshot can be held through it, so no consistent dump can be taken.",
            next_step="Use the source's direct endpoint: the server's own host and port, not the pooler's.",
        )
