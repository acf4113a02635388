"""What each step proves, as Dagster's asset checks: their specs, and their results from the core's values."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import dagster as dg
from dagster import AssetCheckResult, AssetCheckSeverity, AssetCheckSpec, AssetKey, MetadataValue

from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, OpsError, StoreRefused
from hackorda_ops.night.night import Night
from hackorda_ops.orchestration import metadata
from hackorda_ops.proof.check import Check, Declaration
from hackorda_ops.week.week import Week

FILES_READ_BACK: Final = "files_read_back"
ROWS_EQUAL_SNAPSHOT: Final = "rows_equal_snapshot"
NO_COLLAPSE: Final = "no_collapse"
SOUND_NIGHT_OF_THE_WEEK: Final = "sound_night_of_the_week"
OFFSITE_EQUALS_MANIFEST: Final = "offsite_equals_manifest"

_OF_A_NIGHT: Final = {
    FILES_READ_BACK: "Every file of the dump was read back from disk, decompressed to its end and hashed.",
    ROWS_EQUAL_SNAPSHOT: "Every table has exactly as many rows in the archive as in the snapshot.",
    NO_COLLAPSE: "Since the previous artifact nothing vanished, was emptied or collapsed, and no sequence went back.",
}
_OF_A_WEEK: Final = {
    SOUND_NIGHT_OF_THE_WEEK: "What was copied is a night of this week, with nothing found against it.",
    OFFSITE_EQUALS_MANIFEST: "Every file was read back from the bucket and has the manifest's hash.",
}

# Which checks an error of the core fails; other errors end the step before anything is judged.
_REFUTED_BY: Final[tuple[tuple[type[OpsError], tuple[str, ...]], ...]] = (
    # A damaged file's rows can't be told from missing ones: neither is proven then.
    (ArtifactDamaged, (FILES_READ_BACK, ROWS_EQUAL_SNAPSHOT, OFFSITE_EQUALS_MANIFEST)),
    (StoreRefused, (OFFSITE_EQUALS_MANIFEST,)),
    (ArtifactMissing, (SOUND_NIGHT_OF_THE_WEEK,)),
)


def specs_of_a_night(asset: AssetKey, partitions: dg.PartitionsDefinition[str]) -> list[AssetCheckSpec]:
    """The checks of `nightly_dump`."""
    return _specs(_OF_A_NIGHT.items(), asset, partitions)


def specs_of_a_week(asset: AssetKey, partitions: dg.PartitionsDefinition[str]) -> list[AssetCheckSpec]:
    """The checks of `offsite_copy`."""
    return _specs(_OF_A_WEEK.items(), asset, partitions)


def specs_of(
    declared: Iterable[Declaration], asset: AssetKey, partitions: dg.PartitionsDefinition[str] | None = None
) -> list[AssetCheckSpec]:
    """The checks of what proves something: of a drill, an exercise, or a look at the history.

    Args:
        declared: the checks, in order.
        asset: the asset's key.
        partitions: the asset's partitions; None if it has none.
    """
    return _specs(((each.name, each.description) for each in declared), asset, partitions)


def results_of(
    checks: Sequence[Check], specs: Iterable[AssetCheckSpec], shown: Mapping[str, MetadataValue] | None = None
) -> Iterator[AssetCheckResult]:
    """The outcomes of checks, as far as there are specs of them; what was not measured is a warning, and no pass.

    Args:
        checks: all of them, one at least for each spec.
        specs: as the asset declares them.
        shown: as metadata of each.
    """
    made = {check.name: check for check in checks}
    for spec in specs:
        check = made[spec.name]
        yield AssetCheckResult(
            passed=check.outcome == "passed",
            check_name=check.name,
            asset_key=spec.asset_key,
            severity=AssetCheckSeverity.WARN if check.outcome == "not measured" else AssetCheckSeverity.ERROR,
            description=check.summary,
            metadata=shown,
        )


def _specs(
    descriptions: Iterable[tuple[str, str]],
    asset: AssetKey,
    partitions: dg.PartitionsDefinition[str] | None,
) -> list[AssetCheckSpec]:
    # Without partitions of their own a backfilled old week or quarter would overwrite the newest state. They
    # are a "preview" in Dagster 1.13.
    with warnings.catch_warnings(action="ignore", category=dg.PreviewWarning):
        return [
            AssetCheckSpec(name, asset=asset, description=description, partitions_def=partitions)
            for name, description in descriptions
        ]


def refuted(specs: list[AssetCheckSpec], error: OpsError) -> Iterator[AssetCheckResult]:
    """The checks of an asset that an error of the core has failed, if any."""
    lost = {name for kind, names in _REFUTED_BY if isinstance(error, kind) for name in names}
    for spec in specs:
        if spec.name in lost:
            yield AssetCheckResult(
                passed=False, check_name=spec.name, description=f"Not proven: {error.what}"
            )


def results_of_a_night(night: Night) -> Iterator[AssetCheckResult]:
    """What a finished night has proven, and whether it looks like the night before."""
    manifest = night.manifest
    yield AssetCheckResult(
        passed=True,
        check_name=FILES_READ_BACK,
        metadata={"files": len(manifest.files), "bytes": manifest.size_bytes},
    )
    yield AssetCheckResult(
        passed=True,
        check_name=ROWS_EQUAL_SNAPSHOT,
        metadata={"tables": len(manifest.tables), "rows": manifest.rows},
    )
    against = (
        f"the artifact {night.compared_with}" if night.compared_with else "nothing: it is the first artifact"
    )
    yield AssetCheckResult(
        passed=manifest.sound,
        check_name=NO_COLLAPSE,
        description=f"Compared with {against}.",
        metadata={"findings": len(manifest.findings), "found": metadata.of_findings(manifest.findings)},
    )


def results_of_a_week(week: Week) -> Iterator[AssetCheckResult]:
    """What a finished week has proven."""
    yield AssetCheckResult(
        passed=True,
        check_name=SOUND_NIGHT_OF_THE_WEEK,
        metadata={"artifact": week.manifest.artifact_id, "night": week.manifest.night.isoformat()},
    )
    yield AssetCheckResult(
        passed=True,
        check_name=OFFSITE_EQUALS_MANIFEST,
        metadata={"files": week.copy.files_read_back, "bytes": week.copy.bytes_read_back},
    )
