"""Branches for one purpose: created with proof of ownership, checked, and deleted again.

A branch is ours only if its annotation says so AND its name begins like ours. Anything else, and anything
protected or a project's default, is never touched.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from hackorda_ops.errors import NeonRefused, NeonUnavailable, OpsError, Stalled, TargetRefused
from hackorda_ops.history.labels import Label
from hackorda_ops.history.points import HistoryPoint
from hackorda_ops.neon.client import NeonClient
from hackorda_ops.neon.creation import request_branch
from hackorda_ops.neon.labels import NAME_PREFIX, is_ours, unique_name
from hackorda_ops.neon.models import CreatedBranch, Endpoint, LabelledBranch, NeonBranch
from hackorda_ops.neon.operations import (
    LONGEST_POLL_SECONDS,
    OPERATIONS_DEADLINE_SECONDS,
    operations_of,
    wait_for,
)
from hackorda_ops.neon.transport import AnswerLost
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, parse
from hackorda_ops.postgres.sessions.tls import verified

_DATABASE_BUDGET_SECONDS = 180.0
_LOOK_AGAIN_SECONDS = 0.25


@dataclass(frozen=True)
class ScratchBranch:
    """A running branch of ours.

    Attributes:
        branch_id: Neon's.
        name: unique.
        host: of its read-write compute, direct.
        parent_id: the branch it was made from.
        parent_lsn: where it left its parent, as Neon reports it.
        parent_timestamp: the time it left its parent, as Neon reports it.
        expires_at: when Neon removes it if we don't; None if Neon did not accept the date.
    """

    branch_id: str
    name: str
    host: str
    parent_id: str | None
    parent_lsn: str | None
    parent_timestamp: datetime | None
    expires_at: datetime | None


def create_branch(
    client: NeonClient,
    *,
    label: Label,
    point: HistoryPoint,
    expires_at: datetime | None,
    parent_id: str | None = None,
) -> ScratchBranch:
    """Creates a branch with a compute, and waits until it is up. On failure, no branch that it knows of is left.

    Args:
        client: of the project.
        label: whose it is; the whole label must match before a branch found after a lost answer counts as ours.
        point: where it leaves its parent.
        expires_at: when Neon should remove it if we never do (aware, at most 30 days ahead); None if it
            needs children, which an expiring branch can't have: then only a sweep removes it.
        parent_id: the branch to make it from; default: the project's default branch.

    Raises:
        NeonRefused: a limit, a position outside the history, an operation that failed, a pooled host.
        NeonUnavailable: no usable answer within the budgets.
        Stalled: the operations did not finish in time.
    """
    name = unique_name(label, now=datetime.now(UTC), token=secrets.token_hex(3))
    made = request_branch(
        client, name=name, label=label, point=point, expires_at=expires_at, parent_id=parent_id
    )
    try:
        wait_for(client, made.operations)
        return _ready(client, made)
    except BaseException as error:
        try:
            delete_branch(client, made.branch.id)
        except OpsError as failure:
            error.add_note(f"The branch {name} could not be deleted either ({failure.what}); the sweep will.")
        raise


def without_expiry(branch: ScratchBranch) -> tuple[str, ...]:
    """A warning about a branch without an expiry, because Neon did not accept the date. Pure."""
    if branch.expires_at is not None:
        return ()
    return (
        f"Neon accepted no expiry for the branch {branch.name}: if its run is killed, only a sweep removes it.",
    )


def is_compute_of(client: NeonClient, branch_id: str, host: str) -> bool:
    """Whether a host is the address of a branch's read-write compute.

    Args:
        client: the project's client.
        branch_id: the branch's id.
        host: a host name, direct or pooled.
    """
    return _compute(host) in {
        _compute(endpoint.host) for endpoint in client.endpoints(branch_id) if endpoint.type == "read_write"
    }


def connection(client: NeonClient, branch: ScratchBranch, *, database: str, role: str) -> ConnectionTarget:
    """How to connect to a database of this branch, and only of this one.

    Args:
        client: the project's client.
        branch: a branch of ours.
        database: the database's name.
        role: the role that logs in.

    Raises:
        TargetRefused: Neon returned an address that isn't the branch's own direct one, or not the requested one.
        NeonRefused: Neon returns no password for the role.
    """
    told = client.connection_uri(branch.branch_id, database=database, role=role)
    target = verified(parse(told, origin="Neon's API"))
    _require_direct(target.host)
    if target.host != branch.host:
        raise TargetRefused(
            f"Neon gave the address {target.host} for the branch {branch.name}, whose compute is {branch.host}.",
            meaning="That address might be production's. No connection was opened.",
            next_step="Check the branch's compute in the Neon console, and report it to Neon.",
        )
    if (target.database, target.user) != (database, role):
        raise TargetRefused(
            f"Neon returned an address of the database {target.database} for the role {target.user}, but the "
            f"database {database} and the role {role} were requested.",
            meaning="That is a different database or role. No connection was opened.",
            next_step="Run again, and report it to Neon if it happens again.",
        )
    if not target.password:
        raise NeonRefused(
            f"Neon returns no password for the role {role} on the branch {branch.name}.",
            meaning="The project doesn't store passwords, or the role was created by SQL, so Neon doesn't know it.",
            next_step="Enable password storage for the project, or reset the role's password in the Neon console.",
        )
    return target


def create_database(client: NeonClient, branch: ScratchBranch, *, name: str, owner: str) -> None:
    """Creates a new, empty database on a branch of ours, and waits for it.

    Args:
        client: the project's client.
        branch: a branch of ours.
        name: the new database's name.
        owner: the role that owns it.

    Raises:
        TargetRefused: the branch already has a database of that name.
    """
    if _has_database(client, branch, name):
        raise TargetRefused(
            f"The branch {branch.name} already has a database called {name}.",
            meaning="It came with the clone, so it is not empty, and a restore into it would prove nothing.",
            next_step="Choose another name for the database to restore into.",
        )
    deadline = client.clock.monotonic() + _DATABASE_BUDGET_SECONDS
    while True:
        try:
            operations = client.create_database(branch.branch_id, name=name, owner=owner)
        except AnswerLost:
            if client.clock.monotonic() > deadline:
                raise
            # Requested again if it isn't there: on this branch of ours a second request for the same name
            # is refused as a duplicate, which means that our own first request created it.
            client.clock.sleep(LONGEST_POLL_SECONDS)
            if not _has_database(client, branch, name):
                continue
            operations = None
        wait_for(client, operations_of(client, branch.branch_id) if operations is None else operations)
        return


def delete_branch(client: NeonClient, branch_id: str) -> None:
    """Deletes a branch of ours and waits until Neon no longer lists it; one that is already gone is fine.

    Raises:
        TargetRefused: it is not ours, or protected, or the project's default branch.
        Stalled: Neon still lists it when the deadline is over.
    """
    name = branch_id
    # The list decides: requests for a single branch, deletion included, can return 404 while it still exists.
    for _ in client.clock.rounds(OPERATIONS_DEADLINE_SECONDS, pause_seconds=_LOOK_AGAIN_SECONDS):
        listed = _listed(client, branch_id)
        if listed is None:
            return
        _require_ours(listed)
        name = listed.branch.name
        wait_for(client, client.delete_branch(branch_id))
    raise Stalled(
        f"Neon still lists the branch {name} ({branch_id}) after deleting it.",
        meaning="It may still cost money.",
        next_step="Delete it in the Neon console.",
    )


def list_own_branches(client: NeonClient) -> tuple[LabelledBranch, ...]:
    """All branches that this product made, oldest first: what a sweep may remove once its run has ended."""
    ours = [found for found in client.branches(search=NAME_PREFIX) if is_ours(found)]
    return tuple(sorted(ours, key=lambda found: found.branch.created_at or datetime.min.replace(tzinfo=UTC)))


def branches_under(client: NeonClient, label: Label) -> tuple[str, ...]:
    """The names of the branches that were made under a label and are still there, oldest first."""
    return tuple(
        found.branch.name for found in list_own_branches(client) if found.annotation == label.annotation()
    )


def _listed(client: NeonClient, branch_id: str) -> LabelledBranch | None:
    return next((one for one in client.branches(search=branch_id) if one.branch.id == branch_id), None)


def _require_ours(labelled: LabelledBranch) -> None:
    branch = labelled.branch
    if not is_ours(labelled):
        raise TargetRefused(
            f"The branch {branch.name} ({branch.id}) is not one that this product made"
            + (", it is the project's default branch" if branch.default else "")
            + (", it is protected" if branch.protected else "")
            + ".",
            meaning="It was not deleted: somebody may need its data.",
            next_step="Delete it in the Neon console if nobody needs it.",
        )


def _ready(client: NeonClient, made: CreatedBranch) -> ScratchBranch:
    for _ in client.clock.rounds(OPERATIONS_DEADLINE_SECONDS, pause_seconds=LONGEST_POLL_SECONDS):
        labelled = client.branch(made.branch.id)
        # A branch can answer 404 straight after its creation.
        if labelled is not None and labelled.branch.current_state != "init":
            # Read again instead of using the first answer: by now Neon has resolved position and time.
            return _scratch(labelled.branch, made.endpoints or client.endpoints(made.branch.id))
    raise NeonUnavailable(
        f"The branch {made.branch.name} was created, but Neon does not show it as ready.",
        meaning="It can't be used.",
        next_step="Check the branch in the Neon console, then run again.",
    )


def _scratch(branch: NeonBranch, endpoints: tuple[Endpoint, ...]) -> ScratchBranch:
    hosts = [endpoint.host for endpoint in endpoints if endpoint.type == "read_write"]
    if not hosts:
        raise NeonRefused(
            f"The branch {branch.name} has no read-write compute.",
            meaning="Nothing can connect to it.",
            next_step="Check the project's computes and their limit in the Neon console, then run again.",
        )
    _require_direct(hosts[0])
    return ScratchBranch(
        branch_id=branch.id,
        name=branch.name,
        host=hosts[0],
        parent_id=branch.parent_id,
        parent_lsn=branch.parent_lsn,
        parent_timestamp=branch.parent_timestamp,
        expires_at=branch.expires_at,
    )


def _require_direct(host: str) -> None:
    if host.split(".", maxsplit=1)[0].endswith("-pooler"):
        raise TargetRefused(
            f"Neon returned the pooled address {host}.",
            meaning="Restore and comparison need their own sessions, which a pooler doesn't provide.",
            next_step="Report it to Neon: a direct address was requested.",
        )


def _compute(host: str) -> str:
    # The first label is the compute's id; the rest is one of several routes to it.
    return host.lower().partition(".")[0]


def _has_database(client: NeonClient, branch: ScratchBranch, name: str) -> bool:
    return any(database.name == name for database in client.databases(branch.branch_id))
