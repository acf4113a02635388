"""A scratch on a plain Postgres server: a new database and a role that restores into it, dropped at the end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.evidence.manifest import of_postgres
from hackorda_ops.history.alive import kept_alive, lives
from hackorda_ops.postgres.catalogs.inventory import Inventory
from hackorda_ops.postgres.catalogs.same_database import require_elsewhere
from hackorda_ops.postgres.restoring.target import create_like, end_sessions
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, with_database
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import RESTORE_SETTINGS
from hackorda_ops.scratch.extensions import Refusing
from hackorda_ops.scratch.place import Place
from hackorda_ops.scratch.restorer import (
    SUPERUSER,
    WHOSE_CODE,
    hand_over,
    make_role,
    powers_of,
    require_modest,
)
from hackorda_ops.scratch.server import leftovers
from hackorda_ops.scratch.server.leftovers import CONNECTION_NAME, ScratchObject
from hackorda_ops.words import named

_RETRY_BUDGET_SECONDS: Final = 60.0
_REFUSING: Final = Refusing(
    "The scratch server",
    "Install their packages on that server, or drill on one that has them",
    "Or set scratch.server.restore_as_admin, where the source's code may run with the administrator's rights.",
)

_MORE_RIGHTS: Final = (
    f"{WHOSE_CODE}If it is meant, set scratch.server.restore_as_admin: the dump's code then runs with the "
    "administrator's rights."
)


@dataclass(frozen=True)
class ServerScratch:
    """Scratch databases on a server of their own.

    The dump holds the source's code: its functions run as whoever restores. So that is a role made for the drill,
    without any right beyond its databases.

    Attributes:
        name: the protected database's name in databases.yaml.
        admin: any database of the scratch server, as a role that can create databases and roles.
        source: the live database, which must be on another server.
        superuser: the administrator's name, where it is allowed to be a superuser.
        restore_as_admin: whether the administrator itself restores, and no role is made.
    """

    name: str
    admin: ConnectionTarget
    source: ConnectionTarget
    superuser: str | None = None
    restore_as_admin: bool = False

    def left_behind(self, *, retry_budget_seconds: float) -> tuple[str, ...]:
        """See `Scratch.left_behind`.

        Raises:
            OpsError: the server refused or could not be reached.
        """
        return _told(self._left(retry_budget_seconds, droppable=True))

    def sweep(self) -> tuple[str, ...]:
        """Drops the databases and roles of this database's drills that are no longer running.

        What another administrator's drills left is walked around: a place warns of it.

        Raises:
            TargetRefused: the scratch server is the source's.
            OpsError: the server refused or could not be reached.
        """
        require_elsewhere(self.source, self.admin)
        left = self._left(_RETRY_BUDGET_SECONDS, droppable=True)
        with (
            translated_errors(self.admin, "Sweeping what killed drills left behind"),
            connect(self.admin, application_name=CONNECTION_NAME, settings=RESTORE_SETTINGS) as connection,
        ):
            leftovers.drop_all(connection, left)
        return _told(left)

    def of_others(self) -> tuple[str, ...]:
        """What killed drills of this database left behind under another administrator, and only that can drop.

        Raises:
            OpsError: the server refused or could not be reached.
        """
        return tuple(
            f"{each} (of {each.owner})" if each.owner else str(each)
            for each in self._left(_RETRY_BUDGET_SECONDS, droppable=False)
        )

    @contextmanager
    def opened(self, manifest: Manifest, drill_id: str) -> Iterator[Place]:
        """See `Scratch.opened`."""
        require_elsewhere(self.source, self.admin)
        powers = self.require_modest()
        inventory = of_postgres(manifest).inventory
        # Also remembered here, because the team's migrations may replace the label with their own comment.
        made: list[ScratchObject] = []
        with kept_alive(self.admin, drill_id):
            try:
                restorer = self._restorer(drill_id, made)

                def new_database(purpose: str) -> ConnectionTarget:
                    return self._new_database(purpose, drill_id, restorer, inventory, made)

                yield Place(
                    description=f"scratch server {self.admin.host}:{self.admin.port}, a new database",
                    new_database=new_database,
                    branch=None,
                    warnings=tuple(self._warnings()),
                    administrator=self.admin if powers == SUPERUSER and not self.restore_as_admin else None,
                    more_rights="" if self.restore_as_admin else _MORE_RIGHTS,
                    interrupt=lambda: _end_sessions(restorer, made),
                )
            finally:
                self._take_down(drill_id, made)

    def require_modest(self) -> str:
        """Refuses an administrator that is a superuser, unless it is allowed by name.

        Returns:
            What it may do on the server's machine (`powers_of`).

        Raises:
            TargetRefused: it isn't allowed.
            OpsError: the server refused or could not be reached.
        """
        with (
            translated_errors(self.admin, "Looking at the scratch server's administrator"),
            connect(self.admin, application_name=CONNECTION_NAME, settings=RESTORE_SETTINGS) as connection,
        ):
            powers = powers_of(connection)
        require_modest(self.admin, powers, self.superuser)
        return powers

    def try_out(self, like: Inventory) -> None:
        """Makes an empty database as a drill would, and drops it again. Only on a server that isn't the source's.

        Args:
            like: what is in the database that it should be like.

        Raises:
            RightsMissing: the administrator lacks the right to create databases or roles.
            TargetRefused: the server can't have one like the source.
            OpsError: the login or the connection failed, or it could not be dropped.
        """
        # If this process dies, the next sweep recognizes the names and treats them as a killed drill's.
        drill_id = new_id(datetime.now(UTC))
        made: list[ScratchObject] = []
        with kept_alive(self.admin, drill_id):
            try:
                restorer = self._restorer(drill_id, made)
                target = self._new_database("check", drill_id, restorer, like, made)
                with (
                    translated_errors(target, "Logging in as the role that restores"),
                    connect(target, application_name=CONNECTION_NAME, settings=RESTORE_SETTINGS),
                ):
                    pass
            finally:
                self._take_down(drill_id, made)

    def _restorer(self, drill_id: str, made: list[ScratchObject]) -> ConnectionTarget:
        if self.restore_as_admin:
            return self.admin
        name = leftovers.name_of(self.name, drill_id)
        restorer = make_role(self.admin, name, label=leftovers.label_text(self.name, drill_id))
        made.append(ScratchObject("role", name, drill_id, "", droppable=True))
        return restorer

    def _new_database(
        self,
        purpose: str,
        drill_id: str,
        restorer: ConnectionTarget,
        inventory: Inventory,
        made: list[ScratchObject],
    ) -> ConnectionTarget:
        database = f"{leftovers.name_of(self.name, drill_id)}_{purpose}"
        create_like(self.admin, database, inventory.source)
        made.append(ScratchObject("database", database, drill_id, "", droppable=True))
        with (
            translated_errors(self.admin, f"Labelling the database {database}"),
            connect(self.admin, application_name=CONNECTION_NAME, settings=RESTORE_SETTINGS) as connection,
        ):
            leftovers.label(connection, database, leftovers.label_text(self.name, drill_id))
        if self.restore_as_admin:
            return with_database(self.admin, database)
        return hand_over(self.admin, restorer, database, inventory.extensions, _REFUSING)

    def _warnings(self) -> Iterator[str]:
        if others := self.of_others():
            yield (
                f"On the scratch server another administrator's killed drills left {named(others)}. They hold a copy "
                "of the database, and only that administrator, or a superuser, can drop them."
            )

    def _left(self, retry_budget_seconds: float, *, droppable: bool) -> list[ScratchObject]:
        with (
            translated_errors(self.admin, "Looking for what killed drills left behind"),
            connect(
                self.admin, application_name=CONNECTION_NAME, retry_budget_seconds=retry_budget_seconds
            ) as connection,
        ):
            # A listing taken after the lock was looked for could name a drill that has just begun.
            return [
                each
                for each in list(leftovers.found(connection, self.admin, self.name))
                if each.droppable == droppable and not lives(connection, each.drill_id)
            ]

    def _take_down(self, drill_id: str, made: Sequence[ScratchObject]) -> None:
        with (
            translated_errors(self.admin, "Taking the scratch down"),
            connect(self.admin, application_name=CONNECTION_NAME, settings=RESTORE_SETTINGS) as connection,
        ):
            labelled = [
                each
                for each in leftovers.found(connection, self.admin, self.name)
                if each.drill_id == drill_id
            ]
            known = {(each.kind, each.name): each for each in (*labelled, *made)}
            leftovers.drop_all(connection, list(known.values()))


def _told(left: Sequence[ScratchObject]) -> tuple[str, ...]:
    """The names of the databases, and of roles whose databases are gone."""
    with_database = {each.drill_id for each in left if each.kind == "database"}
    return tuple(str(each) for each in left if each.kind == "database" or each.drill_id not in with_database)


def _end_sessions(restorer: ConnectionTarget, made: Sequence[ScratchObject]) -> None:
    # As the role whose sessions they are: an administrator's has no business among the restored code.
    for each in tuple(made):
        if each.kind == "database":
            end_sessions(with_database(restorer, each.name))
