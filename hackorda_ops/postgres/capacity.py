"""Whether a server's table of locks has room for a dump: it holds a lock on everything until it ends."""

from dataclasses import dataclass
from typing import Any, Final

import psycopg

# pg_dump locks every table before it reads the first; counting locks their indexes too, and reading the sequences.
_LOCKS: Final = r"""
SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'i', 'I', 'S') AND c.relpersistence <> 't'
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'),
       current_setting('max_locks_per_transaction')::bigint
       * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint)
"""


@dataclass(frozen=True)
class LockRoom:
    """Locks that a dump takes, and those that the server has room for.

    Attributes:
        needed: by one dump with its counting.
        promised: for all sessions together; servers were seen to take two to three times as many, for
            as long as other parts of the shared memory are not in use.
    """

    needed: int
    promised: int


def read_lock_room(connection: psycopg.Connection[Any]) -> LockRoom:
    """Reads what a dump of the connection's database needs, and what its server promises.

    Raises:
        psycopg.Error: the caller translates.
    """
    [(needed, promised)] = connection.execute(_LOCKS.encode()).fetchall()
    return LockRoom(needed, promised)
