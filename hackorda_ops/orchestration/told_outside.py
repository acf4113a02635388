"""The heartbeats of the assets: the outside monitor hears of a step, and of its last attempt only where it fails."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import date
from functools import partial

import dagster as dg

from hackorda_ops.alerts.heartbeats import Heartbeat, heartbeat
from hackorda_ops.backup.due import Kind
from hackorda_ops.config import Database
from hackorda_ops.orchestration.failures import is_last


def told_outside(
    kind: Kind, database: Database, context: dg.AssetExecutionContext, environ: Mapping[str, str]
) -> AbstractContextManager[Heartbeat]:
    """The heartbeat around the core's work on a partition."""
    return heartbeat(
        kind,
        date.fromisoformat(context.partition_key),
        database,
        environ=environ,
        log=context.log.warning,
        is_last=partial(is_last, attempts_before=context.retry_number),
    )
