"""The database that an artifact is restored into: whether it may take this one, before anything is touched."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from hackorda_ops.engines.postgres.recovery.give_access import make_roles, require_roles
from hackorda_ops.errors import TargetRefused
from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.catalogs.same_database import closeness
from hackorda_ops.postgres.restoring import target as restore_target
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import RESTORE_SETTINGS, SHORT_SETTINGS


@contextmanager
def admitted(
    target: ConnectionTarget,
    manifest: PostgresManifest,
    *,
    source: ConnectionTarget | None,
    application_name: str,
    roles: Sequence[str] = (),
    only_look: bool = False,
) -> Iterator[psycopg.Connection[Any]]:
    """Opens a session on a restore target, if it may take this artifact.

    Args:
        target: the empty database.
        manifest: the artifact's.
        source: the live database, where it's known: the target must not be it.
        application_name: how the session shows in pg_stat_activity.
        roles: statements of roles.sql; missing roles are created.
        only_look: changes nothing there: missing roles aren't created, and are only missed without `roles`.

    Raises:
        TargetRefused: it is the source, isn't empty, or can't take this artifact.
        RightsMissing: the roles can't be created.
        OpsError: the login or the connection failed.
    """
    settings = {**RESTORE_SETTINGS, **({"default_transaction_read_only": "on"} if only_look else {})}
    with connect(target, application_name=application_name, settings=settings) as connection:
        with translated_errors(target, "Looking at the restore target"):
            if source is not None:
                _refuse_source(connection, target, source)
            _admit(connection, target, manifest)
            if not only_look:
                make_roles(connection, target, roles)
            if not (only_look and roles):
                require_roles(connection, target, manifest)
        yield connection


def _refuse_source(
    connection: psycopg.Connection[Any], target: ConnectionTarget, source: ConnectionTarget
) -> None:
    with (
        translated_errors(source, "Making sure that the target is not the source"),
        connect(source, application_name="hackorda_ops restore", settings=SHORT_SETTINGS) as live,
    ):
        if closeness(live, connection) == "same database":
            raise TargetRefused(
                f"{target.describe()} is the source itself.",
                meaning="Nothing was restored, and nothing in it was touched.",
                next_step="Create a new, empty database and restore into that; then point the app at it.",
            )


def _admit(connection: psycopg.Connection[Any], target: ConnectionTarget, manifest: PostgresManifest) -> None:
    """Refuses a target that can't take this artifact."""
    restore_target.require_empty(connection)
    there = source_catalog.read_source(connection)
    server_major, written_by = there.server_version_number // 10_000, manifest.client.major
    if server_major < written_by:
        raise TargetRefused(
            f"{target.describe()} runs Postgres {server_major}; the artifact is from Postgres {written_by}.",
            meaning="An older server can't take a newer one's dump. Nothing was restored.",
            next_step=f"Restore on a server of Postgres {written_by} or later.",
        )
    if there.encoding != manifest.inventory.source.encoding:
        raise TargetRefused(
            f"{target.describe()} has the encoding {there.encoding}; the artifact is in "
            f"{manifest.inventory.source.encoding}.",
            meaning="Text would be altered or rejected by the conversion. Nothing was restored.",
            next_step="Create the database as the artifact's RESTORE.md shows, and restore into that.",
        )
    _require_extensions(connection, target, manifest)


def _require_extensions(
    connection: psycopg.Connection[Any], target: ConnectionTarget, manifest: PostgresManifest
) -> None:
    offered = {name for (name,) in connection.execute("SELECT name FROM pg_catalog.pg_available_extensions")}
    lacking = [each.name for each in manifest.inventory.extensions if each.name not in offered]
    if lacking:
        raise TargetRefused(
            f"{target.describe()} does not offer the extension(s) {', '.join(lacking)}.",
            meaning="The restore would stop at the first of them. Nothing was restored.",
            next_step="Install their packages on that server, or restore on one that has them.",
        )
