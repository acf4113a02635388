"""Emptying the new database of what a cutover restored: another one like it takes its place.

That other one is made first, under a name of its own, with the owner, the settings and the comment of the one that
goes; a label says that it's complete. So whatever interrupts this, either the old one is still there under its label,
or the complete one only has to be given the name.
"""

from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.cutover.target import APPLICATION, comment_of, label_in, set_comment, set_label
from hackorda_ops.errors import TargetRefused
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.catalogs.inventory import SourceIdentity
from hackorda_ops.postgres.restoring.target import create_like, require_empty
from hackorda_ops.postgres.sessions import connection as connections
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import RESTORE_SETTINGS

# Every server has one of them, and DROP DATABASE needs another database to be run from.
_MAINTENANCE: Final = ("postgres", "template1")

_OWNER: Final = b"""
SELECT owner.rolname, d.datacl IS NOT NULL
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
_THERE: Final = b"""
SELECT datname, pg_catalog.shobj_description(oid, 'pg_database')
  FROM pg_catalog.pg_database WHERE datname = ANY(%s)
"""


@dataclass(frozen=True)
class KeptOfTarget:
    """What the new database is, beside what is in it.

    Attributes:
        like: its encoding and collation.
        owner: its role.
        settings: by role (None for all), each as `name=value`.
        before: the comment that it had before this cutover.
    """

    like: SourceIdentity
    owner: str
    settings: tuple[tuple[str | None, str], ...]
    before: str | None


def empty(target: ConnectionTarget, database: str, cutover_id: str) -> None:
    """Puts an empty database in the place of the new one. Only under the label of this cutover.

    Args:
        target: the new database.
        database: the protected database's name.
        cutover_id: whose label it must carry.

    Raises:
        TargetRefused: it isn't provably ours, or it can't be made again as it was.
        RightsMissing: the role can't drop or create databases.
        OpsError: the login or the connection failed.
    """
    finish(target, database, cutover_id)
    kept = _kept(target, database, cutover_id)
    if kept is None:
        return
    _make_ready(target, database, cutover_id, kept)
    _drop(target)
    finish(target, database, cutover_id)


def finish(target: ConnectionTarget, database: str, cutover_id: str) -> None:
    """Gives the empty database its name, where an emptying was interrupted between the two.

    Args:
        target: the new database.
        database: the protected database's name.
        cutover_id: whose emptying it was.

    Raises:
        OpsError: the server refused, the login or the connection failed.
    """
    spare, admin = spare_name(cutover_id), _maintenance(target)
    with (
        translated_errors(admin, f"Putting an empty database in the place of {target.database}"),
        connect(admin, application_name=APPLICATION, settings=RESTORE_SETTINGS) as connection,
    ):
        there = _comments(connection, target.database, spare)
        label = label_in(there.get(spare))
        complete = (label.get("database"), label.get("cutover")) == (database, cutover_id)
        if target.database in there or not complete:
            return
        _rename(connection, spare, target.database)
        set_comment(connection, target.database, label.get("before"))


def spare_name(cutover_id: str) -> str:
    """What the database is called that will take the new one's place."""
    return f"hackorda_ops_cutover_{cutover_id}"


def _kept(target: ConnectionTarget, database: str, cutover_id: str) -> KeptOfTarget | None:
    """What has to be made again; None if the database is empty already and carries no label."""
    with (
        translated_errors(target, "Looking at what this cutover restored"),
        connect(target, application_name=APPLICATION, settings=RESTORE_SETTINGS) as connection,
    ):
        label = label_in(comment_of(connection))
        if not label and _is_empty(connection):
            return None
        if (label.get("database"), label.get("cutover")) != (database, cutover_id):
            raise _not_ours(target)
        [(owner, granted)] = connection.execute(_OWNER).fetchall()
        if granted:
            raise TargetRefused(
                f"{target.describe()} has grants of its own, and holds what an interrupted cutover restored.",
                meaning="It would have to be dropped and made again, which would lose those grants.",
                next_step="Drop and create it by hand, empty, with its grants; then run this again.",
            )
        settings = tuple(connection.execute(_SETTINGS).fetchall())
        return KeptOfTarget(source_catalog.read_source(connection), owner, settings, label.get("before"))


def _is_empty(connection: psycopg.Connection[Any]) -> bool:
    try:
        require_empty(connection)
    except TargetRefused:
        return False
    return True


def _make_ready(target: ConnectionTarget, database: str, cutover_id: str, kept: KeptOfTarget) -> None:
    """Makes the other one. What an interrupted emptying made of it is taken up; each part can be done again."""
    spare, admin = spare_name(cutover_id), _maintenance(target)
    with (
        translated_errors(admin, f"Making an empty database like {target.database}"),
        connect(admin, application_name=APPLICATION, settings=RESTORE_SETTINGS) as connection,
    ):
        if spare not in _comments(connection, spare):
            create_like(admin, spare, kept.like)
        _require_spare_empty(connections.with_database(target, spare))
        name = sql.Identifier(spare)
        for role, entry in kept.settings:
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
        if kept.owner != admin.user:
            connection.execute(
                sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, sql.Identifier(kept.owner))
            )
        label = {"app": "hackorda_ops", "database": database, "cutover": cutover_id, "before": kept.before}
        set_label(connection, spare, label)


def _require_spare_empty(spare: ConnectionTarget) -> None:
    with (
        translated_errors(spare, "Looking whether it is empty"),
        connect(spare, application_name=APPLICATION, settings=RESTORE_SETTINGS) as connection,
    ):
        require_empty(connection)


def _drop(target: ConnectionTarget) -> None:
    admin = _maintenance(target)
    with (
        translated_errors(admin, f"Dropping {target.database}, which this cutover filled"),
        connect(admin, application_name=APPLICATION, settings=RESTORE_SETTINGS) as connection,
    ):
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(target.database)))


def _comments(connection: psycopg.Connection[Any], *names: str) -> dict[str, str | None]:
    """Those of these databases that there are, each with its comment."""
    return dict(connection.execute(_THERE, (list(names),)).fetchall())


def _rename(connection: psycopg.Connection[Any], name: str, new_name: str) -> None:
    connection.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(new_name))
    )


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
