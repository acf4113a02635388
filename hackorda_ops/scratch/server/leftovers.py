"""What killed drills left on a scratch server: which databases and roles are provably ours, and who may drop them."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import psycopg
from psycopg import sql

from hackorda_ops import untrusted
from hackorda_ops.errors import PermanentError, TargetRefused
from hackorda_ops.postgres.restoring.target import require_empty
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, with_database
from hackorda_ops.postgres.sessions.session import connect
from hackorda_ops.postgres.sessions.settings import RESTORE_SETTINGS
from hackorda_ops.redaction.server_words import shown_error

CONNECTION_NAME: Final = "hackorda_ops scratch"
_PREFIX: Final = "hackorda_ops_drill_"
_APPLICATION: Final = "hackorda_ops"
# Postgres cuts names at 63 bytes; a drill's id takes 23 of them and the purpose up to 8.
_DATABASE_NAME_CHARACTERS: Final = 10
_LABEL_CHARACTERS: Final = 500

# A member of the owner's role may drop what that owns. A role that restores owns its databases: of the two labels
# only its own is out of reach of the code that was restored.
_DATABASES_BY_NAME: Final = """
SELECT d.datname, pg_catalog.shobj_description(d.oid, 'pg_database'),
       pg_catalog.shobj_description(d.datdba, 'pg_authid'), d.datdba = me.oid,
       pg_catalog.pg_has_role(d.datdba, 'USAGE'), pg_catalog.pg_get_userbyid(d.datdba)
  FROM pg_catalog.pg_database d, pg_catalog.pg_roles me
 WHERE me.rolname = current_user AND pg_catalog.starts_with(d.datname, %s)
 ORDER BY d.datname
"""
_ROLES_BY_NAME: Final = """
SELECT r.rolname, pg_catalog.shobj_description(r.oid, 'pg_authid'), pg_catalog.pg_has_role(r.oid, 'USAGE')
  FROM pg_catalog.pg_roles r WHERE pg_catalog.starts_with(r.rolname, %s)
 ORDER BY r.rolname
"""


@dataclass(frozen=True)
class ScratchObject:
    """A database or a role of a drill.

    Attributes:
        kind: which of them.
        name: its name.
        drill_id: the drill's.
        owner: who owns the database; "" for a role.
        droppable: whether this administrator may drop it.
    """

    kind: Literal["database", "role"]
    name: str
    drill_id: str
    owner: str
    droppable: bool

    def __str__(self) -> str:
        return self.name if self.kind == "database" else f"the role {self.name}"


def name_of(protected: str, drill_id: str) -> str:
    """The role of a drill, and what the names of its databases begin with. Pure."""
    short = protected.lower()[:_DATABASE_NAME_CHARACTERS]
    return f"{_PREFIX}{short}_{drill_id.lower().replace('-', '_')}"


def label_text(protected: str, drill_id: str) -> str:
    """The comment that says whose a database or a role is."""
    return json.dumps({"app": _APPLICATION, "database": protected, "drill": drill_id})


def label(connection: psycopg.Connection[Any], database: str, text: str) -> None:
    """Writes it to a database.

    Args:
        connection: the administrator's session.
        database: the database's name.
        text: `label_text`.

    Raises:
        psycopg.Error: the caller translates.
    """
    connection.execute(
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(database), sql.Literal(text))
    )


def found(
    connection: psycopg.Connection[Any], admin: ConnectionTarget, protected: str
) -> Iterator[ScratchObject]:
    """What drills of a protected database have on the server, running or not: databases, then roles.

    Args:
        connection: the administrator's session.
        admin: the same.
        protected: the protected database's name.

    Raises:
        OpsError: a database can't be looked into.
        psycopg.Error: the caller translates.
    """
    for database, comment, of_role, own, droppable, owner in connection.execute(
        _DATABASES_BY_NAME.encode(), (_PREFIX,)
    ).fetchall():
        for text in (of_role, comment):
            if (drill_id := _drill_of(text, protected)) is not None:
                yield ScratchObject("database", database, drill_id, owner, droppable)
                break
        else:
            # A drill that was killed between CREATE DATABASE and its label has put nothing in yet.
            unlabelled = _drill_in(database, protected) if comment is None and own else None
            if unlabelled is not None and _is_empty(with_database(admin, database)):
                yield ScratchObject("database", database, unlabelled, owner, droppable)
    for role, comment, droppable in connection.execute(_ROLES_BY_NAME.encode(), (_PREFIX,)).fetchall():
        if (drill_id := _drill_of(comment, protected)) is not None:
            yield ScratchObject("role", role, drill_id, "", droppable)


def drop_all(connection: psycopg.Connection[Any], leftovers: Sequence[ScratchObject]) -> None:
    """Drops them, roles after their databases; one that can't be dropped doesn't keep the others.

    Args:
        connection: the administrator's session.
        leftovers: what is dropped.

    Raises:
        PermanentError: some are still there.
    """
    in_order = sorted(leftovers, key=lambda each: each.kind)
    kept = [f"{each} ({why})" for each in in_order if (why := _drop(connection, each))]
    if kept:
        raise PermanentError(
            f"Scratch databases on {connection.info.host} could not be dropped: {', '.join(kept)}.",
            meaning="A copy of the protected database is left there, and drills can't run until it is gone.",
            next_step="Remove what keeps it (a subscription, a prepared transaction, a template), and drill again: "
            "that drops it.",
        )


def _drop(connection: psycopg.Connection[Any], leftover: ScratchObject) -> str:
    """Drops one of them; returns why it is still there, or ""."""
    name = sql.Identifier(leftover.name)
    if leftover.kind == "role":
        statement, listed = sql.SQL("DROP ROLE IF EXISTS {}"), "pg_catalog.pg_roles WHERE rolname"
    else:
        statement, listed = (
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"),
            "pg_catalog.pg_database WHERE datname",
        )
    try:
        connection.execute(statement.format(name))
    except (
        psycopg.errors.ObjectInUse,
        psycopg.errors.WrongObjectType,
        psycopg.errors.DependentObjectsStillExist,
        psycopg.errors.InsufficientPrivilege,
    ) as error:
        # The team's migrations can make a subscription, a prepared transaction or a template of it.
        return shown_error(error)
    there = connection.execute(f"SELECT FROM {listed} = %s".encode(), (leftover.name,)).fetchone()
    return "it is still listed after it was dropped" if there is not None else ""


def _drill_of(comment: str | None, protected: str) -> str | None:
    """The drill that a label names, if it's of this protected database. Pure."""
    written = _label_of(comment)
    if written.get("app") == _APPLICATION and written.get("database") == protected:
        return written.get("drill", "")
    return None


def _drill_in(database: str, protected: str) -> str | None:
    short = re.escape(protected.lower()[:_DATABASE_NAME_CHARACTERS])
    match = re.fullmatch(rf"{_PREFIX}{short}_(\d{{8}}t\d{{6}}z)_([0-9a-f]{{6}})_[a-z]+", database)
    return f"{match[1].upper()}-{match[2]}" if match else None


def _is_empty(database: ConnectionTarget) -> bool:
    with connect(database, application_name=CONNECTION_NAME, settings=RESTORE_SETTINGS) as connection:
        try:
            require_empty(connection)
        except TargetRefused:
            return False
    return True


def _label_of(comment: str | None) -> Mapping[str, str]:
    # Restored code may have written it.
    if comment is None or len(comment) > _LABEL_CHARACTERS:
        return {}
    try:
        label = untrusted.parsed(comment.encode("utf-8", "replace"))
    except ValueError:
        return {}
    return label if isinstance(label, dict) and all(isinstance(each, str) for each in label.values()) else {}
