"""Whether an artifact's bytes are still what its manifest says: every file, and all that is in it, read once."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from hackorda_ops.artifacts.damage import all_hashed, damage, file_findings
from hackorda_ops.artifacts.fetch import fetch_artifact
from hackorda_ops.artifacts.key_files import key_files, key_missing
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.artifacts.sealed import is_sealed
from hackorda_ops.artifacts.verifications import remember, verification_of
from hackorda_ops.engines.registry import engine_that_wrote
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.own_folders import new_folder
from hackorda_ops.progress import OnProgress
from hackorda_ops.receipts.record import recorded
from hackorda_ops.sealing.opening import fetch_opened, opened
from hackorda_ops.stores.store import Store


@dataclass(frozen=True)
class Verified:
    """What verifying an artifact found.

    Attributes:
        manifest: the artifact's.
        location: where it was read from.
        findings: what differs from the manifest; none means PASS.
        not_measured: what wasn't looked at, and why; "" where everything was.
    """

    manifest: Manifest
    location: str
    findings: tuple[Finding, ...]
    not_measured: str = ""

    @property
    def verdict(self) -> Literal["PASS", "FAIL"]:
        """Either "PASS" or "FAIL"."""
        return "FAIL" if fatal(self.findings) else "PASS"


def verify(protected: Protected, store: Store, manifest: Manifest, *, on_progress: OnProgress) -> Verified:
    """Fetches an artifact, compares each of its files and tables with the manifest, and remembers what it saw.

    Of an encrypted one whose identity isn't named here, the bytes are compared, and nothing in them.

    Args:
        protected: the database; the artifact lies in its work folder meanwhile, and is gone from there afterwards.
        store: where it lies.
        manifest: what it must be.
        on_progress: called at every stage, from more than one thread.

    Raises:
        DiskFull, StoreRefused, StoreUnreachable: it couldn't be verified.
        ConfigError, IdentityRefused: an identity is named here, and can't be had, or doesn't open the artifact.
    """
    not_measured = ""
    began_at, location = datetime.now(UTC), f"{store.describe()}/{manifest.prefix}"
    with recorded("verification", protected, subject=manifest.artifact_id) as line:
        work_folder, sealed = protected.policy.dump.work_folder, is_sealed(manifest)
        with new_folder(work_folder, "verify-", guarded=sealed) as folder:
            try:
                if sealed and protected.policy.identity is None:
                    findings = _bytes_alone(store, manifest, folder, on_progress)
                    not_measured = "its rows and digests were not measured: that needs the identity"
                else:
                    artifact = opened(protected, store, manifest)
                    fetch_opened(store, artifact, folder, on_progress=on_progress)
                    findings = engine_that_wrote(manifest).judge(
                        protected,
                        folder,
                        artifact.manifest,
                        jobs=protected.policy.dump.jobs,
                        on_progress=on_progress,
                    )
            except (ArtifactDamaged, ArtifactMissing) as error:
                findings = (damage(manifest, error),)
        seen = verification_of(manifest, location, by="verification", began_at=began_at, findings=findings)
        remember((store, *protected.known_stores), seen)
        verified = Verified(manifest, location, findings, not_measured)
        line.outcome, line.findings = verified.verdict, findings
        line.saw(store, manifest.prefix)
    return verified


def _bytes_alone(
    store: Store, manifest: Manifest, folder: Path, on_progress: OnProgress
) -> tuple[Finding, ...]:
    """Compares the ciphertext with what the manifest lists."""
    if not key_files(store, manifest.prefix):
        raise key_missing(store, manifest)
    fetch_artifact(store, manifest, folder, on_progress=on_progress)
    return tuple(file_findings(manifest, all_hashed(folder, manifest)))
