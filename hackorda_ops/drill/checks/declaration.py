"""What a check of a drill says of itself, and what it is given to work with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.config.models import Policy
from hackorda_ops.drill.record import Record
from hackorda_ops.environment import Protected
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.tools.clients import Clients
from hackorda_ops.progress import OnProgress
from hackorda_ops.proof.check import Declaration
from hackorda_ops.scratch.place import Place


@dataclass(frozen=True)
class Drilling:
    """A drill that has chosen its artifact, as every step and check finds it.

    Attributes:
        record: where they record what they see.
        protected: the database.
        manifest: the artifact's.
        folder: where the artifact was fetched to; what is dumped for comparison goes next to it.
        source: the live database, read only.
        on_progress: called at every stage.
        past: the database's artifacts in the store and off-site, this one among them, for the growth of
            its tables.
        seed: decides what the comparison's test alters; None for a new one.
    """

    record: Record
    protected: Protected
    manifest: Manifest
    folder: Path
    source: ConnectionTarget
    on_progress: OnProgress
    past: Sequence[Manifest] = ()
    seed: int | None = None

    @property
    def policy(self) -> Policy:
        """The database's configuration."""
        return self.protected.policy


@dataclass(frozen=True)
class Copy:
    """The artifact, restored on scratch.

    Attributes:
        drilling: the drill.
        place: the scratch, for another database on it.
        target: the restored database.
        connection: a session on it, in autocommit: whoever opens a transaction also ends it.
        tools: the client tools of its server.
    """

    drilling: Drilling
    place: Place
    target: ConnectionTarget
    connection: psycopg.Connection[Any]
    tools: Clients


def _nothing(_: Policy) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class DrillCheck(Declaration):
    """One thing that a drill proves, as the report, Dagster and the verdict need to know it.

    Attributes:
        lacking: what the check needs and a database's configuration doesn't give it, in words; "" where the
            check can be made.
        run: makes it on the restored copy and writes down what it saw (`Record.check`, `not_measured`); an
            error that it raises ends the drill. None for what another check makes as well, or the drill on
            its way: fetching, restoring, taking down.
        changes_copy: whether the copy isn't as it was restored afterwards: such checks run after all others.
    """

    lacking: Callable[[Policy], str] = _nothing
    run: Callable[[Copy], None] | None = None
    changes_copy: bool = False
