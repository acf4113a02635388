"""Whether a maintenance window holds what would start by itself."""

from collections.abc import Mapping
from typing import Final

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import Stalled
from hackorda_ops.in_time import within
from hackorda_ops.maintenance.window import held, words
from hackorda_ops.orchestration import clock

# One that can't be read in time holds nothing, and nothing waits for it.
_READING_SECONDS: Final = 10.0


def held_by_maintenance(name: str, database: Policy, environ: Mapping[str, str]) -> str | None:
    """Why nothing is started now; None outside of a window.

    Args:
        name: the database's name in databases.yaml.
        database: its configuration.
        environ: the environment.
    """
    protected = Protected(name, database, environ)
    try:
        window = within(_READING_SECONDS, "Reading the window", lambda: held(protected, clock.now()))
    except Stalled:
        return None
    return f"{words(window)} What was due meanwhile is started afterwards." if window else None
