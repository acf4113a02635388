"""What the schedules start: one asset each, because assets with different partitions can't share a job."""

from collections.abc import Mapping
from typing import Any, Final

import dagster as dg

from hackorda_ops.calendar.due import DueKind
from hackorda_ops.config.models import Policy
from hackorda_ops.orchestration.assets import (
    NIGHT_PROOF,
    OFFSITE_COPY,
    RECOVERY_EXERCISE,
    RESTORE_DRILL,
    night_key,
)
from hackorda_ops.orchestration.labels import labels
from hackorda_ops.orchestration.names import called, key

# An instance may be set to retry failed runs. A step retries by itself what may pass; what
# is left waits for a person, and a second run would only report the same failure again.
NO_RUN_RETRIES: Final = {"dagster/max_retries": "0", "dagster/retry_on_asset_or_op_failure": "false"}

# A step process of its own would outlive a killed run worker, and finish its work on a failed run.
EXECUTOR: Final = dg.in_process_executor

AssetJob = Any  # Dagster's own name for what define_asset_job returns is private.


# The asset that each kind of partition is of.
_ASSETS: Final[dict[DueKind, str]] = {
    "week": OFFSITE_COPY,
    "quarter": RESTORE_DRILL,
    "year": RECOVERY_EXERCISE,
}
_DESCRIPTIONS: Final[dict[DueKind, str]] = {
    "night": "Dumps {name} and proves the dump.",
    "week": "Copies a week's newest sound night of {name} off-site and proves the copy.",
    "quarter": "Restores the newest off-site copy of {name} on scratch, compares, reports, takes down.",
    "year": "Destroys tables of {name} on a branch, recovers them to a point in time, compares, reports.",
}


def assets_of(name: str, policy: Policy) -> dict[DueKind, dg.AssetKey]:
    """The asset that each kind of a database's partitions is of.

    Args:
        name: the database's name in databases.yaml.
        policy: its configuration.
    """
    others = {kind: key(name, asset) for kind, asset in _ASSETS.items()}
    return {"night": night_key(name, policy), **others}


def of_kinds(name: str, policy: Policy) -> dict[DueKind, AssetJob]:
    """The job of every kind of partition that a database has.

    Args:
        name: the database's name in databases.yaml.
        policy: its configuration: exercises need a provider with a history, and nights that go straight off-site
            need no copy.
    """
    without = {
        *(() if policy.keeps_history else ("year",)),
        *(() if policy.has_weeks else ("week",)),
    }
    return {
        kind: of_assets(
            dg.AssetSelection.assets(asset),
            name=called(name, kind),
            description=_DESCRIPTIONS[kind].format(name=name),
            tags=labels(name, kind),
        )
        for kind, asset in assets_of(name, policy).items()
        if kind not in without
    }


def of_proofs(name: str) -> AssetJob:
    """The job of the proofs of a database's nights.

    Args:
        name: the database's name in databases.yaml.
    """
    return of_assets(
        dg.AssetSelection.assets(key(name, NIGHT_PROOF)),
        name=called(name, "proof"),
        description=f"Restores a night of {name} on a server of its own, compares it in full, takes it down.",
        tags=labels(name, "proof"),
    )


def of_assets(
    selection: dg.AssetSelection,
    *,
    name: str,
    description: str,
    tags: Mapping[str, str] | None = None,
) -> AssetJob:
    """A job that makes or checks assets, and is not started again by itself.

    Args:
        selection: the assets or checks.
        name: of the job.
        description: of the job.
        tags: of the job and its runs.
    """
    return dg.define_asset_job(
        name,
        selection=selection,
        description=description,
        tags={**NO_RUN_RETRIES, **(tags or {})},
        executor_def=EXECUTOR,
    )


def of_op(
    op: dg.OpDefinition,
    *,
    name: str,
    description: str,
    tags: Mapping[str, str] | None = None,
) -> dg.JobDefinition:
    """A job that runs one op, and is not started again by itself.

    Args:
        op: what it does.
        name: of the job.
        description: of the job.
        tags: of the job and its runs.
    """

    @dg.job(
        name=name,
        description=description,
        tags={**NO_RUN_RETRIES, **(tags or {})},
        executor_def=EXECUTOR,
    )
    def job() -> None:
        op()

    return job
