"""Scratch: the place a drill restores into, and takes down again."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from hackorda_ops.backup.manifest import Manifest
from hackorda_ops.errors import TargetRefused
from hackorda_ops.postgres import source_catalog
from hackorda_ops.postgres.connection import ConnectionTarget
from hackorda_ops.postgres.same_database import closeness
from hackorda_ops.postgres.session import connect, translated_errors


@dataclass(frozen=True)
class Branch:
    """The source's own database on a branch of it.

    Attributes:
        target: where it is.
        parent_lsn: the position at which the branch left its parent; None where it's at head.
        reason: why the branch is not at the artifact's position; "" where it is.
    """

    target: ConnectionTarget
    parent_lsn: str | None
    reason: str


@dataclass(frozen=True)
class Place:
    """A scratch that is up.

    Attributes:
        description: what and where it is, in words, without secrets.
        new_database: makes an empty database like the source on it, for a purpose ("restore", "twin").
        branch: the clone of the source that came with it; None on a scratch server.
        warnings: what its maker should know of it.
    """

    description: str
    new_database: Callable[[str], ConnectionTarget]
    branch: Branch | None
    warnings: tuple[str, ...] = ()


class Scratch(Protocol):
    """Somewhere that a scratch can be made. Every method raises what its server or API says."""

    def sweep(self) -> tuple[str, ...]:
        """Removes what killed drills of the same database left behind, and nothing else.

        Returns:
            What was removed, a name each.
        """

    def opened(self, manifest: Manifest, drill_id: str) -> AbstractContextManager[Place]:
        """A scratch for one drill. When the block ends, however it ends, it is taken down.

        Args:
            manifest: of the artifact to be restored.
            drill_id: the drill's, by which a later drill can tell whether this one lives.

        Raises:
            TargetRefused: it is, or might be, the source, or can't hold what the source holds.
            OpsError: it could not be made, or (when the block ends) it is not gone.
        """


def require_elsewhere(source: ConnectionTarget, scratch: ConnectionTarget) -> None:
    """Refuses a scratch on the source's own server. Nothing is written on either side.

    Not even another database there will do: a drill loads the server, runs the team's migrations
    and drops databases, and a copy beside the source proves nothing about losing that server.

    Args:
        source: the live database.
        scratch: any database of the scratch.

    Raises:
        TargetRefused: they are the same server.
        OpsError: one of them can't be reached.
    """
    name = "hackorda_ops drill"
    with (
        translated_errors(source, "Making sure that the scratch is not the source"),
        connect(source, application_name=name) as live,
        connect(scratch, application_name=name) as there,
    ):
        timelines = [source_catalog.read_source(each).neon_timeline for each in (live, there)]
        same_branch = timelines[0] is not None and timelines[0] == timelines[1]
        if closeness(live, there) == "different servers" and not same_branch:
            return
    raise TargetRefused(
        f"The scratch {scratch.describe()} is on the source's own server ({source.describe()}).",
        meaning="Nothing was restored there, and nothing was touched: it might be production.",
        next_step="Point the scratch at another server, or at the Neon project to branch.",
    )
