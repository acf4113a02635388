"""What a change of the source's schema requires: a copy of the first night that has it, and a drill of that copy."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from hackorda_ops.calendar.due import DueKind, due_between, partition_of
from hackorda_ops.calendar.partitions import week_of
from hackorda_ops.config.models import Schedule

A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class SchemaSeen:
    """An artifact that was copied off-site or drilled, or a night that might be.

    Attributes:
        artifact_id: sorts by the time that it was captured.
        schema: the digest of its schema.
    """

    artifact_id: str
    schema: str


@dataclass(frozen=True)
class NightSeen(SchemaSeen):
    """The newest sound night.

    Attributes:
        night: its partition.
    """

    night: date


@dataclass(frozen=True)
class RequestedWork:
    """What a changed schema requires.

    Attributes:
        kind: a copy off-site or a drill.
        partition: the week or quarter that it is for.
        artifact_id: what to copy or drill: requested once for each.
    """

    kind: Literal["week", "quarter"]
    partition: date
    artifact_id: str


def what_is_missing(
    night: NightSeen | None, copied: SchemaSeen | None, drilled: SchemaSeen | None
) -> Literal["week", "quarter"] | None:
    """What is missing until the newest night's schema has been drilled: its copy first, since drills restore that.

    Pure. Nothing if no drill was run yet: the quarter's own is the first.

    Args:
        night: the newest sound night.
        copied: the newest artifact that was copied off-site.
        drilled: the newest artifact that was drilled, whatever the verdict: a person was alerted.
    """
    if night is None or drilled is None or drilled.schema == night.schema:
        return None
    return "quarter" if copied is not None and copied.schema == night.schema else "week"


def asked_for(
    night: NightSeen | None,
    copied: SchemaSeen | None,
    drilled: SchemaSeen | None,
    *,
    schedule: Schedule,
    now: datetime,
) -> RequestedWork | None:
    """What has to be started until the newest night's schema has been drilled; None if nothing has to be. Pure.

    Args:
        night: the newest sound night.
        copied: the newest artifact that was copied off-site.
        drilled: the newest artifact that was drilled.
        schedule: the database's.
        now: the time, aware.
    """
    kind = what_is_missing(night, copied, drilled)
    if kind is None or night is None:
        return None
    if kind == "quarter" and copied is not None:
        return RequestedWork(kind, partition_of(kind, now, schedule), copied.artifact_id)
    return RequestedWork(kind, week_of(night.night), night.artifact_id)


def has_to_wait(
    kind: DueKind, schedule: Schedule, *, now: datetime, busy: bool, drilled_today: bool
) -> str | None:
    """Why it isn't started now, in a sentence; None if it can be. Pure.

    Args:
        kind: what is missing.
        schedule: the database's.
        now: the time, aware.
        busy: whether a copy or a drill of the database has not ended.
        drilled_today: whether a drill was started in the last 24 hours.
    """
    if busy:
        return "A copy or a drill is still running."
    if kind == "quarter" and drilled_today:
        return "A drill was started in the last 24 hours, and one a day is enough."
    if next(due_between(kind, schedule, after=now, until=now + A_DAY), None):
        return f"The {kind}'s own is due within 24 hours."
    return None
