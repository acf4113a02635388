"""Older versions of a file, in a store that keeps them: which there are, and which one is the file that is wanted."""

import hashlib
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol, runtime_checkable

from hackorda_ops.stores.store import CHUNK_BYTES, StoredVersion


@runtime_checkable
class OpensVersions(Protocol):
    """A store that keeps versions, and lets them be read."""

    def versions_of(self, key: str) -> tuple[StoredVersion, ...]:
        """Every version and delete marker of one file.

        Raises:
            StoreRefused, StoreUnreachable: they can't be listed.
        """

    def open_version(self, key: str, version_id: str) -> AbstractContextManager[BinaryIO]:
        """One version of a file as a stream, whatever lies above it.

        Raises:
            ArtifactMissing: there is no such version.
            StoreRefused, StoreUnreachable: it can't be read; the right to is one of its own.
        """


def newest_first(versions: Iterable[StoredVersion], key: str) -> list[StoredVersion]:
    """The versions of a file that can be read by themselves, without delete markers. Pure.

    Args:
        versions: of any files.
        key: the file's.
    """
    found = [each for each in versions if each.key == key and not each.marker and each.version_id is not None]
    return sorted(found, key=lambda each: (each.current, each.modified_at), reverse=True)


def markers_above(versions: Iterable[StoredVersion], chosen: StoredVersion) -> list[StoredVersion] | None:
    """The delete markers that hide a version; None where something else than markers lies above it. Pure.

    Args:
        versions: of any files, its own among them.
        chosen: the version.
    """
    above = [
        each
        for each in versions
        if each.key == chosen.key
        and each != chosen
        and not chosen.current
        and (each.current or each.modified_at >= chosen.modified_at)
    ]
    return above if all(each.marker for each in above) else None


def has_bytes(store: OpensVersions, version: StoredVersion, *, size_bytes: int, sha256: str) -> bool:
    """Whether a version has exactly these bytes, by reading all of them.

    Args:
        store: where it is.
        version: which.
        size_bytes: how many there have to be.
        sha256: their hex SHA-256.

    Raises:
        ArtifactMissing, StoreRefused, StoreUnreachable: it can't be read.
    """
    if version.size_bytes != size_bytes or version.version_id is None:
        return False
    digest = hashlib.sha256()
    with store.open_version(version.key, version.version_id) as stream:
        while block := stream.read(CHUNK_BYTES):
            digest.update(block)
    return digest.hexdigest() == sha256
