"""What the doctor asks a Postgres server: how long its version is maintained, and whether its connections suffice."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from hackorda_ops.concerns import Concern, Looked
from hackorda_ops.engines.postgres.night.preflight_source import is_pooled
from hackorda_ops.environment import Protected
from hackorda_ops.given import given
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.words import counted

# The last minor release of each major version: https://www.postgresql.org/support/versioning/, as of November 2025.
# Newer ones are maintained for five years from their autumn.
END_OF_LIFE: Final[Mapping[int, date]] = {
    13: date(2025, 11, 13),
    14: date(2026, 11, 12),
    15: date(2027, 11, 11),
    16: date(2028, 11, 9),
    17: date(2029, 11, 8),
    18: date(2030, 11, 14),
}
_SOURCE: Final = "postgresql.org/support/versioning, as of November 2025"
_SOON: Final = timedelta(days=365)
# How applications name the size of their pool, one for each of their processes.
POOL_VARIABLES: Final = ("DB_POOL_MAX", "DB_MAX_OPEN_CONNS")
# Beside pg_dump's jobs: its own session, the snapshot's, the lock's, who waits, and values of the source.
_BESIDE_JOBS: Final = 5
_NEARLY_FULL: Final = 0.8
_RETRY_BUDGET_SECONDS: Final = 10.0
_SETTINGS: Final = {**SHORT_SETTINGS, "default_transaction_read_only": "on", "statement_timeout": "15s"}

_CONNECTIONS: Final = b"""
SELECT pg_catalog.current_setting('max_connections')::int,
       pg_catalog.current_setting('superuser_reserved_connections')::int
       + coalesce(pg_catalog.current_setting('reserved_connections', true)::int, 0),
       (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'),
       (SELECT rolconnlimit FROM pg_catalog.pg_roles WHERE rolname = current_user)
"""


def examine(protected: Protected, *, private_folder: Path, today: date) -> Iterator[Looked]:
    """See `Engine.examine`."""
    target = protected.source(private_folder=private_folder)
    with (
        connect(
            target,
            application_name="hackorda_ops doctor",
            settings=_SETTINGS,
            retry_budget_seconds=_RETRY_BUDGET_SECONDS,
        ) as connection,
        translated_errors(target, "Looking at the server's limits"),
    ):
        [(limit, reserved, used, role_limit)] = connection.execute(_CONNECTIONS).fetchall()
        major = connection.info.server_version // 10_000
    yield Looked("version", _maintained(major), tuple(version_concerns(major, today)))
    named = next((each for each in POOL_VARIABLES if given(protected.environ, each)), None)
    application = protected.application()
    yield Looked(
        "connections",
        f"{used} of {limit} (max_connections) are in use, {reserved} are reserved; "
        + (
            f"${named} is {given(protected.environ, named)}"
            if named
            else f"the application's pool is unknown here (none of {', '.join(POOL_VARIABLES)} is set)"
        ),
        tuple(
            connection_concerns(
                limit=limit,
                reserved=reserved,
                used=used,
                role_limit=role_limit,
                ours=protected.policy.dump.jobs + _BESIDE_JOBS,
                pool=_number(protected, named),
                pool_name=named or "",
                pooled=application is not None and is_pooled(application),
            )
        ),
    )


def version_concerns(major: int, today: date) -> Iterator[Concern]:
    """Whether a major version is still maintained. Pure.

    Args:
        major: the server's.
        today: the local date.
    """
    ends = END_OF_LIFE.get(major)
    if ends is None and major > max(END_OF_LIFE):
        return
    if ends is None or ends < today:
        yield Concern(
            "worth knowing",
            f"Postgres {major} is no longer maintained"
            + (f" since {ends}" if ends else "")
            + f" ({_SOURCE}).",
            "Holes that are found in it stay open, and data may be lost to known bugs.",
            "Upgrade the server: `hackorda-ops cutover rehearse` tries the move to a newer one first.",
        )
    elif ends - today < _SOON:
        yield Concern(
            "worth knowing",
            f"Postgres {major} is maintained until {ends} only ({_SOURCE}).",
            "An upgrade takes a rehearsal and a window.",
            "Plan it: `hackorda-ops cutover rehearse` tries the move to a newer server first.",
        )


def connection_concerns(
    *,
    limit: int,
    reserved: int,
    used: int,
    role_limit: int,
    ours: int,
    pool: int | None,
    pool_name: str,
    pooled: bool,
) -> Iterator[Concern]:
    """Whether application and backup find room among a server's connections. Pure.

    Args:
        limit: max_connections.
        reserved: those that only administrators get.
        used: at the moment.
        role_limit: of the backup's role; -1 for none.
        ours: what a night takes.
        pool: how many connections one process of the application may open; None where that's unknown.
        pool_name: the variable that says so.
        pooled: whether the application connects through a pooler, which has limits of its own.
    """
    room = limit - reserved
    if 0 <= role_limit < ours:
        yield Concern(
            "stops the night",
            f"The backup's role may have {counted(role_limit, 'connection')}, and a night takes up to {ours}.",
            "The night would fail with 'too many connections for role'.",
            "ALTER ROLE … CONNECTION LIMIT -1, or lower dump.jobs in databases.yaml.",
        )
    if pool is not None and not pooled and pool + ours > room:
        yield Concern(
            "stops the night",
            f"${pool_name} allows one process of the application {counted(pool, 'connection')}; the server has {room} "
            f"for everybody, and a night takes up to {ours}.",
            "At full load the application, or the night, gets no connection.",
            f"Lower ${pool_name}, connect through the provider's pooler, or raise max_connections.",
        )
    elif pool is not None and not pooled and 2 * pool + ours > room:
        yield Concern(
            "worth knowing",
            f"Two processes of the application with {pool} connections each (${pool_name}) and a night ({ours}) need "
            f"more than the {room} that the server has.",
            "With a second process, or while one replaces another, connections run out.",
            f"Lower ${pool_name}, or connect through the provider's pooler, before there is a second one.",
        )
    if used + ours > room:
        yield Concern(
            "stops the night",
            f"{used} of {room} connections are in use, and a night takes up to {ours}.",
            "A night at a moment like this fails with 'too many clients already'.",
            "See who has them (`hackorda-ops look connections`); lower pools, or raise max_connections.",
        )
    elif used > _NEARLY_FULL * room:
        yield Concern(
            "worth knowing",
            f"{used} of {room} connections are in use.",
            "Not much is left for a busy hour.",
            "See who has them: `hackorda-ops look connections`.",
        )


def _maintained(major: int) -> str:
    ends = END_OF_LIFE.get(major)
    return f"Postgres {major}, maintained until {ends} ({_SOURCE})" if ends else f"Postgres {major}"


def _number(protected: Protected, variable: str | None) -> int | None:
    text = given(protected.environ, variable) if variable else ""
    return int(text) if text.isdecimal() else None
