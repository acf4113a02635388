"""What killed runs left behind: a sensor that looks, and a job that removes it and says so.

Two, because a sensor's tick has a deadline (a minute by default), and deleting a branch may take longer.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import dagster as dg
from dagster import MetadataValue

from hackorda_ops.config.models import Config
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration import instance as known
from hackorda_ops.orchestration.failures import ends_the_step
from hackorda_ops.orchestration.jobs import of_op
from hackorda_ops.orchestration.labels import KIND, label_run, labels
from hackorda_ops.orchestration.names import for_all
from hackorda_ops.orchestration.sensors.side_by_side import SideBySide, answered, raise_together
from hackorda_ops.scratch import sweep as sweeping

SWEEP: Final = "sweep"
_OP: Final = "remove_what_is_left"
_DATABASES: Final = "databases"
_LOOK_EVERY_SECONDS: Final = 600
# For Neon's API and for a server, one after the other: together far below the deadline of a tick.
_BUDGET_SECONDS: Final = 8.0


def sweep(config: Config) -> dg.JobDefinition:
    """Removes what killed runs left behind: of the databases that the run's config names, or of all.

    Args:
        config: of every protected database.
    """

    @dg.op(
        name=for_all(config, _OP),
        config_schema={
            _DATABASES: dg.Field(
                [str],
                default_value=[str(name) for name in config.databases],
                description="The databases to sweep up after.",
            )
        },
        description="Checks again which drills are alive, and removes the branches or databases of the others.",
    )
    def remove(context: dg.OpExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]) -> None:
        names: list[str] = context.op_config[_DATABASES]
        if len(names) == 1:
            label_run(context, names[0], SWEEP)
        removed: list[str] = []
        errors: dict[str, OpsError] = {}
        for name in names:
            try:
                gone = sweeping.sweep(Protected(name, config.databases[name], environ))
            except OpsError as error:
                errors[name] = error
                continue
            for each in gone:
                context.log.info(f"Removed {each}, which a killed run of {name} had left behind.")
            removed += gone
        with ends_the_step(context):
            raise_together(errors)
        context.add_output_metadata(
            {
                "removed": MetadataValue.int(len(removed)),
                "names": MetadataValue.md("\n".join(f"- `{each}`" for each in removed) or "none"),
            }
        )

    return of_op(
        remove,
        name=for_all(config, SWEEP),
        tags={KIND: SWEEP},
        description="Removes the scratch that killed runs left behind, and nothing else.",
    )


def left_behind(config: Config) -> dg.SensorDefinition:
    """Requests a sweep of each database of which a killed run has left something.

    Args:
        config: of every protected database.
    """
    databases = SideBySide(config.databases)

    @dg.sensor(
        name=for_all(config, "sweep_left_behind"),
        job_name=for_all(config, SWEEP),
        description="Looks for scratch that killed runs left behind, and has it removed.",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_LOOK_EVERY_SECONDS,
    )
    def look(
        context: dg.SensorEvaluationContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> list[dg.RunRequest] | dg.SkipReason:
        instance, log, now = context.instance, context.log, clock.now()

        def at(name: str) -> list[dg.RunRequest] | str:
            try:
                protected = Protected(name, config.databases[name], environ)
                left = sweeping.left_behind(protected, budget_seconds=_BUDGET_SECONDS)
            except OpsError as error:
                # A night or a drill that meets the same trouble fails and raises an alarm; sweeping can wait.
                log.warning(f"{name}: {error}")
                return f"The check failed: {error.what}"
            if not left:
                return "No killed run has left anything behind."
            # Once a day for the same things: what can't be removed must not fail a run at every tick.
            run_key = _run_key(left, now)
            with databases.storage:
                requested = known.requested(instance, run_key)
            if requested:
                return "What a killed run has left behind was to be removed today, and could not be."
            return [
                dg.RunRequest(
                    run_key=run_key,
                    run_config={"ops": {for_all(config, _OP): {"config": {_DATABASES: [str(name)]}}}},
                    tags=labels(name, SWEEP),
                )
            ]

        return answered(context, databases.look(at))

    return look


def _run_key(left: tuple[str, ...], now: datetime) -> str:
    names = hashlib.sha256("\n".join(sorted(left)).encode()).hexdigest()
    return f"{now:%Y-%m-%d} {names}"
