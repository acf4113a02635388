"""The history of a Neon project."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from hackorda_ops.errors import OpsError
from hackorda_ops.neon import own_branch
from hackorda_ops.neon.branches import ScratchBranch, branches_under
from hackorda_ops.neon.client import NeonClient
from hackorda_ops.neon.creation import BranchPoint
from hackorda_ops.neon.labels import NIGHT, Label, source_id
from hackorda_ops.neon.models import NeonBranch
from hackorda_ops.neon.own_branch import OwnBranch
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.scratch.history import Reach
from hackorda_ops.scratch.neon.scratch import NeonScratch


@dataclass(frozen=True)
class NeonHistory:
    """See `History`.

    Attributes:
        name: the protected database's name in databases.yaml.
        client: of the project.
        source: the live database.
    """

    name: str
    client: NeonClient
    source: ConnectionTarget

    def reach(self) -> Reach:
        """See `ProviderHistory.reach`."""
        project = self.client.project()
        return Reach(project.history_retention_seconds, project.created_at)

    def main(self) -> NeonBranch | None:
        """The project's default branch, if the source is its read-write compute."""
        return own_branch.find_main(self.client, self.source)

    def not_main(self) -> str:
        """See `ProviderHistory.not_main`."""
        return own_branch.not_main(self.source)

    def opened(
        self,
        *,
        purpose: str,
        run: str,
        point: BranchPoint,
        expires_at: datetime | None,
        parent_id: str | None = None,
        on_left: Callable[[ScratchBranch, OpsError], None] | None = None,
    ) -> AbstractContextManager[OwnBranch]:
        """See `ProviderHistory.opened`."""
        return own_branch.opened(
            self.client,
            self.source,
            label=self._label(purpose, run),
            point=point,
            expires_at=expires_at,
            parent_id=parent_id,
            on_left=on_left,
        )

    def still_there(self, *, purpose: str, run: str) -> tuple[str, ...]:
        """See `ProviderHistory.still_there`."""
        return branches_under(self.client, self._label(purpose, run))

    def delete_nights(self) -> Iterator[str]:
        """See `ProviderHistory.delete_nights`."""
        left = own_branch.made_for(self.client, self.name, self.source, {NIGHT})
        return own_branch.delete_each(self.client, left)

    def sweep(self) -> tuple[str, ...]:
        """See `Scratch.sweep`."""
        return NeonScratch(self.name, self.client, self.source).sweep()

    def _label(self, purpose: str, run: str) -> Label:
        return Label(self.name, source_id(self.source), run, purpose)
