"""What a week proves: its checks, in the order in which they are shown."""

from typing import Final

from hackorda_ops.config.models import Policy
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, StoreRefused
from hackorda_ops.proof.step import Shown, StepCheck
from hackorda_ops.safekeeping.locks import shown_of
from hackorda_ops.week.week import Week


def _chosen(week: Week) -> Shown:
    manifest = week.manifest
    return Shown(numbers={"artifact": manifest.artifact_id, "night": manifest.night.isoformat()})


def _locked(week: Week) -> Shown:
    return shown_of(week.locks)


def _copied(week: Week) -> Shown:
    return Shown(numbers={"files": week.copy.files_read_back, "bytes": week.copy.bytes_read_back})


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
    """The checks of a database's weeks: one more where the bucket is to lock what it gets."""
    return (*_CHECKS, _LOCKED) if policy.offsite.locked else _CHECKS
