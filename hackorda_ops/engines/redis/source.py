"""The live Redis server, and whether a night of it can be taken."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hackorda_ops.calendar.clocks import apart, clock_concerns, looked_at
from hackorda_ops.concerns import Concern, Looked, concern_of, looked
from hackorda_ops.engines.engine import NightView
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ClientMissing, ConfigError, OpsError, RightsMissing
from hackorda_ops.given import given
from hackorda_ops.hosts import is_local_host
from hackorda_ops.redis.info import ServerInfo, read_info, read_time
from hackorda_ops.redis.server import Program
from hackorda_ops.redis.target import RedisTarget, parse
from hackorda_ops.redis.wire import RedisClient, Refusal, connected, translated
from hackorda_ops.scratch.redis import program_of
from hackorda_ops.words import counted


def source_of(protected: Protected, *, private_folder: Path) -> RedisTarget:
    """The live server.

    Args:
        protected: the database.
        private_folder: where the provider's CA bundle is written, if there's one.

    Raises:
        ConfigError: the variable is missing, its value is not a URL of Redis, or it's redis:// at a host that isn't
            local.
    """
    protected.require("source")
    source = protected.policy.source
    bundle = given(protected.environ, source.ca_certificate_env)
    path = None
    if bundle:
        private_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = private_folder / "redis-ca.pem"
        path.write_text(bundle)
    target = parse(given(protected.environ, source.url_env), origin=f"${source.url_env}", ca_certificate=path)
    if not target.tls and source.tls != "disable" and not (target.local or is_local_host(target.host)):
        raise ConfigError(
            f"${source.url_env} is redis://, and {target.host} is not a local host.",
            meaning="Anyone on the network path could read the password and every key, so nothing was attempted.",
            next_step=f"Set {source.url_env} to a rediss:// URL. If the network in between is really your own, write "
            "tls: disable into the source's section of databases.yaml.",
        )
    return target


def look(protected: Protected, *, private_folder: Path) -> NightView:
    """See `Engine.look`."""
    parts: list[Looked] = []
    target: RedisTarget | None = None
    info: ServerInfo | None = None
    try:
        wanted = source_of(protected, private_folder=private_folder)
        with connected(wanted) as client, translated(wanted, "Looking at the server"):
            info = read_info(client)
            target = wanted
            seen = f"Redis {info.version} at {wanted.describe()}, TLS {'on' if wanted.tls else 'off'}"
            parts.append(Looked("source", seen, tuple(encryption_concerns(wanted))))
            parts.append(looked_at({"the source": ahead_of_us(client)}))
            parts.append(Looked("contents", counted(info.keys, "key")))
            parts.append(looked("rights", "stops the night", lambda: _look_at_rights(client, wanted)))
    except OpsError as error:
        parts.append(Looked("source", "", (concern_of(error, "stops the night"),)))
    if info is not None:
        version = info.number
        parts.append(
            looked("program", "stops the night", lambda: _look_at_program(program_of(protected), version))
        )
    return NightView(tuple(parts), target, info.memory_bytes if info else None, info)


def encryption_concerns(target: RedisTarget) -> Iterator[Concern]:
    """Whether keys travel unencrypted. Pure."""
    if not target.tls and not target.local:
        yield Concern(
            "worth knowing",
            f"The connection to {target.host} is not encrypted.",
            "Anyone on the network path can read every key, and the password.",
            "Use a rediss:// URL, unless the network in between is your own.",
        )


def ahead_of_us(client: RedisClient) -> timedelta:
    """How far a server's clock is ahead of this machine's.

    Raises:
        Refusal: it refused.
        ConnectionLost: the connection broke.
    """
    before = datetime.now(UTC)
    there = read_time(client)
    return apart(there, before, datetime.now(UTC))


def clock_warnings(client: RedisClient) -> tuple[Concern, ...]:
    """What is wrong with the clock that will date the artifact."""
    return tuple(clock_concerns({"the source": ahead_of_us(client)}))


def require_readable(program: Program, version: tuple[int, int]) -> None:
    """Refuses a redis-server that is older than the source: it can't read its snapshots.

    Args:
        program: ours.
        version: the source's, major and minor.

    Raises:
        ClientMissing: it's older.
    """
    if program.number < version:
        raise ClientMissing(
            f"The source runs Redis {version[0]}.{version[1]}, but {program.path} is {program.version}.",
            meaning="An older server can't read a newer one's snapshot, so nothing could be proven.",
            next_step="Install a redis-server of the source's version or later where this runs, and name its folder in "
            "scratch.redis.program_folder.",
        )


def _look_at_program(program: Program, version: tuple[int, int]) -> str:
    require_readable(program, version)
    return f"redis-server {program.version} at {program.path}"


def _look_at_rights(client: RedisClient, target: RedisTarget) -> str:
    """Whether the user may ask for a snapshot, without asking for one."""
    if target.user is None:
        return "the default user"
    with translated(target, "Looking at the user's rights"):
        try:
            answer = client.ask("ACL", "DRYRUN", target.user, "SYNC")
        except Refusal:
            return f"{target.user}; whether it may ask for a snapshot can't be asked"
    if answer == b"OK":
        return f"{target.user} may ask for a snapshot"
    raise _no_right(target)


def _no_right(target: RedisTarget) -> OpsError:

    return RightsMissing(
        f"{target.describe()} doesn't let {target.user} ask for a snapshot.",
        meaning="There would be no backup.",
        next_step=f"ACL SETUSER {target.user} +sync +psync +replconf +info +time +ping",
    )
