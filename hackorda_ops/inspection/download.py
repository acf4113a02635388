"""An artifact's files in a folder of this machine: every byte checked, and continued where it was interrupted."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from hackorda_ops.artifacts.damage import OTHER_BYTES, hashed
from hackorda_ops.artifacts.fetch import fetch_artifact
from hackorda_ops.artifacts.key_files import KEY_LIMIT_BYTES, key_files, key_missing
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, FileEntry, Manifest, from_bytes
from hackorda_ops.artifacts.room import free_bytes
from hackorda_ops.artifacts.sealed import is_sealed
from hackorda_ops.artifacts.twins import Twin
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, DiskFull, UsageError
from hackorda_ops.progress import OnProgress
from hackorda_ops.stores.disk_errors import disk_errors
from hackorda_ops.stores.store import Store
from hackorda_ops.words import named, size


@dataclass(frozen=True)
class Downloaded:
    """An artifact in a folder, as complete as its manifest.

    Attributes:
        folder: the artifact's own, below the one that was asked for.
        files: how many it has, its manifest included.
        fetched: how many were fetched this time; the others were there already.
    """

    folder: Path
    files: int
    fetched: int


def download(
    stores: Sequence[Store], manifest: Manifest, into: Path, *, on_progress: OnProgress
) -> Downloaded:
    """Fetches an artifact's files, each from the first place that has it with the right bytes; the manifest last.

    Calling it again continues: what is there with the right SHA-256 stays.

    Args:
        stores: where the artifact lies, the best place first.
        manifest: the artifact's.
        into: the folder in which the artifact gets a folder of its own, named by its id.
        on_progress: called with the bytes fetched, from more than one thread.

    Raises:
        UsageError: something else is in the way of the artifact's folder.
        DiskFull: no room on this disk.
        ArtifactDamaged, ArtifactMissing: no place has all files as the manifest lists them.
        StoreRefused, StoreUnreachable: a store said no, or nothing.
    """
    folder = into / manifest.artifact_id
    with disk_errors(f"make the folder {folder}"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_own(folder, manifest)
        # Without it the folder doesn't look complete while it isn't.
        (folder / MANIFEST_NAME).unlink(missing_ok=True)
    with disk_errors(f"read {folder}"):
        lacking = list(_lacking(folder, manifest.files))
    keys = _keys(stores, manifest)
    _require_room(folder, lacking)
    wanted, refusal, (store, *others) = len(lacking), None, stores
    if lacking:
        with disk_errors(f"replace files in {folder}"):
            for entry in lacking:
                (folder / entry.path).unlink(missing_ok=True)
        try:
            fetch_artifact(
                store,
                replace(manifest, files=tuple(lacking)),
                folder,
                on_progress=on_progress,
                twins={
                    entry.sha256: [Twin(other, f"{manifest.prefix}/{entry.path}") for other in others]
                    for entry in lacking
                },
                to_the_end=True,
            )
        except ArtifactMissing as error:
            refusal = error
        except ArtifactDamaged:
            pass  # what is lacking says so
        with disk_errors(f"read {folder}"):
            lacking = list(_lacking(folder, lacking))
    if lacking:
        raise refusal or _not_as_listed(stores, manifest, lacking)
    for name, data in keys.items():
        (folder / name).unlink(missing_ok=True)
        _write_private(folder / name, data)
    _write_manifest(stores, manifest, folder)
    return Downloaded(folder, len(manifest.files) + 1, wanted + 1)


def _require_own(folder: Path, manifest: Manifest) -> None:
    """Makes sure that nothing in the folder leads elsewhere, and that only we can read it."""
    files = {MANIFEST_NAME, *(entry.path for entry in manifest.files)}
    places = {
        folder,
        *(parent for path in files for parent in (folder / path).parents if folder in parent.parents),
    }
    for place in (*(place for place in places if _is_there(place)), *(folder / path for path in files)):
        wrong = place.is_symlink() or (_is_there(place) and place.is_dir() != (place in places))
        if wrong:
            raise UsageError(
                f"{place} is in the way: it's not what the artifact has there.",
                meaning="Nothing was fetched, and nothing was changed.",
                next_step="Name another folder with --to, or move that away.",
            )
    for place in places:
        if _is_there(place):
            place.chmod(0o700)


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


def _lacking(folder: Path, files: Sequence[FileEntry]) -> Iterator[FileEntry]:
    """The files that aren't there with the bytes that the manifest lists; those that are get private."""
    for entry in files:
        found = None
        with suppress(IsADirectoryError, NotADirectoryError):
            found = hashed(folder, entry.path)
        if found is None or (found.size_bytes, found.sha256) != (entry.size_bytes, entry.sha256):
            yield entry
        else:
            (folder / entry.path).chmod(0o600)


def _require_room(folder: Path, lacking: Sequence[FileEntry]) -> None:
    needed, free = sum(entry.size_bytes for entry in lacking), free_bytes(folder)
    if free < needed:
        raise DiskFull(
            f"{folder} has {size(free)} free, and {size(needed)} are still to be fetched.",
            meaning="The artifact would not fit. What was fetched before is still there.",
            next_step="Make room there, or name a folder on a larger disk with --to.",
        )


def _not_as_listed(
    stores: Sequence[Store], manifest: Manifest, lacking: Sequence[FileEntry]
) -> ArtifactDamaged:
    where = " and ".join(store.describe() for store in stores)
    return ArtifactDamaged(
        f"{manifest.prefix} in {where} has other bytes than its manifest lists: "
        f"{named(manifest.subject(entry.path) for entry in lacking)}.",
        meaning="The folder has the other files; it has no manifest, because it isn't the whole artifact.",
        next_step=OTHER_BYTES,
    )


def _write_manifest(stores: Sequence[Store], manifest: Manifest, folder: Path) -> None:
    key = f"{manifest.prefix}/{MANIFEST_NAME}"
    data = stores[0].read_small(key)
    if from_bytes(data, origin=f"{stores[0].describe()}/{key}") != manifest:
        raise ArtifactDamaged(
            f"{stores[0].describe()}/{key} was replaced while the files were being fetched.",
            meaning="The folder has the files, each as the earlier manifest listed it, and no manifest.",
            next_step=OTHER_BYTES,
        )
    _write_private(folder / MANIFEST_NAME, data)


def _keys(stores: Sequence[Store], manifest: Manifest) -> dict[str, bytes]:
    """An encrypted artifact's wrapped key, from the first place that has one."""
    if not is_sealed(manifest):
        return {}
    for store in stores:
        if names := key_files(store, manifest.prefix):
            return {names[0]: store.read_small(f"{manifest.prefix}/{names[0]}", KEY_LIMIT_BYTES)}
    raise key_missing(stores[0], manifest)


def _write_private(path: Path, data: bytes) -> None:
    with disk_errors(f"write {path}"):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
