"""Whether the clocks that date the backups agree: the source's, this machine's, the bucket's.

The source's clock names an artifact, this machine's decides which night it is and what is overdue, and the bucket's
decides how long a lock holds.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from hackorda_ops.concerns import Concern, Looked
from hackorda_ops.errors import PermanentError

if TYPE_CHECKING:
    import psycopg

WORTH_KNOWING: Final = timedelta(minutes=5)
TOO_FAR: Final = timedelta(hours=1)
"""Beyond this, nothing is started."""


def is_ahead(moment: datetime, now: datetime | None = None) -> bool:
    """Whether something is dated so far in the future that a clock was wrong when it was made.

    It never counts as the newest: it would stay so until its date has come, and hide that nothing newer arrives.

    Args:
        moment: what it is dated, aware.
        now: the present, aware; None for this machine's.
    """
    return moment > (now or datetime.now(UTC)) + TOO_FAR


def ahead_of_us(connection: "psycopg.Connection[Any]") -> timedelta:
    """How far a server's clock is ahead of this machine's; negative where it is behind.

    Raises:
        psycopg.Error: the caller translates.
    """
    before = datetime.now(UTC)
    [(there,)] = connection.execute("SELECT pg_catalog.clock_timestamp()").fetchall()
    return apart(there, before, datetime.now(UTC))


def apart(there: datetime, before: datetime, after: datetime) -> timedelta:
    """How far ahead a clock is that was read between two readings of our own: only as much as is certain. Pure.

    Args:
        there: what the other clock said.
        before: our own clock right before that.
        after: our own clock right after it.
    """
    if there > after:
        return there - after
    return min(there - before, timedelta())


def told_time(date: str | None, before: datetime) -> timedelta:
    """How far ahead a clock is, by the `Date` of its HTTP answer to a request sent at `before`; zero without one.

    The header has whole seconds, so one second counts as zero.
    """
    if date is None:
        return timedelta()
    try:
        there = parsedate_to_datetime(date).astimezone(UTC)
    except (ValueError, OverflowError):
        return timedelta()
    return apart(there, before - timedelta(seconds=1), datetime.now(UTC))


def clock_concerns(ahead: Mapping[str, timedelta]) -> Iterator[Concern]:
    """The concerns about clocks. Pure.

    Args:
        ahead: whose ("the source's"), and how far it is ahead of this machine's.
    """
    for whose, distance in ahead.items():
        if abs(distance) <= WORTH_KNOWING:
            continue
        minutes = round(abs(distance).total_seconds() / 60)
        where = "ahead of" if distance > timedelta() else "behind"
        too_far = abs(distance) > TOO_FAR
        yield Concern(
            "stops the night" if too_far else "worth knowing",
            f"The clock of {whose} is {minutes:,} minutes {where} this machine's.",
            "An artifact would get a wrong date: it could hide a newer one, or count for another night."
            if too_far
            else "Artifacts are dated by the source's clock, but this machine's clock decides what is overdue.",
            "Synchronize both clocks by NTP (timedatectl shows whether this machine's is).",
            PermanentError,
        )


def looked_at(ahead: Mapping[str, timedelta]) -> Looked:
    """The clocks, as a preflight shows them. Pure."""
    seen = ", ".join(f"{whose} {distance.total_seconds():+.0f} s" for whose, distance in ahead.items())
    return Looked("clocks", f"relative to this machine's: {seen}", tuple(clock_concerns(ahead)))
