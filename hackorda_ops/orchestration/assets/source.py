"""`source`: the live database, as something that Dagster only looks at."""

import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import dagster as dg

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.orchestration import metadata
from hackorda_ops.orchestration.assets import SOURCE, key
from hackorda_ops.orchestration.failures import ends_the_step
from hackorda_ops.postgres.catalogs.inventory import Inventory
from hackorda_ops.postgres.catalogs.source_catalog import read_catalog
from hackorda_ops.postgres.definitions.schema_digest import schema_digest
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS


def source(name: str, database: Policy) -> dg.AssetsDefinition:
    """The external asset of a database's source. Observing it reads its catalogs; nothing depends on that."""
    spec = dg.AssetSpec(
        key(name, SOURCE),
        group_name=name,
        kinds={"postgres"},
        description=f"The live database {name}, read by its direct endpoint and never written to. Every night "
        "observes it; so does Observe, without taking a dump.",
        metadata={"connection": database.source.describe()},
    )

    def observe(
        context: dg.AssetExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> Iterator[dg.ObserveResult]:
        with ends_the_step(context):
            inventory, schema_sha256 = _look(Protected(name, database, environ))
        yield dg.ObserveResult(spec.key, metadata=metadata.of_source(inventory, schema_sha256))

    # "Beta" in Dagster 1.13: the only way to a button that observes without materializing.
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        observable = dg.multi_observable_source_asset(specs=[spec], name=f"{name}__{SOURCE}")
        return cast(dg.AssetsDefinition, observable(observe))


def _look(protected: Protected) -> tuple[Inventory, str]:
    with tempfile.TemporaryDirectory(prefix="hackorda_ops-") as private:
        target = protected.source(private_folder=Path(private))
        with (
            connect(
                target, application_name=f"hackorda_ops look at {protected.name}", settings=SHORT_SETTINGS
            ) as connection,
            translated_errors(target, "read the catalogs"),
        ):
            return read_catalog(connection), schema_digest(connection)
