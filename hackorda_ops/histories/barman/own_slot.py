"""The replication slot of a Barman that is run here: whether it may be made, and whether it is ours."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from hackorda_ops import untrusted
from hackorda_ops.errors import HistoryRefused, RightsMissing
from hackorda_ops.histories.barman.installation import write_private
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS

_RECORD: Final = "slot.json"
_UNBOUNDED: Final = "-1"
_SEEN: Final = """
SELECT current_setting('wal_level'), current_setting('max_slot_wal_keep_size'), rolreplication OR rolsuper,
       rolsuper OR pg_has_role(current_user, 'pg_monitor', 'USAGE'), clock_timestamp()
  FROM pg_catalog.pg_roles WHERE rolname = current_user
"""
_SLOT: Final = """
SELECT active, wal_status, slot_type FROM pg_catalog.pg_replication_slots WHERE slot_name = %s
"""

SlotState = Literal["none", "active", "inactive", "lost", "logical"]


@dataclass(frozen=True)
class SourceSeen:
    """What matters of the source before its WAL is received.

    Attributes:
        major: its major version.
        system_identifier: None where the role may not see it.
        wal_level: its setting.
        keep_size: its max_slot_wal_keep_size, as it shows it.
        may_replicate: whether the role may.
        may_monitor: whether the role sees what Barman asks for.
        slot: the state of the slot.
        at: the time there, aware: base backups are dated by the same clock.
    """

    major: int
    system_identifier: str | None
    wal_level: str
    keep_size: str
    may_replicate: bool
    may_monitor: bool
    slot: SlotState
    at: datetime


@dataclass(frozen=True)
class SlotRecord:
    """What was written down when the slot was made: nothing else shows that it is ours.

    Attributes:
        slot: its name.
        system_identifier: of the server that it is on.
        since: when it was made, aware: WAL is received without a gap from then on.
    """

    slot: str
    system_identifier: str | None
    since: datetime


def see(source: ConnectionTarget, slot: str) -> SourceSeen:
    """Looks at the source.

    Args:
        source: as the role that receives.
        slot: the slot's name.

    Raises:
        OpsError: it can't be reached.
    """
    with (
        translated_errors(source, "Looking at the source's replication"),
        connect(source, application_name="hackorda_ops history", settings=SHORT_SETTINGS) as connection,
    ):
        identity = source_catalog.read_source(connection)
        settings = connection.execute(_SEEN).fetchone()
        found = connection.execute(_SLOT, [slot]).fetchone()
    if settings is None:
        raise AssertionError("a session's own role is in pg_roles")
    wal_level, keep_size, may_replicate, may_monitor, at = settings
    return SourceSeen(
        major=identity.server_version_number // 10_000,
        system_identifier=identity.system_identifier,
        wal_level=wal_level,
        keep_size=keep_size,
        may_replicate=may_replicate,
        may_monitor=may_monitor,
        slot=_state(found),
        at=at,
    )


def _state(found: tuple[bool, str | None, str] | None) -> SlotState:
    if found is None:
        return "none"
    active, wal_status, kind = found
    if kind != "physical":
        return "logical"
    if wal_status == "lost":
        return "lost"
    return "active" if active else "inactive"


def what_to_do(
    seen: SourceSeen, record: SlotRecord | None, slot: str, *, without_bound: bool, folder: Path
) -> Literal["make", "use", "renew"]:
    """What to do about the slot before WAL is received by it. Pure.

    Args:
        seen: of the source.
        record: of the slot that was made here; None where none was.
        slot: the slot's name.
        without_bound: whether somebody accepts a slot that may fill the source's disk.
        folder: the folder of this Barman, for messages.

    Raises:
        HistoryRefused: the slot is somebody else's, would have no bound, or the source isn't the one it was.
        RightsMissing: the role may not receive.
    """
    _require_rights(seen)
    ours = record is not None and record.slot == slot
    known = None if record is None else record.system_identifier
    if None not in {known, seen.system_identifier} and known != seen.system_identifier:
        raise HistoryRefused(
            f"{folder} holds the history of another server: the system identifier is no longer {known}.",
            meaning="The WAL of two servers can't be kept in one folder. Nothing is received.",
            next_step="After a move or an upgrade, name a new folder in history.barman.run.folder, and take a base "
            "backup. Keep the old folder for as long as its past is needed.",
        )
    if seen.slot == "none":
        if seen.keep_size == _UNBOUNDED and not without_bound:
            raise HistoryRefused(
                "The source's max_slot_wal_keep_size is -1: a replication slot would hold WAL without end.",
                meaning="Whenever nobody receives, the source's disk would fill up, and the source would stop. No slot "
                "was made.",
                next_step="On the source: ALTER SYSTEM SET max_slot_wal_keep_size = '20GB' (what its disk can spare), "
                "then SELECT pg_reload_conf(). Or accept it with history.barman.run.slot_without_bound: true.",
            )
        return "make"
    if not ours or seen.slot == "logical":
        raise HistoryRefused(
            f"The source has a replication slot {slot} that was not made here: {folder} has no record of it.",
            meaning="It may be another installation's, so it isn't touched. Nothing is received.",
            next_step="Name another one in history.barman.run.slot. If nobody uses it any more, drop it on the source: "
            f"SELECT pg_drop_replication_slot('{slot}').",
        )
    if seen.slot == "active":
        raise HistoryRefused(
            f"Somebody is receiving by the replication slot {slot} already.",
            meaning="Only one can. Nothing more is received here.",
            next_step="Look for another `hackorda-ops history receive` or a pg_receivewal that still runs. The source "
            "gives up a dead connection within wal_sender_timeout.",
        )
    return "renew" if seen.slot == "lost" else "use"


def _require_rights(seen: SourceSeen) -> None:
    if seen.wal_level == "minimal":
        raise HistoryRefused(
            "The source's wal_level is minimal.",
            meaning="Its WAL is not enough to recover from. Nothing is received.",
            next_step="Set wal_level to replica on the source, and restart it.",
        )
    if not (seen.may_replicate and seen.may_monitor):
        raise RightsMissing(
            "The role may not replicate, or may not see what Barman asks for (pg_monitor).",
            meaning="Its WAL can't be received.",
            next_step="As a superuser of the source, make a role for it, and name the variable with its connection "
            "string in history.barman.run.url_env. docs/barman.md has the statements.",
        )


def read_record(folder: Path) -> SlotRecord | None:
    """What was written down of the slot; None where nothing was."""
    try:
        written = untrusted.parsed((folder / _RECORD).read_bytes())
        return SlotRecord(
            str(written["slot"]), written["system_identifier"], datetime.fromisoformat(written["since"])
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise HistoryRefused(
            f"{folder / _RECORD} can't be read.",
            meaning="It's unclear whether the replication slot on the source is ours. Nothing is received.",
            next_step="If nobody else receives by it, drop the slot on the source, delete the file, and start again.",
        ) from None


def write_record(folder: Path, slot: str, seen: SourceSeen) -> None:
    """Writes down that the slot is ours; before it is made, so that one is never there without.

    Args:
        folder: of this Barman.
        slot: its name.
        seen: of the source, just before.
    """
    record = SlotRecord(slot, seen.system_identifier, seen.at)
    write_private(folder / _RECORD, json.dumps(asdict(record) | {"since": record.since.isoformat()}))
