"""An asset that is looked at once a week, with its job and its schedule."""

import dagster as dg

from hackorda_ops.config.models import Policy
from hackorda_ops.orchestration.jobs import of_assets
from hackorda_ops.orchestration.labels import labels
from hackorda_ops.orchestration.names import called
from hackorda_ops.orchestration.schedules import without_catching_up


def every_week(
    asset: dg.AssetsDefinition,
    name: str,
    database: Policy,
    *,
    kind: str,
    cron: str,
    schedule: str,
    doing: str,
    every_week_doing: str,
) -> dg.Definitions:
    """The asset, the job that looks at it, and the schedule of that.

    Args:
        asset: of one database.
        name: the database's name in databases.yaml.
        database: its policy.
        kind: the asset's name, which the job shares.
        cron: when, in the database's time zone.
        schedule: the schedule's name.
        doing: what the job does, as a sentence.
        every_week_doing: what the schedule does, as a sentence.
    """
    job = of_assets(
        dg.AssetSelection.assets(asset.key),
        name=called(name, kind),
        description=doing,
        tags=labels(name, kind),
    )
    ticks = without_catching_up(
        job,
        cron,
        timezone=database.schedule.timezone,
        name=called(name, schedule),
        description=every_week_doing,
        tags=labels(name, kind),
    )
    return dg.Definitions(assets=[asset], jobs=[job], schedules=[ticks])
