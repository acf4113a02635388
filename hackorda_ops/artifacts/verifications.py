"""Verifications: what reading an artifact's bytes in one place found, remembered beside the artifacts.

Each is a small file of its own, never rewritten, which suits versioning and object lock. They lie beside the
artifacts and not in them: what is written into an artifact's folder would look like a new copy of it, and object lock
would hold the whole artifact for longer. Losing one loses no more than that somebody has looked.
"""

import hashlib
import logging
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Final, Literal

from pydantic import TypeAdapter

from hackorda_ops.artifacts.documents import Advice, Document, read_own
from hackorda_ops.artifacts.ids import is_id, new_id
from hackorda_ops.artifacts.manifest import FileEntry, Manifest, digest_of
from hackorda_ops.errors import ArtifactMissing, OpsError
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import LOOK_WHO_WRITES, Store

VERIFICATIONS_FOLDER: Final = "verifications"
VERIFICATION_VERSION: Final = 1
# What looked: the command, a copy that was read back, or a restore.
LookedBy = Literal["verification", "copy", "restore"]

_READERS: Final = 8
# A path for each of the files of the largest artifacts; others might write to the bucket.
_LIMIT_BYTES: Final = 4 * 1024 * 1024
# Of one artifact. Each sound one supersedes what was seen before, so that older ones say nothing new.
_MOST_READ: Final = 20
_log = logging.getLogger(__name__)


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
    moments=lambda verification: (verification.began_at, verification.ended_at),
)


def files_digest(files: Iterable[FileEntry]) -> str:
    """A digest of which bytes an artifact consists of: its files' names, sizes and hashes. Pure."""
    lines = sorted(f"{each.sha256} {each.size_bytes} {each.path}\n" for each in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


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


def remember(stores: Iterable[Store], verification: Verification) -> None:
    """Writes a verification into each store; what can't be written goes to Python's log, and changes nothing.

    A store that has nothing of the database is left as it is: on a machine that only rescues, the default folder isn't
    the store.

    Args:
        stores: the store and off-site, or what there is of them: a key may have no right to write to one of them.
        verification: what was found.
    """
    key = f"{_folder(verification.database)}{verification.artifact_id}/{verification.verification_id}.json"
    data = _DOCUMENT.to_bytes(verification)
    for store in {each.location(): each.with_patience(SOON) for each in stores}.values():
        try:
            if any(store.folders(f"{verification.database}/")):
                store.put(key, BytesIO(data), size_bytes=len(data), sha256=digest_of(data))
        except OpsError as error:
            _log.warning(
                "What was seen of %s could not be written down. %s", verification.location, error.what
            )


def verification_keys(store: Store, database: str) -> tuple[str, ...]:
    """Where the verifications of a database lie in a store, without reading any.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed.
    """
    folder = _folder(database)
    found = []
    for entry in store.list(folder):
        artifact_id, _, name = entry.key.removeprefix(folder).partition("/")
        if is_id(artifact_id) and name.endswith(".json") and is_id(name.removesuffix(".json")):
            found.append(entry.key)
    return tuple(sorted(found))


def read_verifications(
    store: Store, database: str, keys: Sequence[str], artifact_ids: Collection[str]
) -> tuple[tuple[Verification, ...], tuple[str, ...]]:
    """Reads the last verifications of some artifacts; whatever can't be used says nothing.

    Args:
        store: the store to read from.
        database: the database's name in databases.yaml.
        keys: what there is (`verification_keys`).
        artifact_ids: of the artifacts that are asked about.

    Returns:
        The verifications, and a sentence for each that can't be used.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be read.
    """
    by_artifact: dict[str, list[str]] = {}
    for key in keys:
        by_artifact.setdefault(key.split("/")[-2], []).append(key)
    wanted = [key for each in sorted(artifact_ids) for key in by_artifact.get(each, [])[-_MOST_READ:]]

    def one(key: str) -> Verification | str | None:
        artifact_id, name = key.split("/")[-2:]
        try:
            found = read_own(
                store,
                key,
                _from_bytes,
                said=lambda said: (said.database, f"{said.artifact_id}/{said.verification_id}"),
                wanted=(database, f"{artifact_id}/{name.removesuffix('.json')}"),
                limit_bytes=_LIMIT_BYTES,
            )
        except ArtifactMissing:
            return None
        return found

    with ThreadPoolExecutor(_READERS, thread_name_prefix="verifications") as readers:
        read = list(readers.map(one, wanted))
    return (
        tuple(each for each in read if isinstance(each, Verification)),
        tuple(each for each in read if isinstance(each, str)),
    )


def _from_bytes(data: bytes, *, origin: str) -> Verification:
    return _DOCUMENT.from_bytes(data, origin=origin)


def _folder(database: str) -> str:
    return f"{database}/{VERIFICATIONS_FOLDER}/"
