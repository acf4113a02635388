"""Checks what a night needs before it starts: finds every problem at once, and leaves nothing behind.

A night checks on the connection that it has anyway (`require_ready`); the command opens its own
(`look`). The checks and the messages are the same.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from hackorda_ops.artifacts import room
from hackorda_ops.calendar.clocks import ahead_of_us, clock_concerns, looked_at
from hackorda_ops.concerns import Concern, Looked, concern_of, concerns_in, looked, require_none
from hackorda_ops.engines.engine import NightView
from hackorda_ops.engines.postgres.night.preflight_key_tables import look_at_key_tables
from hackorda_ops.engines.postgres.night.preflight_source import (
    look_at_contents,
    look_at_locks,
    look_at_rights,
    look_at_server,
    look_at_settings,
)
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ClientMissing, OpsError
from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.catalogs.inventory import Inventory
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.postgres.sessions.snapshot import exported
from hackorda_ops.postgres.tools.clients import Clients

_APPLICATION_NAME = "hackorda_ops preflight"
# An operator is waiting: long enough for a suspended compute, not for a restarting server.
_RETRY_BUDGET_SECONDS = 10
# From this major on pg_dump can write zstd, where it was built with it.
_ZSTD_SINCE_MAJOR = 16


def look(protected: Protected, *, private_folder: Path) -> NightView:
    """Checks source and clients as the next night will find them.

    Args:
        protected: the database.
        private_folder: where the provider's CA bundle is written, if there's one.
    """
    parts: list[Looked] = []
    source: ConnectionTarget | None = None
    inventory: Inventory | None = None
    try:
        target = protected.source(private_folder=private_folder)
        with connect(
            target,
            application_name=_APPLICATION_NAME,
            settings=SHORT_SETTINGS,
            retry_budget_seconds=_RETRY_BUDGET_SECONDS,
        ) as session:
            source = target
            parts.append(look_at_server(session, target))
            with translated_errors(target, "Reading the source's clock"):
                parts.append(looked_at({"the source": ahead_of_us(session)}))
            if not concerns_in(parts, "stops the night"):
                parts.append(looked("snapshot", "stops the night", lambda: _look_at_snapshot(target)))
                with translated_errors(target, "Reading the catalogs"):
                    inventory = source_catalog.read_catalog(session)
                parts += _look_inside(protected, session, target, inventory)
    except OpsError as error:
        parts.append(Looked("source", "", (concern_of(error, "stops the night"),)))
    if inventory is not None:
        major = inventory.source.server_version_number // 10_000
        parts.append(looked("clients", "stops the night", lambda: look_at_clients(protected, major)))
    return NightView(tuple(parts), source, inventory.size_bytes if inventory else None, inventory)


def require_clock(session: psycopg.Connection[Any], target: ConnectionTarget) -> tuple[str, ...]:
    """Makes sure that the clock which will date the artifact agrees with this machine's.

    Returns:
        A sentence for the artifact if they disagree slightly.

    Raises:
        PermanentError: they are more than an hour apart.
    """
    with translated_errors(target, "Reading the source's clock"):
        concerns = tuple(clock_concerns({"the source": ahead_of_us(session)}))
    require_none([each for each in concerns if each.severity == "stops the night"])
    return tuple(each.what for each in concerns)


def require_ready(
    protected: Protected,
    session: psycopg.Connection[Any],
    target: ConnectionTarget,
    inventory: Inventory,
    *,
    folder: Path,
    previous: PostgresManifest | None,
) -> Clients:
    """Makes sure that a dump can be taken, before it is begun.

    Args:
        protected: the database.
        session: the night's own, as the role that will dump.
        target: the source.
        inventory: of the source.
        folder: where the dump will be written.
        previous: the newest artifact's manifest; None before the first.

    Returns:
        The client tools to take it with.

    Raises:
        OpsError: everything that must be fixed first (`concerns.require_none`).
    """
    parts = (
        look_at_rights(session, target, inventory),
        look_at_locks(session, target, jobs=protected.policy.dump.jobs),
        room.look_at_room(folder, room.free_bytes(folder), inventory.size_bytes, previous),
    )
    concerns = concerns_in(parts, "stops the night")
    try:
        tools = protected.client_tools(inventory.source.server_version_number // 10_000)
    except ClientMissing as error:
        require_none([*concerns, concern_of(error, "stops the night")])
        raise
    require_none(concerns)
    return tools


def look_at_clients(protected: Protected, major: int) -> Looked:
    """Whether there are client tools of a server's major version, and how they compress.

    Raises:
        ClientMissing: there are none.
    """
    tools = protected.client_tools(major)
    seen = f"pg_dump, pg_restore and psql {tools.version} in {tools.folder}, {tools.compression}"
    if tools.compression == "zstd" or major < _ZSTD_SINCE_MAJOR:
        return Looked("clients", seen)
    concern = Concern(
        "worth knowing",
        f"The pg_dump in {tools.folder} was built without zstd.",
        "Dumps are compressed with gzip, which is much slower and compresses less.",
        "Install the PostgreSQL project's own client packages, or name their folder in source.client_folders.",
    )
    return Looked("clients", seen, (concern,))


def _look_inside(
    protected: Protected, session: psycopg.Connection[Any], target: ConnectionTarget, inventory: Inventory
) -> Iterator[Looked]:
    application, jobs = protected.application(), protected.policy.dump.jobs
    yield looked("rights", "stops the night", lambda: look_at_rights(session, target, inventory))
    yield looked("locks", "stops the night", lambda: look_at_locks(session, target, jobs=jobs))
    yield looked("settings", "stops the night", lambda: look_at_settings(session, target, application))
    yield look_at_contents(inventory)
    wanted = protected.policy.key_tables
    if wanted:
        names = [table.name for table in inventory.tables]
        yield looked(
            "key tables", "stops the drill", lambda: look_at_key_tables(session, target, wanted, names)
        )


def _look_at_snapshot(target: ConnectionTarget) -> str:
    with exported(target, application_name=_APPLICATION_NAME, alignment_budget_seconds=0):
        return "one connection's snapshot is seen by another"
