"""What a week proves: its checks, in the order in which they are shown."""

import re
from collections.abc import Sequence
from typing import Final

from hackorda_ops.config.models import Policy
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, StoreRefused
from hackorda_ops.proof.step import Shown, StepCheck
from hackorda_ops.safekeeping.locks import shown_of
from hackorda_ops.stores.store import PlaceName
from hackorda_ops.week.missing import MISSING_COPY
from hackorda_ops.week.week import Shipped, Week


def _chosen(week: Week) -> Shown:
    manifest = week.manifest
    return Shown(numbers={"artifact": manifest.artifact_id, "night": manifest.night.isoformat()})


def _locked(week: Week) -> Shown:
    return shown_of(week.locks)


def _copied(week: Week) -> Shown:
    copies = [each.copy for each in week.copies]
    return Shown(
        numbers={
            "files": sum(each.files_read_back for each in copies),
            "bytes": sum(each.bytes_read_back for each in copies),
        }
    )


def copy_check(place: PlaceName) -> StepCheck[Week]:
    """The check of one of several copies.

    Args:
        place: the bucket's name.
    """

    def judge(week: Week) -> Shown:
        found = week.in_place(place)
        if isinstance(found, Shipped):
            numbers: dict[str, int | str] = {
                "location": found.location,
                "files": found.copy.files_read_back,
                "bytes": found.copy.bytes_read_back,
            }
            return Shown(numbers=numbers)
        if found is None:
            return Shown(numbers={}, summary="It was there already, and wasn't read again this time.")
        error = found.error
        return Shown(
            passed=False,
            numbers={},
            summary=f"{MISSING_COPY.what.capitalize()}: {error.what} {MISSING_COPY.meaning} "
            f"Next step: {MISSING_COPY.next_step} {error.next_step}",
        )

    return StepCheck[Week](
        name=f"copy_{re.sub('[^A-Za-z0-9]', '_', place)}",
        title=f"The copy in {place}",
        description=f"The week's artifact is in {place}: every file was read back and has the manifest's hash.",
        judge=judge,
    )


def checks_of_copies(places: Sequence[PlaceName]) -> tuple[StepCheck[Week], ...]:
    """A check for each of several copies; one alone has those of the week.

    Args:
        places: the names of the buckets.
    """
    return tuple(copy_check(each) for each in places) if len(places) > 1 else ()


_CHECKS: Final = (
    StepCheck[Week](
        name="sound_night_of_the_week",
        title="A sound night of the week was copied",
        description="What was copied is a night of this week, with nothing found against it.",
        judge=_chosen,
        refuted_by=(ArtifactMissing,),
    ),
    StepCheck[Week](
        name="offsite_equals_manifest",
        title="The copy off-site equals the manifest",
        description="Every file was read back from the bucket and has the manifest's hash.",
        judge=_copied,
        refuted_by=(ArtifactDamaged, StoreRefused),
    ),
)

_LOCKED: Final = StepCheck[Week](
    name="offsite_is_locked",
    title="The copy off-site is locked",
    description="Every file has the lock that databases.yaml asks for, by the bucket's own answer.",
    judge=_locked,
)


def checks_of(policy: Policy) -> tuple[StepCheck[Week], ...]:
    """The checks of a database's weeks: one more for locks, and one for each of several buckets."""
    locks = any(policy.offsites[place].locked for place in policy.copied_to)
    return (*_CHECKS, *((_LOCKED,) if locks else ()), *checks_of_copies(policy.copied_to))
