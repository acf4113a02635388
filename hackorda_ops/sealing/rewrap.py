"""Other recipients for artifacts that exist: each one's key is wrapped anew, and no other byte of it is touched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from hackorda_ops.age.identities import Identities
from hackorda_ops.artifacts.key_files import KEY_LIMIT_BYTES, key_files
from hackorda_ops.artifacts.manifest import digest_of
from hackorda_ops.artifacts.sealed import SealedManifest, key_name, key_number
from hackorda_ops.errors import OpsError, StoreRefused
from hackorda_ops.sealing.opening import data_key
from hackorda_ops.stores.store import PlaceName, Store
from hackorda_ops.stores.versions import OpensVersions, newest_first


@dataclass(frozen=True)
class Rewrapped:
    """An artifact whose key is wrapped for other recipients.

    Attributes:
        artifact_id: the artifact's.
        name: the new file's.
        locations: where it is now.
        left: what could not be done, a sentence each: earlier wrappings that are still there, places that were not
            written to.
    """

    artifact_id: str
    name: str
    locations: tuple[str, ...]
    left: tuple[str, ...]


def rewrap(
    places: Mapping[PlaceName, Store],
    manifest: SealedManifest,
    identities: Identities,
    recipients: Sequence[str],
) -> Rewrapped:
    """Wraps an artifact's key for recipients, under a new name, and takes the earlier wrappings away where it can.

    Args:
        places: those that have the artifact.
        manifest: what it shows of itself.
        identities: that open its present key.
        recipients: whom it is wrapped for from now on.

    Raises:
        IdentityRefused, ArtifactMissing, ArtifactDamaged: its present key can't be opened.
        StoreRefused, StoreUnreachable: no place takes the new one.
    """
    stores = tuple(places.values())
    key = data_key(stores, manifest, identities)
    names = {store.describe(): key_files(store, manifest.prefix) for store in stores}
    # A new name everywhere: a locked object can't be replaced, and nobody reads half of one.
    name = key_name(1 + max(key_number(each) for found in names.values() for each in found))
    data = key.wrapped(recipients)
    written, left = [], []
    refusal: OpsError | None = None
    for store in stores:
        try:
            _put(store, f"{manifest.prefix}/{name}", data)
        except OpsError as error:
            refusal = refusal or error
            left.append(f"{store.describe()} was not written to: {error.what}")
            continue
        written.append(f"{store.describe()}/{manifest.prefix}/{name}")
        left += _without(store, manifest.prefix, names[store.describe()])
    if not written and refusal is not None:
        raise refusal
    return Rewrapped(manifest.artifact_id, name, tuple(written), tuple(left))


def _put(store: Store, key: str, data: bytes) -> None:
    store.put(key, BytesIO(data), size_bytes=len(data), sha256=digest_of(data))
    if store.read_small(key, KEY_LIMIT_BYTES) != data:
        raise StoreRefused(
            f"{store.describe()}/{key} was read back with other bytes than were written.",
            meaning="The earlier key is still there, and opens the artifact as before.",
            next_step="Find out who else writes there, and try again.",
        )


def _without(store: Store, prefix: str, names: Sequence[str]) -> list[str]:
    """Removes earlier wrappings; a sentence for each that stays."""
    left = []
    for name in names:
        key = f"{prefix}/{name}"
        try:
            store.delete(key)
            kept = newest_first(store.versions_of(key), key) if isinstance(store, OpensVersions) else []
        except OpsError as error:
            left.append(
                f"{store.describe()}/{key} is still there, and still opens for its recipients: {error.what}"
            )
            continue
        if kept:
            # The version is the way back from a rewrapping for the wrong recipients; a lock wouldn't let it go anyway.
            left.append(
                f"{store.describe()}/{key} is hidden by a delete marker, and the version beneath still opens for its "
                "recipients, until the bucket lets go of it: after its lock, by its lifecycle rule or by hand."
            )
    return left
