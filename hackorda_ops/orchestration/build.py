"""Assembles the definitions: each database's assets, jobs and schedules, and what serves them all."""

from collections.abc import Mapping

import dagster as dg

from hackorda_ops.config.alerts import Alerts
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.orchestration import jobs, schedules
from hackorda_ops.orchestration.assets.drill_report import drill_report, report_checks
from hackorda_ops.orchestration.assets.nightly_dump import nightly_dump
from hackorda_ops.orchestration.assets.offsite_copy import offsite_copy
from hackorda_ops.orchestration.assets.recovery_exercise import recovery_exercise
from hackorda_ops.orchestration.assets.restore_drill import restore_drill
from hackorda_ops.orchestration.assets.source import source
from hackorda_ops.orchestration.cutover import cutover
from hackorda_ops.orchestration.history_checks import history_checks, provider_history
from hackorda_ops.orchestration.resources import ENVIRON, PROCESS_ENVIRONMENT
from hackorda_ops.orchestration.sensors import alarms, missed_work, schema_change
from hackorda_ops.orchestration.upkeep import housekeeping, readiness, retention, sweeping


def build_defs(config: Config, *, resource_overrides: Mapping[str, object] | None = None) -> dg.Definitions:
    """Makes fresh definitions; needs no secret and no database.

    Args:
        config: of every protected database.
        resource_overrides: resources to use instead of the real ones, by name.
    """
    keep_house = housekeeping.housekeeping()
    for_all = dg.Definitions(
        jobs=[keep_house],
        schedules=[housekeeping.every_week(keep_house)],
        sensors=[alarms.alarms(name, config) for name in (*config.databases, None)],
        resources={ENVIRON: PROCESS_ENVIRONMENT, **(resource_overrides or {})},
        # A step process of its own would outlive a killed run worker, and finish its work on a failed run.
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(
        for_all,
        readiness.of_all(config),
        *(_of_one(name, database, config.alerts) for name, database in config.databases.items()),
        *(
            _with_history(name, database)
            for name, database in config.databases.items()
            if database.keeps_history
        ),
        *(
            dg.Definitions(jobs=[cutover(name, database)])
            for name, database in config.databases.items()
            if database.cutover
        ),
        *(_deleting(name, database) for name, database in config.databases.items() if database.deletes),
    )


def _of_one(name: str, database: Policy, alerts: Alerts) -> dg.Definitions:
    of_kinds = jobs.of_kinds(name, database)
    sweep = sweeping.sweep(name, database)
    return dg.Definitions(
        assets=[
            source(name, database),
            nightly_dump(name, database),
            *([offsite_copy(name, database)] if database.copies == "weekly" else []),
            restore_drill(name, database, alerts),
            drill_report(name, database),
        ],
        asset_checks=[report_checks(name, database)],
        jobs=[*of_kinds.values(), sweep],
        schedules=[schedules.every(kind, name, database, of_kinds) for kind in of_kinds],
        sensors=[
            missed_work.missed_work(name, database, of_kinds),
            schema_change.schema_change(name, database, of_kinds),
            sweeping.left_behind(name, database, sweep),
        ],
    )


def _with_history(name: str, database: Policy) -> dg.Definitions:
    """What needs a provider that keeps a history; a plain scratch server doesn't."""
    history = jobs.history(name)
    return dg.Definitions(
        assets=[recovery_exercise(name, database), provider_history(name, database)],
        asset_checks=[history_checks(name, database)],
        jobs=[history],
        schedules=[schedules.history_every_week(name, database.schedule, history)],
    )


def _deleting(name: str, database: Policy) -> dg.Definitions:
    """What deletes; absent where the policy is to keep everything."""
    job = retention.retention(name, database)
    return dg.Definitions(jobs=[job], schedules=[retention.every_week(name, database.schedule, job)])
