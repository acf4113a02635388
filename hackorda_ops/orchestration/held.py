"""Whether a maintenance window holds what would start by itself."""

from collections.abc import Mapping

import dagster as dg

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.maintenance.window import held, words
from hackorda_ops.orchestration import clock


def held_by_maintenance(name: str, database: Policy, environ: Mapping[str, str]) -> dg.SkipReason | None:
    """Why nothing is started now; None outside of a window.

    Args:
        name: the database's name in databases.yaml.
        database: its configuration.
        environ: the environment.
    """
    window = held(Protected(name, database, environ), clock.now())
    if window is None:
        return None
    return dg.SkipReason(f"{words(window)} What was due meanwhile is started afterwards.")
