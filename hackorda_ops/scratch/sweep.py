"""What killed runs left behind: looked for, and removed.

A scratch is removed only where its name and its label say that a run for this database made it, and where that run
no longer shows that it lives (`alive.py`). Nothing else is ever touched.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hackorda_ops.environment import Protected
from hackorda_ops.neon.transport import RETRY_BUDGET_SECONDS
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.scratch.neon import NeonScratch
from hackorda_ops.scratch.place import Scratch
from hackorda_ops.scratch.server import ServerScratch


@contextmanager
def configured_scratch(
    protected: Protected,
    source: ConnectionTarget,
    *,
    neon_budget_seconds: float = RETRY_BUDGET_SECONDS,
) -> Iterator[Scratch]:
    """The scratch that a database's configuration names.

    Args:
        protected: the database.
        source: the live database.
        neon_budget_seconds: how long a call of Neon's API is repeated.

    Raises:
        ConfigError: its variables are missing.
        NeonRefused: the API key can't be one.
    """
    if protected.policy.scratch.server is not None:
        yield ServerScratch(protected.name, protected.scratch_server(), source)
        return
    with protected.neon(budget_seconds=neon_budget_seconds) as client:
        yield NeonScratch(protected.name, client, source)


def left_behind(protected: Protected, *, budget_seconds: float) -> tuple[str, ...]:
    """Looks what killed runs of this database left behind, and changes nothing.

    Args:
        protected: the database.
        budget_seconds: how long to go on trying to reach each of Neon's API and the servers.

    Returns:
        A name each, oldest first.

    Raises:
        OpsError: the scratch or the source said no, or nothing.
    """
    with _opened(protected, budget_seconds) as scratch:
        return scratch.left_behind(retry_budget_seconds=budget_seconds)


def sweep(protected: Protected) -> tuple[str, ...]:
    """Removes the scratch that killed runs of this database left behind.

    Returns:
        What was removed, a name each.

    Raises:
        OpsError: the scratch or the source said no, or nothing.
    """
    with _opened(protected, RETRY_BUDGET_SECONDS) as scratch:
        return scratch.sweep()


@contextmanager
def _opened(protected: Protected, neon_budget_seconds: float) -> Iterator[Scratch]:
    protected.require("source", "scratch")
    with tempfile.TemporaryDirectory(prefix="hackorda_ops-") as private:
        source = protected.source(private_folder=Path(private))
        with configured_scratch(protected, source, neon_budget_seconds=neon_budget_seconds) as scratch:
            yield scratch
