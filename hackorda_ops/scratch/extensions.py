"""The extensions of a database that is restored without a superuser: those that need one are created beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.errors import TargetRefused
from hackorda_ops.postgres.catalogs.inventory import Extension
from hackorda_ops.redaction.server_words import shown_error

_OFFERED: Final = """
SELECT v.name, v.superuser AND NOT v.trusted, coalesce(v.requires::text[], '{}')
  FROM pg_catalog.pg_available_extension_versions v
  JOIN pg_catalog.pg_available_extensions e ON e.name = v.name AND e.default_version = v.version
"""
# Their functions open connections wherever they are told to.
_CONNECT_ELSEWHERE: Final = frozenset({"dblink"})
# Anywhere else the dump itself creates the schema, which would already be there then.
_THERE_FROM_THE_START: Final = frozenset({"public", "pg_catalog"})


@dataclass(frozen=True)
class Refusing:
    """How a server that can't have an extension is spoken of.

    Attributes:
        server: "The Postgres 17 on this machine".
        install: how what it lacks is installed, before ", or …".
        otherwise: what else can be done: "Set proof.where to scratch, with a server that has them."
    """

    server: str
    install: str
    otherwise: str


@dataclass(frozen=True)
class Offered:
    """An extension that the server's package ships.

    Attributes:
        needs_superuser: whether only a superuser may create it.
        requires: the extensions that it needs.
    """

    needs_superuser: bool
    requires: tuple[str, ...]


def offered_by(connection: psycopg.Connection[Any]) -> Mapping[str, Offered]:
    """The extensions that a server can create, by name.

    Raises:
        psycopg.Error: the caller translates.
    """
    return {
        name: Offered(needs_superuser, tuple(requires))
        for name, needs_superuser, requires in connection.execute(_OFFERED.encode()).fetchall()
    }


def to_create(
    wanted: Sequence[Extension], offered: Mapping[str, Offered], refusing: Refusing
) -> list[Extension]:
    """The extensions that have to be there before the restore, each after those that it requires. Pure.

    Args:
        wanted: those of the source.
        offered: what the server has.
        refusing: how it is said that this server can't.

    Raises:
        TargetRefused: the server lacks one, or only a superuser could restore it.
    """
    lacking = sorted(each.name for each in wanted if each.name not in offered)
    if lacking:
        raise TargetRefused(
            f"{refusing.server} does not offer the extension(s) {', '.join(lacking)}.",
            meaning="A restore would stop at the first of them, so this server can't prove the backup.",
            next_step=f"{refusing.install}. {refusing.otherwise}",
        )
    named = {each.name: each for each in wanted}
    found: dict[str, Extension] = {}

    def add(extension: Extension) -> None:
        for required in offered[extension.name].requires:
            if required in named and required not in found:
                add(named[required])
        found[extension.name] = extension

    for extension in wanted:
        if offered[extension.name].needs_superuser:
            add(extension)
    elsewhere = sorted(each.name for each in found.values() if each.schema not in _THERE_FROM_THE_START)
    if elsewhere:
        raise TargetRefused(
            f"Only a superuser can create the extension(s) {', '.join(elsewhere)}, in a schema of the database's own.",
            meaning="A backup is restored without a superuser, because it holds the source's code.",
            next_step=refusing.otherwise,
        )
    return list(found.values())


def create(
    connection: psycopg.Connection[Any], extensions: Sequence[Extension], owner: str, refusing: Refusing
) -> None:
    """Creates extensions as the administrator; to the restore it looks as if it had created them itself.

    What is in them stays the administrator's, as with those that a server trusts: their functions may do what the
    owner must not. What reaches another server is kept from the owner, as far as that goes (docs/security.md).

    Args:
        connection: the administrator's session on the empty database.
        extensions: in this order.
        owner: the role that restores.
        refusing: how it is said that this server can't.

    Raises:
        TargetRefused: one can't be created on this server.
    """
    for each in extensions:
        try:
            connection.execute(
                sql.SQL("CREATE EXTENSION {} SCHEMA {}").format(
                    sql.Identifier(each.name), sql.Identifier(each.schema)
                )
            )
        except psycopg.Error as error:
            raise TargetRefused(
                f"{refusing.server} can't create the extension {each.name}: {shown_error(error)}.",
                meaning="A restore would stop at it, so this server can't prove the backup.",
                next_step=refusing.otherwise,
            ) from None
    if not extensions or not _is_superuser(connection):
        return
    for each in extensions:
        connection.execute(
            "UPDATE pg_catalog.pg_extension SET extowner = %s::regrole WHERE extname = %s",
            (sql.Identifier(owner).as_string(connection), each.name),
        )
        if each.name in _CONNECT_ELSEWHERE:
            _keep_from(connection, each.name)
    for (wrapper,) in connection.execute("SELECT fdwname FROM pg_catalog.pg_foreign_data_wrapper").fetchall():
        connection.execute(
            sql.SQL("GRANT USAGE ON FOREIGN DATA WRAPPER {} TO {}").format(
                sql.Identifier(wrapper), sql.Identifier(owner)
            )
        )


def _is_superuser(connection: psycopg.Connection[Any]) -> bool:
    [(is_superuser,)] = connection.execute("SELECT current_setting('is_superuser') = 'on'").fetchall()
    return bool(is_superuser)


def _keep_from(connection: psycopg.Connection[Any], extension: str) -> None:
    """Takes the right to call an extension's functions from everybody but the administrator."""
    functions = connection.execute(
        "SELECT d.objid::regprocedure::text FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e"
        " ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'"
        " WHERE d.classid = 'pg_proc'::regclass AND e.extname = %s",
        (extension,),
    ).fetchall()
    for (function,) in functions:
        connection.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC".encode())
