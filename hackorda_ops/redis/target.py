"""Where a Redis server is, and as whom we log in: parsed from a URL, shown without secrets."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from hackorda_ops.errors import ConfigError

_PORT: Final = 6379


@dataclass(frozen=True)
class RedisTarget:
    """A Redis server.

    Attributes:
        host: its host; "" for a socket.
        port: its port.
        user: the ACL user; None for the default one.
        password: in no repr.
        tls: whether the connection is encrypted, and the server's certificate and name verified.
        ca_certificate: a file with the certificates to verify it with; None for the system's.
        socket: of a server of this machine, instead of host and port.
    """

    host: str
    port: int = _PORT
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_certificate: Path | None = None
    socket: Path | None = None

    def describe(self) -> str:
        """Where it is, in words, without secrets."""
        if self.socket is not None:
            return f"the Redis at {self.socket}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"the Redis at {host}:{self.port}"

    @property
    def local(self) -> bool:
        """Whether what is sent to it stays on this machine."""
        return self.socket is not None or self.host in {"localhost", "::1"} or self.host.startswith("127.")


def parse(url: str, *, origin: str, ca_certificate: Path | None = None) -> RedisTarget:
    """Reads redis://user:password@host:port, or rediss:// for TLS. A database's number in it is left out: all count.

    Args:
        url: the text.
        origin: where it was given, for the message.
        ca_certificate: a file with the certificates to verify a server with; None for the system's.

    Raises:
        ConfigError: it isn't such a URL; the message doesn't repeat it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORT
    except ValueError:
        raise _not_a_url(origin, "its host or port can't be read") from None
    if parts.scheme not in {"redis", "rediss"}:
        raise _not_a_url(origin, "it doesn't begin with redis:// or rediss://")
    if not parts.hostname:
        raise _not_a_url(origin, "it has no host")
    return RedisTarget(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls=parts.scheme == "rediss",
        ca_certificate=ca_certificate,
    )


def _not_a_url(origin: str, why: str) -> ConfigError:
    return ConfigError(
        f"{origin} is not the URL of a Redis server: {why}.",
        meaning="Nothing was attempted.",
        next_step="Set it to redis://USER:PASSWORD@HOST:PORT, or rediss:// where the server speaks TLS.",
    )
