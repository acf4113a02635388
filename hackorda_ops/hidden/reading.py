"""Reads what lies beneath: the manifest among a key's versions, and the version of a file that has the right bytes."""

from collections.abc import Iterable
from dataclasses import dataclass

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, FileEntry, Manifest, from_bytes
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing
from hackorda_ops.stores.store import SMALL_FILE_LIMIT_BYTES, StoredVersion, read_limited
from hackorda_ops.stores.versions import OpensVersions, has_bytes, newest_first


@dataclass(frozen=True)
class FoundManifest:
    """A manifest, and the version that holds it.

    Attributes:
        manifest: what it says.
        data: its bytes.
        version: where they are.
    """

    manifest: Manifest
    data: bytes
    version: StoredVersion


def manifest_beneath(
    store: OpensVersions, key: str, versions: Iterable[StoredVersion]
) -> FoundManifest | None:
    """The newest version of a manifest that is this artifact's; None where there's none.

    Args:
        store: where it lies.
        key: the manifest's.
        versions: of this key.

    Raises:
        StoreRefused, StoreUnreachable: the versions can't be read.
    """
    for version in newest_first(versions, key):
        try:
            with store.open_version(key, version.version_id or "") as stream:
                data = read_limited(stream, origin=key, limit_bytes=SMALL_FILE_LIMIT_BYTES)
            manifest = from_bytes(data, origin=key)
        except (ArtifactDamaged, ArtifactMissing):
            continue
        if key == f"{manifest.prefix}/{MANIFEST_NAME}":
            return FoundManifest(manifest, data, version)
    return None


def version_with(
    store: OpensVersions, key: str, entry: FileEntry, versions: Iterable[StoredVersion]
) -> StoredVersion | None:
    """The newest version of a file that has the bytes that its manifest says, by reading it; None where none has.

    Args:
        store: where it lies.
        key: the file's.
        entry: the file, as the manifest has it.
        versions: of this key.

    Raises:
        StoreRefused, StoreUnreachable: the versions can't be read.
    """
    for version in newest_first(versions, key):
        try:
            if has_bytes(store, version, size_bytes=entry.size_bytes, sha256=entry.sha256):
                return version
        except ArtifactMissing:
            continue
    return None
