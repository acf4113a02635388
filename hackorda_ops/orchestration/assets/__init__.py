"""The assets of one database, a module each: resource, core call, result."""

from dagster import AssetKey

from hackorda_ops.config.models import Policy
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.orchestration.names import for_all, key

SOURCE = "source"
NIGHT_PROOF = "night_proof"
OFFSITE_COPY = "offsite_copy"
RESTORE_DRILL = "restore_drill"
DRILL_REPORT = "drill_report"
RECOVERY_EXERCISE = "recovery_exercise"
PROVIDER_HISTORY = "provider_history"
BASE_BACKUP = "base_backup"
BLAST_RADIUS = "blast_radius"
RECEIPTS = "receipts"


def night_key(database: str, policy: Policy) -> AssetKey:
    """The key of the asset of a database's nights, which its engine names."""
    return key(database, engine_of(policy).night_asset)


def group_of(database: str, policy: Policy) -> str:
    """The group in which a database's assets are shown: its own, or that of the one beside which it's protected."""
    return for_all(database, policy.beside or database)
