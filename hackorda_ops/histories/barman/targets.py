"""What a recovery to a point takes: Barman's options, the server's settings, and whether it got there."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, assert_never

from hackorda_ops.histories.barman import folders
from hackorda_ops.histories.barman.program import WAL_FOLDER
from hackorda_ops.history.base import RecoveredSource
from hackorda_ops.history.points import AtHead, AtLsn, AtTime, HistoryPoint
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.postgres.sessions.snapshot import position_bytes

_APPLICATION: Final = "hackorda_ops history"
_PAGE_BYTES: Final = 8192
_HEADER_BYTES: Final = (24, 40)
# Barman copies the WAL as far as the target's segment; recovery stops at a record after the target.
_BEYOND_BYTES: Final = 64 * 2**20


@dataclass(frozen=True)
class WalPosition:
    """A position in the WAL.

    Attributes:
        lsn: as Postgres writes it.
        timeline: on which timeline; None where any is meant.
    """

    lsn: str
    timeline: int | None = None


def leads_to(end: WalPosition | None, needed: WalPosition) -> bool:
    """Whether WAL that ends somewhere has all that was written before a position. Pure.

    Args:
        end: where it ends: behind its last record. None where that isn't known.
        needed: where a next record would begin.
    """
    if end is None or needed.timeline not in (None, end.timeline):
        return False
    missing = position_bytes(needed.lsn) - position_bytes(end.lsn)
    # A next record begins behind the header of its page, which is longer at the beginning of a segment.
    return missing <= 0 or (position_bytes(end.lsn) % _PAGE_BYTES == 0 and missing in _HEADER_BYTES)


def as_far_as(point: HistoryPoint) -> tuple[str, ...]:
    """Barman's options for the WAL that a recovery to a point needs."""
    match point:
        case AtLsn(lsn):
            beyond = position_bytes(lsn) + _BEYOND_BYTES
            return ("--target-lsn", f"{beyond >> 32:X}/{beyond & 0xFFFFFFFF:X}")
        case AtTime(time):
            return ("--target-time", (time.astimezone(UTC) + timedelta(hours=1)).isoformat(sep=" "))
        case AtHead():
            return ()
        case _:
            assert_never(point)


def recovery_settings(data: Path, point: HistoryPoint, parent: RecoveredSource | None) -> Mapping[str, str]:
    """The settings of the recovery to a point.

    Args:
        data: the data folder, with what Barman copied.
        point: where the recovery stops.
        parent: the copy that this one is made of; None for the source.
    """
    places = [data / WAL_FOLDER]
    if parent is not None:
        # What was written on the parent is in its own data folder, all of it.
        places.insert(0, folders.home(Path(parent.copy_id)) / "data" / "pg_wal")
    copy = " || ".join(
        f'cp {shlex.quote(str(each)).replace("%", "%%")}/%f "%p" 2>/dev/null' for each in places
    )
    settings = {"restore_command": copy, "recovery_target_timeline": "latest"}
    match point:
        case AtLsn(lsn):
            return settings | {"recovery_target_lsn": lsn, "recovery_target_inclusive": "off"}
        case AtTime(time):
            at = time.astimezone(UTC).isoformat(sep=" ")
            return settings | {"recovery_target_time": at, "recovery_target_inclusive": "on"}
        case AtHead():
            return settings
        case _:
            assert_never(point)


def position_of(target: ConnectionTarget, data: Path) -> tuple[str | None, datetime | None]:
    """Where a copy left the source's timeline, and the time of the last commit that it replayed."""
    with (
        translated_errors(target, "Looking at the recovered copy"),
        connect(target, application_name=_APPLICATION, settings=SHORT_SETTINGS) as connection,
    ):
        row = connection.execute("SELECT pg_catalog.pg_last_xact_replay_timestamp()").fetchone()
    end = end_of(data)
    return (end.lsn if end else None), row[0] if row else None


def end_of(data: Path) -> WalPosition | None:
    """Where a copy left the source's timeline: where the WAL ended that it replayed; None where that isn't known.

    Args:
        data: its data folder.
    """
    files = sorted((data / "pg_wal").glob("*.history"))
    if not files:
        return None
    # "1<tab>0/3000148<tab>reason": the last line of the newest timeline's history is its own beginning.
    lines = [each for each in files[-1].read_text().splitlines() if each and not each.startswith("#")]
    if not lines:
        return None
    timeline, lsn, *_ = lines[-1].split("\t")
    return WalPosition(lsn, int(timeline))
