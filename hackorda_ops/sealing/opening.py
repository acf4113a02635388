"""Opens encrypted artifacts: the identity opens the artifact's key, and that the manifest and every file."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from hackorda_ops.age.data_key import DataKey, unwrapped
from hackorda_ops.age.identities import Identities
from hackorda_ops.age.streams import NotOpened, decrypt_file, decrypt_small
from hackorda_ops.artifacts.damage import HashedFile
from hackorda_ops.artifacts.documents import USE_ANOTHER_ARTIFACT
from hackorda_ops.artifacts.fetch import fetch_artifact
from hackorda_ops.artifacts.key_files import KEY_LIMIT_BYTES, key_files, key_missing
from hackorda_ops.artifacts.manifest import FileEntry, Manifest, from_bytes
from hackorda_ops.artifacts.sealed import (
    IN_THE_CLEAR,
    SEALED_NAME,
    SUFFIX,
    SealedManifest,
    is_sealed,
    tells_the_same,
)
from hackorda_ops.artifacts.twins import Fetched, Twins
from hackorda_ops.environment import Protected
from hackorda_ops.errors import (
    ArtifactDamaged,
    ArtifactMissing,
    IdentityRefused,
    OpsError,
    StoreRefused,
    StoreUnreachable,
)
from hackorda_ops.progress import OnProgress, Progress
from hackorda_ops.sealing.identity import identity_of
from hackorda_ops.stores.disk_errors import disk_errors
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import Store

# Keys of an artifact that are tried; each rewrapping makes one, and takes the others away where it can.
_MOST_KEYS: Final = 50


@dataclass(frozen=True)
class OpenArtifact:
    """An artifact of which everything may be read.

    Attributes:
        manifest: all that it says, with its files as they were before they were encrypted.
        stored: what lies in the store: the same, where it isn't encrypted.
        key: the artifact's own; None where it isn't encrypted.
    """

    manifest: Manifest
    stored: Manifest
    key: DataKey | None = field(default=None, repr=False)

    def part(self, manifest: Manifest) -> "OpenArtifact":
        """The same, of a part of the artifact only (`Engine.part_of`)."""
        if self.key is None:
            return OpenArtifact(manifest, manifest)
        wanted = {f"{entry.path}{SUFFIX}" for entry in manifest.files}
        files = tuple(entry for entry in self.stored.files if entry.path in wanted)
        return OpenArtifact(manifest, replace(self.stored, files=files), self.key)


def opened(
    protected: Protected, store: Store, manifest: Manifest, *, elsewhere: Sequence[Store] = ()
) -> OpenArtifact:
    """Opens an artifact; one that isn't encrypted is open.

    Args:
        protected: the database; its identity is read now.
        store: where the artifact lies.
        manifest: what the artifact shows of itself.
        elsewhere: other places that may have what is missing or damaged in the store; none where this copy itself is
            to be judged.

    Raises:
        ConfigError: there's no identity here.
        IdentityRefused: the identity doesn't open the artifact.
        ArtifactMissing: the artifact's key is gone.
        ArtifactDamaged: its key or its manifest isn't the one that it was made with.
        StoreRefused, StoreUnreachable: the store can't be read.
    """
    if not isinstance(manifest, SealedManifest):
        return OpenArtifact(manifest, manifest)
    places = (store, *(each.with_patience(SOON) for each in elsewhere))
    key = data_key(places, manifest, identity_of(protected))
    return OpenArtifact(_manifest(places, manifest, key), manifest, key)


def data_key(places: Sequence[Store], manifest: SealedManifest, identities: Identities) -> DataKey:
    """The artifact's own key.

    Args:
        places: where its wrapped key may lie, the first to try first.
        manifest: what the artifact shows of itself.
        identities: that may open it.

    Raises:
        IdentityRefused, ArtifactMissing, ArtifactDamaged, StoreRefused, StoreUnreachable: see `opened`.
    """
    refused, damaged, found, unread = False, "", False, list[OpsError]()
    for place in places:
        with _passing(unread):
            for name in key_files(place, manifest.prefix)[:_MOST_KEYS]:
                found, key_path = True, f"{place.describe()}/{manifest.prefix}/{name}"
                try:
                    key = unwrapped(
                        place.read_small(f"{manifest.prefix}/{name}", KEY_LIMIT_BYTES), identities
                    )
                except NotOpened as error:
                    refused, damaged = refused or error.no_key, damaged or ("" if error.no_key else key_path)
                    continue
                except ArtifactMissing:
                    continue
                if key.recipient == manifest.data_recipient:
                    return key
                damaged = damaged or key_path
    if not found:
        raise unread[0] if unread else key_missing(places[0], manifest)
    if damaged:
        raise ArtifactDamaged(
            f"{damaged} doesn't hold the key that {manifest.artifact_id} was encrypted with.",
            meaning="It was damaged, or somebody put another in its place. Nothing was decrypted.",
            next_step="Take the key from another copy of the artifact. " + USE_ANOTHER_ARTIFACT,
        )
    assert refused  # noqa: S101  # a key that was found opened, was damaged, or was refused
    raise IdentityRefused(
        f"{identities.origin} doesn't open {manifest.artifact_id}: its key is for other recipients.",
        meaning="An emergency restore with this identity would fail. (Or the key's file was replaced: then no identity "
        "of yours opens it.) Nothing was restored.",
        next_step="Find the identity of one of these: "
        + ", ".join(manifest.encrypted_to)
        + ". Or let somebody who "
        "has one re-encrypt the key for yours: `hackorda-ops rewrap`.",
    )


@contextmanager
def _passing(unread: list[OpsError]) -> Iterator[None]:
    """Lets a place that can't be read pass: another may have the same."""
    try:
        yield
    except (StoreRefused, StoreUnreachable) as error:
        unread.append(error)


def _manifest(places: Sequence[Store], sealed: SealedManifest, key: DataKey) -> Manifest:
    [entry] = [each for each in sealed.files if each.path == SEALED_NAME]
    why, unread = "", list[OpsError]()
    for place in places:
        origin, data = f"{place.describe()}/{sealed.prefix}/{SEALED_NAME}", None
        try:
            with _passing(unread):
                data = place.read_small(f"{sealed.prefix}/{SEALED_NAME}")
        except (ArtifactMissing, ArtifactDamaged) as error:
            why = why or error.what
        if data is None:
            continue
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            why = why or f"{origin} has other bytes than the manifest lists"
            continue
        try:
            plain = decrypt_small(data, [key.identity])
        except NotOpened:
            raise _not_what_was_sealed(origin) from None
        manifest = from_bytes(plain, origin=f"{origin}, decrypted,")
        if is_sealed(manifest) or not tells_the_same(sealed, manifest):
            raise _not_what_was_sealed(origin)
        return manifest
    if unread:
        raise unread[0]
    raise ArtifactDamaged(
        f"{why}.",
        meaning="It holds what the artifact is compared with, so nothing could be checked.",
        next_step=USE_ANOTHER_ARTIFACT,
    )


def _not_what_was_sealed(origin: str) -> ArtifactDamaged:
    return ArtifactDamaged(
        f"{origin} isn't what the manifest beside it was made of.",
        meaning="One of the two was replaced after the artifact was taken; it is not counted as a backup.",
        next_step=USE_ANOTHER_ARTIFACT,
    )


def fetch_opened(
    store: Store,
    artifact: OpenArtifact,
    folder: Path,
    *,
    on_progress: OnProgress,
    twins: Twins | None = None,
    copies: Sequence[Store] = (),
    fetched: Fetched | None = None,
) -> None:
    """Fetches an artifact's files, and decrypts them; the folder then has what `artifact.manifest` lists.

    Args:
        store: where it lies.
        artifact: the artifact, or a part of it.
        folder: an existing private folder.
        on_progress: called with the bytes fetched and decrypted, from more than one thread.
        twins: see `fetch_artifact`.
        copies: see `fetch_artifact`.
        fetched: see `fetch_artifact`.

    Raises:
        ArtifactMissing, ArtifactDamaged: a file isn't there, or isn't what its manifest says. Of an encrypted
            artifact, every byte was compared; of any other one only with `twins`.
        DiskFull, StoreRefused, StoreUnreachable: it can't be fetched, or there's no room.
    """
    fetch_artifact(
        store,
        artifact.stored,
        folder,
        on_progress=on_progress,
        twins=twins,
        copies=copies,
        fetched=fetched,
        # Nothing is decrypted that isn't known to be what was encrypted.
        check=artifact.key is not None,
    )
    if artifact.key is None:
        return
    for path in (SEALED_NAME, *IN_THE_CLEAR):
        (folder / path).unlink(missing_ok=True)
    plain = {entry.path: entry for entry in artifact.manifest.files}
    for told in _decrypted(folder, artifact.stored.files, plain, artifact.key):
        on_progress(Progress("decrypt", told, artifact.stored.size_bytes, "bytes"))
    if fetched is not None:
        # Each was held against the manifest while it was decrypted.
        sealed = {entry.path for entry in artifact.stored.files}
        fetched.hashed.update(
            (path, HashedFile(path, entry.size_bytes, entry.sha256))
            for path, entry in plain.items()
            if f"{path}{SUFFIX}" in sealed
        )


def decrypt_into(folder: Path, artifact: OpenArtifact, target: Path, *, on_progress: OnProgress) -> None:
    """Decrypts an artifact that was fetched as it is, into another folder; the ciphertext stays.

    Args:
        folder: where it was fetched to.
        artifact: the artifact.
        target: a new folder.
        on_progress: called with the bytes decrypted.

    Raises:
        ArtifactDamaged: a file isn't what was encrypted.
        DiskFull, StoreRefused: there's no room, or it can't be written.
    """
    assert artifact.key is not None  # noqa: S101  # the caller knows that it is encrypted
    plain = {entry.path: entry for entry in artifact.manifest.files}
    for told in _decrypted(folder, artifact.stored.files, plain, artifact.key, target=target):
        on_progress(Progress("decrypt", told, artifact.stored.size_bytes, "bytes"))


def _decrypted(
    folder: Path,
    files: Iterable[FileEntry],
    plain: dict[str, FileEntry],
    key: DataKey,
    *,
    target: Path | None = None,
) -> Iterator[int]:
    """Decrypts file by file; without a target beside the ciphertext, which then goes. Tells the bytes so far."""
    done_bytes = 0
    for entry in files:
        path = entry.path.removesuffix(SUFFIX)
        if entry.path == SEALED_NAME or path not in plain or path == entry.path:
            continue
        source, goal = folder / entry.path, (target or folder) / path
        with disk_errors(f"decrypt {source}"):
            goal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            goal.unlink(missing_ok=True)
            try:
                seen = decrypt_file(source, goal, [key.identity])
            except NotOpened:
                raise _other_content(source) from None
            if target is None:
                source.unlink()
        if (seen.size_bytes, seen.sha256) != (plain[path].size_bytes, plain[path].sha256):
            raise _other_content(source)
        done_bytes += entry.size_bytes
        yield done_bytes


def _other_content(path: Path) -> ArtifactDamaged:
    return ArtifactDamaged(
        f"{path} doesn't decrypt to the file that its manifest lists.",
        meaning="It was replaced after the artifact was taken, or written wrongly; nothing was restored.",
        next_step=USE_ANOTHER_ARTIFACT,
    )
