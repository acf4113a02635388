"""The past of a source that its provider keeps: what nights, exercises and history checks ask for.

Not every provider of scratch keeps one (`Protected.policy.scratch.keeps_history`).
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hackorda_ops.errors import OpsError
from hackorda_ops.neon.branches import ScratchBranch
from hackorda_ops.neon.creation import BranchPoint
from hackorda_ops.neon.models import NeonBranch
from hackorda_ops.neon.own_branch import OwnBranch


@dataclass(frozen=True)
class Reach:
    """How far back a history goes.

    Attributes:
        window_seconds: how much of the past is kept.
        since: when it began; None where that isn't known.
    """

    window_seconds: int
    since: datetime | None


class ProviderHistory(Protocol):
    """The past of one source, opened by branches of it. Every method raises what the provider says."""

    def reach(self) -> Reach:
        """How far back it goes."""

    def main(self) -> NeonBranch | None:
        """What the source is, where it's what branches are made of; None where it isn't."""

    def not_main(self) -> str:
        """What to say where `main` is None, without a full stop."""

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
        """A branch of our own. When the block ends, however it ends, it is deleted.

        Args:
            purpose: what it's for, one of `neon.labels.PURPOSES`.
            run: the id of what makes it.
            point: where it leaves its parent.
            expires_at: when the provider is to remove it should we not; None where it has to have children.
            parent_id: the branch to make it from; default: what the source is.
            on_left: what to do where it can't be deleted; that is raised unless given.
        """

    def still_there(self, *, purpose: str, run: str) -> tuple[str, ...]:
        """The names of the branches that a run made for a purpose and that are still there, oldest first."""

    def delete_nights(self) -> Iterator[str]:
        """Deletes what nights left behind, and yields each name; the caller sees to it that no night lives."""

    def sweep(self) -> tuple[str, ...]:
        """See `Scratch.sweep`."""
