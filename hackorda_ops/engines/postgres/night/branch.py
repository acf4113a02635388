"""The copy of the source that a night is dumped from: opened by its history, proven to be its clone, and removed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.calendar import partitions
from hackorda_ops.config.models import Policy, Schedule
from hackorda_ops.errors import HistoryRefused, OpsError, PartitionGone, TargetRefused
from hackorda_ops.history import hazards
from hackorda_ops.history.base import History, HistoryMain, HistoryTraits, Reach, RecoveredSource
from hackorda_ops.history.labels import NIGHT
from hackorda_ops.history.points import AtLsn, AtTime
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.catalogs.inventory import SourceIdentity
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.postgres.sessions.snapshot import flushed_position, position_bytes
from hackorda_ops.words import duration

_APPLICATION: Final = "hackorda_ops night"
# Longer than the dump's own deadline: creating the branch takes time too. Neon allows at most 30 days.
_SPARE: Final = timedelta(hours=12)
_LONGEST_EXPIRY: Final = timedelta(days=29)


@dataclass(frozen=True)
class Present:
    """The source as it is now.

    Attributes:
        source: where it is.
        identity: what it is.
        now: its clock, in UTC.
        lsn: a WAL position at that time, already flushed to disk.
        hazards: what a branch of it would do on its own, or would lack, in traits.
    """

    source: ConnectionTarget
    identity: SourceIdentity
    now: datetime
    lsn: str
    hazards: tuple[str, ...]


@dataclass(frozen=True)
class Past:
    """When a missed night was due, in a history that reaches back to it.

    Attributes:
        due: in UTC.
        kept_since: where that history begins, in UTC.
    """

    due: datetime
    kept_since: datetime


@dataclass(frozen=True)
class NightBranch:
    """A running branch, and the moment of the source that it holds.

    Attributes:
        target: the source's database on it.
        identity: the source's own; the branch has another address and timeline.
        lsn: where it left its parent, as Neon reports it: its own positions are on another timeline.
        captured_at: the source's clock at that position, in UTC; for a past night the time that was asked for.
        as_of: that time, for a past night only.
    """

    target: ConnectionTarget
    identity: SourceIdentity
    lsn: str
    captured_at: datetime
    as_of: datetime | None


def look(source: ConnectionTarget, *, copies_act: bool = True) -> Present:
    """Looks at the source without touching a table.

    Args:
        source: where it is.
        copies_act: see `HistoryTraits`.

    Raises:
        OpsError: it can't be reached, or is a standby.
    """
    with (
        translated_errors(source, "Looking at the source"),
        connect(source, application_name=_APPLICATION, settings=SHORT_SETTINGS) as connection,
    ):
        lsn, now = flushed_position(connection, source)
        return Present(
            source=source,
            identity=source_catalog.read_source(connection),
            now=now,
            lsn=lsn,
            hazards=(
                *(hazards.acting(connection, source) if copies_act else ()),
                *hazards.lost(connection),
            ),
        )


def sweep(history: History) -> tuple[str, ...]:
    """Deletes branches that earlier nights left behind; the caller holds the dump lock, so none is in use.

    Args:
        history: the source's.

    Returns:
        What was done, or could not be, one sentence each: a leftover branch is no reason to skip a backup.
    """
    told = []
    try:
        for gone in history.delete_nights():
            told.append(f"Removed a {history.traits.copy} that a killed night left behind: {gone}.")
    except OpsError as error:
        told.append(f"What killed nights left behind could not be removed: {error.what}")
    return tuple(told)


def time_in_history(
    night: date, schedule: Schedule, *, now: datetime, reach: Reach, main: HistoryMain, traits: HistoryTraits
) -> Past:
    """When a past night was due, if the provider's history reaches back to it. Pure.

    Args:
        night: the partition.
        schedule: the database's.
        now: the source's clock.
        reach: how far back the history goes.
        main: what the source is in it.
        traits: what sets it apart.

    Raises:
        PartitionGone: it does not reach back to it, or nothing was due on that date.
    """
    due = partitions.scheduled_at(night, schedule).astimezone(UTC)
    window, begins = timedelta(seconds=reach.window_seconds), main.begins
    if due <= now - window and not reach.grows:
        kept = duration(reach.window_seconds)
        reason = (
            f"{traits.keeper} keeps {kept} of history, so it has been out of reach since {_utc(due + window)}"
        )
    elif begins is not None and due < begins:
        reason = f"the history of {main.name} begins at {_utc(begins)}"
    else:
        kept_since = begins if reach.grows else now - window
        return Past(due, max(kept_since or due, begins or kept_since or due))
    raise PartitionGone(
        f"The night of {night} was due at {_utc(due)}, and that moment can no longer be recovered: {reason}.",
        meaning="That night has no backup and cannot get one: nothing is ever backdated.",
        next_step="Find out why that night was missed; the next one can be backfilled while it is within the history. "
        f"{traits.lengthen}.",
    )


@contextmanager
def made(
    history: History,
    present: Present,
    *,
    database: Policy,
    past: Past | None,
    warnings: list[str],
) -> Iterator[NightBranch]:
    """Makes the branch. When the block ends, however it ends, the branch is deleted.

    Args:
        history: the source's.
        present: the source.
        database: its configuration.
        past: the time whose data it is to hold; None for the present.
        warnings: what the artifact should note about it is added here, even as the block ends.

    Raises:
        HistoryRefused, PointGone: there is no copy of that moment.
        TargetRefused: what it made is not a branch of the source, or is the source.
        OpsError: source or branch can't be reached.
    """

    def left(name: str, error: OpsError) -> None:
        # The dump isn't affected; the next night removes the copy, or it expires.
        warnings.append(
            f"The night's {history.traits.copy} {name} was not deleted: {error.what} {error.next_step}"
        )

    opened = history.opened(
        purpose=NIGHT,
        run=new_id(present.now),
        point=AtLsn(present.lsn) if past is None else AtTime(past.due),
        expires_at=datetime.now(UTC)
        + min(timedelta(hours=database.dump.deadline_hours) + _SPARE, _LONGEST_EXPIRY),
        on_left=left,
    )
    with opened as own:
        warnings.extend(own.warnings)
        lsn = _position(own, present.lsn if past is None else past, history.traits)
        _require_clone(own.target, present.identity, history.traits)
        as_of = past.due if past is not None else None
        yield NightBranch(own.target, present.identity, lsn, as_of or present.now, as_of)


def _position(copy: RecoveredSource, asked_for: str | Past, traits: HistoryTraits) -> str:
    """Where it left its parent: at the requested position, or within the history before the requested time."""
    lsn, time = copy.lsn, copy.time
    try:
        number = None if lsn is None else position_bytes(lsn)
    except ValueError:
        number = None
    if isinstance(asked_for, Past):
        # The time is that of the last commit before the requested one.
        held = time is not None and asked_for.kept_since <= time <= asked_for.due
    else:
        held = number == position_bytes(asked_for)
    if lsn is None or number is None or not held:
        raise HistoryRefused(
            f"{traits.keeper} reports that the {traits.copy} {copy.name} left its parent at {lsn} and {time}, but "
            f"{asked_for.due if isinstance(asked_for, Past) else asked_for} was requested.",
            meaning="Which moment it holds is unknown. It was not dumped.",
            next_step=f"Try again, and report it to {traits.keeper} if it happens again.",
        )
    return lsn


def _require_clone(target: ConnectionTarget, source: SourceIdentity, traits: HistoryTraits) -> None:
    with (
        translated_errors(target, f"Looking at the night's {traits.copy}"),
        connect(target, application_name=_APPLICATION) as connection,
    ):
        there = source_catalog.read_source(connection)
    identifiers = {source.system_identifier, there.system_identifier}
    other_server = None not in identifiers and len(identifiers) > 1
    if other_server or there.database != source.database:
        raise TargetRefused(
            f"{target.describe()} is a {traits.copy} of another {'server' if other_server else 'database'} "
            "than the source.",
            meaning="A dump of it would be a backup of something else. It was not dumped.",
            next_step=or_the_source(traits),
        )


def or_the_source(traits: HistoryTraits) -> str:
    """What to do where a history is not the source's. Pure."""
    return f"{traits.correct}, or dump the live database (dump_from: source)."


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
