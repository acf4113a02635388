"""Access that a dump leaves out: roles, owners, grants and settings; captured, applied, compared.

It is kept as two SQL files next to the dump, one statement per line, which people can read and psql can run:
roles.sql before the restore, because policies name roles, and access.sql after it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from hackorda_ops.findings import Finding
from hackorda_ops.postgres.access.objects import PUBLIC_SCHEMA, object_access
from hackorda_ops.postgres.access.one_line_sql import identifier
from hackorda_ops.postgres.access.roles import MAKE_ROLE_IF, role_statements, settings
from hackorda_ops.redaction.server_words import shown_error

ROLES_NAME: Final = "roles.sql"
ACCESS_NAME: Final = "access.sql"

_ROLES_HEAD: Final = """\
-- Roles of the server, without passwords. Run it before the restore: policies name roles.
-- A role that already exists is left unchanged. Needs a superuser, or a role with CREATEROLE.
"""
_ACCESS_HEAD: Final = """\
-- Settings, owners and grants of this database. Run it in the restored database, after roles.sql and the restore.
-- Needs a superuser, or a role that is a member of all the owners. It can be run again.
"""
# If a database has no encoding, a session's LATIN1 treats every byte of a name as a character.
_ENCODINGS: Final = {
    "utf-8": "SET client_encoding TO 'UTF8';",
    "iso8859-1": "SET client_encoding TO 'LATIN1';",
}
_MAKES_A_ROLE: Final = re.compile(r"DO \$hackorda_*\$ BEGIN " + re.escape(MAKE_ROLE_IF))
_MAY_JOIN: Final = """
SELECT rolname FROM pg_roles
 WHERE NOT pg_has_role(oid, 'USAGE') AND pg_has_role(oid, 'MEMBER WITH ADMIN OPTION')
"""
# Before 16, a role that can create roles can also join any role but a superuser.
_MAY_JOIN_BEFORE_16: Final = """
SELECT r.rolname FROM pg_roles r, pg_roles me
 WHERE me.rolname = current_user AND NOT pg_has_role(r.oid, 'USAGE')
   AND (pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION') OR me.rolcreaterole AND NOT r.rolsuper AND r.rolname !~ '^pg_')
"""
_REMEDY: Final = (
    "The rows are not affected. Run the statement in the restored database, as a superuser or the role that it needs "
    f"(all of them are in the artifact's {ROLES_NAME} and {ACCESS_NAME}), or decide that it isn't needed there."
)
_TOO_MUCH: Final = "The rows are not affected. Revoke the right, or decide that it's wanted there."


@dataclass(frozen=True)
class Access:
    """One-line statements that restore the access to a database.

    Attributes:
        roles: roles and memberships, and settings of roles.
        settings: settings of the database.
        owners: of the database and everything in it.
        grants: from what new objects allow to what these allow; default privileges too.
        shipped_grants: the same on what the server or an extension provides.
        by_hand: statements that must be completed by hand: values that were not read.
        encoding: Python's name of the encoding in which they were read.
    """

    roles: tuple[str, ...]
    settings: tuple[str, ...]
    owners: tuple[str, ...]
    grants: tuple[str, ...]
    shipped_grants: tuple[str, ...]
    by_hand: tuple[str, ...]
    encoding: str

    @property
    def statements(self) -> tuple[str, ...]:
        """All of them except those to complete by hand, in an order in which they can be run."""
        return (*self.roles, *self.settings, *self.owners, *self.grants, *self.shipped_grants)

    def files(self) -> dict[str, bytes]:
        """The artifact's files that contain them, by name."""
        in_database = (*self.settings, *self.owners, *self.grants, *self.shipped_grants)
        return {
            ROLES_NAME: _file(self.encoding, _ROLES_HEAD, self.roles, ()),
            ACCESS_NAME: _file(self.encoding, _ACCESS_HEAD, in_database, self.by_hand),
        }


@dataclass(frozen=True)
class Refused:
    """A statement that the server refused, and its message."""

    statement: str
    reason: str


def capture(connection: psycopg.Connection[Any]) -> Access:
    """Reads who has which rights. Needs no right of its own, and sees no passwords.

    Raises:
        psycopg.Error: the caller translates.
    """
    of_roles, of_database, by_hand = settings(connection)
    objects = object_access(connection)
    return Access(
        roles=(*role_statements(connection), *of_roles),
        settings=of_database,
        owners=objects.owners,
        grants=objects.grants,
        shipped_grants=objects.shipped_grants,
        by_hand=by_hand,
        encoding=connection.info.encoding,
    )


def statements_in(file: bytes) -> tuple[str, ...]:
    """The statements of a file that `Access.files` made.

    Raises:
        ValueError: it is none.
    """
    lines = file.split(b"\n")
    [encoding] = [name for name, line in _ENCODINGS.items() if line.encode() in lines]
    statements = (line.decode(encoding) for line in lines if line and not line.startswith(b"--"))
    return tuple(statement for statement in statements if statement != _ENCODINGS[encoding])


def make_roles(connection: psycopg.Connection[Any], wanted: Sequence[str]) -> tuple[Refused, ...]:
    """Creates the missing roles; all of them or none.

    Args:
        connection: a session on the target's server, in autocommit.
        wanted: the statements of roles.sql.

    Returns:
        What the server refused; if anything, no role was created.

    Raises:
        psycopg.Error: the connection broke.
    """
    with connection.transaction() as whole:
        refused = _run(connection, _wanting(connection, filter(_makes_a_role, wanted)))
        if refused:
            raise psycopg.Rollback(whole)
    return refused


def apply(connection: psycopg.Connection[Any], wanted: Sequence[str]) -> tuple[Refused, ...]:
    """Runs everything that is not in effect yet, each statement by itself: a refused one doesn't stop the others.

    Args:
        connection: a session on the restored database, in autocommit.
        wanted: the statements of both files; the roles already exist (`make_roles`).

    Returns:
        What the server refused.

    Raises:
        psycopg.Error: the connection broke.
    """
    # Checked before the session's role joins others, because that would look like different memberships.
    missing = _wanting(connection, (each for each in wanted if not _makes_a_role(each)))
    with _member_of_all(connection), _without_event_triggers(connection):
        refused = _run(connection, missing)
        # An owner must be allowed to create in a schema, which may be among the grants.
        return _run(connection, [each.statement for each in refused])


def differences(
    wanted: Sequence[str], there: Access, refused: Iterable[Refused] = ()
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Compares the access that an artifact records with a database's. Pure.

    Args:
        wanted: the statements of both files.
        there: what was captured in the database.
        refused: what the server refused before that.

    Returns:
        A finding for each statement that is not in effect, and for each grant and setting that the source
        lacked; and notes on existing roles with different attributes, which were not touched.
    """
    in_effect, expected = set(there.statements), set(wanted)
    reasons = {each.statement: each.reason for each in refused}
    missing = [each for each in wanted if each not in in_effect]
    findings = [
        Finding("access missing", each, "as on the source", reasons.get(each, "not in effect"), _REMEDY)
        for each in missing
        if not _makes_a_role(each)
    ]
    # Every new database has a schema public; a source without one says nothing about its access.
    tells_of_public = any(each.startswith(PUBLIC_SCHEMA) for each in wanted)
    findings += [
        Finding("access added", each, "not on the source", "in effect here", _TOO_MUCH)
        for each in (*there.settings, *there.grants)
        if each not in expected and (tells_of_public or not each.startswith(PUBLIC_SCHEMA))
    ]
    notes = tuple(
        f"A role already existed and differs from the source's: {each}"
        for each in missing
        if _makes_a_role(each)
    )
    return tuple(findings), notes


@contextmanager
def _member_of_all(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Makes the session's role a member of every role that it can join, and undoes that afterwards.

    Only a member can give an object to a role, or grant in its name; superusers are members of all.
    """
    is_new = connection.info.server_version >= 160000
    candidates = connection.execute(_MAY_JOIN if is_new else _MAY_JOIN_BEFORE_16).fetchall()
    option = " WITH INHERIT TRUE, SET TRUE" if is_new else ""
    roles = [identifier(name) for (name,) in candidates]
    joined = [role for role in roles if not _run(connection, [f"GRANT {role} TO CURRENT_USER{option};"])]
    try:
        yield
    finally:
        _run(connection, [f"REVOKE {role} FROM CURRENT_USER;" for role in joined])


@contextmanager
def _without_event_triggers(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Keeps the restored event triggers from acting on the changes made here, if the role has that right."""
    _run(connection, ["SET session_replication_role TO replica;"])
    try:
        yield
    finally:
        _run(connection, ["RESET session_replication_role;"])


def _wanting(connection: psycopg.Connection[Any], wanted: Iterable[str]) -> tuple[str, ...]:
    in_effect = set(capture(connection).statements)
    return tuple(each for each in wanted if each not in in_effect)


def _run(connection: psycopg.Connection[Any], statements: Iterable[str]) -> tuple[Refused, ...]:
    refused = []
    for statement in statements:
        try:
            with connection.transaction():
                connection.execute(statement.encode(connection.info.encoding))
        except psycopg.Error as error:
            if connection.closed:
                raise
            refused.append(Refused(statement, shown_error(error)))
    return tuple(refused)


def _makes_a_role(statement: str) -> bool:
    return _MAKES_A_ROLE.match(statement) is not None


def _file(encoding: str, head: str, statements: Sequence[str], by_hand: Sequence[str]) -> bytes:
    lines = [head + _ENCODINGS[encoding], *statements]
    if by_hand:
        lines.append("-- To be completed by hand: these were not read, or apply to every role of the server.")
        lines += (f"-- {each}" for each in by_hand)
    return "".join(f"{line}\n" for line in lines).encode(encoding)
