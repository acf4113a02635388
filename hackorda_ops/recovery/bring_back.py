"""Restores an artifact into an empty database, and compares every row with its manifest.

An operator's `restore` and the quarterly drill run this same code.

Before the restore the files' hashes are compared, and the rows in them only where something is unclear: the comparison
after the restore reads every row. Where that differs, or the restore fails, the artifact is read after all.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from hackorda_ops.artifacts.damage import FileSeen, damage
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.artifacts.twins import Fetched, Twins
from hackorda_ops.artifacts.verifications import remember, verification_of
from hackorda_ops.engines.engine import Target
from hackorda_ops.engines.orders import RestoreOrder
from hackorda_ops.engines.registry import engine_that_wrote
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, OpsError, RestoreRefused, ToolFailed
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.own_folders import new_folder
from hackorda_ops.progress import OnProgress
from hackorda_ops.receipts.record import recorded
from hackorda_ops.sealing.opening import OpenArtifact, fetch_opened, opened
from hackorda_ops.stores.store import Store
from hackorda_ops.words import named

_MAY_BE_THE_ARTIFACTS: Final = (ArtifactDamaged, RestoreRefused, ToolFailed)
"""The errors of a restore that an artifact may be the cause of."""


@dataclass(frozen=True)
class BroughtBack:
    """A finished restore.

    Attributes:
        manifest: the artifact's.
        location: where it was fetched from.
        target: the database it is in now, without secrets.
        seconds: the restore's own wall-clock time.
        findings: what differs from the manifest; none means PASS.
        warnings: what the tools or the server warned of.
        taken: what was taken from other copies, and why (`Fetched.told`).
    """

    manifest: Manifest
    location: str
    target: str
    seconds: float
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    taken: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How much was compared: rows, or what the engine has instead."""
        return self.manifest.rows

    @property
    def tables(self) -> int:
        """In how many parts."""
        return len(self.manifest.parts)

    @property
    def verdict(self) -> Literal["PASS", "FAIL"]:
        """Either "PASS" or "FAIL"."""
        return "FAIL" if fatal(self.findings) else "PASS"


def bring_back(
    protected: Protected,
    store: Store,
    manifest: Manifest,
    target: Target,
    *,
    source: Target | None,
    on_progress: OnProgress,
    jobs: int | None = None,
    with_access: bool = False,
    keep_going: bool = False,
    tables: Sequence[str] = (),
    twins: Twins | None = None,
) -> BroughtBack:
    """Fetches an artifact, checks it, restores it into an empty database and compares the result.

    What it saw of the artifact's bytes is remembered where that lies.

    Args:
        protected: the database; the artifact lies in its work folder meanwhile, and is gone from there afterwards.
        store: where the artifact lies.
        manifest: the artifact's.
        target: the empty database.
        source: the live database, where it's known: the target must not be it.
        on_progress: called at every stage, from more than one thread.
        jobs: how many processes restore and compare; None for what is configured.
        with_access: also creates the missing roles, and applies owners, grants and settings; these
            are compared as well.
        keep_going: restores everything that the server accepts; each thing that it rejects is a finding.
        tables: restores only these, and what they need; none for everything.
        twins: where a file may be taken from instead that is damaged, missing or can't be read; None: from nowhere.

    Raises:
        ConfigError, IdentityRefused: the artifact is encrypted, and no identity here opens it.
        TargetRefused: the target is the source, isn't empty, or can't take this artifact.
        RightsMissing: the role can't create what is in the dump, or the roles; nothing was restored.
        ArtifactDamaged: the artifact isn't what its manifest says. Nothing was restored, or the error says otherwise.
        OpsError: any other error of its tree.
    """
    engine = engine_that_wrote(manifest)
    artifact = opened(
        protected, store, manifest, elsewhere=protected.known_stores if twins is not None else ()
    )
    manifest = engine.part_of(artifact.manifest, tables) if tables else artifact.manifest
    jobs, work_folder = jobs or protected.policy.dump.jobs, protected.policy.dump.work_folder
    # The log and the receipts are those of the database that the artifact is of, whatever it's called here.
    of_artifact = replace(protected, name=manifest.database)
    with (
        recorded("restore", of_artifact, subject=manifest.artifact_id, stores=(store,)) as line,
        ExitStack() as stack,
    ):
        # Check the target first: a wrong one should fail in seconds.
        restore = stack.enter_context(
            engine.admitted(
                RestoreOrder(
                    protected=protected,
                    store=store,
                    manifest=manifest,
                    target=target,
                    source=source,
                    jobs=jobs,
                    on_progress=on_progress,
                    with_access=with_access,
                    keep_going=keep_going,
                    in_part=bool(tables),
                )
            )
        )
        folder = stack.enter_context(new_folder(work_folder, "restore-", guarded=artifact.key is not None))
        reading = _ArtifactAtHand(
            protected, store, artifact, manifest if tables else None, folder, jobs, on_progress, twins
        )
        if found := reading.fetched_and_hashed():
            reading.remember(found)
            raise reading.not_what_it_says(
                found, "Nothing was restored: it would not have been the database of that night."
            )
        try:
            restored = restore(folder)
        except OpsError as error:
            found = reading.read_in_full() if isinstance(error, _MAY_BE_THE_ARTIFACTS) else ()
            reading.remember(found)
            if not found:
                raise
            raise reading.not_what_it_says(
                found,
                f"The restore failed, and what is in {target.describe()} now is not the database of that night: "
                "drop it.",
            ) from error
        found = reading.read_in_full() if fatal(restored.findings) else ()
        reading.remember(found)
        brought = BroughtBack(
            manifest=manifest,
            location=f"{store.describe()}/{manifest.prefix}",
            target=target.describe(),
            seconds=restored.seconds,
            findings=(*found, *restored.findings),
            warnings=restored.warnings,
            taken=reading.fetched.told(store, manifest.prefix),
        )
        line.outcome, line.findings = brought.verdict, brought.findings
        line.saw(store, manifest.prefix)
        line.detail = " ".join(
            (
                f"From {brought.location} into {brought.target}: {manifest.contents} compared.",
                *([f"Only a part was restored: {named(tables)}."] if tables else []),
                *brought.taken,
            )
        )
    return brought


@dataclass(frozen=True)
class _ArtifactAtHand:
    """An artifact, fetched into a folder, and what is seen of its bytes.

    Attributes:
        artifact: it, opened.
        part: the manifest of the part that is restored; None for all.
    """

    protected: Protected
    store: Store
    artifact: OpenArtifact
    part: Manifest | None
    folder: Path
    jobs: int
    on_progress: OnProgress
    twins: Twins | None
    fetched: Fetched = field(default_factory=Fetched)
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def fetched_and_hashed(self) -> tuple[Finding, ...]:
        """Fetches it; what differs from the manifest by the hashes of its files.

        Raises:
            ArtifactDamaged, ArtifactMissing: it isn't there completely; that is remembered.
        """
        try:
            fetch_opened(
                self.store,
                self.artifact.part(self.part or self.artifact.manifest),
                self.folder,
                on_progress=self.on_progress,
                twins=self.twins,
                fetched=self.fetched,
            )
            return self._judged(self.fetched.hashed)
        except (ArtifactDamaged, ArtifactMissing) as error:
            self.remember((damage(self.artifact.stored, error),))
            raise

    def read_in_full(self) -> tuple[Finding, ...]:
        """What differs from the manifest in the files although their hashes don't."""
        try:
            return self._judged(None)
        except (ArtifactDamaged, ArtifactMissing) as error:
            return (damage(self.artifact.manifest, error),)

    def _judged(self, hashed: Mapping[str, FileSeen] | None) -> tuple[Finding, ...]:
        return engine_that_wrote(self.artifact.manifest).judge(
            self.protected,
            self.folder,
            self.artifact.manifest,
            jobs=self.jobs,
            on_progress=self.on_progress,
            part=self.part,
            hashed=hashed,
        )

    def remember(self, found: tuple[Finding, ...]) -> None:
        """Writes down beside the artifact what was seen of its bytes there."""
        # A part that is sound says nothing of the rest, and what couldn't be read nothing of that place.
        whole = self.part is None and not self.fetched.given_up
        if not found and not self.fetched.damaged and not whole:
            return
        seen = verification_of(
            self.artifact.stored,
            self._location,
            by="restore",
            began_at=self.began_at,
            findings=found,
            damaged_files=self.fetched.damaged,
        )
        remember((self.store,), seen)

    def not_what_it_says(self, found: Sequence[Finding], meaning: str) -> ArtifactDamaged:
        """The error for it."""
        return ArtifactDamaged(
            f"{self._location} is not what its manifest says: "
            + "; ".join(f"{finding.code} {finding.subject}" for finding in found[:10])
            + ".",
            meaning=meaning,
            next_step="Restore another artifact (`hackorda-ops backups` lists them).",
        )

    @property
    def _location(self) -> str:
        return f"{self.store.describe()}/{self.artifact.stored.prefix}"
