"""Looks at a live Redis server: its keys by database, and the counters to watch. No key and no value is in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hackorda_ops.engines.contents import LiveView
from hackorda_ops.engines.redis.source import source_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import UsageError
from hackorda_ops.redis.info import read_fields, read_info
from hackorda_ops.redis.wire import connected, translated

VIEWS: Final[Mapping[str, str]] = {
    "keys": "how many keys each database has, and how many of them expire",
    "counters": "memory, clients, and what was evicted, missed or rejected",
}
_COUNTERS: Final = (
    "used_memory",
    "maxmemory",
    "maxmemory_policy",
    "connected_clients",
    "maxclients",
    "rejected_connections",
    "evicted_keys",
    "expired_keys",
    "keyspace_hits",
    "keyspace_misses",
    "rdb_last_bgsave_status",
    "aof_enabled",
)


def look_at(protected: Protected, name: str, *, private_folder: Path, rows: int) -> LiveView:
    """Takes one look at the live server.

    Args:
        protected: the database.
        name: one of `VIEWS`.
        private_folder: for files that must not be read by others.
        rows: how many are shown.

    Raises:
        UsageError: there's no such view.
        OpsError: the server can't be reached or read.
    """
    if name not in VIEWS:
        raise UsageError(
            f"There's no view {name!r} of a Redis server.",
            meaning="Nothing was read.",
            next_step=f"Name one of: {', '.join(VIEWS)}.",
        )
    target = source_of(protected, private_folder=private_folder)
    with connected(target) as client, translated(target, f"Looking at {name}"):
        if name == "keys":
            found = sorted(read_info(client).databases.items())
            return LiveView(
                ("database#", "keys#", "that expire#"),
                [(number, count.keys, count.volatile) for number, count in found[:rows]],
            )
        fields = read_fields(client)
    return LiveView(
        ("counter", "value"), [(each, fields[each]) for each in _COUNTERS if each in fields][:rows]
    )
