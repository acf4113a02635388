"""The heartbeats of the assets: the monitor is called for a step, for a failure only after its last attempt."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial

import dagster as dg

from hackorda_ops.alerts.heartbeats import Heartbeat, heartbeat
from hackorda_ops.calendar.due import DueKind
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.orchestration.failures import is_last
from hackorda_ops.unforeseen import as_error


@contextmanager
def told_outside(
    kind: DueKind, protected: Protected, context: dg.AssetExecutionContext
) -> Iterator[Heartbeat]:
    """The heartbeat around the core's work on a partition.

    Args:
        kind: which kind of partition.
        protected: the database.
        context: the context of the asset's step.

    Raises:
        PermanentError: in place of an unexpected error, because Dagster keeps the message of whatever a step
            raises, and those may quote a row.
    """
    calls = heartbeat(
        kind,
        date.fromisoformat(context.partition_key),
        protected.policy.schedule,
        monitor=protected.monitor(kind),
        log=context.log.warning,
        is_last=partial(is_last, attempts_before=context.retry_number),
    )
    try:
        with calls as said:
            yield said
    except (OpsError, dg.DagsterError, dg.Failure, dg.RetryRequested):
        raise
    except Exception as error:  # noqa: BLE001
        # Raised below, where no chain leads to the words of this one.
        shown = as_error(error, meaning="The work is not done.", next_step="Report it with these lines.")
    else:
        return
    raise shown
