"""The files with an artifact's wrapped key, which lie beside its manifest and aren't listed in it: they may change."""

import hashlib
from typing import Final

from hackorda_ops.artifacts.manifest import FileEntry, Manifest
from hackorda_ops.artifacts.sealed import is_sealed, key_number
from hackorda_ops.errors import ArtifactMissing
from hackorda_ops.stores.store import Store

KEY_LIMIT_BYTES: Final = 256 * 1024
"""A wrapped key takes some hundred bytes for each recipient."""


def key_files(store: Store, prefix: str) -> tuple[str, ...]:
    """The names of an artifact's wrapped keys in a store, the one in force first.

    Args:
        store: where to look.
        prefix: the artifact's place: "<database>/<artifact id>".

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed.
    """
    names = (entry.key.removeprefix(f"{prefix}/") for entry in store.list(f"{prefix}/"))
    return tuple(sorted(filter(key_number, names), key=key_number, reverse=True))


def keys_to_copy(source: Store, destination: Store, manifest: Manifest) -> tuple[FileEntry, ...]:
    """The wrapped key that a copy of an artifact needs as well; none where the destination has a newer one.

    Args:
        source: where it is copied from.
        destination: where to.
        manifest: the artifact's.

    Raises:
        ArtifactMissing: an encrypted artifact has no key in the source, nor in the destination.
        StoreRefused, StoreUnreachable: one of them can't be read.
    """
    if not is_sealed(manifest):
        return ()
    here, there = (key_files(store, manifest.prefix) for store in (source, destination))
    if not here and not there:
        raise key_missing(source, manifest)
    if not here or (there and key_number(there[0]) > key_number(here[0])):
        return ()
    data = source.read_small(f"{manifest.prefix}/{here[0]}", KEY_LIMIT_BYTES)
    return (FileEntry(here[0], len(data), hashlib.sha256(data).hexdigest()),)


def key_missing(store: Store, manifest: Manifest) -> ArtifactMissing:
    """The error for an encrypted artifact whose key is gone from a place."""
    return ArtifactMissing(
        f"{store.describe()}/{manifest.prefix} has no file with the artifact's key (key-1.age).",
        meaning="Without it nobody can decrypt the artifact, whatever identity they have.",
        next_step="Copy it from another place that has the artifact: `hackorda-ops copy` does.",
    )
