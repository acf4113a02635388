"""The artifact, fetched from off-site, is what its manifest says: read file by file before anything is restored."""

from typing import Final

from hackorda_ops.artifacts.damage import damage
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.drilling.declaration import FILES, DrillCheck, Drilling
from hackorda_ops.drilling.record import Record
from hackorda_ops.engines.registry import engine_that_wrote
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, IdentityRefused
from hackorda_ops.findings import Finding
from hackorda_ops.sealing.opening import OpenArtifact, fetch_opened, opened
from hackorda_ops.stores.store import Store

CHECK: Final = DrillCheck(
    name=FILES,
    title="The off-site copy is what its manifest says",
    description="Every file fetched from off-site, and every row in it, is what the manifest says.",
    essential=True,
)


def opened_here(
    record: Record, check: str, protected: Protected, store: Store, manifest: Manifest
) -> OpenArtifact | None:
    """Opens the artifact with the identity that an emergency restore would use; None where it can't be opened.

    Args:
        record: where that is written down: then nothing else can be known of the artifact.
        check: the name of the check of the artifact's files.
        protected: the database.
        store: where the artifact lies.
        manifest: what the artifact shows of itself.

    Raises:
        ConfigError: no identity is named here, or it can't be had; that says nothing of the backup.
    """
    try:
        return opened(protected, store, manifest)
    except IdentityRefused as error:
        finding = Finding(
            "identity refused",
            manifest.prefix,
            "the identity that is here opens it",
            error.what,
            error.next_step,
        )
        failed = "The identity doesn't open the artifact, so nothing was restored from it"
    except (ArtifactDamaged, ArtifactMissing) as error:
        finding = damage(manifest, error)
        failed = "This copy can't be opened, so nothing was restored from it"
    record.check(check, (finding,), passed="", failed=failed)
    return None


def fetched(offsite: Store, drilling: Drilling, damaged: tuple[Finding, ...]) -> bool:
    """Fetches the artifact and reads every file of it; whether it is what its manifest says.

    Args:
        offsite: where it lies.
        drilling: the drill.
        damaged: newer artifacts that are damaged: they count against the copies off-site, and keep no older one
            from being tried.
    """
    record, manifest = drilling.record, drilling.manifest
    findings = fetched_findings(offsite, drilling)
    record.check(
        CHECK.name,
        (*damaged, *findings),
        passed=f"All {len(manifest.files)} files have the manifest's bytes, and all "
        f"{manifest.contents} in them are what it says.",
        failed="The off-site copy is not what its manifest says, so nothing was restored from it"
        if findings
        else "A newer off-site copy is damaged, so an older one was restored",
    )
    return not findings


def fetched_findings(store: Store, drilling: Drilling) -> tuple[Finding, ...]:
    """Fetches the artifact from a place, reads every file of it, and says what isn't as its manifest says.

    Args:
        store: the place.
        drilling: the drill, or the proof.

    Raises:
        OpsError: it can't be read.
    """
    record, manifest = drilling.record, drilling.manifest
    try:
        with record.stage("fetch", in_recovery=True):
            fetch_opened(store, drilling.artifact, drilling.folder, on_progress=drilling.on_progress)
        with record.stage("check", in_recovery=True):
            return engine_that_wrote(manifest).judge(
                drilling.protected,
                drilling.folder,
                manifest,
                jobs=drilling.policy.dump.jobs,
                on_progress=drilling.on_progress,
            )
    except (ArtifactDamaged, ArtifactMissing) as error:
        return (damage(drilling.artifact.stored, error),)
