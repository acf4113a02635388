"""Gives a restored database the roles, owners, grants and settings that its artifact records."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from hackorda_ops.artifacts.documents import USE_ANOTHER_ARTIFACT
from hackorda_ops.artifacts.manifest import digest_of
from hackorda_ops.engines.postgres.recovery.by_hand import has_access
from hackorda_ops.errors import ArtifactDamaged, RightsMissing, TargetRefused, UsageError
from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.access import access
from hackorda_ops.postgres.access.one_line_sql import identifier
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, redact
from hackorda_ops.postgres.sessions.session import translated_errors
from hackorda_ops.stores.store import Store
from hackorda_ops.words import shortened

NOT_GIVEN = (
    "Roles, owners, grants and settings of the source were not applied: restore --with-access does it, or roles.sql "
    "and access.sql with psql, as the artifact's RESTORE.md shows."
)
_REFUSALS_SHOWN = 20


def roles_of(store: Store, manifest: PostgresManifest) -> tuple[str, ...]:
    """The statements of an artifact's roles.sql, straight from its store.

    Raises:
        UsageError: the artifact records no access.
        ArtifactDamaged: the file isn't the one of the manifest.
        ArtifactMissing, StoreRefused, StoreUnreachable: it can't be read.
    """
    if not has_access(manifest):
        raise UsageError(
            f"The artifact {manifest.artifact_id} doesn't record roles, owners and grants: "
            "an earlier release took it.",
            meaning="Nothing was restored.",
            next_step="Restore it without --with-access, or use a newer artifact.",
        )
    data = store.read_small(f"{manifest.prefix}/{access.ROLES_NAME}")
    expected = {file.path: file.sha256 for file in manifest.files}.get(access.ROLES_NAME)
    if digest_of(data) != expected:
        raise ArtifactDamaged(
            f"{store.describe()}/{manifest.prefix}/{access.ROLES_NAME} is not the file of the manifest.",
            meaning="Nothing was restored, and no role was created.",
            next_step=USE_ANOTHER_ARTIFACT,
        )
    return access.statements_in(data)


def make_roles(connection: psycopg.Connection[Any], target: ConnectionTarget, roles: Sequence[str]) -> None:
    """Creates the roles that a restore target's server lacks.

    Args:
        connection: a session on the restore target.
        target: the same, for messages.
        roles: the statements of roles.sql.

    Raises:
        RightsMissing: the session's role can't create them all; none was created.
    """
    with translated_errors(target, "Creating the roles"):
        refused = access.make_roles(connection, roles)
    if refused:
        refusals = (f"{redact(each.reason, target)}: {each.statement}" for each in refused)
        listed = "\n".join(f"  {line}" for line in shortened(refusals, _REFUSALS_SHOWN))
        raise RightsMissing(
            f"{target.describe()}: the role {target.user} can't create the missing roles:\n{listed}",
            meaning="Nothing was restored, and no role was created.",
            next_step="Run the artifact's roles.sql as an administrator of that server, or as a role with CREATEROLE, "
            "and restore again. Without --with-access the rows are restored without owners and grants.",
        )


def require_roles(
    connection: psycopg.Connection[Any], target: ConnectionTarget, manifest: PostgresManifest
) -> None:
    """Refuses a target on whose server a restore would stop because a role is missing.

    Args:
        connection: a session on the restore target.
        target: the same, for messages.
        manifest: the artifact's manifest.

    Raises:
        TargetRefused: policies or user mappings of the artifact name roles that are not there.
    """
    there = {name for (name,) in connection.execute("SELECT rolname FROM pg_catalog.pg_roles")}
    lacking = [name for name in manifest.inventory.left_out.required_roles if name not in there]
    if lacking:
        raise TargetRefused(
            f"The server of {target.describe()} lacks the role(s) {', '.join(lacking)}, which policies or user "
            "mappings in the artifact name.",
            meaning="The restore would stop at the first of them. Nothing was restored.",
            next_step="Create them there: "
            + " ".join(f"CREATE ROLE {identifier(name)};" for name in lacking)
            + " Or restore --with-access, which creates every role that the source had.",
        )


def give_access(
    connection: psycopg.Connection[Any], target: ConnectionTarget, roles: Sequence[str], folder: Path
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Applies owners, grants and settings, and compares them afterwards.

    Args:
        connection: a session on the restored database, in autocommit.
        target: the same database.
        roles: the statements of roles.sql.
        folder: where the artifact lies.

    Returns:
        A finding for everything that differs from the source; and notes on roles that were there before.

    Raises:
        OpsError: the connection failed.
    """
    wanted = (*roles, *access.statements_in((folder / access.ACCESS_NAME).read_bytes()))
    with translated_errors(target, "Applying owners and grants"):
        refused = access.apply(connection, wanted)
        return access.differences(wanted, access.capture(connection), refused)
