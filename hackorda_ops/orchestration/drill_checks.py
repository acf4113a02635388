"""What a drill proves, as the asset checks of `restore_drill`."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Final

import dagster as dg
from dagster import AssetCheckResult, AssetCheckSeverity, AssetCheckSpec, AssetKey

from hackorda_ops.config.models import Database
from hackorda_ops.drill.result import CheckName, DrillResult

_DESCRIPTIONS: Final[dict[CheckName, str]] = {
    "offsite_equals_manifest": "Every file fetched from off-site, and every row in it, is what the manifest says.",
    "restored_equals_manifest": "Every table and sequence of the restored database equals the manifest, exactly.",
    "branch_equals_manifest": "The provider's own history at the artifact's WAL position holds the same rows.",
    "comparison_self_test": "The comparison notices changes that were made on purpose: rows, a value, a sequence.",
    "key_tables_near_production": "Key tables have rows where production has, within the drift that age allows.",
    "newest_row_recent": "The newest rows were made shortly before the dump.",
    "migrations_apply": "The team's own migrations run on the restored database, and leave nothing pending.",
    "within_recovery_time_objective": "Fetching, checking and restoring took no longer than the objective.",
    "scratch_gone": "Whatever the drill made was taken down, and is gone.",
}


def specs(
    database: Database, asset: AssetKey, partitions: dg.PartitionsDefinition[str]
) -> list[AssetCheckSpec]:
    """The checks of a database's drill: those that its configuration makes possible."""
    impossible: set[str] = set()
    if database.scratch.neon is None:
        impossible.add("branch_equals_manifest")
    if database.migrate is None:
        impossible.add("migrations_apply")
    if not database.key_tables:
        impossible |= {"key_tables_near_production", "newest_row_recent"}
    # Without partitions of their own a backfilled old quarter would overwrite the newest state. They are
    # a "preview" in Dagster 1.13.
    with warnings.catch_warnings(action="ignore", category=dg.PreviewWarning):
        return [
            AssetCheckSpec(name, asset=asset, description=description, partitions_def=partitions)
            for name, description in _DESCRIPTIONS.items()
            if name not in impossible
        ]


def results(result: DrillResult, expected: Sequence[AssetCheckSpec]) -> Iterator[AssetCheckResult]:
    """The checks' outcomes; what was not measured is a warning, and never a pass."""
    outcomes = {check.name: check for check in result.checks}
    for spec in expected:
        check = next((outcomes[name] for name in outcomes if name == spec.name), None)
        outcome = check.outcome if check else "not measured"
        summary = check.summary if check else "Not measured: the drill ended before this check."
        yield AssetCheckResult(
            passed=outcome == "passed",
            check_name=spec.name,
            severity=AssetCheckSeverity.WARN if outcome == "not measured" else AssetCheckSeverity.ERROR,
            description=summary,
        )
