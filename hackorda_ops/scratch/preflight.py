"""What a scratch has to offer before a drill restores on it: a plain server's part, and a Neon project's."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.concerns import Concern, Looked, concern_of, looked
from hackorda_ops.errors import OpsError, TargetRefused
from hackorda_ops.neon.client import NeonClient
from hackorda_ops.neon.models import Project
from hackorda_ops.postgres.catalogs.inventory import Extension, Inventory
from hackorda_ops.postgres.catalogs.same_database import require_elsewhere
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.scratch.limits import limit_concerns, read_limits
from hackorda_ops.scratch.neon import not_in_history, require_room
from hackorda_ops.scratch.server import ServerScratch

_APPLICATION_NAME = "hackorda_ops preflight"
_RETRY_BUDGET_SECONDS = 10


@dataclass(frozen=True)
class Wanted:
    """What the scratch has to be like.

    Attributes:
        inventory: of the source, or of the newest artifact where the source doesn't answer; None
            where nobody knows yet.
        newest: the newest off-site artifact; None before the first.
        source: the live database's endpoint; None where nothing answers there.
        find_clients: looks for the client tools of a major version; raises ClientMissing.
        jobs: how many tables a drill restores and compares at a time.
    """

    inventory: Inventory | None
    newest: Manifest | None
    source: ConnectionTarget | None
    find_clients: Callable[[int], Looked]
    jobs: int = 2

    @property
    def major(self) -> int | None:
        """The source's major version."""
        return self.inventory.source.server_version_number // 10_000 if self.inventory else None


def look_at_scratch_server(name: str, admin: ConnectionTarget, wanted: Wanted) -> Iterator[Looked]:
    """Whether a plain server can take a drill of a database.

    A database like the source is made there and dropped again, as nothing else shows that it can be
    made; not where the server might be the source's own.

    Args:
        name: the database's name in databases.yaml.
        admin: any database of the server, as a role that may create databases.
        wanted: what it has to be like.
    """
    try:
        with (
            translated_errors(admin, "Looking at the scratch server"),
            connect(
                admin, application_name=_APPLICATION_NAME, retry_budget_seconds=_RETRY_BUDGET_SECONDS
            ) as session,
        ):
            major = session.info.server_version // 10_000
            offered: dict[str, str] = dict(
                session.execute("SELECT name, default_version FROM pg_catalog.pg_available_extensions")
            )
            limits = read_limits(session)
    except OpsError as error:
        yield Looked("scratch", "", (concern_of(error, "stops the drill"),))
        return
    yield Looked(
        "scratch", f"Postgres {major} at {admin.describe()}", tuple(major_concerns(wanted.major, major))
    )
    yield from _look_at_clients(major, wanted)
    if wanted.inventory is None:
        return
    identity, extensions = wanted.inventory.source, wanted.inventory.extensions
    yield Looked(
        "extensions",
        f"{len(offered)} offered, {len(extensions)} needed",
        tuple(extension_concerns(extensions, offered)),
    )
    yield Looked(
        "scratch limits",
        f"{limits.connections} connections free",
        tuple(limit_concerns(limits, jobs=wanted.jobs, inventory=wanted.inventory)),
    )
    if wanted.source is None:
        return
    source = wanted.source

    def try_out() -> str:
        require_elsewhere(source, admin)
        ServerScratch(name, admin, source).try_out(identity)
        return "another server than the source's; a database like it was made there, and dropped"

    yield looked("new database", "stops the drill", try_out)


def look_at_neon(client: NeonClient, wanted: Wanted, *, history_days: float) -> Iterator[Looked]:
    """Whether a Neon project has room for a drill's branch, and how far its history reaches back.

    Args:
        client: of the project.
        wanted: what the scratch has to be like.
        history_days: how far the policy wants it to reach.
    """
    try:
        project = client.project()
        branches = len(client.branches())
    except OpsError as error:
        yield Looked("scratch", "", (concern_of(error, "stops the drill"),))
        return
    window = timedelta(seconds=project.history_retention_seconds)
    yield Looked(
        "scratch",
        f"Neon project {project.name}, Postgres {project.pg_version}, {branches} branch(es), history of {window}",
        (*_project_concerns(project, branches, wanted), *history_concerns(window, history_days)),
    )
    yield from _look_at_clients(project.pg_version, wanted)


def history_concerns(window: timedelta, policy_days: float) -> Iterator[Concern]:
    """Whether a project's history window is as long as the policy says. Pure."""
    policy = timedelta(days=policy_days)
    if window < policy:
        yield Concern(
            "worth knowing",
            f"The project's history window is {window}, and the policy asks for {policy}.",
            "A mistake, or a missed night, can be gone back to for no longer than that.",
            "Lengthen it in the Neon console, or change objectives.history_days.",
        )


def _look_at_clients(major: int, wanted: Wanted) -> Iterator[Looked]:
    """A restore takes the tools of the scratch's own version; those of the source's were looked for before."""
    if major != wanted.major:
        yield looked("scratch clients", "stops the drill", lambda: wanted.find_clients(major))


def _project_concerns(project: Project, branches: int, wanted: Wanted) -> Iterator[Concern]:
    limit = project.owner.branches_limit if project.owner else None
    if limit and branches >= limit:
        yield Concern(
            "stops the drill",
            f"The Neon project has {branches} branches, and its plan allows {limit}.",
            "A drill can't make its own.",
            "Delete branches that nobody needs in the Neon console, or take a larger plan.",
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
            "A drill restores and compares the artifact all the same, on a branch at head.",
            "Drill right after the week's copy, or lengthen the history in the Neon console.",
        )


def major_concerns(source_major: int | None, scratch_major: int) -> Iterator[Concern]:
    """Whether a scratch's major version fits the source's, where that is known. Pure."""
    if source_major is None:
        return
    if scratch_major < source_major:
        yield Concern(
            "stops the drill",
            f"The scratch runs Postgres {scratch_major}, and the source {source_major}.",
            "An older server can't take a newer one's dump.",
            f"Drill on a server of Postgres {source_major}.",
            TargetRefused,
        )
    elif scratch_major > source_major:
        yield Concern(
            "worth knowing",
            f"The scratch runs Postgres {scratch_major}, and the source {source_major}.",
            "A drill shows that the backup comes back on the newer version, where some things have other words: "
            "differences in the schema may come from that.",
            f"Drill on a server of Postgres {source_major}, unless that's what you want to know.",
        )


def extension_concerns(needed: Sequence[Extension], offered: Mapping[str, str]) -> Iterator[Concern]:
    """Whether a server offers the extensions of a database. Pure; `offered` gives default versions by name."""
    lacking = [each.name for each in needed if each.name not in offered]
    if lacking:
        yield Concern(
            "stops the drill",
            f"The scratch server does not offer the extension(s) {', '.join(lacking)}.",
            "A restore would stop at the first of them.",
            "Install their packages on that server, or drill on one that has them.",
            TargetRefused,
        )
    others = [
        f"{each.name} {offered[each.name]} (the source has {each.version})"
        for each in needed
        if offered.get(each.name, each.version) != each.version
    ]
    if others:
        yield Concern(
            "worth knowing",
            f"The scratch server would install other versions: {', '.join(others)}.",
            "A dump names no version of an extension, so a drill compares rows under the scratch server's own.",
            "Bring both servers to the same packages where the extension's types or functions matter.",
        )
