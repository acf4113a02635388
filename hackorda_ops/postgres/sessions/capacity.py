"""Whether a server's lock table has room for a dump, alongside everybody else who works there.

pg_dump locks every table before it reads the first, up to 17 every sequence too, and keeps all locks until its
end; each worker of --jobs locks the tables that it dumps again. A full lock table fails whoever needs the next
lock: usually the application.
"""

from dataclasses import dataclass
from typing import Any, Final

import psycopg

# Catalogs, and the one table that is being counted: by pg_dump, the snapshot's session and those alongside it.
_CATALOGS: Final = 250
# Catalogs, by each worker.
_CATALOGS_OF_A_WORKER: Final = 60
# The server keeps room for this many times its settings: measured on 15 and 18, with 20 to 500 connections, 1.55 to
# 1.76 times. (The documented product is not a limit, and leaves out the server's own processes.)
_ROOM_PER_SETTING: Final = 1.5
# What everybody else may use: a tenth, or what they use at the moment plus a twentieth.
_OTHERS: Final = 0.1
_OTHERS_MORE: Final = 0.05

_ROOM: Final = r"""
SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'),
       (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'S' AND c.relpersistence <> 't'
           AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'),
       current_setting('max_locks_per_transaction')::bigint,
       current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint
       + current_setting('max_worker_processes')::bigint + current_setting('max_wal_senders')::bigint
       + coalesce(current_setting('autovacuum_worker_slots', true), current_setting('autovacuum_max_workers'))::bigint
       + 1,
       (SELECT count(*) FROM pg_locks WHERE NOT fastpath)
"""
# From this version on, pg_dump reads sequences with a function that keeps no lock.
_SEQUENCES_UNLOCKED_SINCE: Final = 180000


@dataclass(frozen=True)
class LockRoom:
    """What a dump needs in a server's lock table.

    Attributes:
        relations: tables and views, which pg_dump locks.
        sequences: those that it also locks.
        in_use: locks that everybody holds at the moment.
        setting: max_locks_per_transaction.
        holders: sessions and server processes that it is multiplied by.
    """

    relations: int
    sequences: int
    in_use: int
    setting: int
    holders: int

    @property
    def capacity(self) -> int:
        """The number of locks that the server has room for in total."""
        return int(_ROOM_PER_SETTING * self.setting * self.holders)

    @property
    def available(self) -> int:
        """How many of these a dump may take: others' need varies, so some room is left to them."""
        return self.capacity - int(max(_OTHERS * self.capacity, self.in_use + _OTHERS_MORE * self.capacity))

    def needed(self, jobs: int) -> int:
        """Locks that a dump with this many jobs takes, its counting included."""
        by_workers = self.relations + jobs * _CATALOGS_OF_A_WORKER if jobs > 1 else 0
        return self.relations + self.sequences + by_workers + _CATALOGS

    def jobs_that_fit(self, wanted: int) -> int:
        """How many jobs a dump can use: as many as wanted, or one, with far fewer locks; 0 if none fits."""
        return next((jobs for jobs in (wanted, 1) if self.needed(jobs) <= self.available), 0)

    def setting_for(self, jobs: int) -> int:
        """The max_locks_per_transaction with which a dump with this many jobs fits."""
        needed = self.needed(jobs)
        locks = max(needed / (1 - _OTHERS), (needed + self.in_use) / (1 - _OTHERS_MORE))
        return 1 + int(locks / (_ROOM_PER_SETTING * self.holders))


def read_lock_room(connection: psycopg.Connection[Any]) -> LockRoom:
    """Reads what a dump of the connection's database needs, and what its server has.

    Raises:
        psycopg.Error: the caller translates.
    """
    [(relations, sequences, setting, holders, in_use)] = connection.execute(_ROOM.encode()).fetchall()
    locked = sequences if connection.info.server_version < _SEQUENCES_UNLOCKED_SINCE else 0
    return LockRoom(relations, locked, in_use, setting, holders)
