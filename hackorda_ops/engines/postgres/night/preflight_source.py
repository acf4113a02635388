"""What a source's catalogs and settings say before it is dumped. Decisions on values; the reading is small."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg

from hackorda_ops.concerns import Concern, Looked, concern_of
from hackorda_ops.postgres.access.one_line_sql import identifier
from hackorda_ops.postgres.catalogs import rights
from hackorda_ops.postgres.catalogs.inventory import Inventory
from hackorda_ops.postgres.sessions.capacity import LockRoom, read_lock_room
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, direct
from hackorda_ops.postgres.sessions.session import translated_errors
from hackorda_ops.words import named

OLDEST_MAJOR: Final = 14

# What every session of the application's role gets by default, strongest first: for the role in this
# database, for the role, for the database, for all. (pg_settings would show our own session.)
_TIME_LIMITED: Final = """
SELECT coalesce((
    SELECT split_part(given, '=', 2) !~ '^0+[a-z]*$'
      FROM pg_db_role_setting s, unnest(s.setconfig) AS given
     WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
       AND s.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = %s))
       AND given LIKE 'statement\\_timeout=%%'
     ORDER BY s.setrole = 0, s.setdatabase = 0 LIMIT 1), false)
"""


def look_at_server(connection: psycopg.Connection[Any], target: ConnectionTarget) -> Looked:
    """Which server this is, whether its version is supported, and whether the connection is encrypted."""
    version = connection.info.server_version
    encrypted = connection.pgconn.ssl_in_use
    seen = f"Postgres {version // 10_000}.{version % 10_000} at {target.describe()}, TLS {'on' if encrypted else 'off'}"
    concerns = [*version_concerns(version), *encryption_concerns(target, encrypted=encrypted)]
    return Looked("source", seen, tuple(concerns))


def version_concerns(version_number: int) -> Iterator[Concern]:
    """Whether a server's version is supported. Pure; takes `server_version_num`."""
    major = version_number // 10_000
    if major < OLDEST_MAJOR:
        yield Concern(
            "stops the night",
            f"The source runs Postgres {major}; {OLDEST_MAJOR} is the oldest that is supported.",
            "Its catalogs can't be read as newer ones are, so no dump of it could be proven.",
            "Upgrade the server: the Postgres project no longer maintains versions this old.",
        )


def encryption_concerns(target: ConnectionTarget, *, encrypted: bool) -> Iterator[Concern]:
    """Whether passwords and rows travel unencrypted. Pure."""
    host = target.host
    if not encrypted and not host.startswith(("/", "127.")) and host not in {"localhost", "::1"}:
        yield Concern(
            "worth knowing",
            f"The connection to {host} is not encrypted.",
            "Anyone on the network path can read every row of a dump.",
            "Set DB_SSL_MODE to verify (or require), unless the network in between is your own.",
        )


def look_at_rights(
    connection: psycopg.Connection[Any], target: ConnectionTarget, inventory: Inventory
) -> Looked:
    """Whether the role can read everything that a dump reads: schemas, tables, policies, large objects.

    Args:
        connection: a session on the source.
        target: the source, for messages.
        inventory: what the source holds.
    """
    with translated_errors(target, "Looking at the role's rights"):
        missing = rights.missing_rights(connection, inventory)
    if not missing:
        return Looked("rights", f"{target.user} can read everything that a dump reads")
    concern = concern_of(rights.rights_missing(target, missing), "stops the night")
    return Looked("rights", f"{len(missing)} gap(s)", (concern,))


def look_at_locks(connection: psycopg.Connection[Any], target: ConnectionTarget, *, jobs: int) -> Looked:
    """Whether the server's lock table has room for a dump with this many jobs.

    Args:
        connection: a session on the source.
        target: the source, for messages.
        jobs: pg_dump's --jobs.
    """
    with translated_errors(target, "Checking the server's lock capacity"):
        room = read_lock_room(connection)
    needed = room.needed(room.jobs_that_fit(jobs) or 1)
    seen = f"a dump takes {needed:,} locks of the {room.capacity:,} that the server has room for"
    return Looked("locks", seen, tuple(lock_concerns(room, jobs=jobs)))


def lock_concerns(room: LockRoom, *, jobs: int) -> Iterator[Concern]:
    """Whether a dump's locks fit alongside everybody else's. Pure."""
    fitting = room.jobs_that_fit(jobs)
    if fitting == jobs:
        return
    figures = (
        f"the server has room for about {room.capacity:,} (max_locks_per_transaction = {room.setting}), "
        f"{room.in_use:,} are in use, and others need room as well"
    )
    if fitting:
        yield Concern(
            "worth knowing",
            f"A dump with {jobs} jobs takes {room.needed(jobs):,} locks; {figures}.",
            f"It runs with one job, for which {room.needed(1):,} locks are enough, and takes longer.",
            f"Raise max_locks_per_transaction to {room.setting_for(jobs)} and restart the server, or set dump.jobs "
            "to 1.",
        )
        return
    yield Concern(
        "stops the night",
        f"A dump takes {room.needed(1):,} locks; {figures}.",
        "It would end with 'out of shared memory', and so might the application's own work at that moment.",
        f"Raise max_locks_per_transaction to {room.setting_for(1)} ({room.setting_for(jobs)} for {jobs} jobs) and "
        "restart the server; or dump from a Neon branch (dump_from: branch).",
    )


def look_at_settings(
    connection: psycopg.Connection[Any], target: ConnectionTarget, application: ConnectionTarget | None
) -> Looked:
    """Whether the application's own guard holds behind a pooler; `application` is how it connects, where known.

    Args:
        connection: a session on the source.
        target: the source, for messages.
        application: how the application connects; None if unknown.
    """
    if application is None or not is_pooled(application):
        return Looked("settings", "the application's URL names no pooler")
    with translated_errors(target, "Looking at the database's settings"):
        [(limited,)] = connection.execute(_TIME_LIMITED, (application.user,)).fetchall()
    if limited:
        return Looked("settings", "statement_timeout also applies behind the pooler")
    concern = Concern(
        "worth knowing",
        f"The application connects to {application.host}, a pooler, and {target.database} has no statement_timeout "
        "of its own.",
        "A pooler in transaction mode loses what a session SETs, so nothing ends a runaway query. "
        "The dump isn't affected: it bypasses the pooler.",
        f"Once, on the direct endpoint: ALTER DATABASE {identifier(target.database)} SET statement_timeout = '15s';",
    )
    return Looked("settings", "no statement_timeout behind the pooler", (concern,))


def is_pooled(target: ConnectionTarget) -> bool:
    """Whether a connection string itself says that it leads to a pooler: Neon's host names, Prisma's parameter."""
    return direct(target) != target or "pgbouncer" in target.ignored_parameters


def look_at_contents(inventory: Inventory) -> Looked:
    """What the database holds that a dump, a crash or a branch treats specially. Pure."""
    seen = f"{len(inventory.tables):,} tables, {len(inventory.extensions)} extension(s)"
    return Looked("contents", seen, tuple(_content_concerns(inventory)))


def _content_concerns(inventory: Inventory) -> Iterator[Concern]:
    foreign = [str(table.name) for table in inventory.tables if table.kind == "foreign table"]
    if foreign:
        yield Concern(
            "worth knowing",
            f"Rows of foreign tables are on another server: {named(foreign)}.",
            "A dump contains their definitions, and none of their rows.",
            "Protect that server as well, as a database of its own.",
        )
    unlogged = [str(table.name) for table in inventory.tables if table.unlogged]
    if unlogged:
        yield Concern(
            "worth knowing",
            f"Unlogged tables: {named(unlogged)}.",
            "They are in the dump. A crash of the source, a suspended compute or a clone empties them.",
            "Make them ordinary (ALTER TABLE … SET LOGGED), unless losing them is harmless.",
        )
    if inventory.subscriptions:
        yield Concern(
            "worth knowing",
            f"Subscriptions: {named(inventory.subscriptions)}.",
            "A restore leaves them out; a branch includes them, and they might be active there during a drill.",
            "Drill on a scratch server if that would do harm.",
        )
    if any(extension.name == "pg_cron" for extension in inventory.extensions):
        yield Concern(
            "worth knowing",
            "The database has pg_cron jobs.",
            "A branch includes them, and they might run there during a drill.",
            "Drill on a scratch server if they reach beyond the database.",
        )
