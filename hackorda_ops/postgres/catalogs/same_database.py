"""Whether two connections reach the same database: keeps a restore away from the source.

The system identifier doesn't show it, because every clone of a server has the same one. A lock does: an
advisory lock taken through one connection shows in the other's pg_locks only on the same server.
"""

import secrets
from typing import Any, Literal

import psycopg

from hackorda_ops.errors import TargetRefused
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS

Closeness = Literal["same database", "same server", "different servers"]


def closeness(one: psycopg.Connection[Any], other: psycopg.Connection[Any]) -> Closeness:
    """Returns how close two databases are. Nothing is written on either side.

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


def require_elsewhere(source: ConnectionTarget, other: ConnectionTarget) -> None:
    """Refuses a scratch, or a branch, on the source's own server. Nothing is written on either side.

    Not even another database there will do: a drill loads the server, runs the team's migrations
    and drops databases, and a copy next to the source proves nothing about losing that server.

    Args:
        source: the live database.
        other: any database of the server that must be elsewhere.

    Raises:
        TargetRefused: they are the same server.
        OpsError: one of them can't be reached.
    """
    name = "hackorda_ops comparing servers"
    with (
        translated_errors(source, "Making sure that it is not the source"),
        connect(source, application_name=name, settings=SHORT_SETTINGS) as live,
        connect(other, application_name=name, settings=SHORT_SETTINGS) as there,
    ):
        timelines = [source_catalog.read_source(each).neon_timeline for each in (live, there)]
        same_branch = timelines[0] is not None and timelines[0] == timelines[1]
        if closeness(live, there) == "different servers" and not same_branch:
            return
    raise TargetRefused(
        f"{other.describe()} is on the source's own server ({source.describe()}).",
        meaning="Nothing was done there, and nothing was touched: it might be production.",
        next_step="Point the scratch at another server, or at the Neon project to branch.",
    )
