"""Which of a catalog's artifacts is copied or drilled; `judgement.choosing` has which is restored."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from hackorda_ops.artifacts.catalog import Catalog, DamagedArtifact
from hackorda_ops.artifacts.ids import moment_before_hyphen
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.calendar.clocks import is_ahead
from hackorda_ops.calendar.partitions import quarter_name, quarter_of, week_of
from hackorda_ops.errors import ArtifactMissing

# One weekly copy may fail before a drill has nothing young enough to restore.
_OLDEST_FOR_DRILL: Final = timedelta(days=14)


def newest_sound_of_week(catalog: Catalog, week: date, passing_over: Collection[str] = ()) -> Manifest:
    """Picks what a weekly copy ships: the newest sound artifact of that week's nights.

    Args:
        catalog: the store's.
        week: the week's Monday.
        passing_over: ids of artifacts that are known not to restore, whatever their night found.

    Raises:
        ArtifactMissing: the week has no artifact, or no sound one.
    """
    of_week = [artifact for artifact in catalog.artifacts if week_of(artifact.night) == week]
    sound = [each for each in of_week if each.sound and each.artifact_id not in passing_over]
    if sound:
        return max(sound, key=lambda artifact: (artifact.captured_at, artifact.artifact_id))
    span = f"{week} to {week + timedelta(days=6)}"
    problem = (
        f"The week {span} has {len(of_week)} artifact(s) in the store, but none of them is sound."
        if of_week
        else f"The week {span} has no artifact in the store."
    )
    ahead = [artifact for artifact in catalog.ahead if week_of(artifact.night) == week]
    raise ArtifactMissing(
        problem + _dated_after_now(ahead, "only copied when asked for by id"),
        meaning="Nothing was copied off-site for this week; an artifact of another week would prove nothing.",
        next_step="Check that week's nights. If the week isn't over, take a dump now, then copy again.",
    )


def newest_for_quarter(artifacts: Sequence[Manifest], quarter: date, today: date) -> Manifest:
    """Picks what a drill restores.

    For the current quarter: the newest sound artifact, if it is recent enough to be the
    copy of this week or the last. For a past quarter: the newest sound one of its nights.

    Args:
        artifacts: of one database, off-site, in any order.
        quarter: the quarter's first day.
        today: the local date.

    Raises:
        ArtifactMissing: there's no such artifact. An older one would prove something else.
    """
    sound = [artifact for artifact in artifacts if artifact.sound]
    if quarter != quarter_of(today):
        sound = [artifact for artifact in sound if quarter_of(artifact.night) == quarter]
    newest = max(sound, key=lambda artifact: (artifact.captured_at, artifact.artifact_id), default=None)
    if newest is None:
        raise ArtifactMissing(
            f"No sound artifact is off-site{_for_quarter(quarter, today)}; it has {len(artifacts)} in all.",
            meaning="There is nothing to restore, so nothing was proven.",
            next_step="Copy one off-site (`hackorda-ops copy`, or the weekly copy in Dagster), then drill again. "
            "A past quarter whose artifacts are gone can't be drilled.",
        )
    if quarter == quarter_of(today) and today - newest.night > _OLDEST_FOR_DRILL:
        raise ArtifactMissing(
            f"The newest sound artifact off-site is {newest.artifact_id}, {(today - newest.night).days} days old.",
            meaning="The weekly copies have stopped. Drilling one this old says nothing about today's backups.",
            next_step="Find out why the weekly copy fails, copy an artifact off-site, then drill again.",
        )
    return newest


def _for_quarter(quarter: date, today: date) -> str:
    return "" if quarter == quarter_of(today) else f" from {quarter_name(quarter)}"


def damaged_since(
    damaged: Sequence[DamagedArtifact], chosen: Manifest | None, quarter: date, today: date, now: datetime
) -> tuple[DamagedArtifact, ...]:
    """The damaged artifacts that a drill of that quarter skips for an older one, or for none.

    Args:
        damaged: of one database, off-site.
        chosen: what is restored; None where there is nothing.
        quarter: the quarter's first day.
        today: the local date.
        now: the present, aware: what is dated after it would not have been taken for the newest.
    """
    found = []
    for each in damaged:
        artifact_id = each.prefix.rpartition("/")[2]
        taken = moment_before_hyphen(artifact_id)
        if taken is None:
            continue  # not a name of our artifacts
        if is_ahead(taken, now):
            continue  # nothing would have taken it for the newest
        of_quarter = quarter == quarter_of(today) or quarter_of(taken.date()) == quarter
        if of_quarter and (chosen is None or artifact_id > chosen.artifact_id):
            found.append(each)
    return tuple(found)


def _dated_after_now(ahead: Sequence[Manifest], meaning: str) -> str:
    names = ", ".join(each.artifact_id for each in ahead)
    return f" Dated after now, and {meaning}: {names}." if ahead else ""
