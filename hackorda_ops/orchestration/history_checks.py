"""Whether the provider's history reaches as far back as the policy says, as asset checks, every week.

On an asset of its own, `provider_history`: checks of `source` would run whenever somebody observes that.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import dagster as dg
from dagster import AssetCheckResult, MetadataValue

from hackorda_ops.config.models import Config, Policy
from hackorda_ops.environment import Protected
from hackorda_ops.exercise.history_check import KEPT_WELL, HistoryCheck, check_history, check_kept, checks_of
from hackorda_ops.histories.registry import kind_of
from hackorda_ops.orchestration import checks
from hackorda_ops.orchestration.assets import PROVIDER_HISTORY, SOURCE
from hackorda_ops.orchestration.failures import ends_the_step, failure
from hackorda_ops.orchestration.jobs import of_assets
from hackorda_ops.orchestration.labels import KIND, labels
from hackorda_ops.orchestration.names import called, for_all, key
from hackorda_ops.proof.check import Check

HISTORY_JOB: Final = "history"
_EVERY_WEEK: Final = "0 4 * * 0"


def every_week(config: Config) -> dg.Definitions:
    """What checks every history that is kept: a run per database, so that none waits for another.

    Args:
        config: of every protected database.
    """
    kept = {name: kind for name, database in config.databases.items() if (kind := kind_of(database))}
    if not kept:
        return dg.Definitions()
    job = of_assets(
        dg.AssetSelection.checks_for_assets(*(key(name, PROVIDER_HISTORY) for name in kept)),
        name=for_all(config, HISTORY_JOB),
        description="Checks how far back the provider's history of each database reaches, and opens a branch there.",
        tags={KIND: HISTORY_JOB},
    )

    @dg.schedule(
        name=for_all(config, "check_histories_every_week"),
        job=job,
        cron_schedule=_EVERY_WEEK,
        description="Checks the provider's history of each database, in a run of its own. A missed tick is missed.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
        return [
            dg.RunRequest(
                run_key=f"{name} {context.scheduled_execution_time:%Y-%m-%d}",
                asset_check_keys=[
                    dg.AssetCheckKey(key(name, PROVIDER_HISTORY), check.name)
                    for check in checks_of(kind.traits)
                ],
                tags=labels(name, HISTORY_JOB),
            )
            for name, kind in kept.items()
        ]

    return dg.Definitions(jobs=[job], schedules=[tick])


def provider_history(name: str, database: Policy) -> dg.AssetSpec:
    """What is kept of a database's past, as an asset that is only checked; only where somebody keeps a history."""
    kind = kind_of(database)
    if kind is None:
        raise AssertionError("the caller has asked whether a history is kept")
    traits = kind.traits
    return dg.AssetSpec(
        key(name, PROVIDER_HISTORY),
        group_name=name,
        owners=list(database.owners),
        tags=labels(name, HISTORY_JOB),
        kinds={kind.graph_kind},
        deps=[key(name, SOURCE)],
        description=f"How far back the history of {name} reaches with {traits.keeper}. No run makes it: the job "
        f"{HISTORY_JOB} checks every week that it is as long as the policy says, and that a {traits.copy} near its "
        "far end really opens.",
    )


def history_checks(name: str, database: Policy) -> dg.AssetChecksDefinition:
    """The checks of a database's history: made together by one copy, or only whether it is kept well."""
    kind = kind_of(database)
    if kind is None:
        raise AssertionError("the caller has asked whether a history is kept")
    specs = checks.specs_of(checks_of(kind.traits), key(name, PROVIDER_HISTORY))

    @dg.multi_asset_check(name=called(name, "history_checks"), specs=specs, can_subset=True)
    def check(
        context: dg.AssetCheckExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> Iterator[AssetCheckResult]:
        protected = Protected(name, database, environ)
        wanted = {each.name for each in context.selected_asset_check_keys}
        made: Sequence[Check]
        with ends_the_step(context):
            if wanted == {KEPT_WELL.name}:
                made, numbers = [check_kept(protected)], {}
            else:
                checked = check_history(protected)
                made, numbers = checked.checks, _numbers(checked)
        yield from checks.results_of(made, [each for each in specs if each.name in wanted], numbers)
        if failed := [each.summary for each in made if each.outcome == "failed"]:
            # A failed check alone would alarm nobody.
            raise failure(
                f"The history of {name} is not what the policy says:\n"
                + "\n".join(f"- {each}" for each in failed),
                meaning="A mistake that is noticed late can't be undone from the provider's history. The nights and "
                "the copies off-site are unaffected.",
                next_step="Look at the settings of the history where it is kept.",
            )

    return check


def _numbers(checked: HistoryCheck) -> dict[str, MetadataValue]:
    numbers: dict[str, MetadataValue] = {"window seconds": MetadataValue.int(checked.window_seconds)}
    if checked.reach_seconds is not None:
        numbers["reach seconds"] = MetadataValue.float(checked.reach_seconds)
    return numbers
