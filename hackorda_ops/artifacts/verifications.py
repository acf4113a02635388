"""Verifications: what reading an artifact's bytes in one place found, remembered beside the artifacts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import TypeAdapter

from hackorda_ops.artifacts.beside import Beside
from hackorda_ops.artifacts.documents import Advice, Document
from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.artifacts.manifest import Manifest, files_digest
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.stores.store import LOOK_WHO_WRITES

VERIFICATIONS_FOLDER: Final = "verifications"
VERIFICATION_VERSION: Final = 1
# What looked: the command, a copy that was read back, or a restore.
LookedBy = Literal["verification", "copy", "restore"]


@dataclass(frozen=True)
class Verification:
    """What one reading of an artifact in one place found.

    Attributes:
        verification_id: its own id, from when it began.
        database: the database's name in databases.yaml.
        artifact_id: the artifact's.
        location: where it was read: "<store>/<database>/<artifact id>".
        files_sha256: which bytes it must have had (`files_digest`): another manifest is another artifact.
        began_at: when the reading began, aware.
        ended_at: when it ended, aware.
        by: what read it.
        sound: whether every byte was read, and is what the manifest says.
        damaged_files: the paths of the files that are not; none where the damage is in no single file.
    """

    verification_id: str
    database: str
    artifact_id: str
    location: str
    files_sha256: str
    began_at: datetime
    ended_at: datetime
    by: LookedBy
    sound: bool
    damaged_files: tuple[str, ...] = ()
    verification_version: Literal[1] = VERIFICATION_VERSION


_DOCUMENT: Final = Document(
    name="verification",
    adapter=TypeAdapter(Verification),
    version_field="verification_version",
    version=VERIFICATION_VERSION,
    unreadable=Advice("What it found is unknown.", LOOK_WHO_WRITES),
)


def verification_of(
    manifest: Manifest,
    location: str,
    *,
    by: LookedBy,
    began_at: datetime,
    findings: Iterable[Finding] = (),
    damaged_files: Iterable[str] = (),
) -> Verification:
    """What a reading that has just ended found.

    Args:
        manifest: what the artifact must be.
        location: where it was read: "<store>/<database>/<artifact id>".
        by: what read it.
        began_at: when it began, aware.
        findings: what differs from the manifest.
        damaged_files: paths of files that do.
    """
    against = fatal(findings)
    paths = {entry.path for entry in manifest.files}
    # A finding's subject is the path, and what the file holds.
    named = {each.subject.partition(" (")[0] for each in against} & paths
    damaged = named | (set(damaged_files) & paths)
    return Verification(
        verification_id=new_id(began_at),
        database=manifest.database,
        artifact_id=manifest.artifact_id,
        location=location,
        files_sha256=files_digest(manifest.files),
        began_at=began_at,
        ended_at=datetime.now(UTC),
        by=by,
        sound=not against and not damaged,
        damaged_files=tuple(sorted(damaged)),
    )


_BESIDE: Final = Beside(
    VERIFICATIONS_FOLDER,
    _DOCUMENT,
    lambda verification: (verification.database, verification.artifact_id, verification.verification_id),
)
remember = _BESIDE.remember
"""Writes a verification into each store (`Beside.remember`)."""
verification_keys = _BESIDE.keys
"""Where the verifications of a database lie in a store (`Beside.keys`)."""
read_verifications = _BESIDE.read
"""Reads the last verifications of some artifacts (`Beside.read`)."""
