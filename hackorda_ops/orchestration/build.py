"""Assembles the definitions: each database's assets, jobs and schedules, and what serves them all."""

from collections.abc import Mapping

import dagster as dg

from hackorda_ops.calendar.due import DueKind
from hackorda_ops.config.alerts import Alerts
from hackorda_ops.config.models import Config, Policy
from hackorda_ops.orchestration import history_checks, jobs, schedules
from hackorda_ops.orchestration.assets.drill_report import drill_report, report_checks
from hackorda_ops.orchestration.assets.night_proof import night_proof
from hackorda_ops.orchestration.assets.nightly_dump import nightly_dump
from hackorda_ops.orchestration.assets.offsite_copy import offsite_copy
from hackorda_ops.orchestration.assets.recovery_exercise import recovery_exercise
from hackorda_ops.orchestration.assets.restore_drill import restore_drill
from hackorda_ops.orchestration.assets.source import source
from hackorda_ops.orchestration.cutover import cutover
from hackorda_ops.orchestration.names import NO_PREFIX, prefixed
from hackorda_ops.orchestration.resources import ENVIRON, PROCESS_ENVIRONMENT
from hackorda_ops.orchestration.sensors import (
    alarms,
    command_line,
    missed_work,
    missing_copies,
    nights_to_prove,
    schema_change,
)
from hackorda_ops.orchestration.upkeep import (
    blast_radius,
    housekeeping,
    keeping,
    readiness,
    receipts,
    retention,
    sweeping,
)


def build_defs(
    config: Config, *, prefix: str | None = None, resource_overrides: Mapping[str, object] | None = None
) -> dg.Definitions:
    """Makes fresh definitions; needs no secret and no database.

    Args:
        config: of every protected database.
        prefix: None for a code location of their own. Otherwise they are a part of somebody else's, and this stands
            before the names of their assets, jobs, schedules and sensors ("" for nothing). There the location's
            executor is not set, no old run of anybody is deleted, and no run of others raises an alarm.
        resource_overrides: resources to use instead of the real ones, by name.
    """
    config = prefixed(config, prefix or NO_PREFIX)
    among_others = prefix is not None
    of_kinds = {name: jobs.of_kinds(name, database) for name, database in config.databases.items()}
    for_all = dg.Definitions(
        jobs=[sweeping.sweep(config)],
        # One of each kind, however many databases there are: each of them has its own turn in a tick.
        sensors=[
            alarms.alarms(config, among_others=among_others),
            missed_work.missed_work(config, of_kinds),
            schema_change.schema_change(config, of_kinds),
            sweeping.left_behind(config),
            command_line.command_line(config),
            *([made_up_for] if (made_up_for := missing_copies.missing_copies(config, of_kinds)) else ()),
        ],
        resources={ENVIRON: PROCESS_ENVIRONMENT, **(resource_overrides or {})},
    )
    return dg.Definitions.merge(
        for_all,
        *(() if among_others else (_of_the_location(),)),
        _proving(config),
        readiness.of_all(config),
        keeping.of_all(config),
        history_checks.every_week(config),
        *(
            _of_one(name, database, config.alerts, of_kinds[name])
            for name, database in config.databases.items()
        ),
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
        *(blast_radius.of_one(name, database) for name, database in config.databases.items()),
        *(receipts.of_one(name, database) for name, database in config.databases.items()),
        *(_deleting(name, database) for name, database in config.databases.items() if database.deletes),
    )


def _of_the_location() -> dg.Definitions:
    """What is right only where nothing of others is."""
    job = housekeeping.housekeeping()
    return dg.Definitions(
        jobs=[job],
        schedules=[housekeeping.every_week(job)],
        executor=jobs.EXECUTOR,  # of what a person materializes without a job
    )


def _of_one(
    name: str, database: Policy, alerts: Alerts, of_kinds: Mapping[DueKind, jobs.AssetJob]
) -> dg.Definitions:
    return dg.Definitions(
        assets=[
            source(name, database),
            nightly_dump(name, database),
            *([offsite_copy(name, database)] if database.has_weeks else []),
            restore_drill(name, database, alerts),
            drill_report(name, database),
        ],
        asset_checks=[report_checks(name, database)],
        jobs=list(of_kinds.values()),
        # A schedule for each database: its own times, its own time zone, and its own switch.
        schedules=[schedules.every(kind, name, database, of_kinds) for kind in of_kinds],
    )


def _proving(config: Config) -> dg.Definitions:
    """What proves nights; absent where no database's are to be proven."""
    proven = {name: database for name, database in config.databases.items() if database.proof.every != "off"}
    if not proven:
        return dg.Definitions()
    proofs = {name: jobs.of_proofs(name) for name in proven}
    return dg.Definitions(
        assets=[night_proof(name, database, config.alerts) for name, database in proven.items()],
        jobs=list(proofs.values()),
        sensors=[nights_to_prove.nights_to_prove(config, proofs)],
    )


def _with_history(name: str, database: Policy) -> dg.Definitions:
    """What needs a provider that keeps a history; a plain scratch server doesn't."""
    return dg.Definitions(
        assets=[recovery_exercise(name, database), history_checks.provider_history(name, database)],
        asset_checks=[history_checks.history_checks(name, database)],
    )


def _deleting(name: str, database: Policy) -> dg.Definitions:
    """What deletes; absent where the policy is to keep everything."""
    job = retention.retention(name, database)
    return dg.Definitions(jobs=[job], schedules=[retention.every_week(name, database.schedule, job)])
