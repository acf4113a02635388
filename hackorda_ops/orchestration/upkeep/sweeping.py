"""What killed runs left behind: a sensor that looks, and a job that removes it and says so.

Two, because a sensor's tick has a deadline (a minute by default), and deleting a branch may take longer.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import dagster as dg
from dagster import MetadataValue

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.failures import ends_the_step
from hackorda_ops.orchestration.jobs import of_op
from hackorda_ops.scratch import sweep as sweeping

_LOOK_EVERY_SECONDS: Final = 600
# For Neon's API and for a server, one after the other: together far below the deadline of a tick.
_BUDGET_SECONDS: Final = 8.0


def sweep(name: str, database: Policy) -> dg.JobDefinition:
    """Removes what killed runs of a database left behind."""

    @dg.op(
        name=f"{name}_remove_what_is_left",
        description="Checks again which drills are alive, and removes the branches or databases of the others.",
    )
    def remove(context: dg.OpExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]) -> None:
        with ends_the_step(context):
            removed = sweeping.sweep(Protected(name, database, environ))
        for each in removed:
            context.log.info(f"Removed {each}, which a killed run of {name} had left behind.")
        context.add_output_metadata(
            {
                "removed": MetadataValue.int(len(removed)),
                "names": MetadataValue.md("\n".join(f"- `{each}`" for each in removed) or "none"),
            }
        )

    return of_op(
        remove,
        name=f"{name}_sweep",
        description=f"Removes the scratch that killed runs of {name} left behind, and nothing else.",
    )


def left_behind(name: str, database: Policy, job: dg.JobDefinition) -> dg.SensorDefinition:
    """Requests a sweep where a killed run of a database has left something.

    Args:
        name: the database's name in databases.yaml.
        database: the database's configuration.
        job: the job that removes what is found.
    """

    @dg.sensor(
        name=f"{name}_left_behind",
        # By name: with the job itself Dagster 1.13 makes a copy of the sensor, and warns of its own "beta" parameter.
        job_name=job.name,
        description=f"Looks for scratch that killed runs of {name} left behind, and has it removed.",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_LOOK_EVERY_SECONDS,
    )
    def look(
        context: dg.SensorEvaluationContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> dg.RunRequest | dg.SkipReason:
        try:
            protected = Protected(name, database, environ)
            left = sweeping.left_behind(protected, budget_seconds=_BUDGET_SECONDS)
        except OpsError as error:
            # A night or a drill that meets the same trouble fails and raises an alarm; sweeping can wait.
            context.log.warning(str(error))
            return dg.SkipReason(f"The check failed: {error.what}")
        if not left:
            return dg.SkipReason("No killed run has left anything behind.")
        # Once a day for the same things: what can't be removed must not fail a run at every tick.
        return dg.RunRequest(run_key=_run_key(left, clock.now()))

    return look


def _run_key(left: tuple[str, ...], now: datetime) -> str:
    names = hashlib.sha256("\n".join(sorted(left)).encode()).hexdigest()
    return f"{now:%Y-%m-%d} {names}"
