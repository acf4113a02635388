"""Whether a Neon project has room for a drill."""

from collections.abc import Iterator
from datetime import UTC, datetime

from hackorda_ops.concerns import Concern, Looked, concern_of
from hackorda_ops.errors import OpsError, TargetRefused
from hackorda_ops.histories.neon.history import TRAITS
from hackorda_ops.histories.window import window_concerns
from hackorda_ops.history.base import Reach
from hackorda_ops.neon.client import NeonClient
from hackorda_ops.neon.models import Project
from hackorda_ops.scratch.neon.scratch import not_in_history, require_room
from hackorda_ops.scratch.preflight import Wanted, look_at_clients, major_concerns
from hackorda_ops.words import duration


def look_at_neon(client: NeonClient, wanted: Wanted, *, history_days: float) -> Iterator[Looked]:
    """Whether a Neon project has room for a drill's branch, and how far its history reaches back.

    Args:
        client: of the project.
        wanted: what the scratch has to be like.
        history_days: how far back the policy requires it to reach.
    """
    try:
        project = client.project()
        branches = len(client.branches())
    except OpsError as error:
        yield Looked("scratch", "", (concern_of(error, "stops the drill"),))
        return
    reach = Reach(project.history_retention_seconds, project.created_at)
    kept = duration(reach.window_seconds)
    yield Looked(
        "scratch",
        f"Neon project {project.name}, Postgres {project.pg_version}, {branches} branch(es), history of {kept}",
        (*_project_concerns(project, branches, wanted), *window_concerns(reach, history_days, TRAITS)),
    )
    yield from look_at_clients(project.pg_version, wanted)


def _project_concerns(project: Project, branches: int, wanted: Wanted) -> Iterator[Concern]:
    limit = project.owner.branches_limit if project.owner else None
    if limit and branches >= limit:
        yield Concern(
            "stops the drill",
            f"The Neon project has {branches} branches, and its plan allows {limit}.",
            "A drill can't create its own.",
            "Delete unneeded branches in the Neon console, or choose a larger plan.",
            TargetRefused,
        )
    yield from major_concerns(wanted.major, project.pg_version)
    if wanted.inventory is not None:
        try:
            require_room(project, wanted.inventory.size_bytes)
        except TargetRefused as error:
            yield concern_of(error, "stops the drill")
    reason = not_in_history(wanted.newest, project, now=datetime.now(UTC)) if wanted.newest else ""
    if reason:
        yield Concern(
            "worth knowing",
            f"The provider's history can't be compared with the dump: {reason}.",
            "A drill still restores and compares the artifact, on a branch at head.",
            "Drill right after the week's copy, or lengthen the history in the Neon console.",
        )
