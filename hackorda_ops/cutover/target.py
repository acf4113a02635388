"""The new database: how it's reached, that it's empty or provably ours, and how it is emptied of what we restored.

While it is being filled it carries a label, its comment: the cutover's id. Only under that label is it ever emptied,
and the label goes before the application gets to it.
"""

import json
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.config.cutover import CutoverPlan
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, TargetRefused
from hackorda_ops.given import given
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.restoring.target import create_like
from hackorda_ops.postgres.sessions import connection as connections
from hackorda_ops.postgres.sessions import tls
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import RESTORE_SETTINGS

APPLICATION: Final = "hackorda_ops cutover"
# Every server has one of them, and DROP DATABASE needs another database to be run from.
_MAINTENANCE: Final = ("postgres", "template1")

_ABOUT: Final = b"""
SELECT pg_catalog.shobj_description(d.oid, 'pg_database'), owner.rolname, d.datacl IS NOT NULL
  FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles owner ON owner.oid = d.datdba
 WHERE d.datname = pg_catalog.current_database()
"""
_SETTINGS: Final = b"""
SELECT role.rolname, entry
  FROM pg_catalog.pg_db_role_setting s
  JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase AND d.datname = pg_catalog.current_database()
  LEFT JOIN pg_catalog.pg_roles role ON role.oid = s.setrole
 CROSS JOIN LATERAL unnest(s.setconfig) AS entry
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
    [(comment, _, _)] = connection.execute(_ABOUT).fetchall()
    label = _read(comment)
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
    [(comment, _, _)] = connection.execute(_ABOUT).fetchall()
    before = _read(comment).get("before", comment if "app" not in _read(comment) else None)
    label = {"app": "hackorda_ops", "database": database, "cutover": cutover_id, "before": before}
    _comment(connection, json.dumps(label))


def release(connection: psycopg.Connection[Any], database: str) -> None:
    """Takes the label away: from now on nothing here empties this database.

    Raises:
        psycopg.Error: the caller translates.
    """
    if label_of(connection, database) is not None:
        [(comment, _, _)] = connection.execute(_ABOUT).fetchall()
        _comment(connection, _read(comment).get("before"))


def empty(target: ConnectionTarget, database: str, cutover_id: str | None) -> None:
    """Drops the new database and makes it again as it was, empty. Only under the label of one of our cutovers.

    Args:
        target: the new database.
        database: the protected database's name.
        cutover_id: whose label it must carry; None for any cutover of this database.

    Raises:
        TargetRefused: it isn't provably ours, or it can't be made again as it was.
        RightsMissing: the role can't drop or create databases.
        OpsError: the login or the connection failed.
    """
    doing = f"Emptying {target.database} of what this cutover restored"
    with (
        translated_errors(target, doing),
        connect(target, application_name=APPLICATION, settings=RESTORE_SETTINGS) as connection,
    ):
        label = label_of(connection, database)
        if label is None or cutover_id not in (None, label):
            raise _not_ours(target)
        [(comment, owner, granted)] = connection.execute(_ABOUT).fetchall()
        if granted:
            raise TargetRefused(
                f"{target.describe()} has grants of its own, and holds what an interrupted cutover restored.",
                meaning="It would have to be dropped and made again, which would lose those grants.",
                next_step="Drop and create it by hand, empty, with its grants; then run this again.",
            )
        like = source_catalog.read_source(connection)
        settings = connection.execute(_SETTINGS).fetchall()
    admin = _maintenance(target)
    name = sql.Identifier(target.database)
    with (
        translated_errors(admin, doing),
        connect(admin, application_name=APPLICATION, settings=RESTORE_SETTINGS) as connection,
    ):
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
        create_like(admin, target.database, like)
        if owner != admin.user:
            connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, sql.Identifier(owner)))
        for role, entry in settings:
            setting, _, value = entry.partition("=")
            whose = (
                sql.SQL("DATABASE {}").format(name)
                if role is None
                else sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), name)
            )
            # FROM CURRENT takes any value as it is, lists too; within one transaction it changes nothing else.
            with connection.transaction():
                connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", (setting, value))
                connection.execute(
                    sql.SQL("ALTER {} SET {} FROM CURRENT").format(whose, sql.Identifier(setting))
                )
        if (before := _read(comment).get("before")) is not None:
            connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, sql.Literal(before)))


def _not_ours(target: ConnectionTarget) -> TargetRefused:
    return TargetRefused(
        f"{target.describe()} is not empty, and nothing proves that this cutover filled it.",
        meaning="Nothing was restored, and nothing in it was touched: it may be somebody's.",
        next_step="If what is in it is not needed, drop it and create it again, empty; then run this again. Otherwise "
        "name another database.",
    )


def _maintenance(target: ConnectionTarget) -> ConnectionTarget:
    name = next(each for each in _MAINTENANCE if each != target.database)
    return connections.with_database(target, name)


def _comment(connection: psycopg.Connection[Any], text: str | None) -> None:
    connection.execute(
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(
            sql.Identifier(connection.info.dbname), sql.Literal(text)
        )
    )


def _read(comment: str | None) -> dict[str, Any]:
    try:
        label = json.loads(comment or "")
    except ValueError:
        return {}
    return label if isinstance(label, dict) and label.get("app") == "hackorda_ops" else {}
