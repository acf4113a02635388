"""`nightly_dump`: a night's artifact."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import dagster as dg

from hackorda_ops.artifacts.manifest import is_of_the_source
from hackorda_ops.calendar.partitions import night_of
from hackorda_ops.config.models import Policy
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.environment import Protected
from hackorda_ops.night import night as nightly
from hackorda_ops.night.checks import checks_of
from hackorda_ops.night.night import Night
from hackorda_ops.orchestration import checks, clock, metadata
from hackorda_ops.orchestration.assets import SOURCE, group_of
from hackorda_ops.orchestration.failures import failure
from hackorda_ops.orchestration.labels import label_run, labels
from hackorda_ops.orchestration.names import key
from hackorda_ops.orchestration.partitions import nights
from hackorda_ops.orchestration.told_outside import told_outside
from hackorda_ops.progress_log import ProgressLog

NEW_SOURCE_TAG = "hackorda_ops/new_source"
"""On a run, "true" confirms that the source may differ from that of the night before."""


def nightly_dump(name: str, database: Policy) -> dg.AssetsDefinition:
    """The asset of a database's nights."""
    engine = engine_of(database)
    own_key, partitions = key(name, engine.night_asset), nights(database.schedule)
    declared = checks_of(database)
    specs = checks.specs_of(declared, own_key, partitions)

    # Where no history is kept, a past night can't be taken: a backfill of many is refused by one run, not by each
    # ("beta" in Dagster 1.13).
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        asset_of_nights = dg.asset(
            key=own_key,
            group_name=group_of(name, database),
            owners=list(database.owners),
            tags=labels(name, "night"),
            kinds={engine.kind, "backup"},
            deps=[key(name, SOURCE)],
            partitions_def=partitions,
            backfill_policy=None if database.keeps_history else dg.BackfillPolicy.single_run(),
            check_specs=specs,
            pool=f"{name}_source",
            description=engine.night_description.format(name=name),
        )

    @asset_of_nights
    def dump(
        context: dg.AssetExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        label_run(context, name, "night")
        protected = Protected(name, database, environ)
        if len(context.partition_keys) > 1:
            raise _too_many(name, context.partition_keys, night_of(clock.now(), database.schedule))

        def work() -> Night:
            with told_outside("night", protected, context) as heartbeat:
                night = nightly.take_night(
                    protected,
                    night=date.fromisoformat(context.partition_key),
                    new_source=context.run.tags.get(NEW_SOURCE_TAG, "").lower() == "true",
                    on_progress=ProgressLog(context.log.info),
                )
                heartbeat.problem = None if night.manifest.sound else "The nightly backup failed its checks."
            return night

        night = yield from checks.done_in_a_step(declared, context, work)
        seen = metadata.of_facts(engine.observed_by(night.manifest))
        context.log_event(dg.AssetObservation(key(name, SOURCE), metadata=seen))
        yield from checks.results_of_a_step(declared, night)
        if not night.manifest.sound:
            # A failed check alone would leave the partition materialized, and a bad night would look fresh.
            raise _unsound(name, night)
        yield dg.MaterializeResult(metadata=metadata.of_night(night))

    return dump


def _too_many(name: str, asked: Sequence[str], tonight: date) -> dg.Failure:
    return failure(
        f"{len(asked):,} nights of {name} were asked for at once, {min(asked)} to {max(asked)}. A night holds the "
        "database as it is when it's taken, so none of the past can be taken any more.",
        meaning="Those nights have no backup and cannot get one: nothing is ever backdated. No dump was taken.",
        next_step=f"Materialize tonight's partition alone: {tonight}.",
        headline=f"{len(asked):,} nights can't be backfilled",
    )


def _unsound(name: str, night: Night) -> dg.Failure:
    manifest = night.manifest
    return failure(
        f"The dump of {name} was taken and kept as {night.location}, but the comparison with "
        f"the artifact {night.compared_with} speaks against it:\n"
        + metadata.listed(map(str, manifest.findings)),
        meaning="The artifact exists and can be restored, but it isn't sound: no weekly copy uses it, and the "
        "previous artifact still holds what may be lost.",
        next_step="Look into each finding. If all of it was intended, materialize this partition again: that "
        f"dumps once more, and compares with {manifest.artifact_id}."
        # Nothing is compared with an artifact of an unconfirmed source, so the same run again would fail again.
        if is_of_the_source(manifest)
        else " ".join(finding.next_step for finding in manifest.findings),
    )
