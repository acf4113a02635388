"""Connection strings: read once, changed as values, passed to tools, and kept out of every message.

libpq's own parser reads them, so a string means here what it means to psql and pg_dump. Two things
are stricter. A target names its host, user and database, because what libpq would fill in differs
from build to build (the socket folder) and from shell to shell (PGUSER). And anything that pg_dump
can't get through its environment is refused, so that a tool and a session never differ.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import unquote

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from hackorda_ops.errors import ConfigError
from hackorda_ops.given import trimmed
from hackorda_ops.postgres.sessions.settings import COMPARABLE_SETTINGS, options
from hackorda_ops.redaction.passwords import without_passwords

SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""libpq's sslmode values, the least strict first."""

CONNECT_TIMEOUT_SECONDS: Final = 30
"""How long one attempt may take; waking a suspended compute takes up to 5 seconds."""

_DEFAULT_PORT: Final = "5432"
_MEANING: Final = "Nothing was attempted: it's unclear which database is meant, or how to reach it."

_VARIABLES: Final[Mapping[str, str]] = {
    default.keyword.decode(): default.envvar.decode()
    for default in pq.Conninfo.get_defaults()
    if default.envvar is not None
}
_KEYWORDS: Final = frozenset(default.keyword.decode() for default in pq.Conninfo.get_defaults())
# They have no environment variable, but only control how soon a dead network is noticed.
_TUNING_KEYWORDS: Final = frozenset(
    {
        "keepalives",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "fallback_application_name",
    }
)
# A service file could name another host than the one that is shown and compared.
_USABLE_KEYWORDS: Final = (frozenset(_VARIABLES) | _TUNING_KEYWORDS) - {"service"}

# All that a client tool needs of its caller's environment. No PG* variable is among them.
_KEPT_VARIABLES: Final = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True)
class ConnectionTarget:
    """One database and how to reach it.

    Attributes:
        parameters: libpq keywords and values (host, port, user, dbname, sslmode, options, …); never
            a secret, so they may be shown.
        password: hidden from repr; None if none is needed or `~/.pgpass` has it.
        ignored_parameters: names of URL parameters that an application's driver understands
            (`schema`, `pgbouncer`, …) and Postgres does not.
    """

    parameters: Mapping[str, str]
    password: str | None = field(repr=False)
    ignored_parameters: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The first host: a name, an address, or the folder of a Unix socket."""
        return _hosts(self.parameters)[0]

    @property
    def port(self) -> int:
        """The port of the first host."""
        return int(_ports(self.parameters)[0])

    @property
    def user(self) -> str:
        """The role that logs in."""
        return self.parameters["user"]

    @property
    def database(self) -> str:
        """The database's exact name; names are case-sensitive."""
        return self.parameters["dbname"]

    @property
    def is_on_neon(self) -> bool:
        """Whether the host's name is one of Neon's."""
        return _is_on_neon(self.host)

    def describe(self) -> str:
        """`user@host:port/database`, safe to show; several hosts are separated by commas."""
        hosts, ports = _hosts(self.parameters), _ports(self.parameters)
        ports = ports if len(ports) == len(hosts) else ports * len(hosts)
        places = ",".join(f"[{h}]:{p}" if ":" in h else f"{h}:{p}" for h, p in zip(hosts, ports, strict=True))
        return f"{self.user}@{places}/{self.database}"


def parse(text: str, *, origin: str) -> ConnectionTarget:
    """Reads a connection string, as a URL or in libpq's keyword form.

    Args:
        text: `postgres://…`, `postgresql://…` or `host=… user=… dbname=…`.
        origin: where the text came from, e.g. the environment variable's name; an
            error shows nothing else of it.

    Raises:
        ConfigError: libpq cannot read it, it leaves out host, user or database, or it says
            something that can't be passed to client tools.
    """
    text = trimmed(text)
    ignored: tuple[str, ...] = ()
    if text.startswith(("postgres://", "postgresql://")):
        _refuse_stray_at_sign(text, origin)
        text, ignored = _without_driver_parameters(text)
    try:
        found = conninfo_to_dict(text)
    except psycopg.Error as error:
        # libpq quotes the part that it can't read, which may be a piece of the password.
        reason = re.sub(r'\s*".*"', "", str(error).strip(), flags=re.DOTALL)
        raise ConfigError(
            f"{origin} is not a connection string that libpq can read: {reason} (its text is not shown).",
            meaning=_MEANING,
            next_step="Write postgres://user:password@host:5432/database?sslmode=require, and percent-encode "
            "every character of the password that is not a letter or a digit.",
        ) from None
    # Every session sets its own encoding, as the comparison needs it.
    parameters = {k: str(v) for k, v in found.items() if v not in (None, "") and k != "client_encoding"}
    password = parameters.pop("password", None)
    if parameters.get("sslrootcert") == "system":
        parameters.setdefault("sslmode", "verify-full")  # as libpq has it
    if problems := list(_problems(parameters)):
        raise ConfigError(
            f"{origin} cannot be used: {'; '.join(problems)}.",
            meaning=_MEANING,
            next_step="Write postgres://user:password@host:5432/database, with libpq's own parameters after a '?'.",
        )
    return ConnectionTarget(parameters, password, ignored)


def direct(target: ConnectionTarget) -> ConnectionTarget:
    """The target without Neon's connection pooler, which can't serve dumps, locks or migrations.

    The pooled host is the direct one with `-pooler` at the end of its first label. Targets that are
    not on Neon are returned unchanged.
    """
    if "host" not in target.parameters:
        return target
    hosts = ",".join(_direct_host(host) for host in target.parameters["host"].split(","))
    return replace(target, parameters={**target.parameters, "host": hosts})


def with_database(target: ConnectionTarget, database: str) -> ConnectionTarget:
    """The same server and login, another database."""
    return replace(target, parameters={**target.parameters, "dbname": database})


def environment(
    target: ConnectionTarget,
    *,
    settings: Mapping[str, str] = COMPARABLE_SETTINGS,
    base: Mapping[str, str],
) -> dict[str, str]:
    """The complete environment of a Postgres client tool that works on `target`, except for the password.

    See `secret_files` for that.

    TCP keepalives have no variable: libpq then uses the operating system's (two hours before the first
    probe, usually), so the caller must watch a running tool.

    Args:
        target: becomes PGHOST, PGPORT, PGUSER, PGDATABASE, PGSSLMODE, …
        settings: session settings; they are merged into PGOPTIONS.
        base: the caller's environment (`os.environ`). Only what a tool needs is kept of it, and
            none of its PG* variables. Messages are in English (LC_ALL=C), so that they can be parsed
            by this program.
    """
    found = {name: base[name] for name in _KEPT_VARIABLES if name in base}
    found["LC_ALL"] = "C"
    found["PGCONNECT_TIMEOUT"] = str(CONNECT_TIMEOUT_SECONDS)
    found.update((_VARIABLES[k], value) for k, value in target.parameters.items() if k in _VARIABLES)
    if merged := options(settings, target.parameters.get("options", "")):
        found["PGOPTIONS"] = merged
    return found


def secret_files(target: ConnectionTarget) -> dict[str, str]:
    """A client tool's password as libpq's own password file, for `child.run`.

    A file, because a process's environment can be read by every other process of the same user, and ends up
    in core dumps and support bundles.

    Raises:
        ConfigError: the password has a line break, which a password file can't hold.
    """
    if target.password is None:
        return {}
    if re.search(r"[\r\n]", target.password):
        raise ConfigError(
            f"The password of {target.user} has a line break in it.",
            meaning="Client tools read passwords from a file with one per line, and could not log in.",
            next_step="Give the role another password, or look for a line break at the end of the variable.",
        )
    escaped = target.password.replace("\\", "\\\\").replace(":", "\\:")
    return {"PGPASSFILE": f"*:*:*:*:{escaped}\n"}


def redact(text: str, *targets: ConnectionTarget) -> str:
    """Removes every password (`redaction.passwords`): the targets' own, in URLs, and after `password`."""
    return without_passwords(text, (target.password for target in targets))


def _problems(parameters: Mapping[str, str]) -> Iterator[str]:
    if not parameters.get("host") and not parameters.get("hostaddr"):
        yield "it has no host (for a local socket, use its folder, e.g. host=/var/run/postgresql)"
    if "user" not in parameters:
        yield "it has no user"
    if "dbname" not in parameters:
        yield "it has no database"
    ports = _ports(parameters)
    if not all(port.isascii() and port.isdigit() and 0 < int(port) < 65536 for port in ports):
        yield "its port is not a number from 1 to 65535"
    elif len(ports) not in (1, len(_hosts(parameters))):
        yield "it has a different number of ports than hosts"
    if parameters.get("sslmode", "prefer") not in SSL_MODES:
        yield f"its sslmode is not one of {', '.join(SSL_MODES)}"
    for keyword in sorted(set(parameters) - _USABLE_KEYWORDS):
        yield f"{keyword} cannot be passed to pg_dump and pg_restore"


def _refuse_stray_at_sign(url: str, origin: str) -> None:
    # libpq would treat what follows the first @ as the host's name, or everything before a / as the host,
    # so the rest of the password would be shown, compared and looked up in DNS.
    rest = url.partition("://")[2]
    if rest.count("@") > 1 or "@" in rest.partition("/")[2]:
        raise ConfigError(
            f"{origin} has an '@' or a '/' in its user or password that is not percent-encoded "
            "(its text is not shown).",
            meaning=_MEANING,
            next_step="Write '@' as %40 and '/' as %2F.",
        )


def _without_driver_parameters(url: str) -> tuple[str, tuple[str, ...]]:
    """Removes the query parameters of application drivers, and translates node's and JDBC's `ssl`."""
    credentials, at_sign, rest = url.rpartition("@")
    place, _, query = rest.partition("?")
    kept: list[str] = []
    ignored: list[str] = []
    for pair in filter(None, query.split("&")):
        name, equals, value = pair.partition("=")
        name = unquote(name)
        if name == "ssl" and value in ("true", "1"):
            kept.insert(0, "sslmode=require")  # a later sslmode wins
        elif name == "sslmode" and value == "no-verify":
            kept.append("sslmode=require")  # node's term for: encrypted, but not verified
        elif equals and name not in _KEYWORDS and re.fullmatch(r"[A-Za-z_]\w{0,40}", name):
            ignored.append(name)
        else:
            kept.append(pair)
    return f"{credentials}{at_sign}{place}" + ("?" + "&".join(kept) if kept else ""), tuple(ignored)


def _direct_host(host: str) -> str:
    label, dot, domain = host.partition(".")
    if dot and _is_on_neon(host) and label.lower().endswith("-pooler"):
        return label[: -len("-pooler")] + dot + domain
    return host


def _is_on_neon(host: str) -> bool:
    label, _, domain = host.partition(".")
    return f".{domain}".lower().rstrip(".").endswith(".neon.tech") or label.lower().startswith("ep-")


def _hosts(parameters: Mapping[str, str]) -> list[str]:
    return (parameters.get("host") or parameters.get("hostaddr", "")).split(",")


def _ports(parameters: Mapping[str, str]) -> list[str]:
    return [port or _DEFAULT_PORT for port in parameters.get("port", _DEFAULT_PORT).split(",")]
