"""Who waits for whom on a server: the queue behind a reading's locks, by pg_locks and pg_blocking_pids.

Every role can query both. What other roles' sessions do, since when and as whom, is shown
only to members of pg_monitor, so no decision depends on it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg

# waitstart is empty for a moment after a wait has begun.
_WAITING: Final = """
SELECT l.pid, l.locktype, l.mode, l.database, l.relation::bigint,
       coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - l.waitstart), 0)::float8,
       coalesce(a.application_name, ''), coalesce(a.usename, '')
  FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
 WHERE NOT l.granted
"""
# It briefly locks every partition of the lock table: called only for sessions that do wait.
_BLOCKERS: Final = (
    "SELECT pid, pg_catalog.pg_blocking_pids(pid) FROM pg_catalog.unnest(%s::int[]) AS waiting (pid)"
)

# A role sees the names of its own sessions, pg_dump's and its workers' included.
_NAMED_SO: Final = """
  FROM pg_catalog.pg_stat_activity
 WHERE usename = session_user AND datname = current_database() AND pid <> pg_catalog.pg_backend_pid()
   AND pg_catalog.right(application_name, pg_catalog.length(%(token)s)) = %(token)s
"""
_OURS: Final = f"SELECT pid {_NAMED_SO}"
_END_OURS: Final = f"SELECT pg_catalog.pg_terminate_backend(pid) {_NAMED_SO}"

# What a schema change holds or requests. New tables of open transactions are not in our pg_class, temporary ones
# affect nobody else.
_BUSY: Final = """
SELECT count(*) FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
 WHERE l.locktype = 'relation' AND c.relpersistence <> 't'
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
   AND (l.mode = 'AccessExclusiveLock'
        OR (l.pid = ANY(%s) AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock',
                                           'ExclusiveLock')))
"""
_HOLDERS: Final = """
SELECT blocking.pid, coalesce(a.application_name, ''), coalesce(a.usename, '')
  FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(%s)) AS blocking (pid)
  LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
"""
_NAME: Final = """
SELECT %s::oid::regclass::text
 WHERE %s = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
"""


@dataclass(frozen=True)
class Waiter:
    """One session that waits for a lock.

    Attributes:
        pid: its process on the server.
        application: its application_name.
        role: the role that it logged in as; "" for the server's own processes.
        mode: the lock it wants ("AccessExclusiveLock").
        kind: what is locked ("relation", "virtualxid").
        database: the OID of the database that the relation is in.
        relation: the relation's OID; None if it waits for something else.
        seconds: how long it has waited.
    """

    pid: int
    application: str
    role: str
    mode: str
    kind: str
    database: int | None
    relation: int | None
    seconds: float


@dataclass(frozen=True)
class Queue:
    """One look at a server.

    Attributes:
        ours: the processes of the reading's own sessions.
        behind: the others that wait behind one of them, directly or indirectly.
        held_up: our own sessions that wait for another session.
        entangled: whether one of ours waits for a session that waits for it in turn. Postgres ends such a deadlock
            after a second, and may end the other's work instead of ours.
    """

    ours: frozenset[int]
    behind: tuple[Waiter, ...]
    held_up: tuple[Waiter, ...]
    entangled: bool


def look(connection: psycopg.Connection[Any], token: str) -> Queue:
    """Finds who waits behind the sessions whose application names end in a token.

    Raises:
        psycopg.Error: the caller decides.
    """
    ours = frozenset(pid for (pid,) in connection.execute(_OURS, {"token": token}))
    waiting = [
        Waiter(pid, application, role, mode, kind, database, relation, seconds)
        for pid, kind, mode, database, relation, seconds, application, role in connection.execute(_WAITING)
    ]
    if not ours or not waiting:
        return Queue(ours, (), (), entangled=False)
    blockers = {
        pid: frozenset(found)
        for pid, found in connection.execute(_BLOCKERS, ([each.pid for each in waiting],))
    }
    return queue_of(ours, waiting, blockers)


def queue_of(ours: Iterable[int], waiting: Iterable[Waiter], blockers: Mapping[int, frozenset[int]]) -> Queue:
    """Determines who waits behind whom. Pure.

    Args:
        ours: our own processes.
        waiting: every session that waits.
        blockers: whom each of them waits for.
    """
    own, waiting = frozenset(ours), tuple(waiting)
    behind = _behind(own, blockers) - own
    return Queue(
        own,
        tuple(each for each in waiting if each.pid in behind),
        tuple(
            each
            for each in waiting
            if each.pid in own and (blockers.get(each.pid, frozenset()) - own or each.pid not in blockers)
        ),
        entangled=any(blockers.get(pid, frozenset()) & _behind({pid}, blockers) for pid in own),
    )


def _behind(pids: Iterable[int], blockers: Mapping[int, frozenset[int]]) -> frozenset[int]:
    """Who waits for one of these processes, directly or indirectly."""
    behind: frozenset[int] = frozenset()
    reached = frozenset(pids)
    while reached:
        reached = frozenset(pid for pid, before in blockers.items() if before & reached) - behind
        behind |= reached
    return behind


def end_sessions(connection: psycopg.Connection[Any], token: str) -> None:
    """Ends the sessions whose application names end in a token; only a role's own.

    Their locks are released at once, even if the client at the other end has been stopped and reads no answer.

    Raises:
        psycopg.Error: the caller decides.
    """
    connection.execute(_END_OURS, {"token": token})


def is_busy(connection: psycopg.Connection[Any], pids: Iterable[int]) -> bool:
    """Whether a schema change is running in the connection's database: anybody's, or a weaker lock of these.

    Raises:
        psycopg.Error: the caller decides.
    """
    [(found,)] = connection.execute(_BUSY, (list(pids),)).fetchall()
    return bool(found)


def describe(connection: psycopg.Connection[Any], waiter: Waiter) -> str:
    """Who waits for what, as a phrase: "deploy (process 4711, role app) for AccessExclusiveLock on users"."""
    if waiter.kind == "virtualxid":
        wanted = "the end of a transaction that is older than its own (CREATE INDEX CONCURRENTLY, for one)"
    elif waiter.relation is None:
        wanted = f"{waiter.mode} on a {waiter.kind}"
    else:
        wanted = f"{waiter.mode} on {_named(connection, waiter)}"
    name = waiter.application or "a session without a name"
    return f"{name} (process {waiter.pid}{f', role {waiter.role}' if waiter.role else ''}) for {wanted}"


def describe_holders(connection: psycopg.Connection[Any], held_up: Waiter) -> str:
    """Who keeps one of our own sessions from a lock, as a phrase."""
    holders = connection.execute(_HOLDERS, (held_up.pid,)).fetchall()
    named = " and ".join(
        f"{application or 'a session without a name'} (process {pid}{f', role {role}' if role else ''})"
        for pid, application, role in holders
    )
    held = (
        f"{held_up.mode} on {_named(connection, held_up)}" if held_up.relation is not None else held_up.kind
    )
    return f"{named or 'another session'} kept it from {held} for {held_up.seconds:.1f} seconds"


def _named(connection: psycopg.Connection[Any], waiter: Waiter) -> str:
    try:
        found = connection.execute(_NAME, (waiter.relation, waiter.database)).fetchone()
    except psycopg.Error:
        found = None
    return f"relation {waiter.relation}" if found is None else str(found[0])
