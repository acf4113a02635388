"""What a night proves: its checks, in the order in which they are shown."""

from typing import Final

from hackorda_ops.config.models import Policy
from hackorda_ops.errors import ArtifactDamaged, StoreRefused
from hackorda_ops.night.night import Night
from hackorda_ops.proof.step import Shown, StepCheck


def _read_back(night: Night) -> Shown:
    manifest = night.manifest
    return Shown(numbers={"files": len(manifest.files), "bytes": manifest.size_bytes})


def _rows(night: Night) -> Shown:
    manifest = night.manifest
    return Shown(numbers={"tables": len(manifest.tables), "rows": manifest.rows})


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


CHECKS: Final = (
    StepCheck[Night](
        name="files_read_back",
        title="Every file was read back",
        description="Every file of the dump was read back from disk, decompressed to its end and hashed.",
        judge=_read_back,
        refuted_by=(ArtifactDamaged,),
    ),
    StepCheck[Night](
        name="rows_equal_snapshot",
        title="The rows equal the snapshot's",
        description="Every table has exactly as many rows in the archive as in the snapshot.",
        judge=_rows,
        # A damaged file's rows can't be told from missing ones: neither is proven then.
        refuted_by=(ArtifactDamaged,),
    ),
    StepCheck[Night](
        name="no_collapse",
        title="Nothing collapsed",
        description="Since the previous artifact nothing vanished, was emptied or collapsed, "
        "and no sequence went back.",
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


def checks_of(policy: Policy) -> tuple[StepCheck[Night], ...]:
    """The checks of a database's nights: one more where they go straight off-site."""
    return (*CHECKS, _OFFSITE) if policy.copies == "nightly" else CHECKS
