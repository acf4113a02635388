"""The role that restores: it may do nothing beyond its databases, because a dump holds the source's code.

Index expressions, defaults, constraints, triggers and views of the dump run as whoever restores and compares. A
`SET ROLE` from an administrator's session would be undone by the first `RESET ROLE` in one of them, so this role logs
in itself, by a password that nobody else has.
"""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.errors import RightsMissing, TargetRefused
from hackorda_ops.postgres.catalogs.inventory import Extension
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, with_database
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import RESTORE_SETTINGS
from hackorda_ops.redaction.server_words import shown_error
from hackorda_ops.scratch import extensions
from hackorda_ops.scratch.extensions import Refusing

# What to do where a dump asks for more than the role may do, before how it can be given more.
WHOSE_CODE: Final = (
    "Find out which code of the dump asks for it, and whether that is meant: an index, a constraint or a trigger that "
    "calls what reaches beyond the database is a sign of a compromised source (docs/security.md). "
)
_APPLICATION_NAME: Final = "hackorda_ops scratch"
SUPERUSER: Final = "is a superuser"
_POWERS: Final = """
SELECT me.rolsuper, ARRAY(
    SELECT r.rolname FROM pg_catalog.pg_roles r
     WHERE (r.rolsuper OR r.rolname IN ('pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files'))
       AND r.oid <> me.oid AND NOT me.rolsuper AND pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER')
     ORDER BY r.rolname)::text[]
  FROM pg_catalog.pg_roles me WHERE me.rolname = current_user
"""


def powers_of(connection: psycopg.Connection[Any]) -> str:
    """What a session's role may do on the server's machine: "is a superuser"; "" where that is nothing.

    Raises:
        psycopg.Error: the caller translates.
    """
    [(is_superuser, groups)] = connection.execute(_POWERS.encode()).fetchall()
    if is_superuser:
        return SUPERUSER
    return f"is a member of {', '.join(groups)}" if groups else ""


def require_modest(admin: ConnectionTarget, powers: str, allowed: str | None) -> None:
    """Refuses an administrator that could run programs on the scratch server's machine, unless it is allowed by name.

    Args:
        admin: the scratch server's administrator.
        powers: `powers_of` its session.
        allowed: `scratch.server.superuser`.

    Raises:
        TargetRefused: it isn't allowed.
    """
    if not powers or allowed == admin.user:
        return
    raise TargetRefused(
        f"The role {admin.user} of the scratch server {powers}.",
        meaning="Nothing was done there. A restore runs as a role made for it, but whoever has this login can run "
        "programs on that server's machine, so it is used only where databases.yaml names it.",
        next_step="Make a role for drills (CREATE ROLE hackorda_drills LOGIN CREATEDB CREATEROLE PASSWORD '…') and use "
        f"that; or, where the server holds nothing else, set scratch.server.superuser: {admin.user} (as for a "
        "container of the Postgres image). Some extensions, event triggers and publications need the superuser.",
    )


def make_role(admin: ConnectionTarget, name: str, *, label: str) -> ConnectionTarget:
    """Makes the role that restores, with a login of its own and no right beyond what it will own.

    Args:
        admin: any database of the server, as a role that can create roles.
        name: the new role's.
        label: a comment that says whose it is.

    Returns:
        The same database as `admin`, as the new role.

    Raises:
        RightsMissing: the administrator can't create roles.
        OpsError: the server refused or could not be reached.
    """
    password = secrets.token_urlsafe(24)
    role = sql.Identifier(name)
    with (
        translated_errors(admin, "Making the role that restores"),
        connect(admin, application_name=_APPLICATION_NAME, settings=RESTORE_SETTINGS) as connection,
    ):
        # Hashed here: a server that logs its statements would log the password.
        hashed = connection.pgconn.encrypt_password(password.encode(), name.encode()).decode()
        try:
            with connection.transaction():
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(hashed))
                )
                connection.execute(sql.SQL("COMMENT ON ROLE {} IS {}").format(role, sql.Literal(label)))
                _join(connection, role)
        except psycopg.errors.InsufficientPrivilege as error:
            raise RightsMissing(
                f"{admin.describe()}: the role {admin.user} can't make the role that restores: {shown_error(error)}.",
                meaning="Nothing was restored, so nothing is known against the backup.",
                next_step=f"ALTER ROLE {admin.user} CREATEROLE as an administrator of the scratch server; or set "
                "scratch.server.restore_as_admin, where the source's code may run with that role's rights.",
            ) from None
        # Row-level security that is forced on owners hides rows from the comparison. Not every administrator may give
        # this; a database without such tables is restored without it.
        with suppress(psycopg.errors.InsufficientPrivilege):
            connection.execute(sql.SQL("ALTER ROLE {} BYPASSRLS").format(role))
    return replace(admin, parameters={**admin.parameters, "user": name}, password=password)


def hand_over(
    admin: ConnectionTarget,
    restorer: ConnectionTarget,
    database: str,
    wanted: Sequence[Extension],
    refusing: Refusing,
) -> ConnectionTarget:
    """Gives a new, empty database to the role that restores, with the extensions that it can't create itself.

    No session of the administrator's enters it afterwards but to create what only a superuser can.

    Args:
        admin: any database of the server, as its administrator.
        restorer: the role that restores.
        database: the new one's name.
        wanted: the source's extensions.
        refusing: how it is said that this server can't have one.

    Returns:
        The database, as the role that restores.

    Raises:
        TargetRefused: the server lacks an extension, or can't have it without a superuser.
        OpsError: the server refused or could not be reached.
    """
    inside = with_database(admin, database)
    with (
        translated_errors(inside, "Preparing the database"),
        connect(inside, application_name=_APPLICATION_NAME, settings=RESTORE_SETTINGS) as connection,
    ):
        before = extensions.to_create(wanted, extensions.offered_by(connection), refusing)
        extensions.create(connection, before, restorer.user, refusing)
        owner = sql.Identifier(restorer.user)
        # Elsewhere the schema public belongs to the database's owner, or can't be given away.
        if powers_of(connection) == SUPERUSER:
            connection.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(owner))
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(database), owner))
    return with_database(restorer, database)


def _join(connection: psycopg.Connection[Any], role: sql.Identifier) -> None:
    """Makes the administrator a member of the role, so that it may drop what the role owns; a superuser may anyway."""
    if powers_of(connection) == SUPERUSER:
        return
    options = " WITH INHERIT TRUE, SET TRUE" if connection.info.server_version >= 160000 else ""
    connection.execute(sql.SQL("GRANT {} TO CURRENT_USER" + options).format(role))
