"""What a night proves: its checks, in the order in which they are shown."""

from dataclasses import replace
from typing import Final

from hackorda_ops.config.models import Policy
from hackorda_ops.engines.engine import FILES_READ_BACK, NO_COLLAPSE, ROWS_EQUAL_SNAPSHOT
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.errors import ArtifactDamaged, StoreRefused
from hackorda_ops.night.night import Night
from hackorda_ops.proof.step import Shown, StepCheck
from hackorda_ops.safekeeping.locks import shown_of


def _read_back(night: Night) -> Shown:
    manifest = night.manifest
    return Shown(numbers={"files": len(manifest.files), "bytes": manifest.size_bytes})


def _rows(night: Night) -> Shown:
    manifest = night.manifest
    return Shown(numbers={"tables": len(manifest.parts), "rows": manifest.rows})


def _collapse(night: Night) -> Shown:
    manifest = night.manifest
    before = night.compared_with
    against = f"the artifact {before}" if before else "nothing: it is the first artifact"
    return Shown(
        passed=manifest.sound,
        summary=f"Compared with {against}.",
        numbers={"findings": len(manifest.findings)},
        findings=manifest.findings,
    )


def _offsite(night: Night) -> Shown:
    copy = night.copy
    return Shown(numbers={"files": copy.files_read_back, "bytes": copy.bytes_read_back} if copy else {})


# What each means is the engine's to say.
_CHECKS: Final = (
    StepCheck[Night](
        name=FILES_READ_BACK,
        title="Every file was read back",
        description="",
        judge=_read_back,
        refuted_by=(ArtifactDamaged,),
    ),
    StepCheck[Night](
        name=ROWS_EQUAL_SNAPSHOT,
        title="The rows equal the snapshot's",
        description="",
        judge=_rows,
        # A damaged file's rows can't be told from missing ones: neither is proven then.
        refuted_by=(ArtifactDamaged,),
    ),
    StepCheck[Night](
        name=NO_COLLAPSE,
        title="Nothing collapsed",
        description="",
        judge=_collapse,
    ),
)

_OFFSITE: Final = StepCheck[Night](
    name="offsite_equals_manifest",
    title="What is off-site equals the manifest",
    description="Every file was read back from the off-site bucket and has the manifest's hash.",
    judge=_offsite,
    refuted_by=(ArtifactDamaged, StoreRefused),
)


_LOCKED: Final = StepCheck[Night](
    name="offsite_is_locked",
    title="What is off-site is locked",
    description="Every file has the lock that databases.yaml asks for, by the bucket's own answer.",
    judge=lambda night: shown_of(night.locks),
)


def checks_of(policy: Policy) -> tuple[StepCheck[Night], ...]:
    """The checks of a database's nights: more where they go straight off-site."""
    meant = engine_of(policy).night_checks
    declared = tuple(replace(each, description=meant[each.name]) for each in _CHECKS)
    if policy.copies != "nightly":
        return declared
    return (*declared, _OFFSITE, *((_LOCKED,) if next(iter(policy.offsites.values())).locked else ()))
