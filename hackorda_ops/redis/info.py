"""What a server says of itself: version, size, clock, and how many keys each of its databases has."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hackorda_ops.redis.wire import RedisClient


@dataclass(frozen=True)
class KeyCount:
    """How many keys a database has.

    Attributes:
        keys: all of them.
        volatile: those that will expire.
    """

    keys: int
    volatile: int


@dataclass(frozen=True)
class ServerInfo:
    """A server, as INFO has it.

    Attributes:
        version: "7.0.15".
        run_id: of this start of it.
        memory_bytes: what its data takes.
        databases: by number; empty ones aren't listed.
        loading: whether it is still reading its snapshot.
        loaded_bytes: how much of that it has read.
    """

    version: str
    run_id: str
    memory_bytes: int
    databases: dict[int, KeyCount]
    loading: bool
    loaded_bytes: int

    @property
    def number(self) -> tuple[int, int]:
        """Major and minor version."""
        major, _, rest = self.version.partition(".")
        minor = rest.partition(".")[0]
        return (_number(major), _number(minor))

    @property
    def keys(self) -> int:
        """All keys of all databases."""
        return sum(each.keys for each in self.databases.values())


def read_info(client: RedisClient) -> ServerInfo:
    """Asks a server for its INFO.

    Raises:
        Refusal: it refused.
        ConnectionLost: the connection broke.
    """
    said = read_fields(client)
    databases = {}
    for name, value in said.items():
        if name.startswith("db") and name[2:].isdecimal() and "keys=" in value:
            counts = dict(part.split("=", 1) for part in value.split(",") if "=" in part)
            databases[int(name[2:])] = KeyCount(
                _number(counts.get("keys", "")), _number(counts.get("expires", ""))
            )
    return ServerInfo(
        version=said.get("redis_version", "unknown"),
        run_id=said.get("run_id", ""),
        memory_bytes=_number(said.get("used_memory_dataset", said.get("used_memory", ""))),
        databases=databases,
        loading=said.get("loading") == "1",
        loaded_bytes=_number(said.get("loading_loaded_bytes", "")),
    )


def read_fields(client: RedisClient) -> dict[str, str]:
    """Everything that a server's INFO says, by name.

    Raises:
        Refusal: it refused.
        ConnectionLost: the connection broke.
    """
    text = client.ask("INFO", "everything")
    lines = (text or b"").decode("utf-8", "replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def read_time(client: RedisClient) -> datetime:
    """The server's own clock, in UTC.

    Raises:
        Refusal: it refused.
        ConnectionLost: the connection broke.
    """
    seconds, microseconds = client.ask("TIME")
    return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(microseconds))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
