"""`restore_drill`: a quarter's drill, and `drill_report`, which it materializes whatever the verdict.

They can't be one multi-asset: that crashes on PASS (topological order) and can't be backfilled in
part. So the report is an external asset, and the drill logs its materialization.
"""

import warnings
from collections.abc import Iterator, Mapping
from datetime import date

import dagster as dg

from hackorda_ops.config.alerts import Alerts
from hackorda_ops.config.models import Policy
from hackorda_ops.drill import quarter
from hackorda_ops.drill.checks.registry import checks_of
from hackorda_ops.drill.consequences import consequence_of
from hackorda_ops.drill.quarter import Quarter
from hackorda_ops.drill.report import words
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.environment import Protected
from hackorda_ops.judgement.instead import with_instead
from hackorda_ops.orchestration import checks, metadata
from hackorda_ops.orchestration.assets import DRILL_REPORT, OFFSITE_COPY, RESTORE_DRILL, group_of, key
from hackorda_ops.orchestration.failures import ends_the_step, failure
from hackorda_ops.orchestration.metadata import listed
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
    restored = OFFSITE_COPY if database.copies == "weekly" else engine_of(database).night_asset
    possible = [check for check in checks_of(database.engine) if not check.lacking(database)]
    specs = checks.specs_of(possible, own_key, partitions)
    # For lineage, and so that the present quarter can be backfilled; see `offsite_copy`.
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        within_the_quarter = dg.TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True)

    @dg.asset(
        key=own_key,
        group_name=group_of(name, database),
        kinds={engine_of(database).kind, registry.provider_of(database).kind},
        deps=[dg.AssetDep(key(name, restored), partition_mapping=within_the_quarter)],
        partitions_def=partitions,
        check_specs=specs,
        pool=f"{name}_scratch",
        description=f"The newest off-site copy of {name}, restored on scratch, compared row for row, migrated, "
        "reported and taken down. Named by the quarter's first day. Materialized only where the verdict is "
        "PASS; the report is always materialized.",
    )
    def drill(
        context: dg.AssetExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        protected = Protected(name, database, environ)
        with ends_the_step(context), told_outside("quarter", protected, context) as heartbeat:
            held = quarter.hold_drill(
                protected,
                quarter=date.fromisoformat(context.partition_key),
                run=link(context.run.run_id, ui_url_of(alerts, environ)),
                with_instead=with_instead,
                on_progress=ProgressLog(context.log.info),
            )
            heartbeat.of_verdict(held.result.verdict)
        context.log_event(
            dg.AssetMaterialization(
                key(name, DRILL_REPORT),
                partition=context.partition_key,
                metadata=metadata.of_report(held),
            )
        )
        yield from checks.results_of(held.result.checks, specs)
        if held.result.verdict != "PASS":
            # A failed check alone would leave the quarter materialized, and nobody would try again.
            raise _not_passed(name, held)
        yield dg.MaterializeResult(metadata=metadata.of_drill(held.result))

    return drill


def drill_report(name: str, database: Policy) -> dg.AssetSpec:
    """The report of each drill, as an asset that `restore_drill` materializes."""
    return dg.AssetSpec(
        key(name, DRILL_REPORT),
        group_name=group_of(name, database),
        kinds={"html"},
        deps=[key(name, RESTORE_DRILL)],
        partitions_def=quarters(database.schedule),
        description=f"The result of a drill of {name}, PASS, FAIL or ERROR: JSON, Markdown and an HTML page for "
        "an auditor, next to the artifacts and off-site. Materialized by restore_drill.",
    )


def _not_passed(name: str, held: Quarter) -> dg.Failure:
    result = held.result
    report = f" The report: {held.pages[0]}." if held.pages else ""
    if result.error is not None:
        return failure(
            f"The drill of {name} could not judge: {result.error.what}{report}",
            meaning=result.error.meaning,
            next_step=result.error.next_step,
        )
    follows = consequence_of(result)
    found = [str(finding) for finding in result.findings]
    found += [f"{check.name}: {check.summary}" for check in result.checks if check.outcome == "failed"]
    return failure(
        f"The drill of {name} FAILED: {follows.headline}.\n" + listed(found) + report,
        meaning=follows.meaning,
        next_step=f"{words.next_step(result)} Here, drilling again is to materialize this partition again.",
        headline=follows.headline,
    )
