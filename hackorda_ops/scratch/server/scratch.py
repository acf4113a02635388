"""A scratch on a plain Postgres server: a new database, dropped at the end."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops import untrusted
from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.errors import PermanentError, TargetRefused
from hackorda_ops.evidence.manifest import of_postgres
from hackorda_ops.history.alive import kept_alive, lives
from hackorda_ops.postgres.catalogs.inventory import SourceIdentity
from hackorda_ops.postgres.catalogs.same_database import require_elsewhere
from hackorda_ops.postgres.restoring.target import create_like, end_sessions, require_empty
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, with_database
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import RESTORE_SETTINGS
from hackorda_ops.redaction.server_words import shown_error
from hackorda_ops.scratch.place import Place

_PREFIX: Final = "hackorda_ops_drill_"
_APPLICATION: Final = "hackorda_ops"
_CONNECTION_NAME: Final = "hackorda_ops scratch"
_RETRY_BUDGET_SECONDS: Final = 60.0
# Postgres cuts names at 63 bytes; a drill's id takes 23 of them and the purpose up to 8.
_DATABASE_NAME_CHARACTERS: Final = 10

_OURS_BY_NAME: Final = """
SELECT d.datname, pg_catalog.shobj_description(d.oid, 'pg_database'), d.datdba = me.oid
  FROM pg_catalog.pg_database d, pg_catalog.pg_roles me
 WHERE me.rolname = current_user AND pg_catalog.starts_with(d.datname, %s)
 ORDER BY d.datname
"""


@dataclass(frozen=True)
class ServerScratch:
    """Scratch databases on a server of their own.

    Attributes:
        name: the protected database's name in databases.yaml.
        admin: any database of the scratch server, as a role that can create databases.
        source: the live database, which must be on another server.
    """

    name: str
    admin: ConnectionTarget
    source: ConnectionTarget

    def left_behind(self, *, retry_budget_seconds: float) -> tuple[str, ...]:
        """See `Scratch.left_behind`.

        Raises:
            OpsError: the server refused or could not be reached.
        """
        with (
            translated_errors(self.admin, "Looking for what killed drills left behind"),
            connect(
                self.admin, application_name=_CONNECTION_NAME, retry_budget_seconds=retry_budget_seconds
            ) as connection,
        ):
            # A listing taken after the lock was looked for could name a drill that has just begun.
            return tuple(
                database
                for database, drill_id in self._databases(connection)
                if not lives(connection, drill_id)
            )

    def sweep(self) -> tuple[str, ...]:
        """Drops the databases of this database's drills that are no longer running.

        Raises:
            TargetRefused: the scratch server is the source's.
            OpsError: the server refused or could not be reached.
        """
        require_elsewhere(self.source, self.admin)
        left = self.left_behind(retry_budget_seconds=_RETRY_BUDGET_SECONDS)
        with (
            translated_errors(self.admin, "Sweeping what killed drills left behind"),
            connect(self.admin, application_name=_CONNECTION_NAME, settings=RESTORE_SETTINGS) as connection,
        ):
            _drop_all(connection, left)
        return left

    @contextmanager
    def opened(self, manifest: Manifest, drill_id: str) -> Iterator[Place]:
        """See `Scratch.opened`."""
        require_elsewhere(self.source, self.admin)
        # Also remembered here, because the team's migrations may replace the label with their own comment.
        made: list[str] = []

        def new_database(purpose: str) -> ConnectionTarget:
            database = self._database_name(drill_id, purpose)
            create_like(self.admin, database, of_postgres(manifest).inventory.source)
            made.append(database)
            self._label(database, drill_id)
            return with_database(self.admin, database)

        with kept_alive(self.admin, drill_id):
            try:
                yield Place(
                    description=f"scratch server {self.admin.host}:{self.admin.port}, a new database",
                    new_database=new_database,
                    branch=None,
                    interrupt=lambda: self._end_sessions(made),
                )
            finally:
                self._take_down(drill_id, made)

    def try_out(self, like: SourceIdentity) -> None:
        """Makes an empty database as a drill would, and drops it again. Only on a server that isn't the source's.

        Raises:
            RightsMissing: the role lacks the right to create databases.
            TargetRefused: the server can't have one like the source.
            OpsError: the login or the connection failed, or it could not be dropped.
        """
        # If this process dies, the next sweep recognizes the name and treats it as a killed drill's.
        drill_id = new_id(datetime.now(UTC))
        database = self._database_name(drill_id, "check")
        with kept_alive(self.admin, drill_id):
            create_like(self.admin, database, like)
            self._take_down(drill_id, [database])

    def _end_sessions(self, made: Sequence[str]) -> None:
        for database in tuple(made):
            end_sessions(with_database(self.admin, database))

    def _database_name(self, drill_id: str, purpose: str) -> str:
        short = self.name.lower()[:_DATABASE_NAME_CHARACTERS]
        return f"{_PREFIX}{short}_{drill_id.lower().replace('-', '_')}_{purpose}"

    def _label(self, database: str, drill_id: str) -> None:
        label = {"app": _APPLICATION, "database": self.name, "drill": drill_id}
        with (
            translated_errors(self.admin, f"Labelling the database {database}"),
            connect(self.admin, application_name=_CONNECTION_NAME, settings=RESTORE_SETTINGS) as connection,
        ):
            connection.execute(
                sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                    sql.Identifier(database), sql.Literal(json.dumps(label))
                )
            )

    def _databases(self, connection: psycopg.Connection[Any]) -> Iterator[tuple[str, str]]:
        """The scratch databases of this protected database that are provably ours, with their drills' ids."""
        for database, comment, is_owner in connection.execute(_OURS_BY_NAME, (_PREFIX,)).fetchall():
            label = _label_of(comment)
            if label.get("app") == _APPLICATION and label.get("database") == self.name:
                yield database, label.get("drill", "")
                continue
            # A drill that was killed between CREATE DATABASE and its label has put nothing in yet.
            drill_id = self._drill_in(database) if comment is None and is_owner else None
            if drill_id is not None and self._is_empty(database):
                yield database, drill_id

    def _drill_in(self, database: str) -> str | None:
        short = re.escape(self.name.lower()[:_DATABASE_NAME_CHARACTERS])
        match = re.fullmatch(rf"{_PREFIX}{short}_(\d{{8}}t\d{{6}}z)_([0-9a-f]{{6}})_[a-z]+", database)
        return f"{match[1].upper()}-{match[2]}" if match else None

    def _is_empty(self, database: str) -> bool:
        with connect(
            with_database(self.admin, database), application_name=_CONNECTION_NAME, settings=RESTORE_SETTINGS
        ) as connection:
            try:
                require_empty(connection)
            except TargetRefused:
                return False
        return True

    def _take_down(self, drill_id: str, made: Sequence[str]) -> None:
        with (
            translated_errors(self.admin, "Taking the scratch down"),
            connect(self.admin, application_name=_CONNECTION_NAME, settings=RESTORE_SETTINGS) as connection,
        ):
            labelled = [name for name, owner_id in self._databases(connection) if owner_id == drill_id]
            _drop_all(connection, sorted({*made, *labelled}))


def _drop_all(connection: psycopg.Connection[Any], databases: Sequence[str]) -> None:
    """Drops databases; one that can't be dropped doesn't keep the others from being dropped."""
    kept = [f"{database} ({why})" for database in databases if (why := _drop(connection, database))]
    if kept:
        raise PermanentError(
            f"Scratch databases on {connection.info.host} could not be dropped: {', '.join(kept)}.",
            meaning="A copy of the protected database is left there, and drills can't run until it is gone.",
            next_step="Remove what keeps it (a subscription, a prepared transaction, a template), and drill again: "
            "that drops it.",
        )


def _drop(connection: psycopg.Connection[Any], database: str) -> str:
    """Drops a database; returns why it is still there, or ""."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
    try:
        connection.execute(statement)
    except (psycopg.errors.ObjectInUse, psycopg.errors.WrongObjectType) as error:
        # The team's migrations can make a subscription, a prepared transaction or a template of it.
        return shown_error(error)
    listed = connection.execute("SELECT FROM pg_catalog.pg_database WHERE datname = %s", (database,))
    return "it is still listed after it was dropped" if listed.fetchone() is not None else ""


def _label_of(comment: str | None) -> Mapping[str, str]:
    try:
        label = untrusted.parsed((comment or "").encode("utf-8", "replace"))
    except ValueError:
        return {}
    return label if isinstance(label, dict) else {}
