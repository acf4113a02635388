"""A copy that one of several places lacks is made up for once that place answers: a sensor that starts it."""

from collections.abc import Mapping
from typing import Final

import dagster as dg

from hackorda_ops.calendar.due import DueKind
from hackorda_ops.config.models import Config
from hackorda_ops.environment import Protected
from hackorda_ops.orchestration import clock
from hackorda_ops.orchestration.held import held_by_maintenance
from hackorda_ops.orchestration.jobs import AssetJob, assets_of
from hackorda_ops.orchestration.labels import ONLY_THERE
from hackorda_ops.orchestration.names import for_all
from hackorda_ops.orchestration.runs import NOT_FINISHED, is_of
from hackorda_ops.orchestration.sensors.side_by_side import SideBySide, answered
from hackorda_ops.week.lacking import lacking_copies

NAME: Final = "make_up_for_copies"
_LOOK_EVERY_SECONDS: Final = 900


def missing_copies(
    config: Config, jobs: Mapping[str, Mapping[DueKind, AssetJob]]
) -> dg.SensorDefinition | None:
    """Copies what one of several places lacks, and nothing else; None where no database has several.

    Args:
        config: of every protected database.
        jobs: per database, what its schedules start.
    """
    several = {name: policy for name, policy in config.databases.items() if len(policy.copied_to) > 1}
    if not several:
        return None
    databases = SideBySide(several)

    @dg.sensor(
        name=for_all(config, NAME),
        jobs=[jobs[name]["week"] for name in several],
        description="When one of several off-site copies lacks the newest artifact that another has, and its place "
        "answers: copies it there, and nothing anywhere else. At most once a day for the same artifact and place.",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=_LOOK_EVERY_SECONDS,
    )
    def look(
        context: dg.SensorEvaluationContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> list[dg.RunRequest] | dg.SkipReason:
        instance, now = context.instance, clock.now()

        def at(name: str) -> list[dg.RunRequest] | str:
            database, job = several[name], jobs[name]["week"]
            with databases.storage:
                unfinished = instance.get_runs(dg.RunsFilter(statuses=NOT_FINISHED))
            if any(is_of(run, assets_of(name, database)["week"], job.name) for run in unfinished):
                return "A copy is being made."
            found = lacking_copies(Protected(name, database, environ), now=now)
            if found is None:
                return "Each copy that answers has the newest artifact that any of them has."
            if held := held_by_maintenance(name, database, environ):
                return held
            there = ",".join(found.places)
            return [
                dg.RunRequest(
                    # One that fails waits for the next day: it was reported when it was missed first.
                    run_key=f"{name} {found.artifact_id} to {there} on {now:%Y-%m-%d}",
                    job_name=job.name,
                    partition_key=found.week.isoformat(),
                    tags={ONLY_THERE: there},
                )
            ]

        return answered(context, databases.look(at))

    return look
