"""Scratch: the place a drill restores into, and takes down again."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.postgres.sessions.connection import ConnectionTarget


@dataclass(frozen=True)
class ComparableBranch:
    """The source's own database on a branch of it.

    Attributes:
        target: where it is.
        parent_lsn: the position at which the branch left its parent; None where it's at head.
        reason: why the branch is not at the artifact's position; "" where it is.
    """

    target: ConnectionTarget
    parent_lsn: str | None
    reason: str


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Place:
    """A scratch that is up.

    Attributes:
        description: what and where it is, in words, without secrets.
        new_database: makes an empty database like the source on it, for a purpose ("restore", "twin"), and says how
            its engine reaches it.
        branch: the clone of the source that came with it; None on a scratch server.
        warnings: what its creator should know about it.
        administrator: any database of its server as a superuser, who creates what whoever restores may not; None where
            there is none, or that restores itself.
        more_rights: what to do where whoever restores there lacks a right; "" where the error's own remedy fits.
        interrupt: ends whatever works on it, from another thread, because its time is up.
    """

    description: str
    new_database: Callable[[str], Any]
    branch: ComparableBranch | None
    warnings: tuple[str, ...] = ()
    administrator: ConnectionTarget | None = None
    more_rights: str = ""
    interrupt: Callable[[], None] = _nothing


class Scratch(Protocol):
    """A place where a scratch can be made. Every method raises the errors of its server or API."""

    def left_behind(self, *, retry_budget_seconds: float) -> tuple[str, ...]:
        """The names of what killed runs of the same database left behind, oldest first. Changes nothing.

        Args:
            retry_budget_seconds: how long to go on trying to reach a server.
        """

    def sweep(self) -> tuple[str, ...]:
        """Removes what killed runs of the same database left behind, and nothing else.

        Returns:
            The names of what was removed.
        """

    def opened(self, manifest: Manifest, drill_id: str) -> AbstractContextManager[Place]:
        """A scratch for one drill. When the block ends, however it ends, it is taken down.

        Args:
            manifest: of the artifact to be restored.
            drill_id: the drill's, by which a later drill can tell whether this one is still running.

        Raises:
            TargetRefused: it is, or might be, the source, or can't hold what the source holds.
            OpsError: it could not be made, or (when the block ends) could not be removed.
        """
