"""Barman, run here: its WAL received for as long as that is asked for, and its base backups."""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from hackorda_ops.config.barman import BarmanRun, BarmanSection
from hackorda_ops.environment import Protected
from hackorda_ops.errors import HistoryRefused, LockHeld, OpsError
from hackorda_ops.histories.barman import own_slot
from hackorda_ops.histories.barman.installation import (
    barman_of,
    folder_of,
    install,
    is_installed,
    receiving_role,
    slot_of,
)
from hackorda_ops.histories.barman.program import Barman
from hackorda_ops.histories.kind import HistoryBase
from hackorda_ops.words import duration

_LOOK_AGAIN_SECONDS: Final = 0.5
_CRON_EVERY_SECONDS: Final = 60.0
_FIRST_PAUSE_SECONDS: Final = 5.0
_LONGEST_PAUSE_SECONDS: Final = 60.0
# After this long a failure is a new one, and no longer one in a row.
_RAN_WELL_SECONDS: Final = 300.0
_LONGEST_LOG_BYTES: Final = 16 * 2**20


@dataclass(frozen=True)
class BarmanKeeper:
    """See `Keeper`.

    Attributes:
        section: what databases.yaml says of Barman.
        run: what it says of running it here.
        protected: the database.
    """

    section: BarmanSection
    run: BarmanRun
    protected: Protected

    def prepare(self) -> None:
        """See `Keeper.prepare`."""
        with self._alone():
            self._prepared()

    def receive(self, *, say: Callable[[str], None], stopped: threading.Event) -> None:
        """See `Keeper.receive`."""
        pause = _FIRST_PAUSE_SECONDS
        with self._alone():
            while not stopped.is_set():
                began = time.monotonic()
                try:
                    said = self._received(say, stopped)
                except OpsError as error:
                    said = f"{error.what} {error.next_step}"
                if stopped.is_set():
                    return
                if time.monotonic() - began > _RAN_WELL_SECONDS:
                    pause = _FIRST_PAUSE_SECONDS
                say(f"WAL is not being received: {said} Trying again in {duration(pause)}.")
                stopped.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    @property
    def has_begun(self) -> bool:
        """See `Keeper.has_begun`."""
        return is_installed(self.run, self.protected)

    def receives(self) -> bool:
        """See `Keeper.receives`."""
        role = receiving_role(self.run, self.protected)
        return own_slot.see(role, slot_of(self.run, self.protected)).slot == "active"

    def base_backup(self) -> HistoryBase:
        """See `Keeper.base_backup`."""
        barman, began = barman_of(self.section, self.protected), time.monotonic()
        if not barman.any_backup():
            # On a source that nobody writes to, Barman would wait for the first segment for ever.
            barman.switch_wal()
        try:
            barman.take_backup()
        except HistoryRefused as error:
            failed = barman.failed_checks()
            raise HistoryRefused(
                error.what + "".join(f"\n- barman check: {each}" for each in failed),
                meaning="There is no new base backup. Recoveries begin at the one before it, and take longer.",
                next_step=f"If receive-wal isn't running, start `hackorda-ops history receive {self.protected.name}`. "
                f"Otherwise look into {self._folder / 'barman.log'}.",
            ) from None
        newest, ended_at = barman.backups()[0]
        size = barman.backup(newest).size_bytes
        return HistoryBase(newest, ended_at, size, time.monotonic() - began)

    def lacks_base_backup(self) -> str:
        """See `Keeper.lacks_base_backup`."""
        barman = barman_of(self.section, self.protected)
        record = own_slot.read_record(self._folder)
        if not barman.any_backup():
            return "There is no base backup yet: nothing can be recovered from the WAL that is received."
        _, ended_at = barman.backups()[0]
        if record is not None and ended_at < record.since:
            return _gap(record.since)
        return ""

    def end(self) -> str:
        """See `Keeper.end`."""
        barman, slot = barman_of(self.section, self.protected), slot_of(self.run, self.protected)
        record = own_slot.read_record(self._folder)
        with self._alone():
            seen = own_slot.see(receiving_role(self.run, self.protected), slot)
            if seen.slot == "none":
                return f"The source has no replication slot {slot}."
            own_slot.what_to_do(seen, record, slot, without_bound=True, folder=self._folder)
            barman.change_slot("--drop-slot")
        return f"The replication slot {slot} is dropped. Base backups and WAL are still in {self._folder}."

    @property
    def _folder(self) -> Path:
        return folder_of(self.run, self.protected)

    def _prepared(self) -> Barman:
        """The program with its configuration, and a slot of our own on the source."""
        source, slot = receiving_role(self.run, self.protected), slot_of(self.run, self.protected)
        seen = own_slot.see(source, slot)
        to_do = own_slot.what_to_do(
            seen,
            own_slot.read_record(self._folder),
            slot,
            without_bound=self.run.slot_without_bound,
            folder=self._folder,
        )
        clients = self.protected.client_tools(seen.major)
        barman = install(self.section, self.run, self.protected, source, clients)
        if to_do == "use":
            return barman
        if to_do == "renew":
            barman.change_slot("--drop-slot")
        own_slot.write_record(self._folder, slot, seen)
        barman.change_slot("--create-slot")
        # What an earlier slot led to may be gone from the source: begin where it is now.
        barman.change_slot("--reset")
        return barman

    def _received(self, say: Callable[[str], None], stopped: threading.Event) -> str:
        """Receives until it ends, or is to stop; returns how it ended."""
        self._shorten_log()
        if self.has_begun:
            barman_of(self.section, self.protected).end_stray_receiver()
        barman = self._prepared()
        receiving = barman.receiving(say)
        try:
            next_cron = time.monotonic()
            while receiving.running and not stopped.is_set():
                if time.monotonic() >= next_cron:
                    next_cron = time.monotonic() + _CRON_EVERY_SECONDS
                    if trouble := _cron(barman):
                        say(f"barman cron: {trouble}")
                stopped.wait(_LOOK_AGAIN_SECONDS)
        finally:
            receiving.stop()
        ended = receiving.wait()
        return f"barman receive-wal ended with {ended.returncode}. {ended.stderr_tail}".strip()

    def _shorten_log(self) -> None:
        log = self._folder / "barman.log"
        with suppress(FileNotFoundError):
            if log.stat().st_size > _LONGEST_LOG_BYTES:
                log.replace(log.with_suffix(".log.1"))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else receives into the same folder meanwhile."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder / "receiving.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LockHeld(
                    f"Another `hackorda-ops history receive` is running for {self.protected.name}.",
                    meaning="Only one can receive into a folder. This one did nothing.",
                    next_step="Leave it to the other one, or stop that first.",
                ) from None
            yield
        finally:
            os.close(descriptor)


def _cron(barman: Barman) -> str:
    # Whatever becomes of it, reception goes on.
    try:
        return barman.cron()
    except OpsError as error:
        return error.what


def _gap(since: datetime) -> str:
    return (
        f"WAL was lost before {since:%Y-%m-%d %H:%M} UTC, and no base backup was taken since: nothing after the gap "
        "can be recovered yet."
    )
