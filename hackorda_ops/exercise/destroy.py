"""The deliberate destruction on a branch, and the last commit before it by which the recovery is measured."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.errors import PermanentError
from hackorda_ops.exercise.state import MARKER_SCHEMA
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors

# A recovery names a time, which an API may round: the last commit, that time and the destruction are this far apart.
_APART_SECONDS: Final = 0.5
_LOCK_TIMEOUT_SECONDS: Final = 60

_MARKER: Final = sql.Identifier(MARKER_SCHEMA, "last_commit")
_MAKE_MARKER: Final = sql.SQL("CREATE SCHEMA {}; CREATE TABLE {} (said_at timestamptz)").format(
    sql.Identifier(MARKER_SCHEMA), _MARKER
)


@dataclass(frozen=True)
class Destruction:
    """What was done to a branch.

    Attributes:
        marked_at: when the last row was written before it.
        recover_to: the time to go back to: after that row's commit, before the destruction.
        began_at: when the first statement of the destruction began.
        statements: as they were run.
        taken_along: what CASCADE took with it, in the server's words.
        left: what should be gone and is not; empty where the destruction worked.
    """

    marked_at: datetime
    recover_to: datetime
    began_at: datetime
    statements: tuple[str, ...]
    taken_along: tuple[str, ...]
    left: tuple[str, ...]


def make_marker(target: ConnectionTarget) -> None:
    """Makes the table that holds the last commit before the destruction.

    Raises:
        OpsError: the role lacks the right, or the branch can't be reached.
    """
    with (
        translated_errors(target, "Making the exercise's marker"),
        connect(target, application_name="hackorda_ops exercise") as connection,
    ):
        connection.execute(_MAKE_MARKER)


def destroy(target: ConnectionTarget, tables: tuple[TableName, ...]) -> Destruction:
    """Writes one last row, then drops the first table and truncates the second, with all that depends on them.

    Args:
        target: a database on a branch of ours: the caller has checked that it isn't the source.
        tables: one or two (`exercise_state.to_destroy`).

    Raises:
        OpsError: the role lacks the right, or the branch can't be reached.
    """
    told: list[str] = []

    def listen(notice: psycopg.errors.Diagnostic) -> None:
        told.extend(
            line
            for text in (notice.message_primary, notice.message_detail)
            if text
            for line in text.split("\n")
        )

    commands = ("DROP TABLE {} CASCADE", "TRUNCATE {} CASCADE")
    statements = tuple(command.format(table.quoted) for command, table in zip(commands, tables, strict=False))
    with (
        translated_errors(target, "Destroying on the branch what is to be recovered"),
        connect(target, application_name="hackorda_ops exercise") as connection,
    ):
        connection.execute("SET client_min_messages = notice")
        # Something else on the branch, like a job that came with it, may hold a lock forever.
        connection.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT_SECONDS}s'")
        insert = sql.SQL("INSERT INTO {} VALUES (clock_timestamp()) RETURNING said_at").format(_MARKER)
        marked_at = _one(connection, insert)
        recover_to = _later(connection)
        began_at = _later(connection)
        connection.add_notice_handler(listen)
        for statement in statements:
            connection.execute(statement.encode())
        return Destruction(
            marked_at,
            recover_to,
            began_at,
            statements,
            tuple(told),
            left=_left(connection, tables),
        )


def last_commit(target: ConnectionTarget) -> datetime | None:
    """The marker's row in a recovered database; None where it has none.

    Raises:
        OpsError: the branch can't be reached.
    """
    with (
        translated_errors(target, "Looking for the last commit before the destruction"),
        connect(target, application_name="hackorda_ops exercise") as connection,
    ):
        try:
            row = connection.execute(sql.SQL("SELECT max(said_at) FROM {}").format(_MARKER)).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return None
        return row[0] if row is not None else None


def _left(connection: psycopg.Connection[Any], tables: tuple[TableName, ...]) -> tuple[str, ...]:
    left = []
    dropped, *truncated = tables
    if _one(connection, sql.SQL("SELECT pg_catalog.to_regclass({})").format(dropped.quoted)) is not None:
        left.append(f"{dropped} is still there")
    for table in truncated:
        # Of other tables the drop's CASCADE takes only those that inherit from it, and this is not one of them.
        if _one(connection, sql.SQL("SELECT count(*) FROM {}").format(sql.SQL(table.quoted))):
            left.append(f"{table} still has rows")
    return tuple(left)


def _later(connection: psycopg.Connection[Any]) -> datetime:
    pause = sql.SQL("SELECT pg_catalog.pg_sleep({})").format(_APART_SECONDS)
    connection.execute(pause)
    now: datetime = _one(connection, sql.SQL("SELECT clock_timestamp()"))
    return now


def _one(connection: psycopg.Connection[Any], query: sql.SQL | sql.Composed) -> Any:
    row = connection.execute(query).fetchone()
    if row is None:
        raise PermanentError(
            "The branch returned no row where one was expected.",
            meaning="Nothing is known about it, so nothing was judged.",
            next_step="Report this, and run the exercise again.",
        )
    return row[0]
