"""Which copy of a source is the primary: what a history offers whose copies can take the source's place.

Not every history does: a copy of Neon's is a branch like the primary; what Barman restores is a server on a scratch
machine, and stays one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hackorda_ops.history.base import Reach
from hackorda_ops.postgres.sessions.connection import ConnectionTarget


@dataclass(frozen=True)
class LiveCopy:
    """A branch as its keeper describes it now.

    Attributes:
        copy_id: by which the keeper knows it.
        name: unique.
        default: whether it's the primary.
        protected: whether the keeper refuses to delete it.
        parent_id: the branch it was made from.
        time: the time of the last commit that it took over, as far as the keeper says.
        made_at: when it was made.
        label: what was written to it when it was made (`labels.Label.annotation`); empty where it's not ours.
    """

    copy_id: str
    name: str
    default: bool
    protected: bool
    parent_id: str | None = None
    time: datetime | None = None
    made_at: datetime | None = None
    label: Mapping[str, str] | None = None

    @property
    def run(self) -> str:
        """The id of the recovery that made it; "" where none did."""
        return (self.label or {}).get("run", "")


class Primary(Protocol):
    """The source and the branches that can take its place. Every method raises the errors of whoever keeps them."""

    def reach(self) -> Reach:
        """How far back the history goes."""

    def now(self) -> tuple[LiveCopy, ...]:
        """Every branch there is."""

    def is_source(self, copy: LiveCopy) -> bool:
        """Whether the source, as it's configured here, is this branch."""

    def make(self, run: str, time: datetime) -> LiveCopy:
        """Makes a branch of the primary as of a time, and waits until it is up. It stays until somebody deletes it.

        Args:
            run: the id of the recovery.
            time: aware; the branch holds the last commit at or before it.

        Raises:
            PointGone: the history doesn't reach back to that time.
        """

    def target(self, copy: LiveCopy) -> ConnectionTarget:
        """The source's database on a branch, by its direct endpoint, as the role that owns it.

        Raises:
            TargetRefused: the branch has no such database, or that is the source's own address.
        """

    def rename(self, copy_id: str, name: str) -> None:
        """Gives a branch another name."""

    def make_primary(self, copy_id: str) -> None:
        """Makes a branch the primary, in place of the one that is."""

    def protect(self, copy_id: str) -> None:
        """Has the keeper refuse to delete a branch."""

    def replace(self, copy_id: str, *, by: str, keep_as: str, time: datetime | None = None) -> None:
        """Replaces what a branch holds; what it held stays, in a branch of its own.

        Args:
            copy_id: the branch to replace; its connection strings stay.
            by: the branch to take the data from; with a time, it may be the same.
            time: of the data, aware; None for what the other branch holds now.
            keep_as: the name of the branch that holds what was there.
        """

    def delete(self, copy_id: str) -> None:
        """Deletes a branch that a recovery made, and that is neither the primary nor protected."""

    def rename_by_hand(self, copy_id: str, name: str) -> str:
        """The command that does what `rename` does, without this product."""

    def make_primary_by_hand(self, copy_id: str) -> str:
        """The command that does what `make_primary` does, without this product."""
