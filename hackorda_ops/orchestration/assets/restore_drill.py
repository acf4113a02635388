"""`restore_drill`: a quarter's drill. Whatever the verdict, it materializes `drill_report`, with its checks."""

import warnings
from collections.abc import Iterator, Mapping
from datetime import date

import dagster as dg

from hackorda_ops.config.alerts import Alerts
from hackorda_ops.config.models import Policy
from hackorda_ops.drill import quarter
from hackorda_ops.drill.consequences import consequence_of
from hackorda_ops.drill.quarter import Quarter
from hackorda_ops.drill.report import words
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.environment import Protected
from hackorda_ops.judgement.instead import with_instead
from hackorda_ops.orchestration import checks, drill_metadata
from hackorda_ops.orchestration.assets import OFFSITE_COPY, RESTORE_DRILL, group_of
from hackorda_ops.orchestration.assets.drill_report import pages, report_key, specs_of_report
from hackorda_ops.orchestration.failures import ends_the_step, failure
from hackorda_ops.orchestration.labels import label_run, label_verdict, labels
from hackorda_ops.orchestration.metadata import Metadata, listed, of_receipt
from hackorda_ops.orchestration.names import key
from hackorda_ops.orchestration.partitions import quarters
from hackorda_ops.orchestration.runs import link, ui_url_of
from hackorda_ops.orchestration.told_outside import told_outside
from hackorda_ops.progress_log import ProgressLog
from hackorda_ops.scratch import registry


def restore_drill(name: str, database: Policy, alerts: Alerts) -> dg.AssetsDefinition:
    """The asset of a database's quarters.

    Args:
        name: the database's.
        database: its configuration.
        alerts: where the UI is, for the report's link to the run.
    """
    own_key, partitions = key(name, RESTORE_DRILL), quarters(database.schedule)
    restored = OFFSITE_COPY if database.has_weeks else engine_of(database).night_asset
    of_report = specs_of_report(name, database)
    # For lineage, and so that the present quarter can be backfilled; see `offsite_copy`.
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        within_the_quarter = dg.TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True)

    @dg.asset(
        key=own_key,
        group_name=group_of(name, database),
        owners=list(database.owners),
        tags=labels(name, "quarter"),
        kinds={engine_of(database).kind, registry.provider_of(database).kind},
        deps=[dg.AssetDep(key(name, restored), partition_mapping=within_the_quarter)],
        partitions_def=partitions,
        pool=f"{name}_scratch",
        description=f"The newest off-site copy of {name}, restored on scratch, compared row for row, migrated, "
        "reported and taken down. Named by the quarter's first day. Materialized only where the verdict is "
        "PASS; drill_report always is, and has the checks.",
    )
    def drill(
        context: dg.AssetExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> Iterator[dg.AssetCheckEvaluation | dg.MaterializeResult[None]]:
        label_run(context, name, "quarter")
        protected, partition = Protected(name, database, environ), context.partition_key
        with ends_the_step(context), told_outside("quarter", protected, context) as heartbeat:
            held = quarter.hold_drill(
                protected,
                quarter=date.fromisoformat(partition),
                run=link(context.run.run_id, ui_url_of(alerts, environ)),
                with_instead=with_instead,
                on_progress=ProgressLog(context.log.info),
            )
            heartbeat.of_verdict(held.result.verdict)
        label_verdict(context, held.result.verdict)
        where = pages(protected, held)
        context.log_event(
            dg.AssetMaterialization(
                report_key(name), partition=partition, metadata=drill_metadata.of_report(held, where)
            )
        )
        yield from checks.of_a_report(held, of_report, where)
        if held.result.verdict != "PASS":
            failed = _not_passed(name, held, where)
            # Dagster shows nothing of a failure on the asset's own page: there it's an observation.
            context.log_event(dg.AssetObservation(own_key, partition=partition, metadata=failed.metadata))
            # A failed check alone would leave the quarter materialized, and nobody would try again.
            raise failed
        yield dg.MaterializeResult(
            metadata={**drill_metadata.of_drill(held.result), **of_receipt(held.receipt)}
        )

    return drill


def _not_passed(name: str, held: Quarter, where: Metadata) -> dg.Failure:
    result = held.result
    report = f" The report: {held.pages[0]}." if held.pages else ""
    if result.error is not None:
        return failure(
            f"The drill of {name} could not judge: {result.error.what}{report}",
            meaning=result.error.meaning,
            next_step=result.error.next_step,
            shown=drill_metadata.of_failed(held, where),
        )
    follows = consequence_of(result)
    found = [str(finding) for finding in result.findings]
    found += [f"{check.name}: {check.summary}" for check in result.checks if check.outcome == "failed"]
    return failure(
        f"The drill of {name} FAILED: {follows.headline}.\n" + listed(found) + report,
        meaning=follows.meaning,
        next_step=f"{words.next_step(result)} Here, drilling again is to materialize this partition again.",
        headline=follows.headline,
        alarm=follows.alarm,
        shown=drill_metadata.of_failed(held, where),
    )
