"""The artifact, fetched from off-site, is what its manifest says: hashed file by file before anything is restored."""

from collections.abc import Sequence
from typing import Final

from hackorda_ops.artifacts.damage import damage
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.artifacts.twins import Fetched
from hackorda_ops.drilling.declaration import FILES, RESTORED, DrillCheck, Drilling
from hackorda_ops.drilling.record import Record
from hackorda_ops.engines.registry import engine_that_wrote
from hackorda_ops.environment import Protected
from hackorda_ops.errors import (
    ArtifactDamaged,
    ArtifactMissing,
    IdentityRefused,
)
from hackorda_ops.findings import Finding
from hackorda_ops.sealing.opening import OpenArtifact, fetch_opened, opened
from hackorda_ops.stores.store import Store

CHECK: Final = DrillCheck(
    name=FILES,
    title="The off-site copy is what its manifest says",
    description="Every file fetched from off-site has the manifest's bytes. Where the restored copy isn't what the "
    "manifest says, every row in them is read as well.",
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


def fetched(places: Sequence[Store], drilling: Drilling, damaged: tuple[Finding, ...]) -> bool:
    """Fetches the artifact and hashes every file of it; whether it is what its manifest says.

    Args:
        places: where it lies; see `fetched_findings`.
        drilling: the drill.
        damaged: newer artifacts that are damaged: they count against the copies off-site, and keep no older one
            from being tried.
    """
    record, manifest = drilling.record, drilling.manifest
    findings = fetched_findings(places, drilling, in_full=False)
    record.check(
        CHECK.name,
        (*damaged, *findings),
        passed=f"All {len(manifest.files)} files have the bytes that {manifest.contents} were read back from on "
        "their night.",
        failed="The off-site copy is not what its manifest says, so nothing was restored from it"
        if findings
        else "A newer off-site copy is damaged, so an older one was restored",
    )
    return not findings


def fetched_findings(
    places: Sequence[Store], drilling: Drilling, *, in_full: bool = True
) -> tuple[Finding, ...]:
    """Fetches the artifact, and says what isn't as its manifest says.

    Args:
        places: where it lies; what one doesn't give any more is read from the next ones. Each file is judged as it is
            in the place that it came from, and what is damaged there is taken from nowhere else.
        drilling: the drill, or the proof.
        in_full: whether every row in the files is read; otherwise only where the hashes leave something unclear.

    Raises:
        OpsError: it can't be read.
    """
    record, seen = drilling.record, Fetched()
    findings: tuple[Finding, ...] = ()
    try:
        with record.stage("fetch", in_recovery=True):
            _fetch(places, drilling, seen)
        with record.stage("check", in_recovery=True):
            findings = _judged(drilling, None if in_full else seen)
    except (ArtifactDamaged, ArtifactMissing) as error:
        findings = (damage(drilling.artifact.stored, error),)
    _locate(places, drilling, seen, {each.subject.partition(" (")[0] for each in findings} | {*seen.damaged})
    return findings


def read_if_doubted(drilling: Drilling) -> None:
    """Reads every row in the files, unless the restored copy shows that they are what the manifest says.

    A manifest may have the hashes of files that were bad already when they were hashed: then the artifact is at fault,
    and not the restore or the scratch.
    """
    record, manifest = drilling.record, drilling.manifest
    if any(each.name == RESTORED and each.outcome == "passed" for each in record.checks):
        return
    try:
        with record.stage("read the artifact"):
            findings = _judged(drilling, None)
    except (ArtifactDamaged, ArtifactMissing) as error:
        findings = (damage(manifest, error),)
    if findings:
        # In the place of what was decided by the hashes alone.
        record.check(
            CHECK.name,
            findings,
            passed="",
            failed="Every file has the manifest's SHA-256, but what is in them is not what it says",
        )


def _judged(drilling: Drilling, seen: Fetched | None) -> tuple[Finding, ...]:
    return engine_that_wrote(drilling.manifest).judge(
        drilling.protected,
        drilling.folder,
        drilling.manifest,
        jobs=drilling.policy.dump.jobs,
        on_progress=drilling.on_progress,
        hashed=None if seen is None else seen.hashed,
    )


def _fetch(places: Sequence[Store], drilling: Drilling, seen: Fetched) -> None:
    """Fetches the artifact from the first place; what can't be read there any more from the others that have it.

    Raises:
        ArtifactMissing, ArtifactDamaged: a file isn't what its manifest says.
        StoreRefused, StoreUnreachable: no place answers.
    """
    store, *others = places
    fetch_opened(
        store,
        drilling.artifact,
        drilling.folder,
        on_progress=drilling.on_progress,
        copies=others,
        fetched=seen,
    )


def _locate(places: Sequence[Store], drilling: Drilling, seen: Fetched, bad: set[str]) -> None:
    """Writes down where the files came from: from a place alone, or the bad ones of them, or from several.

    What came from several places in part says of none that all files there are as they should be.
    """
    if not seen.given_up:
        return
    record, prefix = drilling.record, drilling.manifest.prefix
    record.remarks += seen.told(places[0], prefix)
    paths = (bad & {*seen.hashed, *seen.damaged}) or {*seen.hashed}
    read = [(seen.taken[path].store if path in seen.taken else places[0]).describe() for path in paths]
    record.location = (
        " and ".join(f"{store.describe()}/{prefix}" for store in places if store.describe() in read)
        or record.location
    )
