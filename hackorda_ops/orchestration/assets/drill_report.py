"""`drill_report`: what each drill found, whatever its verdict, and the checks of that.

It can't be one multi-asset with `restore_drill`: that crashes on PASS (topological order) and can't be backfilled in
part. So it's an external asset, and the drill logs its materialization and the evaluations of its checks.
"""

from collections.abc import Iterator, Mapping
from datetime import date

import dagster as dg
from dagster import AssetKey

from hackorda_ops.config.models import Policy
from hackorda_ops.drill.checks.registry import checks_of
from hackorda_ops.drill.quarter import Quarter, page_key, reread
from hackorda_ops.environment import Protected
from hackorda_ops.orchestration import checks, links, metadata
from hackorda_ops.orchestration.assets import DRILL_REPORT, RESTORE_DRILL, group_of
from hackorda_ops.orchestration.failures import ends_the_step
from hackorda_ops.orchestration.labels import labels
from hackorda_ops.orchestration.names import called, key
from hackorda_ops.orchestration.partitions import quarters
from hackorda_ops.orchestration.runs import PARTITION_TAG


def report_key(name: str) -> AssetKey:
    """The key of a database's report."""
    return key(name, DRILL_REPORT)


def pages(protected: Protected, held: Quarter) -> metadata.Metadata:
    """Where the report of a drill is, and a link that opens it."""
    return links.where(protected, page_key(held.result), "report", stored=held.pages)


def drill_report(name: str, database: Policy) -> dg.AssetSpec:
    """The report of each drill, as an asset that `restore_drill` materializes."""
    return dg.AssetSpec(
        report_key(name),
        group_name=group_of(name, database),
        owners=list(database.owners),
        tags=labels(name, "quarter"),
        kinds={"html"},
        deps=[key(name, RESTORE_DRILL)],
        partitions_def=quarters(database.schedule),
        description=f"The result of a drill of {name}, PASS, FAIL or ERROR: JSON, Markdown and an HTML page for "
        "an auditor, next to the artifacts and off-site. Materialized by restore_drill.",
    )


def specs_of_report(name: str, database: Policy) -> list[dg.AssetCheckSpec]:
    """The verdict, and every check that a drill of this database can make."""
    possible = [check for check in checks_of(database.engine) if not check.lacking(database)]
    return checks.specs_of((checks.VERDICT, *possible), report_key(name), quarters(database.schedule))


def report_checks(name: str, database: Policy) -> dg.AssetChecksDefinition:
    """The report's checks. Drills evaluate them; executed by themselves, they read the quarter's last report again."""
    specs = specs_of_report(name, database)

    # A subset, so that nothing has to be said of what was not measured.
    @dg.multi_asset_check(name=called(name, f"{DRILL_REPORT}_checks"), specs=specs, can_subset=True)
    def read_again(
        context: dg.AssetCheckExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> Iterator[dg.AssetCheckEvaluation]:
        partition = context.run.tags.get(PARTITION_TAG)
        protected = Protected(name, database, environ)
        with ends_the_step(context):
            held = reread(protected, quarter=date.fromisoformat(partition) if partition else None)
        yield from checks.of_a_report(held, specs, pages(protected, held))

    return read_again
