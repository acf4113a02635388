"""What every step of a cutover works with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hackorda_ops.artifacts.catalog import read_each
from hackorda_ops.config.cutover import CutoverPlan
from hackorda_ops.cutover.state import CutoverState
from hackorda_ops.cutover.target import plan_of, target_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactMissing
from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.progress import OnProgress

Say = Callable[[str], None]


@dataclass(frozen=True)
class Site:
    """A cutover at work.

    Attributes:
        protected: the database.
        state: how far it has got.
        private_folder: for certificates; gone afterwards.
        on_progress: called at every stage, from more than one thread.
        say: shows a line: what a hook prints, what was seen.
    """

    protected: Protected
    state: CutoverState
    private_folder: Path
    on_progress: OnProgress
    say: Say

    @property
    def plan(self) -> CutoverPlan:
        """How it is cut over."""
        return plan_of(self.protected)

    @property
    def jobs(self) -> int:
        """How many processes read and restore."""
        return self.protected.policy.dump.jobs

    def source(self) -> ConnectionTarget:
        """The old database."""
        return self.protected.source(private_folder=self.private_folder)

    def target(self) -> ConnectionTarget:
        """The new one."""
        return target_of(self.protected, private_folder=self.private_folder)

    def final_dump(self) -> PostgresManifest:
        """The manifest of the final dump.

        Raises:
            ArtifactMissing: it's no longer in the store.
        """
        store, wanted = self.protected.store, self.state.artifact_id or ""
        found = next(iter(read_each(store, self.protected.name, (wanted,))), None)
        if not isinstance(found, PostgresManifest):
            raise ArtifactMissing(
                f"The final dump {wanted} can't be read from {store.describe()}.",
                meaning="Without it nothing can be restored or compared.",
                next_step="Begin again: `hackorda-ops cutover run --restart`.",
            )
        return found
