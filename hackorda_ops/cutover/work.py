"""What each step does. Every one can be done again: after an interruption nobody knows how far it got."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hackorda_ops.concerns import concerns_in, require_none
from hackorda_ops.cutover import looking, sheets
from hackorda_ops.cutover.emptying import empty, finish
from hackorda_ops.cutover.equal import differences, losses
from hackorda_ops.cutover.site import Site
from hackorda_ops.cutover.smoke import require_answers
from hackorda_ops.cutover.state import folder_of, write_private
from hackorda_ops.cutover.steps import StepName
from hackorda_ops.cutover.stillness import await_stillness
from hackorda_ops.cutover.target import APPLICATION, claim, label_of, release
from hackorda_ops.errors import PermanentError, TargetRefused, ToolFailed
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.given import given
from hackorda_ops.hooks.hooks import STAGE_VARIABLE, run_hook
from hackorda_ops.migrations.run import migrate_copy
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.definitions.schema_digest import read_schema_digest
from hackorda_ops.postgres.restoring.target import require_empty
from hackorda_ops.postgres.sessions import connection as connections
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import RESTORE_SETTINGS, SHORT_SETTINGS
from hackorda_ops.recovery.bring_back import bring_back
from hackorda_ops.words import counted, duration, named, size

# A proof that nobody writes is worth little once somebody had time to start the application.
_FRESH: Final = timedelta(minutes=5)
_SHOWN: Final = 5


@dataclass(frozen=True)
class StepOutcome:
    """What a step did.

    Attributes:
        said: in a sentence.
        changes: fields of the state that it found out.
    """

    said: str
    changes: Mapping[str, Any] = field(default_factory=dict)


def _preflight(site: Site) -> StepOutcome:
    parts = looking.look(site)
    for part in parts:
        site.say(f"{part.part}: {part.seen}")
        for concern in part.concerns:
            site.say(f"  {concern.severity}: {concern.what} {concern.next_step}")
    require_none(concerns_in(parts, looking.STOPS))
    return StepOutcome(f"{counted(len(parts), 'part')} checked.")


def _hook(site: Site, name: StepName, database: ConnectionTarget) -> StepOutcome:
    hook = getattr(site.plan.hooks, name)
    if hook is None:
        return StepOutcome(f"No {name} hook is configured.")
    run = run_hook(
        name,
        hook,
        database,
        encrypted=database.parameters.get("sslmode", "").startswith(("require", "verify")),
        environ=site.protected.environ,
        facts={STAGE_VARIABLE: "cutover", "HACKORDA_OPS_DATABASE": site.protected.name},
        on_line=lambda line: site.say(f"  {name}: {line}"),
    )
    if not run.succeeded:
        raise ToolFailed(
            f"The {name} hook ({run.command}) {run.outcome}: {run.detail}",
            meaning="It may have done a part of its work.",
            next_step=f"Run it by hand to see what is wrong, or correct cutover.hooks.{name} in databases.yaml.",
        )
    return StepOutcome(f"The {name} hook took {duration(run.seconds)}.")


def _announce(site: Site) -> StepOutcome:
    return _hook(site, "announce", site.source())


def _quiesce(site: Site) -> StepOutcome:
    return _hook(site, "quiesce", site.source())


def _still(site: Site) -> StepOutcome:
    found = await_stillness(
        site.source(),
        still_seconds=site.plan.still_seconds,
        within_seconds=site.plan.still_within_seconds,
        on_progress=site.on_progress,
    )
    return StepOutcome(found.seen)


def _dump(site: Site) -> StepOutcome:
    if _is_old(site, "still"):
        site.say(_still(site).said)
    # Nobody is kept waiting any more, and a branch's sequences would run ahead of those that are compared.
    policy = site.protected.policy.model_copy(update={"dump_from": "source"})
    protected = replace(site.protected, policy=policy)
    manifest = take_night(protected, reason="on demand", on_progress=site.on_progress).manifest
    if not manifest.sound:
        raise PermanentError(
            f"The final dump {manifest.artifact_id} failed its checks: {_listed(fatal(manifest.findings))}.",
            meaning="It's kept in the store, but a database was not moved on the strength of it.",
            next_step="Find out whether that is intended. If it is, take another dump (`hackorda-ops dump`), which is "
            "compared with this one, and go on.",
        )
    said = f"{manifest.artifact_id}: {manifest.contents}, {size(manifest.size_bytes)}."
    return StepOutcome(said, {"artifact_id": manifest.artifact_id})


def _restore(site: Site) -> StepOutcome:
    manifest, target, name = site.final_dump(), site.target(), site.protected.name
    if site.state.began == "restore":
        finish(target, name, site.state.cutover_id)
    if not _is_empty(site, target):
        # Only an interrupted restore of this very cutover can have filled it under this label.
        site.say(f"Emptying {target.describe()}: an interrupted restore filled it.")
        empty(target, name, site.state.cutover_id)
    with (
        translated_errors(target, "Labelling the new database"),
        connect(target, application_name=APPLICATION, settings=RESTORE_SETTINGS) as there,
    ):
        require_empty(there)
        claim(there, name, site.state.cutover_id)
    brought = bring_back(
        site.protected,
        site.protected.store,
        manifest,
        target,
        source=site.source(),
        on_progress=site.on_progress,
    )
    if brought.verdict == "FAIL":
        raise PermanentError(
            f"The new database is not equal to the final dump: {_listed(fatal(brought.findings))}.",
            meaning="What was restored there must not be used.",
            next_step="Find out what differs; the next run of this step empties the new database and restores again.",
        )
    for warning in brought.warnings:
        site.say(f"  note: {warning}")
    # Without statistics the first queries of every page would be planned blindly.
    with (
        translated_errors(target, "Gathering statistics"),
        connect(target, application_name=APPLICATION, settings=RESTORE_SETTINGS) as there,
    ):
        there.execute("ANALYZE")
    return StepOutcome(
        f"{manifest.contents} restored and compared; pg_restore took {duration(brought.seconds)}."
    )


def _is_empty(site: Site, target: ConnectionTarget) -> bool:
    with (
        translated_errors(target, "Looking whether the new database is empty"),
        connect(target, application_name=APPLICATION, settings=SHORT_SETTINGS) as there,
    ):
        try:
            require_empty(there)
        except TargetRefused:
            if label_of(there, site.protected.name) != site.state.cutover_id:
                raise
            return False
    return True


def _migrate(site: Site) -> StepOutcome:
    migrate, target = site.protected.policy.migrate, site.target()
    if migrate is None:
        return StepOutcome("No migrations are configured.")
    with connect(target, application_name=APPLICATION, settings=RESTORE_SETTINGS) as there:
        migrated = migrate_copy(migrate, target, there, environ=site.protected.environ)
    result = migrated.result
    if found := fatal(migrated.findings):
        raise PermanentError(
            f"The migrations did not succeed on the new database: {_listed(found)}.",
            meaning="The old database was not migrated, and nothing in it changed.",
            next_step="Fix the migration. If it left something behind, begin again with --restart: that restores anew.",
        )
    moved = bool(result.schema_changed) or result.applied != 0
    return StepOutcome(
        f"{result.command} took {duration(result.seconds)}; in force: {result.after or 'unknown to us'}.",
        {"schema_moved": moved},
    )


def _equal(site: Site) -> StepOutcome:
    manifest, source = site.final_dump(), site.source()
    found = differences(source, manifest, jobs=site.jobs, on_progress=site.on_progress)
    if found or read_schema_digest(source) != manifest.schema_sha256:
        raise PermanentError(
            f"The old database was written to after the final dump: {_listed(found) or 'its schema changed'}.",
            meaning="What was written since is not in the new database, so the application was not moved.",
            next_step="Find out what wrote, and stop it. Then begin again: `hackorda-ops cutover run --restart`.",
        )
    there = differences(site.target(), manifest, jobs=site.jobs, on_progress=site.on_progress)
    wrong = losses(manifest, there) if site.state.schema_moved else there
    if wrong:
        raise PermanentError(
            f"The new database is no longer equal to the final dump: {_listed(wrong)}.",
            meaning="Something other than this cutover changed it, or a migration lost rows.",
            next_step="Find out what did it, and stop it. Then begin again: `hackorda-ops cutover run --restart`.",
        )
    if there:
        site.say(f"The migrations changed the new database: {_listed(there)}.")
        return StepOutcome(
            f"The old database still equals the final dump ({manifest.contents}); the new one lost no row."
        )
    return StepOutcome(f"Both databases equal the final dump: {manifest.contents}.")


def _sheets(site: Site) -> StepOutcome:
    policy, plan, target = site.protected.policy, site.plan, site.target()
    new = plan.target
    with (
        translated_errors(target, "Asking how many connections the new server takes"),
        connect(target, application_name=APPLICATION, settings=SHORT_SETTINGS) as there,
    ):
        [(taken,)] = there.execute(
            "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
        ).fetchall()
    text = given(site.protected.environ, new.pooled_url_env) if new.pooled_url_env else ""
    pooled = connections.parse(text, origin=f"${new.pooled_url_env}") if text else None
    server = sheets.NewServer(
        target, pooled, taken, bool(given(site.protected.environ, new.ca_certificate_env))
    )
    lines = sheets.variable_lines(policy, plan, server)
    sheet = sheets.rollback_sheet(policy, plan, site.state, lines)
    folder = folder_of(site.protected)
    paths = {
        folder / f"{site.protected.name}-variables.txt": "\n".join(lines) + "\n",
        folder / f"{site.protected.name}-rollback.md": sheet,
    }
    for path, content in paths.items():
        write_private(path, content.encode())
    site.say("Variables to set where the application runs:")
    for line in lines:
        site.say(f"  {line}")
    site.say("The way back:")
    for line in sheet.splitlines():
        site.say(f"  {line}")
    return StepOutcome(f"Written: {named(paths)}.")


def _repoint(site: Site) -> StepOutcome:
    target = site.target()
    if site.state.began != "repoint" and _is_old(site, "equal"):
        site.say(_equal(site).said)
    # From here on the application may write to it: nothing of ours may empty it any more.
    with (
        translated_errors(target, "Taking the label off the new database"),
        connect(target, application_name=APPLICATION, settings=RESTORE_SETTINGS) as there,
    ):
        release(there, site.protected.name)
    return _hook(site, "repoint", target)


def _smoke(site: Site) -> StepOutcome:
    return StepOutcome(require_answers(site.plan.smoke, within_seconds=site.plan.smoke_within_seconds))


def _resume(site: Site) -> StepOutcome:
    return _hook(site, "resume", site.target())


def _is_old(site: Site, name: StepName) -> bool:
    done = next((each for each in site.state.done if each.name == name), None)
    return done is None or abs(datetime.now(UTC) - done.at) > _FRESH


def _listed(found: tuple[Finding, ...]) -> str:
    return named(
        (
            f"{each.code} {each.subject} (expected {each.expected}, observed {each.observed})"
            for each in found
        ),
        _SHOWN,
        "; ",
    )


WORK: Final[Mapping[StepName, Callable[[Site], StepOutcome]]] = {
    "preflight": _preflight,
    "announce": _announce,
    "quiesce": _quiesce,
    "still": _still,
    "dump": _dump,
    "restore": _restore,
    "migrate": _migrate,
    "equal": _equal,
    "sheets": _sheets,
    "repoint": _repoint,
    "smoke": _smoke,
    "resume": _resume,
}
"""What each step does, by its name."""
