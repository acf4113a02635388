"""Whether a plain server can take a drill."""

from collections.abc import Iterator
from dataclasses import replace

from hackorda_ops.concerns import Concern, Looked, concern_of, looked
from hackorda_ops.config.scratch import ServerSection
from hackorda_ops.errors import OpsError, TargetRefused
from hackorda_ops.postgres.catalogs.same_database import require_elsewhere
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.scratch.limits import limit_concerns, read_limits
from hackorda_ops.scratch.preflight import Wanted, extension_concerns, look_at_clients, major_concerns
from hackorda_ops.scratch.restorer import powers_of, require_modest
from hackorda_ops.scratch.server.scratch import ServerScratch

_APPLICATION_NAME = "hackorda_ops preflight"
_RETRY_BUDGET_SECONDS = 10


def look_at_server(
    name: str, admin: ConnectionTarget, wanted: Wanted, section: ServerSection
) -> Iterator[Looked]:
    """Whether a plain server can take a drill of a database.

    A database like the source is made there and dropped again, as nothing else shows that it can be
    made; not where the server might be the source's own.

    Args:
        name: the database's name in databases.yaml.
        admin: any database of the server, as a role that can create databases and roles.
        wanted: what is required of it.
        section: what databases.yaml says of it.
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
            powers = powers_of(session)
    except OpsError as error:
        yield Looked("scratch", "", (concern_of(error, "stops the drill"),))
        return
    yield Looked(
        "scratch", f"Postgres {major} at {admin.describe()}", tuple(major_concerns(wanted.major, major))
    )
    yield _rights(admin, powers, section)
    yield from look_at_clients(major, wanted)
    if wanted.inventory is None:
        return
    extensions = wanted.inventory.extensions
    yield Looked(
        "extensions",
        f"{len(offered)} offered, {len(extensions)} needed",
        tuple(extension_concerns(extensions, offered)),
    )
    yield Looked(
        "scratch limits",
        f"{limits.connections} connections free",
        tuple(
            limit_concerns(
                limits if section.restore_as_admin else limits.of_another_role,
                jobs=wanted.jobs,
                inventory=wanted.inventory,
            )
        ),
    )
    if wanted.source is None:
        return
    source = wanted.source
    # Those that it lacks are told already.
    inventory = replace(
        wanted.inventory, extensions=tuple(each for each in extensions if each.name in offered)
    )
    scratch = ServerScratch(name, admin, source, section.superuser, section.restore_as_admin)

    def try_out() -> str:
        require_elsewhere(source, admin)
        scratch.require_modest()
        scratch.try_out(inventory)
        return "another server than the source's; a database like it was made there, and dropped"

    yield looked("new database", "stops the drill", try_out)


def _rights(admin: ConnectionTarget, powers: str, section: ServerSection) -> Looked:
    """Whose rights the dump's code gets there."""
    try:
        require_modest(admin, powers, section.superuser)
    except TargetRefused as error:
        return Looked("scratch rights", "", (concern_of(error, "stops the drill"),))
    if not section.restore_as_admin:
        return Looked(
            "scratch rights", "a restore runs as a role made for it, with no right beyond its database"
        )
    meaning = "Functions, defaults and triggers of the dump run with that role's rights while it is restored."
    if powers:
        meaning += " Whoever can make one on the source can run programs on the scratch server's machine."
    return Looked(
        "scratch rights",
        f"a restore runs as {admin.user}",
        (
            Concern(
                "worth knowing",
                f"scratch.server.restore_as_admin: dumps are restored as {admin.user}"
                f"{f', which {powers}' if powers else ''}.",
                meaning,
                "Leave it unset, unless the dump can't be restored without those rights.",
                TargetRefused,
            ),
        ),
    )
