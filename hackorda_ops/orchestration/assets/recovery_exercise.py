"""`recovery_exercise`: a year's exercise on branches, with its report as metadata."""

from collections.abc import Iterator, Mapping
from datetime import date

import dagster as dg
from dagster import AssetCheckResult, MetadataValue

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.exercise import report as exercise_report
from hackorda_ops.exercise.checks import CHECKS
from hackorda_ops.exercise.history import exercise_prefix
from hackorda_ops.exercise.report import Exercise
from hackorda_ops.orchestration import checks, links
from hackorda_ops.orchestration.assets import RECOVERY_EXERCISE, SOURCE, group_of
from hackorda_ops.orchestration.failures import ends_the_step, failure
from hackorda_ops.orchestration.labels import label_run, label_verdict, labels
from hackorda_ops.orchestration.metadata import Metadata, of_receipt
from hackorda_ops.orchestration.names import key
from hackorda_ops.orchestration.partitions import years
from hackorda_ops.orchestration.told_outside import told_outside
from hackorda_ops.progress_log import ProgressLog


def recovery_exercise(name: str, database: Policy) -> dg.AssetsDefinition:
    """The asset of a database's years."""
    own_key, partitions = key(name, RECOVERY_EXERCISE), years(database.schedule)
    specs = checks.specs_of(CHECKS, own_key, partitions)

    @dg.asset(
        key=own_key,
        group_name=group_of(name, database),
        owners=list(database.owners),
        tags=labels(name, "year"),
        kinds={"neon", "drill"},
        deps=[key(name, SOURCE)],
        partitions_def=partitions,
        check_specs=specs,
        pool=f"{name}_scratch",
        description=f"On a branch of {name}, one table dropped and another truncated on purpose, then recovered to a "
        "point in time, compared, timed and reported. Named by the year's first day; a missed year can be "
        "backfilled, and says so. Materialized only where the verdict is PASS.",
    )
    def exercise(
        context: dg.AssetExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> Iterator[AssetCheckResult | dg.MaterializeResult[None]]:
        label_run(context, name, "year")
        protected = Protected(name, database, environ)
        with ends_the_step(context), told_outside("year", protected, context) as heartbeat:
            held = exercise_report.hold_exercise(
                protected,
                year=date.fromisoformat(context.partition_key),
                on_progress=ProgressLog(context.log.info),
            )
            heartbeat.of_verdict(held.result.verdict)
        label_verdict(context, held.result.verdict)
        where = links.where(
            protected,
            f"{exercise_prefix(name, held.result.exercise_id)}/{held.result.report_name}",
            "report",
            stored=held.places,
            media_type=links.TEXT,
        )
        yield from checks.results_of(held.result.checks, specs)
        context.log.info(held.report)
        if held.result.verdict != "PASS":
            # A failed check alone would leave the year materialized, and nobody would try again.
            raise _not_passed(name, held, where)
        yield dg.MaterializeResult(metadata={**where, **_metadata(held), **of_receipt(held.receipt)})

    return exercise


def _metadata(held: Exercise) -> dict[str, MetadataValue]:
    result = held.result
    shown: dict[str, MetadataValue] = {
        "verdict": MetadataValue.text(result.verdict),
        "report": MetadataValue.md(held.report),
        "tables": MetadataValue.int(result.tables),
        "rows": MetadataValue.int(result.rows),
        "not stored": MetadataValue.md("\n".join(f"- {line}" for line in held.not_stored) or "none"),
    }
    for run in result.hooks:
        shown[f"{run.name} seconds"] = MetadataValue.float(run.seconds)
    if result.recovery_seconds is not None:
        shown["recovery seconds"] = MetadataValue.float(result.recovery_seconds)
    if result.lost_seconds is not None:
        shown["lost seconds"] = MetadataValue.float(result.lost_seconds)
    return shown


def _not_passed(name: str, held: Exercise, where: Metadata) -> dg.Failure:
    result = held.result
    shown = {"verdict": MetadataValue.text(result.verdict), **where, "report": MetadataValue.md(held.report)}
    report = f" The report: {held.places[0]}." if held.places else ""
    if result.error is not None:
        return failure(
            f"The recovery exercise of {name} could not judge: {result.error.what}{report}",
            meaning=result.error.meaning,
            next_step=result.error.next_step,
            shown=shown,
        )
    failed = [f"{check.name}: {check.summary}" for check in result.checks if check.outcome == "failed"]
    return failure(
        f"The recovery exercise of {name} FAILED:\n" + "\n".join(f"- {line}" for line in failed) + report,
        meaning="The provider's history doesn't bring back what is destroyed, or not in time. Don't rely on it alone.",
        next_step="Look into each finding of the report, then materialize this partition again.",
        shown=shown,
    )
