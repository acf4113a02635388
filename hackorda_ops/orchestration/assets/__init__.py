"""The assets of one database, a module each: resource, core call, result."""

from dagster import AssetKey

SOURCE = "source"
NIGHTLY_DUMP = "nightly_dump"
OFFSITE_COPY = "offsite_copy"
RESTORE_DRILL = "restore_drill"
DRILL_REPORT = "drill_report"
RECOVERY_EXERCISE = "recovery_exercise"
PROVIDER_HISTORY = "provider_history"


def key(database: str, asset: str) -> AssetKey:
    """An asset's key: every database has its own prefix."""
    return AssetKey([database, asset])
