"""`offsite_copy`: a week's newest sound artifact, in the off-site bucket."""

import warnings
from collections.abc import Iterator, Mapping
from datetime import date

import dagster as dg

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.judgement.reading import for_a_copy
from hackorda_ops.orchestration import checks, metadata
from hackorda_ops.orchestration.assets import OFFSITE_COPY, group_of, night_key
from hackorda_ops.orchestration.labels import label_run, labels, only_there
from hackorda_ops.orchestration.names import key
from hackorda_ops.orchestration.partitions import weeks
from hackorda_ops.orchestration.told_outside import told_outside
from hackorda_ops.progress_log import ProgressLog
from hackorda_ops.week import week as weekly
from hackorda_ops.week.checks import checks_of
from hackorda_ops.week.week import Week


def offsite_copy(name: str, database: Policy) -> dg.AssetsDefinition:
    """The asset of a database's weeks."""
    own_key, partitions = key(name, OFFSITE_COPY), weeks(database.schedule)
    declared = checks_of(database)
    specs = checks.specs_of(declared, own_key, partitions)
    # For lineage. The core picks the night from the catalog and says which. The present week has
    # nights that don't exist yet, and Dagster would refuse to backfill it ("beta" in 1.13).
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        nights_of_the_week = dg.TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True)

    @dg.asset(
        key=own_key,
        group_name=group_of(name, database),
        owners=list(database.owners),
        tags=labels(name, "week"),
        kinds={"s3"},
        # One that is missing leaves the others as they are: the week is there, and the check of that copy has failed.
        deps=[dg.AssetDep(night_key(name, database), partition_mapping=nights_of_the_week)],
        partitions_def=partitions,
        check_specs=specs,
        pool=f"{name}_offsite",
        description=f"The newest sound night of {name} of one week (Monday to Sunday, named by its Monday), "
        "copied to the off-site bucket and proven by reading it back. A missed week can be backfilled for as "
        "long as one of its nights is in the store.",
    )
    def copy(
        context: dg.AssetExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        label_run(context, name, "week")
        protected = Protected(name, database, environ)

        def work() -> Week:
            with told_outside("week", protected, context):
                known = for_a_copy(protected)
                return weekly.ship_week(
                    protected,
                    week=date.fromisoformat(context.partition_key),
                    passing_over=known.passing_over,
                    mending=known.mending,
                    only=only_there(context.run),
                    on_progress=ProgressLog(context.log.info),
                )

        week = yield from checks.done_in_a_step(declared, context, work)
        yield from checks.results_of_a_step(declared, week)
        yield dg.MaterializeResult(metadata=metadata.of_week(week))

    return copy
