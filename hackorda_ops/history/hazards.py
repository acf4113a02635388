"""Why a branch of a source may have to be asked for: what it would do on its own, and what it lacks.

Reads catalogs only, so that no table lock blocks it.
"""

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from hackorda_ops.errors import OpsError, TargetRefused
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, with_database
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS

IF_HARMLESS: Final = "If that is harmless, set dump_from: branch in databases.yaml."

_APPLICATION: Final = "hackorda_ops hazards"
_CRON: Final = "SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_cron'"
# One database holds the whole server's jobs, and the setting exists wherever pg_cron is loaded.
_CRON_DATABASE: Final = """
SELECT datname FROM pg_catalog.pg_database
 WHERE datname = pg_catalog.current_setting('cron.database_name', true)
"""
_SUBSCRIPTIONS: Final = "SELECT FROM pg_catalog.pg_subscription WHERE subenabled LIMIT 1"
_LOST: Final = "SELECT FROM pg_catalog.pg_class WHERE relkind = 'r' AND relpersistence = 'u' LIMIT 1"


def acting(connection: psycopg.Connection[Any], source: ConnectionTarget) -> tuple[str, ...]:
    """What a branch of a database's server might do to other systems on its own, in words.

    Args:
        connection: to the database, in autocommit.
        source: the database.

    Raises:
        psycopg.Error: the caller translates.
    """
    found = []
    if _has_cron(connection, source):
        found.append("the source's pg_cron jobs may run on it")
    if connection.execute(_SUBSCRIPTIONS).fetchone() is not None:
        found.append("the source's subscriptions may connect to their publishers from it")
    return tuple(found)


def _has_cron(connection: psycopg.Connection[Any], source: ConnectionTarget) -> bool:
    """Whether the server has pg_cron jobs, or might have."""
    if connection.execute(_CRON).fetchone() is not None:
        return True
    try:
        named = connection.execute(_CRON_DATABASE).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return True
    if named is None or named[0] == source.database:
        return False
    try:
        elsewhere = with_database(source, named[0])
        with (
            translated_errors(elsewhere, "Looking for pg_cron jobs"),
            connect(
                elsewhere, application_name=_APPLICATION, settings=SHORT_SETTINGS, retry_budget_seconds=0
            ) as there,
        ):
            return there.execute(_CRON).fetchone() is not None
    except OpsError:
        return True


def lost(connection: psycopg.Connection[Any]) -> tuple[str, ...]:
    """What a branch of this database lacks, in words.

    Args:
        connection: to the database.

    Raises:
        psycopg.Error: the caller translates.
    """
    there = connection.execute(_LOST).fetchone() is not None
    return ("unlogged tables are empty on it",) if there else ()


def require_asked_for(hazards: Sequence[str], *, asked_for: bool, meaning: str) -> None:
    """Refuses a branch that does something by itself, or lacks something, unless somebody asked for branches. Pure.

    Args:
        hazards: what it does or lacks, in words.
        asked_for: whether the configuration says `dump_from: branch`.
        meaning: what follows from there being no branch.

    Raises:
        TargetRefused: nobody did.
    """
    if hazards and not asked_for:
        raise TargetRefused(
            f"No branch is created unless configured, because {' and '.join(hazards)}.",
            meaning=meaning,
            next_step=IF_HARMLESS,
        )


def acting_now(source: ConnectionTarget) -> tuple[str, ...]:
    """What a branch of the live database may do to others by itself, in words.

    Args:
        source: the live database.

    Raises:
        OpsError: it can't be reached.
    """
    with (
        translated_errors(source, "Looking at the source"),
        connect(source, application_name=_APPLICATION, settings=SHORT_SETTINGS) as connection,
    ):
        return acting(connection, source)
