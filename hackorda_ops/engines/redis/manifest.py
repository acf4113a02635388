"""The manifest of a Redis artifact: what its snapshot holds, as a server of our own read it that night."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hackorda_ops.artifacts.manifest import Manifest, Part
from hackorda_ops.artifacts.sealed import require_open
from hackorda_ops.redis.contents import Contents, Group, KeysSeen
from hackorda_ops.words import counted

ENGINE: Final = "redis"
SNAPSHOT: Final = "dump/redis.rdb"


@dataclass(frozen=True)
class KeyGroup:
    """Keys that have their database, type, prefix and day of expiry in common.

    Attributes:
        database: its number.
        type: "string", "list", "set", "zset", "hash", "stream".
        prefix: up to the first colon; "(other)" for all others, and for keys that expire.
        expires: "" for keys that stay; otherwise the day or the month on which they expire, in UTC.
        keys: how many.
        digest: 32 hex digits, over names, types, values and expiries.
    """

    database: int
    type: str
    prefix: str
    expires: str
    keys: int
    digest: str

    @property
    def group(self) -> Group:
        """What the keys have in common."""
        return Group(self.database, self.type, self.prefix, self.expires)


@dataclass(frozen=True)
class SourceKeys:
    """A database of the source before and after the snapshot: keys that don't expire."""

    database: int
    before: int
    after: int


@dataclass(frozen=True, kw_only=True)
class RedisManifest(Manifest):
    """Everything that an artifact of a Redis server records about itself.

    Attributes:
        version: the source's.
        memory_bytes: what the source's data took.
        groups: the keys in the snapshot.
        functions: the names of the libraries of functions in it.
        source_keys: what the source counted around it.
        loaded_by: the version of the redis-server that read it back.
        server_digest: that server's own digest of all keys (DEBUG DIGEST); None where it gives none.
        source_digest: the source's own, where it's the same before and after the snapshot, and that of the snapshot.
    """

    version: str
    memory_bytes: int
    groups: tuple[KeyGroup, ...]
    functions: tuple[str, ...]
    source_keys: tuple[SourceKeys, ...]
    loaded_by: str
    server_digest: str | None = None
    source_digest: str | None = None
    engine: str = ENGINE

    @property
    def parts(self) -> tuple[Part, ...]:
        """The keys that don't expire: those that do are gone sooner or later, in the source as in a copy."""
        return tuple(
            Part(str(each.group), each.keys, each.digest, each.keys)
            for each in self.groups
            if not each.expires
        )

    @property
    def rows(self) -> int:
        """All keys."""
        return sum(each.keys for each in self.groups)

    @property
    def expiring(self) -> int:
        """How many keys expire."""
        return sum(each.keys for each in self.groups if each.expires)

    @property
    def contents(self) -> str:
        """How many keys, in how many databases."""
        databases = len({each.database for each in self.groups})
        some = f" ({self.expiring:,} of them expire)" if self.expiring else ""
        return f"{counted(self.rows, 'key')}{some} in {counted(databases, 'database')}"

    @property
    def server_version(self) -> str:
        """The version of the source's server."""
        return self.version

    @property
    def source_bytes(self) -> int:
        """What the source's data took in memory."""
        return self.memory_bytes

    @property
    def prefixes(self) -> frozenset[str]:
        """Those that the groups tell apart."""
        return frozenset(each.prefix for each in self.groups)

    def contradictions(self) -> Iterator[str]:
        """What in the evidence contradicts itself."""
        if [entry.path for entry in self.files].count(SNAPSHOT) != 1:
            yield "it lists no snapshot"
        if self.source_digest not in (None, self.server_digest):
            yield "the source's own digest is not the snapshot's"
        if len({each.group for each in self.groups}) != len(self.groups):
            yield "a group of keys is listed twice"
        for each in self.groups:
            try:
                _ = each.group.begins
            except ValueError:
                yield "a group of keys expires on no day"
                return


def groups_of(contents: Contents) -> tuple[KeyGroup, ...]:
    """What a server holds, as evidence."""
    return tuple(
        KeyGroup(group.database, group.type, group.prefix, group.expires, seen.rows, seen.digest)
        for group, seen in contents.groups.items()
    )


def seen_of(manifest: RedisManifest) -> dict[Group, KeysSeen]:
    """The evidence, as what a server holds is read."""
    return {each.group: KeysSeen(each.keys, each.digest) for each in manifest.groups}


def of_redis(manifest: Manifest) -> RedisManifest:
    """A manifest that is known to be of Redis, with its evidence.

    Raises:
        IdentityMissing: it is sealed.
        TypeError: it is of another engine.
    """
    require_open(manifest)
    if not isinstance(manifest, RedisManifest):
        raise TypeError(f"{manifest.artifact_id} is an artifact of {manifest.engine}")
    return manifest
