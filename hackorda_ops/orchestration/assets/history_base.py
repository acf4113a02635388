"""A base backup of a history that is kept here: the beginning of every recovery to a later moment."""

from collections.abc import Mapping

import dagster as dg
from dagster import MetadataValue

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.histories.registry import require_keeper
from hackorda_ops.orchestration.assets import BASE_BACKUP, SOURCE
from hackorda_ops.orchestration.failures import ends_the_step
from hackorda_ops.orchestration.names import key


def base_backup(name: str, database: Policy) -> dg.AssetsDefinition:
    """The newest base backup of a database; only where its history is kept here.

    Args:
        name: the database's name in databases.yaml.
        database: its configuration.
    """

    @dg.asset(
        key=key(name, BASE_BACKUP),
        group_name=name,
        kinds={"postgres"},
        deps=[key(name, SOURCE)],
        # Never two at a time.
        pool=f"{name}_base_backup",
        description=f"The newest base backup of {name}: recoveries to any later moment begin with it, and replay the "
        "WAL that was received since. How long it is kept follows from objectives.history_days.",
    )
    def take(
        context: dg.AssetExecutionContext, environ: dg.ResourceParam[Mapping[str, str]]
    ) -> dg.MaterializeResult[None]:
        with ends_the_step(context):
            taken = require_keeper(Protected(name, database, environ)).base_backup()
        size = {} if taken.size_bytes is None else {"bytes": MetadataValue.int(taken.size_bytes)}
        return dg.MaterializeResult(
            metadata={
                "id": MetadataValue.text(taken.backup_id),
                "leads to": MetadataValue.timestamp(taken.ended_at),
                "seconds": MetadataValue.float(round(taken.seconds, 1)),
                **size,
            }
        )

    return take
