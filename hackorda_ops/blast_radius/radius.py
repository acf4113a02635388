"""What whoever owns this machine could destroy, by what its credentials may do, and what to change. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from hackorda_ops.stores.canary import CanaryAnswers, May
from hackorda_ops.stores.locks import FileLock
from hackorda_ops.stores.store import PlaceName
from hackorda_ops.words import counted, moment

# As retention's least age: less time than that, and nobody may have noticed.
LEAST_SURVIVAL: Final = timedelta(days=7)

Reach = Literal["everything", "what isn't locked", "nothing", "unknown"]


@dataclass(frozen=True)
class CopyAtRisk:
    """An artifact in one place.

    Attributes:
        artifact_id: its id.
        captured_at: the moment that it holds, aware.
        lock: of its manifest, which is locked last.
    """

    artifact_id: str
    captured_at: datetime
    lock: FileLock


@dataclass(frozen=True)
class PlaceRadius:
    """What could be destroyed in one place.

    Attributes:
        place: which.
        location: as people name it.
        reach: how much of it.
        lost: how many artifacts would be gone.
        lost_days: how many days the nights span that would be gone.
        survives: how many artifacts would still be there, behind delete markers at worst.
        newest_survivor: the moment that the newest of them holds; None where there's none.
        survives_until: when the first of the survivors loses its lock; None where none depends on one.
        why: in a sentence.
        remedies: what to change, a sentence each.
    """

    place: PlaceName
    location: str
    reach: Reach
    lost: int
    lost_days: int
    survives: int
    newest_survivor: datetime | None
    survives_until: datetime | None
    why: str
    remedies: tuple[str, ...]

    def holds(self, now: datetime) -> bool:
        """Whether something of it outlives a theft long enough to be noticed."""
        return self.survives > 0 and (
            self.survives_until is None or self.survives_until - now >= LEAST_SURVIVAL
        )


def reach_of(may: CanaryAnswers, *, asked: str | None) -> tuple[Reach, str]:
    """How much of a bucket a key could destroy, and why.

    Args:
        may: what the canaries showed.
        asked: the mode of the locks there; None where nothing is locked.
    """
    if may.put != "can" or may.versioned is None:
        return "unknown", "no canary could be put, so nothing was tried"
    destroys = may.delete_version if may.versioned else _any(may.hide, may.overwrite)
    how = "delete versions" if may.versioned else "delete or overwrite files, and no versions are kept"
    if destroys == "cannot":
        return "nothing", (
            "the key can at most hide files, and `hackorda-ops undelete` brings them back"
            if may.versioned
            else "the key can neither delete nor overwrite"
        )
    if asked == "compliance":
        return "what isn't locked", "no key can lift a lock in compliance mode"
    if destroys == "not measured":
        return "unknown", "whether versions can be deleted was not measured"
    return (
        _despite_governance(may, how)
        if asked
        else ("everything", f"the key can {how}, and nothing is locked")
    )


def _despite_governance(may: CanaryAnswers, how: str) -> tuple[Reach, str]:
    lifts = _any(may.bypass, may.shorten)
    if lifts == "can":
        return "everything", f"the key can {how}, and lift governance locks"
    if lifts == "not measured":
        return "unknown", "whether the key can lift governance locks was not measured"
    return "what isn't locked", f"the key can {how}, but not lift governance locks"


def _any(*answers: May) -> May:
    if "can" in answers:
        return "can"
    return "not measured" if "not measured" in answers else "cannot"


def of_place(
    place: PlaceName,
    location: str,
    reach: tuple[Reach, str],
    copies: Sequence[CopyAtRisk],
    *,
    remedies: Sequence[str],
    now: datetime,
) -> PlaceRadius:
    """What could be destroyed in a place, in artifacts and days.

    Args:
        place: which.
        location: as people name it.
        reach: how much of it, and why. What is unknown counts as lost.
        copies: the artifacts there.
        remedies: what to change where anything is lost.
        now: the present, aware.
    """
    how_far, why = reach
    if how_far == "nothing":
        surviving = list(copies)
    elif how_far == "what isn't locked":
        surviving = [each for each in copies if each.lock.held or (each.lock.until or now) > now]
    else:
        surviving = []
    lost = [each for each in copies if each not in surviving]
    moments = [each.captured_at for each in lost]
    ends = [each.lock.until for each in surviving if each.lock.until is not None and not each.lock.held]
    return PlaceRadius(
        place=place,
        location=location,
        reach=how_far,
        lost=len(lost),
        lost_days=(max(moments) - min(moments)).days + 1 if moments else 0,
        survives=len(surviving),
        newest_survivor=max((each.captured_at for each in surviving), default=None),
        survives_until=min(ends, default=None) if how_far == "what isn't locked" else None,
        why=why,
        remedies=tuple(remedies) if lost else (),
    )


def sentence(radius: PlaceRadius) -> str:
    """A place's answer as people read it."""
    gone = (
        f"{counted(radius.lost, 'artifact')}, {counted(radius.lost_days, 'day')} of nights, would be gone"
        if radius.lost
        else "no artifact would be gone"
    )
    until = f", the first lock ends {moment(radius.survives_until)}" if radius.survives_until else ""
    return f"{radius.place} ({radius.location}): {gone}; {radius.survives} would survive{until}, because {radius.why}."
