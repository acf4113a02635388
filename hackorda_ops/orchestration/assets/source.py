"""`source`: the live database, as something that Dagster only looks at."""

import warnings
from collections.abc import Iterator, Mapping
from typing import cast

import dagster as dg

from hackorda_ops.config.models import Policy
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.environment import Protected
from hackorda_ops.orchestration import metadata
from hackorda_ops.orchestration.assets import SOURCE, group_of
from hackorda_ops.orchestration.failures import ends_the_step
from hackorda_ops.orchestration.labels import labels
from hackorda_ops.orchestration.names import called, key


def source(name: str, database: Policy) -> dg.AssetsDefinition:
    """The external asset of a database's source. Observing it reads its catalogs; nothing depends on that."""
    engine = engine_of(database)
    spec = dg.AssetSpec(
        key(name, SOURCE),
        group_name=group_of(name, database),
        owners=list(database.owners),
        tags=labels(name, SOURCE),
        kinds={engine.kind},
        description=f"The live database {name}, read by its direct endpoint and never written to. Every night "
        "observes it; so does Observe, without taking a dump.",
        metadata={"connection": database.source.describe()},
    )

    def observe(
        context: dg.AssetExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> Iterator[dg.ObserveResult]:
        with ends_the_step(context):
            seen = engine.observed(Protected(name, database, environ))
        yield dg.ObserveResult(spec.key, metadata=metadata.of_facts(seen))

    # "Beta" in Dagster 1.13: the only way to a button that observes without materializing.
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        observable = dg.multi_observable_source_asset(specs=[spec], name=called(name, f"_{SOURCE}"))
        return cast(dg.AssetsDefinition, observable(observe))
