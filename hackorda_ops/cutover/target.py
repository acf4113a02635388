"""The new database: how it's reached, and whose it is while it is being filled.

Meanwhile it carries a label, its comment: the cutover's id. Only under that label is it ever emptied, and the label
goes before the application gets to it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops import untrusted
from hackorda_ops.config.cutover import CutoverPlan
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError
from hackorda_ops.given import given
from hackorda_ops.postgres.sessions import connection as connections
from hackorda_ops.postgres.sessions import tls
from hackorda_ops.postgres.sessions.connection import ConnectionTarget

APPLICATION: Final = "hackorda_ops cutover"

_COMMENT: Final = b"""
SELECT pg_catalog.shobj_description(oid, 'pg_database')
  FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
"""


def plan_of(protected: Protected) -> CutoverPlan:
    """How a database is cut over.

    Raises:
        ConfigError: databases.yaml doesn't say.
    """
    if protected.policy.cutover is None:
        raise ConfigError(
            f"databases.yaml has no cutover for {protected.name}.",
            meaning="Nothing was attempted: it's unknown where the database should move.",
            next_step=f"Write databases.{protected.name}.cutover; docs/cutover.md shows one.",
        )
    return protected.policy.cutover


def target_of(protected: Protected, *, private_folder: Path) -> ConnectionTarget:
    """The new database's direct endpoint, with TLS as configured.

    Args:
        protected: the database.
        private_folder: where the provider's CA bundle is written, if there's one.

    Raises:
        ConfigError: the variable is missing, or its value is not a connection string.
    """
    new = plan_of(protected).target
    text = given(protected.environ, new.url_env)
    if not text:
        raise ConfigError(
            f"databases.{protected.name}.cutover.target.url_env: {new.url_env} is not set.",
            meaning="Nothing was attempted.",
            next_step=f"Set {new.url_env} to the connection string of the new, empty database.",
        )
    return tls.with_tls(
        connections.direct(connections.parse(text, origin=f"${new.url_env}")),
        ca_certificate=given(protected.environ, new.ca_certificate_env) or None,
        mode=new.tls or given(protected.environ, new.tls_mode_env) or None,
        production=given(protected.environ, "NODE_ENV") == "production",
        private_folder=private_folder,
        named=new.tls_mode_env,
        accept_off=new.tls == "disable",
    )


def label_of(connection: psycopg.Connection[Any], database: str) -> str | None:
    """The id of the cutover of a database that fills this one; None if none does.

    Args:
        connection: a session on it.
        database: the protected database's name.

    Raises:
        psycopg.Error: the caller translates.
    """
    label = label_in(comment_of(connection))
    return str(label["cutover"]) if label.get("database") == database and "cutover" in label else None


def claim(connection: psycopg.Connection[Any], database: str, cutover_id: str) -> None:
    """Labels an empty database: a comment that it already has is kept in the label.

    Args:
        connection: a session on it.
        database: the protected database's name.
        cutover_id: of the cutover that fills it.

    Raises:
        psycopg.Error: the caller translates.
    """
    comment = comment_of(connection)
    label = label_in(comment)
    set_label(
        connection,
        connection.info.dbname,
        {
            "app": "hackorda_ops",
            "database": database,
            "cutover": cutover_id,
            "before": label.get("before") if label else comment,
        },
    )


def release(connection: psycopg.Connection[Any], database: str) -> None:
    """Takes the label away: from now on nothing here empties this database.

    Raises:
        psycopg.Error: the caller translates.
    """
    if label_of(connection, database) is not None:
        set_comment(connection, connection.info.dbname, label_in(comment_of(connection)).get("before"))


def comment_of(connection: psycopg.Connection[Any]) -> str | None:
    """The comment on the database of a session: a label, somebody's own words, or None."""
    [(comment,)] = connection.execute(_COMMENT).fetchall()
    return None if comment is None else str(comment)


def set_comment(connection: psycopg.Connection[Any], name: str, text: str | None) -> None:
    """Puts a comment on a database of the session's server, or takes it away.

    Args:
        connection: a session on the same server.
        name: the database's.
        text: the comment; None for none.
    """
    connection.execute(
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(text))
    )


def set_label(connection: psycopg.Connection[Any], name: str, label: Mapping[str, Any]) -> None:
    """Puts a label on a database of the session's server.

    Args:
        connection: a session on the same server.
        name: the database's.
        label: what it says.
    """
    set_comment(connection, name, json.dumps(label))


def label_in(comment: str | None) -> dict[str, Any]:
    """The label that a comment is; empty if it's somebody's own words."""
    try:
        label = untrusted.parsed((comment or "").encode("utf-8", "replace"))
    except ValueError:
        return {}
    return label if isinstance(label, dict) and label.get("app") == "hackorda_ops" else {}
