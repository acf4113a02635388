"""Proves a night: restores its artifact, compares it in full, takes everything down, and remembers the verdict."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from importlib.metadata import version
from typing import Final

from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.artifacts.manifest import SEALED_FORMAT_VERSION, Manifest, files_digest
from hackorda_ops.artifacts.sealed import is_sealed
from hackorda_ops.config.offsite import STORE
from hackorda_ops.drill.checks import scratch_gone
from hackorda_ops.drill.checks.offsite_equals_manifest import opened_here
from hackorda_ops.drill.consequences import consequence_of
from hackorda_ops.drilling.declaration import Drilling
from hackorda_ops.drilling.night_proof import PROOFS, NightProof
from hackorda_ops.drilling.record import Record
from hackorda_ops.drilling.result import as_restored
from hackorda_ops.engines.registry import engine_that_wrote
from hackorda_ops.environment import Protected
from hackorda_ops.errors import (
    ArtifactMissing,
    ClientMissing,
    ConfigError,
    DiskFull,
    OpsError,
    RightsMissing,
    TargetRefused,
)
from hackorda_ops.findings import fatal
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import Held, Judged, answering, read_judged
from hackorda_ops.night_proof.budget import Budget
from hackorda_ops.night_proof.checks import FILES_CHECK, checks_of_proof, fetched
from hackorda_ops.night_proof.places import Way, none_of, ways_of
from hackorda_ops.progress import OnProgress, ignore
from hackorda_ops.proof import verdict
from hackorda_ops.proof.verdict import Wording
from hackorda_ops.receipts.record import recorded
from hackorda_ops.receipts.verify import Head
from hackorda_ops.stores.staging import staged_folder
from hackorda_ops.stores.store import PlaceName, Store
from hackorda_ops.words import duration

WORDING: Final = Wording("proof", claim="prove the night", again="prove it again")
# What one place can't do, another may.
_OF_THE_PLACE: Final = (ClientMissing, TargetRefused, DiskFull, RightsMissing, ConfigError)


@dataclass(frozen=True)
class Proved:
    """A proof that was made.

    Attributes:
        proof: it.
        nowhere: whether nothing was found to restore on.
        not_stored: for each store that lacks the proof, one sentence why.
        receipt: the number and hash of its receipt; None where that waits.
    """

    proof: NightProof
    nowhere: bool
    not_stored: tuple[str, ...]
    receipt: Head | None = None


def prove(
    protected: Protected,
    *,
    night: date | None = None,
    artifact_id: str | None = None,
    seed: int | None = None,
    run: str | None = None,
    on_progress: OnProgress = ignore,
) -> Proved:
    """Proves an artifact by what an emergency would do with it, and remembers the verdict beside it.

    Whatever goes wrong once the artifact is chosen ends in a verdict: FAIL where the backup is at fault, ERROR where
    that is unclear. An interruption (Ctrl-C, a stopped run) takes everything down and is raised again.

    Args:
        protected: the database.
        night: whose newest sound artifact it is; None for the artifact that a restore would take.
        artifact_id: the artifact; None for that of the night.
        seed: repeats the choice of an earlier self-test; None for a new one.
        run: the link to the run that proves, or its id; None where no run does.
        on_progress: called at every stage, from more than one thread.

    Raises:
        ArtifactMissing: there's no such artifact.
        OpsError: no place can be read.
    """
    started_at, budget = datetime.now(UTC), Budget(protected.policy.proof.within_minutes)
    places = _places(protected)
    judged = read_judged(places, protected.name, tolerant=True)
    held = _chosen(judged, night, artifact_id)
    proof_id = new_id(started_at)
    with recorded("proof", protected, subject=held.manifest.artifact_id) as line:
        base = Record(wording=WORDING, manifest=held.manifest, location=held.location)
        base.remarks += judged.notes
        attempt = _Attempt(protected, held, proof_id, seed, budget, budget.watching(on_progress))
        record, nowhere = attempt.on([places[each] for each in _with_the_same(judged, held)], base)
        proof = _concluded(
            record,
            held.manifest,
            proof_id=proof_id,
            started_at=started_at,
            run=run,
            protected=protected,
        )
        line.outcome, line.detail, line.findings = proof.verdict, in_a_sentence(proof), proof.findings
        line.saw(places[held.place], held.manifest.prefix)
        line.tables = as_restored(record.tables())
    return Proved(proof, nowhere, PROOFS.remember(protected.known_stores, proof), line.receipt)


def in_a_sentence(proof: NightProof) -> str:
    """What a proof came to, in a sentence or two. Pure."""
    artifact = proof.artifact
    if proof.error is not None:
        return f"{artifact.location} could not be proven: {proof.error.what}"
    if proof.verdict == "FAIL":
        return f"{artifact.location} FAILED its proof: {consequence_of(proof).headline}."
    return (
        f"{artifact.location}: {artifact.rows:,} rows in {artifact.tables} tables came back exactly, on {proof.place}, "
        f"in {duration(proof.seconds)}."
    )


@dataclass(frozen=True)
class _Attempt:
    protected: Protected
    held: Held
    proof_id: str
    seed: int | None
    budget: Budget
    on_progress: OnProgress

    def on(self, stores: Sequence[Store], base: Record) -> tuple[Record, bool]:
        """Restores wherever that can be done; the record of it, and whether it could be nowhere.

        Args:
            stores: the place to restore from, and then those that have the same, should it not answer any more.
            base: the record so far.
        """
        work_folder, guarded = self.protected.policy.dump.work_folder, is_sealed(self.held.manifest)
        with (
            base.stoppable(),
            staged_folder(work_folder, self.protected.name, self.proof_id, guarded=guarded) as folder,
        ):
            artifact = opened_here(base, FILES_CHECK.name, self.protected, stores[0], self.held.manifest)
            if artifact is None:
                base.not_reached(
                    scratch_gone.CHECK.name, "nothing was made, because the artifact can't be opened"
                )
                return base, False
            base.manifest = artifact.manifest
            drilling = Drilling(
                base,
                self.protected,
                artifact.manifest,
                folder,
                None,
                self.on_progress,
                seed=self.seed,
                opened=artifact,
            )
            if not fetched(stores, drilling):
                base.not_reached(scratch_gone.CHECK.name, "nothing was made, because the artifact is damaged")
                return base, False
            private = folder / "tls"
            private.mkdir(mode=0o700)
            refused = []
            for way in ways_of(self.protected, private):
                # Each begins with what is known of the artifact, and with nothing of the way before.
                record, lacking = _begun_like(base), None
                with record.stoppable():
                    lacking = self._lacking(way, replace(drilling, record=record))
                if lacking is None:
                    return record, False
                refused.append((way, lacking))
            base.stopped_by(none_of(refused))
            return base, all(isinstance(error, _OF_THE_PLACE) for _, error in refused)
        # The machine that dumps encrypted nights should have no identity: another may prove them.
        sealed = self.held.manifest.format_version == SEALED_FORMAT_VERSION
        return base, sealed and self.protected.policy.identity is None

    def _lacking(self, way: Way, drilling: Drilling) -> OpsError | None:
        """Restores and compares on a place; why it isn't fit for that, or None where it is."""
        record, engine = drilling.record, engine_that_wrote(drilling.manifest)
        with ExitStack() as made:
            try:
                with record.stage("make scratch", in_recovery=True):
                    scratch = made.enter_context(way.opened())
                    record.remarks += [
                        f"Removed what a killed run had left: {each}" for each in scratch.sweep()
                    ]
                    place = made.enter_context(scratch.opened(drilling.manifest, self.proof_id))
            except OpsError as error:
                return error
            record.scratch = place.description
            record.remarks += place.warnings
            lacking: OpsError | None = None
            with record.stoppable():
                try:
                    with self.budget.kept(record, place.interrupt):
                        engine.drill(drilling, place, checks_of_proof(self.protected.policy.engine))
                except _OF_THE_PLACE as error:
                    if any(check.outcome == "failed" for check in record.checks):
                        raise
                    lacking = error
            scratch_gone.take_down(made, record)
        if lacking is not None and not all(check.outcome == "passed" for check in record.checks[-1:]):
            # What it made is still there: nothing else is begun.
            record.stopped_by(lacking)
            return None
        return lacking


def _begun_like(base: Record) -> Record:
    return Record(
        wording=base.wording,
        manifest=base.manifest,
        location=base.location,
        checks=[*base.checks],
        findings=[*base.findings],
        stages=[*base.stages],
        remarks=[*base.remarks],
    )


def _concluded(
    record: Record,
    stored: Manifest,
    *,
    proof_id: str,
    started_at: datetime,
    run: str | None,
    protected: Protected,
) -> NightProof:
    """Judges a record: pure, but for the clock."""
    artifact = record.artifact()
    if artifact is None:
        raise AssertionError("a proof has an artifact")
    declared = checks_of_proof(protected.policy.engine)
    checks = verdict.complete(record.checks, declared, WORDING)
    ruling, problem = verdict.judge(
        checks, declared, WORDING, problem=record.problem, condemned=bool(fatal(record.findings))
    )
    if ruling == "FAIL":
        record.remark_early_end()
    return NightProof(
        proof_id=proof_id,
        database=protected.name,
        artifact=artifact,
        files_sha256=files_digest(stored.files),
        started_at=started_at,
        finished_at=datetime.now(UTC),
        verdict=ruling,
        error=problem,
        findings=tuple(record.findings),
        checks=checks,
        place=record.scratch,
        stages=tuple(record.stages),
        recovery_seconds=record.recovery_seconds,
        warnings=tuple(record.remarks),
        run=run,
        product_version=version("hackorda-ops"),
    )


def _places(protected: Protected) -> dict[PlaceName, Store]:
    """Where a restore would look: off-site first; of several copies, those that answer."""
    places = protected.places
    if not places:
        # Its error names the variables.
        protected.place(protected.nights_in)
    if protected.several_offsite:
        places, silent = answering(places)
        if not places:
            raise next(iter(silent.values()))
    off_site = {name: store for name, store in places.items() if name != STORE}
    return {**off_site, **places}


def _with_the_same(judged: Judged, held: Held) -> list[PlaceName]:
    """The places that have an artifact, its own first."""
    others = (
        each.place
        for each in judged.held
        if each.manifest == held.manifest and each.place != held.place and each.judgement.state != "damaged"
    )
    return [held.place, *others]


def _chosen(judged: Judged, night: date | None, artifact_id: str | None) -> Held:
    """What is restored, in the place that a restore would take it from.

    Raises:
        ArtifactMissing: there's no such artifact.
    """
    if artifact_id is None and night is not None:
        of_night = [each.manifest for each in judged.held if each.manifest.night == night and not each.ahead]
        if not of_night:
            raise ArtifactMissing(
                f"There is no artifact of the night of {night}.",
                meaning="There's nothing to prove.",
                next_step="List what there is with `hackorda-ops backups`. If that night is missing, take it first.",
            )
        newest = max(of_night, key=lambda each: (each.sound, each.captured_at, each.artifact_id))
        artifact_id = newest.artifact_id
    return choose(judged, artifact_id).candidates[0]
