"""What a Redis server holds: keys counted and digested by database, type, prefix, and the day on which they expire.

A digest doesn't depend on the order of keys, or of a set's members, nor on how the server encodes them.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import xxhash

from hackorda_ops.progress import OnProgress, Progress
from hackorda_ops.redis.digest import OF_OUR_OWN_BYTES, server_digest
from hackorda_ops.redis.info import read_info
from hackorda_ops.redis.wire import RedisClient, Refusal

OTHER: Final = "(other)"
"""The prefix of keys that have none, or one that might be a value."""
_BATCH: Final = 500
_READ_AT_ONCE: Final = 50
_PREFIXES: Final = 200
_DAYS: Final = 60
_MODULUS: Final = 1 << 128
# A name that a programmer gave, and no id, address or number that a user did.
_PREFIX: Final = re.compile(rb"([A-Za-z][A-Za-z_.-]{0,39}):")


@dataclass(frozen=True, order=True)
class Group:
    """What keys have in common.

    Attributes:
        database: its number.
        type: "string", "list", "set", "zset", "hash", "stream".
        prefix: of the keys up to the first colon; `OTHER` for all others, and for keys that expire.
        expires: "" for keys that stay; otherwise the day or the month on which they expire, in UTC.
    """

    database: int
    type: str
    prefix: str
    expires: str = ""

    def __str__(self) -> str:
        what = f"{self.prefix}:*" if self.prefix != OTHER else OTHER
        return f"db{self.database} {self.type} " + (f"expiring {self.expires}" if self.expires else what)

    @property
    def begins(self) -> datetime | None:
        """From when on keys of it may be gone; None if never."""
        if not self.expires:
            return None
        first = self.expires if len(self.expires) > 7 else f"{self.expires}-01"
        return datetime.combine(date.fromisoformat(first), datetime.min.time(), UTC)


@dataclass(frozen=True)
class KeysSeen:
    """The keys of one group.

    Attributes:
        rows: how many.
        digest: 32 hex digits: the sum modulo 2^128 of XXH3-128 over each key, its type, value and expiry.
    """

    rows: int
    digest: str


@dataclass(frozen=True)
class Contents:
    """All that a server holds.

    Attributes:
        groups: of keys.
        functions: the names of its libraries of functions.
        read_at: our clock when it was read completely.
        server_version: of the server that holds it.
        server_digest: its own digest of all keys; None where it doesn't give one.
    """

    groups: Mapping[Group, KeysSeen]
    functions: tuple[str, ...]
    read_at: datetime
    server_version: str = ""
    server_digest: str | None = None

    @property
    def keys(self) -> int:
        """How many keys there are."""
        return sum(each.rows for each in self.groups.values())

    def lasting(self, database: int) -> int:
        """How many keys a database has that don't expire."""
        return sum(
            seen.rows
            for group, seen in self.groups.items()
            if group.database == database and not group.expires
        )


def read_contents(
    client: RedisClient,
    *,
    captured_at: datetime,
    prefixes: Collection[str] | None = None,
    on_progress: OnProgress,
) -> Contents:
    """Reads every key of a server that nobody else uses.

    Args:
        client: a connection to it.
        captured_at: the moment from which days of expiry are told apart: the artifact's.
        prefixes: those that are told apart; None to find the most frequent.
        on_progress: called with the keys read.

    Raises:
        Refusal: the server refused a command.
        ConnectionLost: the connection broke.
    """
    info = read_info(client)
    sums: dict[Group, list[int]] = {}
    done = 0
    for database in sorted(info.databases):
        client.ask("SELECT", database)
        for keys in _batches(client):
            for key, kind, expires_at, value in _values(client, keys):
                group = Group(
                    database,
                    kind,
                    OTHER if expires_at >= 0 else _prefix(key),
                    _day(expires_at, captured_at) if expires_at >= 0 else "",
                )
                entry = sums.setdefault(group, [0, 0])
                entry[0] += 1
                entry[1] = (entry[1] + _digest(key, kind, expires_at, value)) % _MODULUS
            done += len(keys)
            on_progress(Progress("read the keys", done, info.keys, "rows"))
    libraries = _libraries(client)
    digest = server_digest(client, info, at_most_bytes=OF_OUR_OWN_BYTES)
    return Contents(_named(sums, prefixes), libraries, datetime.now(UTC), info.version, digest)


def _batches(client: RedisClient) -> Iterator[list[bytes]]:
    # A key may come twice while the server's table grows.
    known: set[int] = set()
    cursor = b"0"
    while True:
        cursor, found = client.ask("SCAN", cursor, "COUNT", _BATCH)
        fresh = []
        for key in found:
            number = xxhash.xxh3_64_intdigest(key)
            if number not in known:
                known.add(number)
                fresh.append(key)
        if fresh:
            yield fresh
        if cursor == b"0":
            return


def _values(client: RedisClient, keys: Sequence[bytes]) -> Iterator[tuple[bytes, str, int, Any]]:
    about = client.ask_all([each for key in keys for each in (("TYPE", key), ("PEXPIRETIME", key))])
    kinds = [answer.decode() if isinstance(answer, bytes) else _raised(answer) for answer in about[::2]]
    there = [
        (key, kind, _whole(expires_at))
        for key, kind, expires_at in zip(keys, kinds, about[1::2], strict=True)
        if kind != "none"
    ]
    for begin in range(0, len(there), _READ_AT_ONCE):
        some = there[begin : begin + _READ_AT_ONCE]
        commands = [_reading(key, kind) for key, kind, _ in some]
        answers = iter(client.ask_all([each for many in commands for each in many]))
        for (key, kind, expires_at), many in zip(some, commands, strict=True):
            values = [next(answers) for _ in many]
            if kind != "stream" and isinstance(values[0], Refusal):
                _raised(values[0])
            if expires_at != -2 and values[0] is not None:  # or else it has expired since
                yield key, kind, expires_at, values


_COMMANDS: Final[Mapping[str, tuple[str, tuple[str | int, ...]]]] = {
    "string": ("GET", ()),
    "list": ("LRANGE", (0, -1)),
    "set": ("SMEMBERS", ()),
    "zset": ("ZRANGE", (0, -1, "WITHSCORES")),
    "hash": ("HGETALL", ()),
}


def _reading(key: bytes, kind: str) -> list[tuple[bytes | str | int, ...]]:
    if kind == "stream":
        return [("XRANGE", key, "-", "+"), ("XINFO", "STREAM", key), ("XINFO", "GROUPS", key)]
    word, arguments = _COMMANDS.get(kind, ("DUMP", ()))
    return [(word, key, *arguments)]


def _digest(key: bytes, kind: str, expires_at: int, values: Any) -> int:
    value = values[0]
    if kind == "set":
        value = sorted(value)
    elif kind in {"hash", "zset"}:
        value = sorted(zip(value[::2], value[1::2], strict=True))
    elif kind == "stream":
        about = dict(zip(values[1][::2], values[1][1::2], strict=True)) if isinstance(values[1], list) else {}
        groups = [
            (each.get(b"name"), each.get(b"last-delivered-id"), each.get(b"pending"))
            for each in (dict(zip(one[::2], one[1::2], strict=True)) for one in values[2])
        ]
        value = [value, about.get(b"last-generated-id"), sorted(groups, key=repr)]
    hashed = xxhash.xxh3_128()
    for part in _flat([key, kind.encode(), expires_at, value]):
        hashed.update(part)
    return hashed.intdigest()


def _flat(value: Any) -> Iterator[bytes]:
    """A value as bytes that no other value has: each part with its length."""
    if isinstance(value, bytes):
        yield b"$%d:" % len(value)
        yield value
    elif isinstance(value, list | tuple):
        yield b"*%d:" % len(value)
        for each in value:
            yield from _flat(each)
    else:
        yield b":%r;" % value if value is not None else b"_"


def _prefix(key: bytes) -> str:
    found = _PREFIX.match(key)
    return found.group(1).decode() if found else OTHER


def _day(expires_at_milliseconds: int, captured_at: datetime) -> str:
    try:
        moment = datetime.fromtimestamp(expires_at_milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return "9999-12"
    near = moment < captured_at + timedelta(days=_DAYS)
    return moment.strftime("%Y-%m-%d" if near else "%Y-%m")


def _named(sums: Mapping[Group, Sequence[int]], prefixes: Collection[str] | None) -> dict[Group, KeysSeen]:
    if prefixes is None:
        counts: Counter[str] = Counter()
        for group, (rows, _) in sums.items():
            counts[group.prefix] += rows
        # Of equal ones the same, whatever the order in which they were read.
        prefixes = {
            name for name, _ in sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:_PREFIXES]
        }
    merged: dict[Group, list[int]] = {}
    for group, (rows, digest) in sums.items():
        prefix = group.prefix if group.prefix in prefixes else OTHER
        entry = merged.setdefault(Group(group.database, group.type, prefix, group.expires), [0, 0])
        entry[0] += rows
        entry[1] = (entry[1] + digest) % _MODULUS
    return {group: KeysSeen(rows, f"{digest:032x}") for group, (rows, digest) in sorted(merged.items())}


def _libraries(client: RedisClient) -> tuple[str, ...]:
    try:
        listed = client.ask("FUNCTION", "LIST")
    except Refusal:
        return ()  # before Redis 7
    names: Iterable[Any] = (
        dict(zip(one[::2], one[1::2], strict=True)).get(b"library_name") for one in listed
    )
    return tuple(sorted(name.decode("utf-8", "replace") for name in names if isinstance(name, bytes)))


def _whole(answer: Any) -> int:
    return answer if isinstance(answer, int) else _raised(answer)


def _raised(answer: Any) -> Any:
    if isinstance(answer, Refusal):
        raise answer
    raise ValueError("not an answer of Redis")
