"""Which moment a recovery goes back to, and whether the history has it. All pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hackorda_ops.errors import PointGone, TargetRefused, UsageError
from hackorda_ops.history.base import Reach
from hackorda_ops.history.labels import RECOVERY
from hackorda_ops.history.primary import LiveCopy

_NOTHING: Final = "Nothing was attempted."


def time_named(text: str, *, timezone: str, now: datetime) -> datetime:
    """The moment that `--at` names.

    Args:
        text: in ISO 8601, with its distance from UTC.
        timezone: the team's, for an example where the distance is missing.
        now: the present, aware.

    Raises:
        UsageError: it isn't a time, has no distance from UTC, or lies in the future.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        example = now.astimezone(ZoneInfo(timezone)).replace(microsecond=0) - timedelta(hours=1)
        raise UsageError(
            f"{text!r} is not a time.",
            meaning=_NOTHING,
            next_step=f"Write it as {example.isoformat()}.",
        ) from None
    if moment.tzinfo is None:
        local, utc = moment.replace(tzinfo=ZoneInfo(timezone)), moment.replace(tzinfo=UTC)
        raise UsageError(
            f"{text!r} does not say in which time zone.",
            meaning=f"{_NOTHING} An hour too many would bring the damage back, or lose an hour of data.",
            next_step=f"Write {local.isoformat()} ({timezone}), or {utc.isoformat()} (UTC).",
        )
    if moment > now:
        raise UsageError(
            f"{moment.isoformat()} lies in the future: it is {now.astimezone(moment.tzinfo).isoformat()}.",
            meaning=_NOTHING,
            next_step="Name a moment just before the damage.",
        )
    return moment.astimezone(UTC)


def require_within(time: datetime, reach: Reach, *, now: datetime) -> None:
    """Refuses a time that the history does not reach back to.

    Args:
        time: aware.
        reach: of the history.
        now: the present, aware.

    Raises:
        PointGone: it says how far back it goes.
    """
    began = now - timedelta(seconds=reach.window_seconds)
    if reach.since is not None and reach.since > began:
        began = reach.since
    if time < began:
        raise PointGone(
            f"The history reaches back to {began.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC only, and "
            f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC lies before it.",
            meaning="No branch can be made of that moment. Nothing was attempted.",
            next_step="Choose a later moment, or restore the last artifact from before it: `hackorda-ops backups` "
            "lists them, `hackorda-ops restore` restores one into an empty database.",
        )


def recoveries(copies: Sequence[LiveCopy], database: str) -> tuple[LiveCopy, ...]:
    """The branches that recoveries of a database made, newest first, promoted or not."""
    ours = [
        copy
        for copy in copies
        if copy.label and copy.label.get("purpose") == RECOVERY and copy.label.get("database") == database
    ]
    return tuple(sorted(ours, key=lambda copy: copy.run, reverse=True))


def asked_time(copy: LiveCopy) -> datetime | None:
    """The time that a recovery was asked to go back to, as its branch's label has it."""
    try:
        return datetime.fromisoformat((copy.label or {}).get("time", ""))
    except ValueError:
        return copy.time


def chosen(found: Sequence[LiveCopy], *, recovery_id: str | None, time: datetime | None) -> LiveCopy | None:
    """The recovery that a command means; None where a new one is to begin.

    Args:
        found: all recoveries of the database (`recoveries`).
        recovery_id: as given.
        time: as given. One of the same time that isn't the primary is resumed.

    Raises:
        UsageError: there is none of that id, or none or several to choose from.
    """
    open_ones = [copy for copy in found if not copy.default]
    if recovery_id is not None:
        named = next((copy for copy in found if copy.run == recovery_id), None)
        if named is not None:
            return named
        what = f"There is no recovery {recovery_id}."
    elif time is not None:
        return next((copy for copy in open_ones if asked_time(copy) == time), None)
    elif len(open_ones) == 1:
        return open_ones[0]
    else:
        what = "There are several recoveries." if open_ones else "There is no recovery yet."
    listed = ", ".join(copy.run for copy in found)
    raise UsageError(
        what,
        meaning=_NOTHING,
        next_step=f"Name one with --recovery: {listed}."
        if listed
        else "Name the time to go back to: --at TIME.",
    )


def require_incumbent(copies: Sequence[LiveCopy]) -> LiveCopy:
    """The primary as it is now.

    Raises:
        TargetRefused: there's none among the branches.
    """
    default = next((copy for copy in copies if copy.default), None)
    if default is None:
        raise TargetRefused(
            "None of the project's branches is its default one.",
            meaning="It's unknown which branch is production. Nothing was attempted.",
            next_step="Set the default branch in the provider's console, then run the same command again.",
        )
    return default
