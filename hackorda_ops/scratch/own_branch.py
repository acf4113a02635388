"""A branch of ours with the source's database on it, for as long as a block runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from hackorda_ops.errors import TargetRefused
from hackorda_ops.neon import branches
from hackorda_ops.neon.branches import ScratchBranch
from hackorda_ops.neon.client import NeonClient
from hackorda_ops.neon.creation import BranchPoint
from hackorda_ops.neon.labels import Label
from hackorda_ops.postgres.catalogs.same_database import require_elsewhere
from hackorda_ops.postgres.sessions.connection import ConnectionTarget


@dataclass(frozen=True)
class OwnBranch:
    """A branch that is up, and answers.

    Attributes:
        branch: as Neon tells it.
        target: the source's database on it, as the role that owns it.
    """

    branch: ScratchBranch
    target: ConnectionTarget


@contextmanager
def opened_branch(
    client: NeonClient,
    source: ConnectionTarget,
    *,
    label: Label,
    point: BranchPoint,
    expires_at: datetime | None,
    parent_id: str | None = None,
) -> Iterator[OwnBranch]:
    """Makes a branch, and sees to it that it isn't the source. When the block ends, however it ends, it is deleted.

    Args:
        client: of the project.
        source: the live database.
        label: whose the branch is.
        point: where it leaves its parent.
        expires_at: see `branches.create_branch`.
        parent_id: the branch to make it from; default: the project's default branch.

    Raises:
        TargetRefused: it is the source's own server, or lacks the source's database.
        OpsError: it could not be made or reached, or (when the block ends) it is not gone.
    """
    branch = branches.create_branch(
        client, label=label, point=point, expires_at=expires_at, parent_id=parent_id
    )
    try:
        clone = next((one for one in client.databases(branch.branch_id) if one.name == source.database), None)
        if clone is None:
            raise TargetRefused(
                f"The branch {branch.name} has no database {source.database}.",
                meaning="The source is no database of this Neon project, so its history can't be tried out there.",
                next_step="Check the project in scratch.neon, and the source's connection string.",
            )
        target = branches.connection(client, branch, database=clone.name, role=clone.owner_name)
        require_elsewhere(source, target)
        yield OwnBranch(branch, target)
    finally:
        branches.delete_branch(client, branch.branch_id)
