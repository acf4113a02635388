"""The database that a dump is restored into: it must be empty, and like the one that was dumped."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.errors import OpsError, TargetRefused
from hackorda_ops.postgres.catalogs.inventory import SourceIdentity
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import RESTORE_SETTINGS
from hackorda_ops.redaction.server_words import shown_error
from hackorda_ops.words import named

_END_WITHIN_SECONDS: Final = 20.0

# User-made objects have OIDs from 16384 on; those below came with the server. What an extension owns is
# left out: platforms put extensions into every new database, and pg_restore copes with them. Rows of pg_class
# cover tables, views, sequences and composite types; pg_type the rest of the types, without the array types and
# row types that come with something else.
_FOUND: Final = """
WITH made (classid, objid, kind) AS (
    SELECT 'pg_class'::regclass, oid, 1 FROM pg_class
      WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND relpersistence <> 't'
    UNION ALL
    SELECT 'pg_type'::regclass, oid, 2 FROM pg_type
      WHERE typrelid = 0 AND typelem = 0 AND typtype <> 'm'
    UNION ALL SELECT 'pg_proc'::regclass, oid, 3 FROM pg_proc
    UNION ALL SELECT 'pg_largeobject_metadata'::regclass, oid, 4 FROM pg_largeobject_metadata
    UNION ALL SELECT 'pg_namespace'::regclass, oid, 5 FROM pg_namespace WHERE nspname !~ '^pg_'
)
SELECT pg_describe_object(CASE classid WHEN 'pg_largeobject_metadata'::regclass THEN 'pg_largeobject'::regclass
                          ELSE classid END, objid, 0)
  FROM made
 WHERE (objid >= 16384 OR kind = 4)
   AND NOT EXISTS (SELECT FROM pg_depend
                    WHERE pg_depend.classid = made.classid AND pg_depend.objid = made.objid AND deptype = 'e')
 ORDER BY kind, 1
"""


def require_empty(connection: psycopg.Connection[Any]) -> None:
    """Refuses a database that contains anything user-made.

    Raises:
        TargetRefused: it lists what is there.
        psycopg.Error: the caller translates.
    """
    found = [name for (name,) in connection.execute(_FOUND).fetchall()]
    if not found:
        return
    raise TargetRefused(
        f"The database {connection.info.dbname} on {connection.info.host} is not empty. It holds "
        f"{named(found)}.",
        meaning="Nothing was restored, so that nothing in it is overwritten or mixed with the backup.",
        next_step="Create a new, empty database (CREATE DATABASE … TEMPLATE template0) and restore into that.",
    )


def end_sessions(target: ConnectionTarget) -> None:
    """Ends every other session of a database, as far as the role may; what can't be reached has none to end.

    Args:
        target: a database of ours, which somebody restores into or reads.
    """
    with (
        suppress(OpsError),
        translated_errors(target, "Ending the sessions"),
        connect(
            target,
            application_name="hackorda-ops out of time",
            settings=RESTORE_SETTINGS,
            retry_budget_seconds=_END_WITHIN_SECONDS,
        ) as connection,
    ):
        connection.execute(
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
            " WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()"
        )


def create_like(admin_target: ConnectionTarget, database: str, source: SourceIdentity) -> None:
    """Creates an empty database with the encoding and the collation of the one that was dumped.

    Args:
        admin_target: any other database of the same server, as a role that can create databases.
        database: the new database's name.
        source: what it should be like.

    Raises:
        TargetRefused: a database of that name already exists, or the server can't have one like the source.
        RightsMissing: the role lacks the right to create databases.
        OpsError: the login or the connection failed.
    """
    with (
        translated_errors(admin_target, f"creating the database {database}"),
        connect(
            admin_target, application_name="hackorda-ops create database", settings=RESTORE_SETTINGS
        ) as connection,
    ):
        statement = _create_statement(database, source, connection.info.server_version)
        try:
            connection.execute(statement)
        except psycopg.errors.DuplicateDatabase:
            raise TargetRefused(
                f"{admin_target.host} already has a database {database}.",
                meaning="Nothing was created or changed.",
                next_step="Choose another name, or drop that database if it is a leftover.",
            ) from None
        except (
            psycopg.errors.InvalidParameterValue,
            psycopg.errors.WrongObjectType,
            psycopg.errors.FeatureNotSupported,
            psycopg.errors.UndefinedObject,
            psycopg.errors.InvalidObjectDefinition,
        ) as error:
            raise TargetRefused(
                f"{admin_target.host} can't have a database like the source ({_wanted(source)}): "
                f"{shown_error(error)}.",
                meaning="Text would sort and compare differently in the copy, so a comparison would prove nothing.",
                next_step="Restore on a server that has this locale: install it in the operating system, or use a "
                "Postgres built with ICU.",
            ) from None


def _create_statement(database: str, source: SourceIdentity, server_version: int) -> sql.Composed:
    return sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(
        sql.Identifier(database),
        sql.SQL(" ").join(
            sql.SQL(keyword) + sql.SQL(" ") + sql.Literal(value)
            for keyword, value in _properties(source, server_version)
        ),
    )


def _properties(source: SourceIdentity, server_version: int) -> Iterator[tuple[str, str]]:
    yield "ENCODING", source.encoding
    yield "LC_COLLATE", source.collation
    yield "LC_CTYPE", source.character_type
    if server_version >= 150000:
        yield "LOCALE_PROVIDER", source.locale_provider
    if source.locale is not None:
        yield {"icu": "ICU_LOCALE", "builtin": "BUILTIN_LOCALE"}[source.locale_provider], source.locale


def _wanted(source: SourceIdentity) -> str:
    return ", ".join(
        f"{keyword} {value}" for keyword, value in _properties(source, source.server_version_number)
    )
