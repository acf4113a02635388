"""The history that Barman keeps: base backups and WAL, recovered on this machine."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, assert_never

from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError, PointGone
from hackorda_ops.histories.barman import folders, server, slots
from hackorda_ops.histories.barman.catalog import BarmanBase
from hackorda_ops.histories.barman.folders import CopyFolder
from hackorda_ops.histories.barman.keeper import BarmanKeeper
from hackorda_ops.histories.barman.program import Barman
from hackorda_ops.histories.barman.targets import (
    WalPosition,
    as_far_as,
    end_of,
    leads_to,
    position_of,
    recovery_settings,
)
from hackorda_ops.history.alive import owner_lives
from hackorda_ops.history.base import HistoryMain, HistoryTraits, Reach, RecoveredSource
from hackorda_ops.history.labels import NIGHT, Label, source_id
from hackorda_ops.history.points import AtHead, AtLsn, AtTime, HistoryPoint
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.catalogs.same_database import require_elsewhere
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.postgres.sessions.snapshot import position_bytes
from hackorda_ops.processes import server_user

TRAITS: Final = HistoryTraits(
    keeper="Barman",
    kind="Barman",
    copy="recovered copy",
    lengthen="Lengthen Barman's retention_policy",
    correct="Correct history.barman.server or the source's connection string",
    copies_act=False,
    every_night=False,
    looked_after=True,
    remedy="Run `barman check` by hand; where Barman is run here, look whether `hackorda-ops history receive` runs.",
)

_APPLICATION: Final = "hackorda_ops history"
_RETRY_BUDGET_SECONDS: Final = 60.0
# All that was committed before a time lies before what was written when the source's clock is past it.
# The name of its segment begins with the timeline.
_WRITTEN: Final = """
SELECT lsn::text, left(pg_catalog.pg_walfile_name(lsn), 8)
  FROM (SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_current_wal_insert_lsn() END) AS _ (lsn)
 WHERE lsn IS NOT NULL AND pg_catalog.clock_timestamp() > %s
"""
# In a copy's folder: the base backup that it was recovered from.
_BACKUP: Final = "backup"


@dataclass(frozen=True)
class BarmanHistory:
    """See `History`. Its copies are servers of their own, on loopback.

    Attributes:
        protected: the database.
        barman: the program, for the server that the source is.
        source: the live database.
        keeper: where Barman is run here.
    """

    protected: Protected
    barman: Barman
    source: ConnectionTarget
    keeper: BarmanKeeper | None = None

    @property
    def traits(self) -> HistoryTraits:
        """See `History.traits`."""
        return TRAITS

    def reach(self) -> Reach:
        """See `History.reach`."""
        _, since = self.barman.backups()[-1]
        retention = self.barman.retention()
        kept = round((datetime.now(UTC) - since).total_seconds())
        if retention.window_seconds is not None:
            return Reach(retention.window_seconds, since)
        return Reach(kept, since, grows=not retention.removes)

    def problems(self) -> tuple[str, ...]:
        """See `History.problems`: what Barman's own checks find, lost WAL, and a base backup that is missing."""
        failed = [f"barman check {self.barman.server}: {each}." for each in self.barman.failed_checks()]
        lacks = self.keeper.lacks_base_backup() if self.keeper else ""
        return tuple(filter(None, (*failed, *slots.lost(self.source), lacks)))

    def main(self) -> HistoryMain | None:
        """Barman's server, if its newest base backup is the source's."""
        backups = self.barman.backups()
        newest = self.barman.backup(backups[0][0])
        with (
            translated_errors(self.source, "Looking at the source"),
            connect(self.source, application_name=_APPLICATION, settings=SHORT_SETTINGS) as connection,
        ):
            identifier = source_catalog.read_source(connection).system_identifier
        # Where one of them isn't known, the copy itself is held against the source.
        if None not in {identifier, newest.system_id} and identifier != newest.system_id:
            return None
        return HistoryMain(self.barman.server, backups[-1][1])

    def not_main(self) -> str:
        """See `History.not_main`."""
        return f"{self.source.describe()} is not the server that Barman knows as {self.barman.server}"

    @contextmanager
    def opened(
        self,
        *,
        purpose: str,
        run: str,
        point: HistoryPoint,
        expires_at: datetime | None,
        parent: RecoveredSource | None = None,
        on_left: Callable[[str, OpsError], None] | None = None,
    ) -> Iterator[RecoveredSource]:
        """See `History.opened`. Nothing expires: a folder that a killed run leaves is removed by the next sweep."""
        folder = folders.made(self._root, Label(self.protected.name, source_id(self.source), run, purpose))
        try:
            backup = self._backup_for(point) if parent is None else self._backup_of(parent)
            (folder.path / _BACKUP).write_text(backup.backup_id)
            with self._recovered(folder, backup, point, parent, keeps_wal=expires_at is None) as target:
                require_elsewhere(self.source, target)
                lsn, time = position_of(target, folders.home(folder.path) / "data")
                yield RecoveredSource(
                    copy_id=str(folder.path),
                    name=folder.path.name,
                    target=target,
                    # A recovery that doesn't reach a position ends in an error.
                    lsn=point.lsn if isinstance(point, AtLsn) else lsn,
                    time=time or backup.ended_at,
                    call=" ".join(
                        (
                            "barman recover",
                            *as_far_as(point),
                            self.barman.server,
                            backup.backup_id,
                            "FOLDER",
                        )
                    ),
                )
        finally:
            try:
                folders.delete(folder)
            except OpsError as error:
                if on_left is None:
                    raise
                on_left(folder.path.name, error)

    def still_there(self, *, purpose: str, run: str) -> tuple[str, ...]:
        """See `History.still_there`."""
        return tuple(each.path.name for each in self._ours(purpose=purpose, run=run))

    def delete_nights(self) -> Iterator[str]:
        """See `History.delete_nights`."""
        for each in self._ours(purpose=NIGHT):
            folders.delete(each)
            yield each.path.name

    def left_behind(self, *, retry_budget_seconds: float) -> tuple[str, ...]:
        """See `History.left_behind`."""
        return tuple(each.path.name for each in self._left_behind(retry_budget_seconds))

    def sweep(self) -> tuple[str, ...]:
        """See `History.sweep`."""
        left = self._left_behind(_RETRY_BUDGET_SECONDS)
        for each in left:
            folders.delete(each)
        return tuple(each.path.name for each in left)

    @property
    def _root(self) -> Path:
        return self.protected.policy.dump.work_folder.absolute() / "recovered" / self.protected.name

    def _ours(self, **wanted: str) -> tuple[CopyFolder, ...]:
        of_source = {"database": self.protected.name, "source": source_id(self.source)}
        return folders.ours(self._root, of_source | wanted)

    def _left_behind(self, retry_budget_seconds: float) -> tuple[CopyFolder, ...]:
        ours = self._ours()
        if not ours:
            return ()
        with (
            translated_errors(self.source, "Checking which runs are still alive"),
            connect(
                self.source,
                application_name="hackorda_ops sweep",
                settings=SHORT_SETTINGS,
                retry_budget_seconds=retry_budget_seconds,
            ) as connection,
        ):
            return tuple(each for each in ours if not owner_lives(connection, each.label))

    def _backup_of(self, copy: RecoveredSource) -> BarmanBase:
        """The base backup that a copy was recovered from."""
        return self.barman.backup((Path(copy.copy_id) / _BACKUP).read_text())

    def _backup_for(self, point: HistoryPoint) -> BarmanBase:
        """The newest base backup that leads to a point."""
        for backup_id, ended_at in self.barman.backups():
            if isinstance(point, AtTime) and ended_at > point.time:
                continue
            backup = self.barman.backup(backup_id)
            if isinstance(point, AtLsn) and position_bytes(backup.end_lsn) > position_bytes(point.lsn):
                continue
            return backup
        raise PointGone(
            f"Barman has no base backup of {self.barman.server} from before that point.",
            meaning="Its WAL alone leads nowhere: what was then can't be recovered from Barman.",
            next_step="Keep base backups for longer (Barman's retention_policy); that moment is lost.",
        )

    @contextmanager
    def _recovered(
        self,
        folder: CopyFolder,
        backup: BarmanBase,
        point: HistoryPoint,
        parent: RecoveredSource | None,
        *,
        keeps_wal: bool,
    ) -> Iterator[ConnectionTarget]:
        user = server_user.server_user()
        home = server_user.reachable_home(folder.path, user)
        data, tablespaces = home / "data", home / "tablespaces"
        moved: list[str] = []
        for name in backup.tablespaces:
            # Never to where it is on the source: that may be this very machine.
            (tablespaces / name).mkdir(parents=True)
            moved += ["--tablespace", f"{name}:{tablespaces / name}"]
        needed = None if parent else self._last_needed(point)
        self.barman.recover(backup.backup_id, data, target=(*moved, *as_far_as(point)))
        major = int((data / "PG_VERSION").read_text().split(".")[0])
        programs = server.programs_of(self.protected.client_tools(major).folder, major)
        server_user.give_all(tablespaces, user)

        def running(to: HistoryPoint) -> AbstractContextManager[ConnectionTarget]:
            return server.running(
                home,
                programs,
                self.source,
                recovery=recovery_settings(data, to, parent),
                keeps_wal=keeps_wal,
                deadline_seconds=self.barman.deadline_seconds,
            )

        with ExitStack() as stack:
            try:
                target = stack.enter_context(running(point))
            except server.WalEnded:
                # On a source that is quiet nothing lies after the point: then all there is leads exactly to it.
                if needed is None:
                    raise
                target = stack.enter_context(running(AtHead()))
                if not leads_to(end_of(data), needed):
                    raise
            yield target

    def _last_needed(self, point: HistoryPoint) -> WalPosition | None:
        """The position up to which WAL is needed to be sure of a point, if nothing after it is there; None: unknown."""
        match point:
            case AtLsn(lsn):
                return WalPosition(lsn)
            case AtTime(time):
                with (
                    translated_errors(self.source, "Looking how far the source has written"),
                    connect(
                        self.source, application_name=_APPLICATION, settings=SHORT_SETTINGS
                    ) as connection,
                ):
                    row = connection.execute(_WRITTEN, [time]).fetchone()
                return WalPosition(row[0], int(row[1], 16)) if row else None
            case AtHead():
                return None
            case _:
                assert_never(point)
