"""Finds and removes what killed runs left behind.

A scratch is removed only where its name and its label say that a run for this database made it, and where that run
no longer shows that it is running (`alive.py`); a server on this machine only where its file lock is free. Nothing
else is ever touched.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from hackorda_ops.environment import Protected
from hackorda_ops.histories import registry as histories
from hackorda_ops.history.base import History
from hackorda_ops.own_folders import private_folder
from hackorda_ops.scratch import registry
from hackorda_ops.scratch.local.scratch import scratch_of
from hackorda_ops.scratch.place import Scratch


def left_behind(protected: Protected, *, budget_seconds: float) -> tuple[str, ...]:
    """Lists what killed runs of this database left behind, and changes nothing.

    Args:
        protected: the database.
        budget_seconds: how long to go on trying to reach each of the provider's API and the servers.

    Returns:
        A name each, oldest first.

    Raises:
        OpsError: the scratch or the source refused, or didn't answer.
    """
    local = scratch_of(protected).left_behind()
    if _only_here(protected, local):
        return local
    with _opened(protected, budget_seconds) as (scratch, history):
        left = scratch.left_behind(retry_budget_seconds=budget_seconds)
        beside = history.left_behind(retry_budget_seconds=budget_seconds) if history is not None else ()
        return (*local, *left, *beside)


def sweep(protected: Protected) -> tuple[str, ...]:
    """Removes the scratch that killed runs of this database left behind.

    Returns:
        The names of what was removed.

    Raises:
        OpsError: the scratch or the source refused, or didn't answer.
    """
    local = scratch_of(protected).sweep()
    if _only_here(protected, local):
        return local
    with _opened(protected) as (scratch, history):
        return (*local, *scratch.sweep(), *(history.sweep() if history is not None else ()))


def _only_here(protected: Protected, local: tuple[str, ...]) -> bool:
    """Whether there's nowhere else to look than on this machine."""
    return not registry.provider_of(protected.policy).outlives or bool(local and not protected.has("scratch"))


@contextmanager
def _opened(
    protected: Protected, budget_seconds: float | None = None
) -> Iterator[tuple[Scratch, History | None]]:
    """The scratch, and the history where that is another one."""
    protected.require("source", "scratch")
    with private_folder() as private, ExitStack() as made:
        source = protected.source(private_folder=private)
        scratch = made.enter_context(registry.opened(protected, source, budget_seconds=budget_seconds))
        history = None
        if protected.policy.history is not None:
            opened = histories.history_of(protected, source, budget_seconds=budget_seconds)
            history = made.enter_context(opened)
        yield scratch, history
