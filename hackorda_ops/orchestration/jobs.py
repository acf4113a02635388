"""What the schedules start: one asset each, because assets of different partitions can't share a job."""

from typing import Any, Final

import dagster as dg

from hackorda_ops.backup.due import Kind
from hackorda_ops.orchestration.assets import (
    NIGHTLY_DUMP,
    OFFSITE_COPY,
    PROVIDER_HISTORY,
    RECOVERY_EXERCISE,
    RESTORE_DRILL,
    key,
)

# An instance may be set to start failed runs again. A step tries again by itself what may pass; what
# is left waits for a person, and a second run would only tell the same failure once more.
NO_RUN_RETRIES: Final = {"dagster/max_retries": "0", "dagster/retry_on_asset_or_op_failure": "false"}

AssetJob = Any  # Dagster's own name for what define_asset_job returns is private.


def of_kinds(name: str, *, on_neon: bool) -> dict[Kind, AssetJob]:
    """The job of every kind of partition that a database has; exercises take a provider with a history."""
    made: dict[Kind, AssetJob] = {"night": night(name), "week": week(name), "quarter": quarter(name)}
    return {**made, "year": year(name)} if on_neon else made


def night(name: str) -> AssetJob:
    """Takes a night of a database."""
    return dg.define_asset_job(
        f"{name}_night",
        selection=dg.AssetSelection.assets(key(name, NIGHTLY_DUMP)),
        description=f"Dumps {name} and proves the dump.",
        tags=NO_RUN_RETRIES,
    )


def week(name: str) -> AssetJob:
    """Ships a week of a database."""
    return dg.define_asset_job(
        f"{name}_week",
        selection=dg.AssetSelection.assets(key(name, OFFSITE_COPY)),
        description=f"Copies a week's newest sound night of {name} off-site and proves the copy.",
        tags=NO_RUN_RETRIES,
    )


def quarter(name: str) -> AssetJob:
    """Drills a quarter of a database."""
    return dg.define_asset_job(
        f"{name}_quarter",
        selection=dg.AssetSelection.assets(key(name, RESTORE_DRILL)),
        description=f"Restores the newest off-site copy of {name} on scratch, compares, reports, takes down.",
        tags=NO_RUN_RETRIES,
    )


def year(name: str) -> AssetJob:
    """Holds a year's recovery exercise of a database."""
    return dg.define_asset_job(
        f"{name}_year",
        selection=dg.AssetSelection.assets(key(name, RECOVERY_EXERCISE)),
        description=f"Destroys tables of {name} on a branch, recovers them by point in time, compares, reports.",
        tags=NO_RUN_RETRIES,
    )


def history(name: str) -> AssetJob:
    """Checks the history of a database's provider."""
    return dg.define_asset_job(
        f"{name}_history",
        selection=dg.AssetSelection.checks_for_assets(key(name, PROVIDER_HISTORY)),
        description=f"Looks how far back the history of {name} reaches, and opens a branch there.",
        tags=NO_RUN_RETRIES,
    )
