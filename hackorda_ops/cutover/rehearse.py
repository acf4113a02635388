"""A rehearsal: what a cutover would do between the two servers, timed, with nothing kept. The application runs on."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.concerns import Concern, Looked, concern_of, concerns_in
from hackorda_ops.config.places import Folder
from hackorda_ops.cutover import looking
from hackorda_ops.cutover import state as states
from hackorda_ops.cutover.equal import differences
from hackorda_ops.cutover.site import Say, Site
from hackorda_ops.cutover.target import APPLICATION, plan_of, target_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.evidence.manifest import of_postgres
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.migrations.run import migrate_copy
from hackorda_ops.night.night import take_night
from hackorda_ops.own_folders import new_folder, private_folder
from hackorda_ops.postgres.sessions.session import connect
from hackorda_ops.postgres.sessions.settings import RESTORE_SETTINGS
from hackorda_ops.progress import OnProgress
from hackorda_ops.recovery.bring_back import bring_back
from hackorda_ops.scratch.server.scratch import ServerScratch
from hackorda_ops.stores.store import Store


class Unrecorded(Protected):
    """A protected database whose work leaves no line in the operations log: nothing of it is kept."""

    @property
    def known_stores(self) -> tuple[Store, ...]:
        """None: the log is for what was done to keep."""
        return ()


@dataclass(frozen=True)
class Rehearsed:
    """A rehearsal.

    Attributes:
        parts: what was checked beforehand, with its concerns.
        seconds: how long each stage took.
        rows: how many rows were moved and compared.
        findings: what differs on the new server.
        problems: what stops a cutover, each with its remedy; a cutover would not get through.
        notes: what is worth knowing.
    """

    parts: tuple[Looked, ...]
    seconds: dict[str, float]
    rows: int
    findings: tuple[Finding, ...]
    problems: tuple[Concern, ...]
    notes: tuple[str, ...]

    @property
    def downtime_seconds(self) -> float:
        """How long users would wait for it, without the hooks."""
        return sum(self.seconds.values())


def rehearse(protected: Protected, *, on_progress: OnProgress, say: Say) -> Rehearsed:
    """Dumps, restores into a new database on the new server, compares, migrates, and removes everything.

    The source is read as in a night. No hook is run, and no artifact is kept.

    Args:
        protected: the database.
        on_progress: called at every stage, from more than one thread.
        say: shows a line.

    Raises:
        ConfigError: databases.yaml has no cutover, or a variable is missing.
    """
    plan = plan_of(protected)
    seconds: dict[str, float] = {"stillness": plan.still_seconds}
    notes: list[str] = []
    work = protected.policy.dump.work_folder
    with states.alone(protected), ExitStack() as stack:
        private = stack.enter_context(private_folder())
        kept = stack.enter_context(new_folder(work, f"rehearsal-{protected.name}-"))
        source = protected.source(private_folder=private)
        target = target_of(protected, private_folder=private)
        state = states.new_state(
            protected, source=source.describe(), target=target.describe(), now=datetime.now(UTC)
        )
        site = Site(protected, state, private, on_progress, say)
        parts = looking.look(site, rehearsed=True)
        stops = concerns_in(parts, looking.STOPS)
        rows = 0
        findings: tuple[Finding, ...] = ()
        if not stops:
            try:
                rows, findings = _move(_throwaway(protected, kept), site, seconds, notes)
            except OpsError as error:
                stops = (concern_of(error, looking.STOPS),)
        stops = (*stops, *_wrong(findings))
    return Rehearsed(parts, seconds, rows, findings, stops, tuple(notes))


def _throwaway(protected: Protected, folder: Path) -> Protected:
    policy = protected.policy.model_copy(
        update={
            "store": Folder(folder=folder / "store"),
            "dump": protected.policy.dump.model_copy(update={"work_folder": folder / "work"}),
        }
    )
    return Unrecorded(protected.name, policy, protected.environ)


def _move(
    protected: Protected, site: Site, seconds: dict[str, float], notes: list[str]
) -> tuple[int, tuple[Finding, ...]]:
    source, target = site.source(), site.target()
    # As the cutover itself will: the target's role restores, whatever it is.
    scratch = ServerScratch(protected.name, target, source, superuser=target.user, restore_as_admin=True)
    for left in scratch.sweep():
        site.say(f"Removed {left}, which a killed rehearsal or drill had left behind.")
    with _timed(seconds, "dump and proof"):
        manifest = of_postgres(
            take_night(protected, reason="on demand", on_progress=site.on_progress).manifest
        )
    with scratch.opened(manifest, new_id(datetime.now(UTC))) as place:
        copy = place.new_database("cutover")
        with _timed(seconds, "restore and comparison"):
            brought = bring_back(
                protected, protected.store, manifest, copy, source=source, on_progress=site.on_progress
            )
        notes.extend(brought.warnings)
        with connect(copy, application_name=APPLICATION, settings=RESTORE_SETTINGS) as there:
            with _timed(seconds, "statistics"):
                there.execute("ANALYZE")
            findings = brought.findings
            if (migrate := protected.policy.migrate) is not None and not fatal(findings):
                with _timed(seconds, "migrations"):
                    migrated = migrate_copy(migrate, copy, there, environ=protected.environ)
                findings = (*findings, *migrated.findings)
        # A cutover compares the old database and the new one once more: as long as this takes, twice.
        with _timed(seconds, "last comparison"):
            differences(copy, manifest, jobs=site.jobs, on_progress=site.on_progress)
        seconds["last comparison"] *= 2
    return manifest.rows, findings


def _wrong(findings: tuple[Finding, ...]) -> Iterator[Concern]:
    for each in fatal(findings):
        yield Concern(
            looking.STOPS,
            f"{each.code}: {each.subject}: expected {each.expected}, observed {each.observed}.",
            each.meaning,
            each.next_step,
        )


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    finally:
        seconds[stage] = round(time.monotonic() - began, 3)
