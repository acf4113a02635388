"""Restores an artifact into an empty database, and compares every row with its manifest.

An operator's `restore` and the quarterly drill run this same code.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from hackorda_ops.artifacts.damage import damage
from hackorda_ops.artifacts.fetch import Fetched, Twins
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.artifacts.verifications import remember, verification_of
from hackorda_ops.engines.engine import Target
from hackorda_ops.engines.orders import RestoreOrder
from hackorda_ops.engines.registry import engine_that_wrote
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.own_folders import new_folder
from hackorda_ops.progress import OnProgress
from hackorda_ops.receipts.record import recorded
from hackorda_ops.sealing.opening import fetch_opened, opened
from hackorda_ops.stores.store import Store
from hackorda_ops.words import named


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
        taken: a sentence for each file that was taken from another copy, because it's damaged or missing there.
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
        twins: where a file that is damaged or missing may be taken from instead; None: from nowhere.

    Raises:
        ConfigError, IdentityRefused: the artifact is encrypted, and no identity here opens it.
        TargetRefused: the target is the source, isn't empty, or can't take this artifact.
        RightsMissing: the role can't create what is in the dump, or the roles; nothing was restored.
        ArtifactDamaged: the artifact isn't what its manifest says; nothing was restored.
        OpsError: any other error of its tree.
    """
    engine = engine_that_wrote(manifest)
    artifact = opened(
        protected, store, manifest, elsewhere=protected.known_stores if twins is not None else ()
    )
    stored, whole = artifact.stored, artifact.manifest
    manifest = engine.part_of(whole, tables) if tables else whole
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
        folder = stack.enter_context(new_folder(work_folder, "restore-"))
        began_at, fetched = datetime.now(UTC), Fetched()
        try:
            fetch_opened(
                store, artifact.part(manifest), folder, on_progress=on_progress, twins=twins, fetched=fetched
            )
            found = engine.judge(
                protected,
                folder,
                whole,
                jobs=jobs,
                on_progress=on_progress,
                part=manifest if tables else None,
            )
        except (ArtifactDamaged, ArtifactMissing) as error:
            _remember(store, stored, began_at, (damage(stored, error),), fetched)
            raise
        # A part that is sound says nothing of the rest.
        if found or fetched.damaged or not tables:
            _remember(store, stored, began_at, found, fetched)
        if found:
            raise ArtifactDamaged(
                f"{store.describe()}/{manifest.prefix} is not what its manifest says: "
                + "; ".join(f"{finding.code} {finding.subject}" for finding in found[:10])
                + ".",
                meaning="Nothing was restored: it would not have been the database of that night.",
                next_step="Restore another artifact (`hackorda-ops backups` lists them).",
            )
        restored = restore(folder)
        brought = BroughtBack(
            manifest=manifest,
            location=f"{store.describe()}/{manifest.prefix}",
            target=target.describe(),
            seconds=restored.seconds,
            findings=restored.findings,
            warnings=restored.warnings,
            taken=tuple(
                f"{store.describe()}/{manifest.prefix}/{path} is damaged or missing; {twin} has the same SHA-256, "
                "and was taken instead."
                for path, twin in sorted(fetched.taken.items())
            ),
        )
        line.outcome, line.findings = brought.verdict, restored.findings
        line.saw(store, manifest.prefix)
        line.detail = " ".join(
            (
                f"From {brought.location} into {brought.target}: {manifest.contents} compared.",
                *([f"Only a part was restored: {named(tables)}."] if tables else []),
                *brought.taken,
            )
        )
    return brought


def _remember(
    store: Store, manifest: Manifest, began_at: datetime, found: tuple[Finding, ...], fetched: Fetched
) -> None:
    """Writes down beside the artifact what was seen of its bytes there."""
    location = f"{store.describe()}/{manifest.prefix}"
    seen = verification_of(
        manifest, location, by="restore", began_at=began_at, findings=found, damaged_files=fetched.damaged
    )
    remember((store,), seen)
