"""The branches that killed runs left behind."""

from typing import Final

from hackorda_ops.history.alive import owner_lives
from hackorda_ops.neon import own_branch
from hackorda_ops.neon.client import NeonClient
from hackorda_ops.neon.models import LabelledBranch
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS

_RETRY_BUDGET_SECONDS: Final = 60.0


def names(
    client: NeonClient, name: str, source: ConnectionTarget, *, retry_budget_seconds: float
) -> tuple[str, ...]:
    """The names of the branches of a database's runs that are no longer running, oldest first.

    Args:
        client: of the project.
        name: the database's name in databases.yaml.
        source: the live database; runs show there that they live.
        retry_budget_seconds: how long to go on trying to reach it.

    Raises:
        NeonRefused, NeonUnavailable: Neon refused, or didn't answer.
        OpsError: the source can't be reached, so it's unknown which runs are still alive.
    """
    return tuple(found.branch.name for found in _left_behind(client, name, source, retry_budget_seconds))


def sweep(client: NeonClient, name: str, source: ConnectionTarget) -> tuple[str, ...]:
    """Deletes the branches of a database's runs that are no longer running.

    One that Neon won't delete doesn't keep the others from being deleted.

    Args:
        client: of the project.
        name: the database's name in databases.yaml.
        source: the live database.

    Raises:
        NeonRefused, NeonUnavailable, Stalled: Neon refused, or didn't answer.
        OpsError: the source can't be reached, so it's unknown which runs are still alive.
    """
    gone = own_branch.delete_each(client, _left_behind(client, name, source, _RETRY_BUDGET_SECONDS))
    return tuple(reversed(tuple(gone)))


def _left_behind(
    client: NeonClient, name: str, source: ConnectionTarget, retry_budget_seconds: float
) -> tuple[LabelledBranch, ...]:
    ours = own_branch.made_for(client, name, source)
    if not ours:
        return ()
    with (
        translated_errors(source, "Checking which runs are still alive"),
        connect(
            source,
            application_name="hackorda_ops sweep",
            settings=SHORT_SETTINGS,
            retry_budget_seconds=retry_budget_seconds,
        ) as connection,
    ):
        return tuple(found for found in ours if not owner_lives(connection, found.annotation))
