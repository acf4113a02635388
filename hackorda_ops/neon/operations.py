"""Waits for what Neon does after it has answered."""

from collections.abc import Iterable

from hackorda_ops.errors import NeonRefused, Stalled
from hackorda_ops.neon.client import NeonClient
from hackorda_ops.neon.models import Operation
from hackorda_ops.postgres.sessions.connection import redact

# How long such work may take.
OPERATIONS_DEADLINE_SECONDS = 300.0
LONGEST_POLL_SECONDS = 2.0
_FIRST_POLL_SECONDS = 0.25


def wait_for(client: NeonClient, operations: Iterable[Operation]) -> None:
    """Waits until all these operations have succeeded.

    Raises:
        NeonRefused: one of them failed.
        Stalled: they did not finish within `OPERATIONS_DEADLINE_SECONDS`.
    """
    deadline = client.clock.monotonic() + OPERATIONS_DEADLINE_SECONDS
    for started in operations:
        operation, poll_seconds = started, _FIRST_POLL_SECONDS
        while not operation.succeeded:
            if operation.failed:
                raise NeonRefused(
                    f"Neon's operation {operation.action} ({operation.id}) ended as {operation.status}"
                    + (f": {redact(operation.error)}" if operation.error else "."),
                    meaning="Neon accepted the request but could not carry it out.",
                    next_step="Check the project's operations in the Neon console, then run again.",
                )
            if client.clock.monotonic() > deadline:
                raise Stalled(
                    f"Neon's operation {operation.action} ({operation.id}) is still {operation.status} "
                    f"after {OPERATIONS_DEADLINE_SECONDS:.0f} seconds.",
                    meaning="Neon accepted the request but has not finished it.",
                    next_step="Check the project's operations in the Neon console, then run again.",
                )
            client.clock.sleep(poll_seconds)
            poll_seconds = min(LONGEST_POLL_SECONDS, poll_seconds * 1.5)
            operation = client.operation(operation.id)


def operations_of(client: NeonClient, branch_id: str) -> tuple[Operation, ...]:
    """The recent operations of one branch: what to wait for if the answer that named them was lost."""
    return tuple(one for one in client.recent_operations() if one.branch_id == branch_id)
