"""Whether two connections reach the same database: what keeps a restore away from the source.

The system identifier can't tell, because every clone of a server has the same one. A lock can: an
advisory lock taken through one connection shows in the other's pg_locks only on the same server.
"""

import secrets
from typing import Any, Literal

import psycopg

Closeness = Literal["same database", "same server", "different servers"]


def closeness(one: psycopg.Connection[Any], other: psycopg.Connection[Any]) -> Closeness:
    """Tells how close two databases are. Nothing is written on either side.

    Args:
        one: a session in which a random advisory lock is taken for a moment.
        other: a session that looks for it.

    Raises:
        psycopg.Error: a connection broke.
    """
    key = (secrets.randbits(31), secrets.randbits(31))
    one.execute("SELECT pg_catalog.pg_advisory_lock(%s, %s)", key)
    try:
        seen = other.execute(
            "SELECT l.database = d.oid FROM pg_catalog.pg_locks l, pg_catalog.pg_database d"
            " WHERE d.datname = pg_catalog.current_database() AND l.locktype = 'advisory'"
            " AND l.objsubid = 2 AND l.classid = %s AND l.objid = %s",
            key,
        ).fetchone()
    finally:
        one.execute("SELECT pg_catalog.pg_advisory_unlock(%s, %s)", key)
    if seen is None:
        return "different servers"
    return "same database" if seen[0] else "same server"
