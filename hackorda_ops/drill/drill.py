"""A restore drill, from the off-site bucket to the verdict.

It restores with the same functions as `restore` (`recovery.bring_back`), and always ends in a result.
"""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, date, datetime

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.by_hand import copies_of
from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.artifacts.sealed import is_sealed
from hackorda_ops.calendar import partitions
from hackorda_ops.config.models import Policy
from hackorda_ops.drill.by_hand import restore_commands
from hackorda_ops.drill.checks import offsite_equals_manifest, scratch_gone
from hackorda_ops.drill.checks.registry import checks_of
from hackorda_ops.drill.choosing import ChosenCopy, chosen_copy
from hackorda_ops.drill.conclusion import Drill, conclude
from hackorda_ops.drilling.declaration import Drilling
from hackorda_ops.drilling.record import Record
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.engines.registry import engine_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.progress import OnProgress, ignore
from hackorda_ops.scratch import registry
from hackorda_ops.scratch.place import Scratch
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.staging import staged_folder
from hackorda_ops.stores.store import Store


def run_drill(
    protected: Protected,
    *,
    quarter: date | None = None,
    seed: int | None = None,
    run: str | None = None,
    on_progress: OnProgress = ignore,
) -> DrillResult:
    """Restores the newest off-site artifact on scratch, compares it, migrates it, and takes it all down.

    Whatever goes wrong ends in a result: FAIL where the backup is at fault, ERROR where that is
    unclear. An interruption (Ctrl-C, a stopped run) takes the scratch down and is raised again.

    Args:
        protected: the database.
        quarter: the partition (its first day); None for the current one.
        seed: repeats the choice of an earlier drill's self-test; None for a new one.
        run: the link to the run that drills, or its id; None where no run does.
        on_progress: called at every stage, from more than one thread.
    """
    started_at = datetime.now(UTC)
    name, policy = protected.name, protected.policy
    today = partitions.night_of(started_at, policy.schedule)
    record = Record()
    drill_id = new_id(started_at)
    wanted = quarter or partitions.quarter_of(today)
    with record.stoppable():
        _write_down_lacking(record, policy)
        protected.require("source", "scratch", *(() if protected.several_offsite else ("offsite",)))
        with record.stage("choose the artifact"):
            chosen = chosen_copy(record, protected, wanted, today, now=started_at)
            manifest, copies = chosen.manifest, chosen.copies
            bucket = copies_of(policy.offsites, protected.environ, first=chosen.place)
            record.how_to_repeat = restore_commands(bucket, manifest)
            # What would be restored if the source died now: the store may have a newer one.
            nights = () if protected.straight_offsite else _nights(record, protected, started_at)
            past = (*nights, *copies.artifacts)
            newest = max((each for each in past if each.sound), key=lambda each: each.captured_at)
            record.data_loss_seconds = max(0.0, (started_at - newest.captured_at).total_seconds())
            artifact = offsite_equals_manifest.opened_here(
                record, offsite_equals_manifest.CHECK.name, protected, chosen.store, manifest
            )
        if artifact is None:
            record.not_reached(
                scratch_gone.CHECK.name, "nothing was made, because the artifact can't be opened"
            )
        else:
            record.manifest = artifact.manifest
            # It also removes what a killed drill had fetched.
            guarded = is_sealed(manifest)
            with staged_folder(policy.dump.work_folder, name, drill_id, guarded=guarded) as folder:
                source = engine_of(policy).source(protected, private_folder=folder / "tls")
                drilling = Drilling(
                    record,
                    protected,
                    artifact.manifest,
                    folder,
                    source,
                    on_progress,
                    past=past,
                    seed=seed,
                    opened=artifact,
                )
                with registry.opened(protected, source) as scratch:
                    _drill(drilling, chosen, scratch, drill_id)
    return conclude(
        record,
        Drill(drill_id, name, wanted, started_at, datetime.now(UTC), run),
        policy,
    )


def _write_down_lacking(record: Record, policy: Policy) -> None:
    for check in checks_of(policy.engine):
        if why := check.lacking(policy):
            record.not_measured(check.name, why)


def _nights(record: Record, protected: Protected, now: datetime) -> tuple[Manifest, ...]:
    try:
        return catalog.read(protected.store, protected.name, now=now).artifacts
    except OpsError as error:
        record.remarks.append(f"The nightly store could not be read: {error.what}")
        return ()


def _others_with_it(protected: Protected, chosen: ChosenCopy) -> Iterator[Store]:
    """The copies that have the same artifact, should the chosen one stop answering."""
    manifest = chosen.manifest
    for name in chosen.following:
        with suppress(OpsError):
            store = protected.place(name)
            asked = store.with_patience(SOON)
            if next(catalog.read_each(asked, protected.name, [manifest.artifact_id]), None) == manifest:
                yield store


def _drill(drilling: Drilling, chosen: ChosenCopy, scratch: Scratch, drill_id: str) -> None:
    record = drilling.record
    with record.stage("sweep"):
        record.remarks += [f"Removed what a killed drill had left: {left}" for left in scratch.sweep()]
    places = (chosen.store, *_others_with_it(drilling.protected, chosen))
    if offsite_equals_manifest.fetched(places, drilling, chosen.damaged):
        with record.stoppable():
            _on_scratch(scratch, drilling, drill_id)
        offsite_equals_manifest.read_if_doubted(drilling)
    else:
        record.not_reached(scratch_gone.CHECK.name, "nothing was made, because the artifact is damaged")


def _on_scratch(scratch: Scratch, drilling: Drilling, drill_id: str) -> None:
    record = drilling.record
    with ExitStack() as made:
        with record.stage("make scratch", in_recovery=True):
            place = made.enter_context(scratch.opened(drilling.manifest, drill_id))
            record.scratch = place.description
            record.remarks += place.warnings
        # The scratch must be removed before the report says what went wrong.
        with record.stoppable():
            engine = engine_of(drilling.policy)
            engine.drill(drilling, place, checks_of(drilling.policy.engine))
        scratch_gone.take_down(made, record)
