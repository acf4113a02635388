"""The one way to a branch of ours: made for one purpose, seen not to be the source, and deleted again.

Nights, drills, exercises and history checks all come here, and so does whoever removes what a killed one left.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from hackorda_ops.errors import NeonRefused, OpsError, TargetRefused
from hackorda_ops.history.labels import PURPOSES, Label
from hackorda_ops.history.points import AtHead, HistoryPoint
from hackorda_ops.neon import branches
from hackorda_ops.neon.branches import ScratchBranch
from hackorda_ops.neon.client import NeonClient
from hackorda_ops.neon.labels import is_of
from hackorda_ops.neon.models import LabelledBranch, NeonBranch, NeonDatabase
from hackorda_ops.postgres.catalogs.same_database import require_elsewhere
from hackorda_ops.postgres.sessions.connection import ConnectionTarget

CORRECT_THE_PROJECT = "Correct scratch.neon's project id or the source's connection string"


@dataclass(frozen=True)
class OwnBranch:
    """A branch that is up, answers, and is not the source.

    Attributes:
        branch: as Neon describes it.
        target: a database on it, as the role that owns it.
        owner: that role.
        refusal: why it is at head, where Neon makes none at the point that was asked for; "" otherwise.
        warnings: what whoever uses it should know of it.
    """

    branch: ScratchBranch
    target: ConnectionTarget
    owner: str
    refusal: str
    warnings: tuple[str, ...]


@contextmanager
def opened(
    client: NeonClient,
    source: ConnectionTarget,
    *,
    label: Label,
    point: HistoryPoint,
    expires_at: datetime | None,
    parent_id: str | None = None,
    or_at_head: bool = False,
    any_database: bool = False,
    on_left: Callable[[ScratchBranch, OpsError], None] | None = None,
) -> Iterator[OwnBranch]:
    """Creates a branch, and makes sure it isn't the source. When the block ends, however it ends, it is deleted.

    Args:
        client: of the project.
        source: the live database.
        label: whose the branch is.
        point: where it leaves its parent.
        expires_at: see `branches.create_branch`.
        parent_id: the branch to make it from; default: the project's default branch.
        or_at_head: whether a branch at head will do where Neon makes none at that point.
        any_database: whether another database will do where the branch doesn't have the source's.
        on_left: what to do where it can't be deleted; that is raised unless given.

    Raises:
        TargetRefused: it is the source's own server, or lacks the source's database.
        OpsError: it could not be made or reached, or (when the block ends) could not be removed.
    """

    def made_at(where: HistoryPoint) -> ScratchBranch:
        return branches.create_branch(
            client, label=label, point=where, expires_at=expires_at, parent_id=parent_id
        )

    try:
        branch, refusal = made_at(point), ""
    except NeonRefused as error:
        if not or_at_head:
            raise
        # Anything that refuses branches in general will refuse the next one with the same message.
        branch, refusal = made_at(AtHead()), error.what
    try:
        clone = _clone(client, branch, source.database, any_database=any_database)
        target = branches.connection(client, branch, database=clone.name, role=clone.owner_name)
        require_elsewhere(source, target)
        warnings = () if expires_at is None else branches.without_expiry(branch)
        yield OwnBranch(branch, target, clone.owner_name, refusal, warnings)
    finally:
        try:
            # It waits until Neon no longer lists the branch.
            branches.delete_branch(client, branch.branch_id)
        except OpsError as error:
            if on_left is None:
                raise
            on_left(branch, error)


def find_main(client: NeonClient, source: ConnectionTarget) -> NeonBranch | None:
    """The project's default branch, if the source is its read-write compute.

    Args:
        client: of the project.
        source: the live database.

    Raises:
        NeonRefused, NeonUnavailable: Neon refused, or didn't answer.
    """
    for found in client.branches():
        if found.branch.default and branches.is_compute_of(client, found.branch.id, source.host):
            return found.branch
    return None


def not_main(source: ConnectionTarget) -> str:
    """What to say where `find_main` finds none. Pure."""
    return f"{source.describe()} is not the compute of the Neon project's default branch"


def made_for(
    client: NeonClient, name: str, source: ConnectionTarget, purposes: Collection[str] = PURPOSES
) -> tuple[LabelledBranch, ...]:
    """The branches of ours that runs of a database made, and that are still there, oldest first.

    Args:
        client: of the project.
        name: the database's name in databases.yaml.
        source: the live database.
        purposes: what they were made for.
    """
    return tuple(
        found
        for found in branches.list_own_branches(client)
        if is_of(found, name, source) and found.annotation.get("purpose") in purposes
    )


def delete_each(client: NeonClient, left: Sequence[LabelledBranch]) -> Iterator[str]:
    """Deletes branches that killed runs left behind; one that Neon won't delete keeps none of the others.

    Args:
        client: of the project.
        left: oldest first.

    Yields:
        The name of each that is gone.

    Raises:
        NeonRefused: some are still there, when the others are gone.
        NeonUnavailable, Stalled: Neon said nothing, or did not finish.
    """
    refusals: list[NeonRefused] = []
    # Newest first: a branch of a branch is younger, and must be deleted before it.
    for found in reversed(left):
        try:
            branches.delete_branch(client, found.branch.id)
        except NeonRefused as refusal:
            refusals.append(refusal)
        else:
            yield found.branch.name
    if refusals:
        raise NeonRefused(
            "\n".join(refusal.what for refusal in refusals),
            meaning=f"{len(refusals)} of {len(left)} branches that killed runs left behind are still there. "
            f"{refusals[0].meaning}",
            next_step=refusals[0].next_step,
            code=refusals[0].code,
        )


def _clone(client: NeonClient, branch: ScratchBranch, database: str, *, any_database: bool) -> NeonDatabase:
    found = client.databases(branch.branch_id)
    clone = next((one for one in found if one.name == database), None)
    if clone is None and any_database and found:
        return found[0]
    if clone is None:
        raise TargetRefused(
            f"The branch {branch.name} has no database {database}, but the source has."
            if found
            else f"The branch {branch.name} lists no database.",
            meaning="It is not a branch of the source, or Neon does not know that database. Nothing was opened there.",
            next_step=f"{CORRECT_THE_PROJECT}, then run again."
            if found
            else "Create a database on the project's main branch in the Neon console, then run again.",
        )
    return clone
