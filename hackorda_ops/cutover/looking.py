"""Whether a cutover can work: both servers, the rights, the programs, the hooks. Every problem at once."""

import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg

from hackorda_ops.artifacts.room import night_concerns
from hackorda_ops.concerns import Concern, ConcernLevel, Looked, looked
from hackorda_ops.config.hooks import Hook
from hackorda_ops.cutover.site import Site
from hackorda_ops.cutover.target import APPLICATION, label_of
from hackorda_ops.errors import RightsMissing, TargetRefused
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.catalogs.inventory import Inventory, SourceIdentity
from hackorda_ops.postgres.catalogs.same_database import closeness
from hackorda_ops.postgres.restoring.target import require_empty
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.words import counted, named, size

STOPS: Final[ConcernLevel] = "stops the cutover"
_KNOWN: Final[ConcernLevel] = "worth knowing"

_RIGHTS: Final = b"""
SELECT pg_catalog.pg_has_role(d.datdba, 'USAGE'),
       pg_catalog.has_database_privilege(d.oid, 'CREATE'),
       role.rolcreatedb OR role.rolsuper
  FROM pg_catalog.pg_database d, pg_catalog.pg_roles role
 WHERE d.datname = pg_catalog.current_database() AND role.rolname = current_user
"""
_CONNECTIONS: Final = b"""
SELECT pg_catalog.current_setting('max_connections')::int
       - pg_catalog.current_setting('superuser_reserved_connections')::int
"""
_LONG: Final = b"""
SELECT count(*) FROM pg_catalog.pg_stat_activity
 WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()
   AND xact_start < now() - interval '5 minutes'
"""


def look(site: Site, *, rehearsed: bool = False) -> tuple[Looked, ...]:
    """Checks everything that a cutover needs. Only reads.

    Args:
        site: of the cutover.
        rehearsed: for a rehearsal: into a new database beside the new one, which need not be empty then.

    Returns:
        What was checked, each with its concerns; no expected error is raised.
    """
    seen: dict[str, Inventory] = {}

    def old() -> Looked:
        source = site.source()
        with (
            translated_errors(source, "Looking at the old database"),
            connect(source, application_name=APPLICATION, settings=SHORT_SETTINGS) as live,
        ):
            seen["old"] = source_catalog.read_catalog(live)
            [(long,)] = live.execute(_LONG).fetchall()
        there = seen["old"]
        return Looked(
            "old database",
            f"{source.describe()}, Postgres {there.source.server_version}, {size(there.size_bytes)}, "
            f"{counted(len(there.tables), 'table')}",
            tuple(_old_concerns(there, long)),
        )

    def new() -> Looked:
        target = site.target()
        with (
            translated_errors(target, "Looking at the new database"),
            connect(target, application_name=APPLICATION, settings=SHORT_SETTINGS) as there,
        ):
            identity = source_catalog.read_source(there)
            concerns = [
                *_new_concerns(site, there, target, rehearsed=rehearsed),
                *(_unlike(seen["old"], identity, there) if "old" in seen else ()),
            ]
            [(connections,)] = there.execute(_CONNECTIONS).fetchall()
        return Looked(
            "new database",
            f"{target.describe()}, Postgres {identity.server_version}, {counted(connections, 'connection')}",
            tuple(concerns),
        )

    def programs() -> str:
        version = (seen["old"].source.server_version_number // 10_000) if "old" in seen else 0
        return site.protected.client_tools(version).version if version else ""

    def room() -> Looked:
        folder = site.protected.policy.dump.work_folder
        free = shutil.disk_usage(_existing(folder)).free
        if "old" not in seen:
            return Looked("room", size(free))
        found = night_concerns(free, seen["old"].size_bytes, None, folder)
        return Looked("room", f"{size(free)} free in {folder}", tuple(found))

    return (
        looked("old database", STOPS, old),
        looked("new database", STOPS, new),
        looked("client tools", STOPS, programs),
        looked("room", STOPS, room),
        Looked("hooks", _hooks_seen(site), tuple(_hook_concerns(site))),
        looked("store", STOPS, lambda: _store(site)),
    )


def _store(site: Site) -> str:
    site.protected.require("store")
    site.protected.store.check_writable()
    return site.protected.store.describe()


def _existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _old_concerns(there: Inventory, long: int) -> Iterator[Concern]:
    if there.subscriptions:
        yield Concern(
            _KNOWN,
            f"The old database has subscriptions: {named(there.subscriptions)}.",
            "They go on writing to it while the application is stopped, and they are not restored.",
            "Disable them in the quiesce hook, and create them on the new server afterwards.",
        )
    if long:
        yield Concern(
            _KNOWN,
            f"{counted(long, 'transaction')} on the old database began more than five minutes ago.",
            "Quiescing has to end them: while one that has written is open, nothing is dumped.",
            "Find out what they are (pg_stat_activity) before the window.",
        )


def _new_concerns(
    site: Site, there: psycopg.Connection[Any], target: ConnectionTarget, *, rehearsed: bool
) -> Iterator[Concern]:
    [(owns, may_create, creates_databases)] = there.execute(_RIGHTS).fetchall()
    if not owns and not rehearsed:
        yield Concern(
            STOPS,
            f"{target.user} does not own the database {target.database}.",
            "It can't be labelled as being filled by this cutover, so an interrupted restore could not be removed.",
            f'Log in as its owner, or: ALTER DATABASE "{target.database}" OWNER TO "{target.user}";',
            RightsMissing,
        )
    if not may_create and not rehearsed:
        yield Concern(
            STOPS,
            f"{target.user} may not create schemas in {target.database}.",
            "The restore would stop at the first one.",
            f'GRANT CREATE ON DATABASE "{target.database}" TO "{target.user}";',
            RightsMissing,
        )
    if not creates_databases:
        yield Concern(
            STOPS if rehearsed else _KNOWN,
            f"{target.user} may not create databases on the new server.",
            "A rehearsal needs one of its own, and what an interrupted restore left could not be removed by itself.",
            f'ALTER ROLE "{target.user}" CREATEDB;',
            RightsMissing,
        )
    source = site.source()
    with connect(source, application_name=APPLICATION, settings=SHORT_SETTINGS) as live:
        close = closeness(live, there)
    if close == "same database":
        yield Concern(
            STOPS,
            f"{target.describe()} is the old database itself.",
            "There is nothing to cut over.",
            f"Set {site.plan.target.url_env} to the new database.",
            TargetRefused,
        )
    elif not rehearsed and label_of(there, site.protected.name) != site.state.cutover_id:
        try:
            require_empty(there)
        except TargetRefused as error:
            yield Concern(STOPS, error.what, error.meaning, error.next_step, TargetRefused)


def _unlike(old: Inventory, new: SourceIdentity, there: psycopg.Connection[Any]) -> Iterator[Concern]:
    """What the new server can't take, or does differently."""
    was = old.source
    if new.server_version_number // 10_000 < was.server_version_number // 10_000:
        yield Concern(
            STOPS,
            f"The new server runs Postgres {new.server_version}, the old one {was.server_version}.",
            "An older server can't take a newer one's dump.",
            "Create the new database on the same version or a later one.",
            TargetRefused,
        )
    if new.encoding != was.encoding:
        yield Concern(
            STOPS,
            f"The new database has the encoding {new.encoding}, the old one {was.encoding}.",
            "Text would be altered or rejected by the conversion.",
            f"Create it again: CREATE DATABASE … TEMPLATE template0 ENCODING '{was.encoding}'.",
            TargetRefused,
        )
    if (new.collation, new.character_type, new.locale) != (was.collation, was.character_type, was.locale):
        yield Concern(
            _KNOWN,
            f"The new database sorts by {_order(new)}, the old one by {_order(was)}.",
            "Text is ordered and compared differently there: ORDER BY, indexes on text, upper and lower case.",
            "If that matters, create it with the old one's locale.",
        )
    offered = {name for (name,) in there.execute("SELECT name FROM pg_catalog.pg_available_extensions")}
    if lacking := [each.name for each in old.extensions if each.name not in offered]:
        yield Concern(
            STOPS,
            f"The new server does not offer the extension(s) {named(lacking)}.",
            "The restore would stop at the first of them.",
            "Have them installed there, or drop what uses them before the cutover.",
            TargetRefused,
        )


def _hooks_seen(site: Site) -> str:
    hooks = site.plan.hooks
    return ", ".join(name for name, hook in _of(hooks) if hook) or "none"


def _of(hooks: Any) -> Sequence[tuple[str, Hook | None]]:
    return [(name, getattr(hooks, name)) for name in ("announce", "quiesce", "repoint", "resume")]


def _hook_concerns(site: Site) -> Iterator[Concern]:
    for name, hook in _of(site.plan.hooks):
        if hook is None:
            continue
        problem = _not_found(hook, site.protected.environ.get("PATH"))
        if problem:
            yield Concern(
                STOPS,
                f"The {name} hook can't be started: {problem}.",
                "The cutover would stop there.",
                f"Correct cutover.hooks.{name} in databases.yaml, or install the program here.",
            )
    if site.plan.hooks.quiesce is None:
        yield Concern(
            _KNOWN,
            "No quiesce hook is configured.",
            "Nothing stops the application by itself; the cutover goes on only once nobody writes.",
            "Stop it by hand before `cutover run`, or configure cutover.hooks.quiesce.",
        )
    if site.plan.hooks.repoint is None:
        yield Concern(
            _KNOWN,
            "No repoint hook is configured.",
            "The cutover stops there and asks: the variables are set and the application is started by hand.",
            "Configure cutover.hooks.repoint for a cutover that nobody attends.",
        )
    if not site.plan.smoke:
        yield Concern(
            _KNOWN,
            "No smoke check is configured.",
            "Users come back without anything having been asked of the application.",
            "Name URLs in cutover.smoke.",
        )


def _not_found(hook: Hook, path: str | None) -> str:
    if not hook.working_directory.is_dir():
        return f"its folder {hook.working_directory} does not exist"
    try:
        words = shlex.split(hook.command) if isinstance(hook.command, str) else list(hook.command)
    except ValueError:
        return "a quote in its command is not closed"
    program = words[0] if words else ""
    found = (
        (hook.working_directory / program).is_file() if "/" in program else shutil.which(program, path=path)
    )
    return "" if found else f"its program {program!r} is not found"


def _order(identity: SourceIdentity) -> str:
    return f"{identity.locale or identity.collation} ({identity.locale_provider})"
