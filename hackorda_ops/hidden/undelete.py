"""Brings hidden artifacts back: every file's right version is found by its hash before anything is changed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from hackorda_ops.artifacts.key_files import KEY_LIMIT_BYTES
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, FileEntry, digest_of
from hackorda_ops.artifacts.sealed import is_sealed, key_number
from hackorda_ops.errors import ArtifactMissing, StoreRefused
from hackorda_ops.hidden.reading import manifest_beneath, version_with
from hackorda_ops.progress import OnProgress, Progress, ignore
from hackorda_ops.stores.store import Store, StoredVersion, read_limited
from hackorda_ops.stores.versions import OpensVersions, markers_above

_WORKERS = 4


@dataclass(frozen=True)
class Undeleted:
    """What became of one artifact.

    Attributes:
        artifact_id: its id.
        location: "<store>/<database>/<artifact id>".
        files: how many files it has, each with a version of the right bytes.
        shown_again: how many had their delete markers removed, or would have.
        written_again: how many were copied over from an older version, or would have been.
        problem: why it can't be brought back, in a sentence; "" where it can. Nothing was changed then.
    """

    artifact_id: str
    location: str
    files: int = 0
    shown_again: int = 0
    written_again: int = 0
    problem: str = ""


@dataclass(frozen=True)
class _Chosen:
    """A file, and the version of it that is right."""

    key: str
    entry: FileEntry
    version: StoredVersion
    versions: tuple[StoredVersion, ...]


def undelete(
    store: Store,
    database: str,
    artifact_id: str,
    *,
    dry_run: bool = False,
    on_progress: OnProgress = ignore,
) -> Undeleted:
    """Brings back one artifact, hidden or overwritten, as a whole or in part.

    The manifest is the newest version that is this artifact's; of each file, the newest version with the manifest's
    SHA-256. Where only delete markers lie above it they are removed, and nothing else is ever deleted; where they can't
    be, or another version lies above it, its bytes are written again. The manifest comes last: half of it is none.

    Args:
        store: the place.
        database: whose.
        artifact_id: which.
        dry_run: whether everything is verified, and nothing changed.
        on_progress: called with the bytes read, from several threads, one at a time.

    Raises:
        StoreRefused: the store keeps no versions, or refuses something.
        StoreUnreachable: it doesn't answer. What was brought back so far is no artifact yet.
    """
    prefix = f"{database}/{artifact_id}"
    location = f"{store.describe()}/{prefix}"
    if not isinstance(store, OpensVersions):
        raise StoreRefused(
            f"{store.describe()} keeps no versions.",
            meaning="What is deleted there is gone.",
            next_step="Look in the other places: `hackorda-ops backups` lists what there is.",
        )
    versions = tuple(store.versions(f"{prefix}/"))
    manifest_key = f"{prefix}/{MANIFEST_NAME}"
    of_manifest = _of(versions, manifest_key)
    found = manifest_beneath(store, manifest_key, of_manifest)
    if found is None:
        return Undeleted(artifact_id, location, problem="no version of its manifest is one of this artifact")
    itself = FileEntry(MANIFEST_NAME, len(found.data), digest_of(found.data))
    last = _Chosen(manifest_key, itself, found.version, of_manifest)
    files, gone = _chosen(store, prefix, found.manifest.files, versions, on_progress)
    if is_sealed(found.manifest):
        key = _key(store, prefix, versions)
        files, gone = [*files, *([key] if key else [])], [*gone, *([] if key else ["key-1.age"])]
    if gone:
        return Undeleted(
            artifact_id,
            location,
            files=len(files),
            problem=f"no version of {', '.join(gone[:3])}{' and others' if len(gone) > 3 else ''} has the bytes that "
            "the manifest says",
        )
    every = [*files, last]
    hidden = [each for each in every if not each.version.current]
    if dry_run:
        copied = sum(markers_above(each.versions, each.version) is None for each in hidden)
    else:
        copied = sum(_brought_back(store, store, each) for each in hidden)
        _require_shown(store, every, location)
    return Undeleted(artifact_id, location, len(every), len(hidden) - copied, copied)


def _key(store: OpensVersions, prefix: str, versions: Sequence[StoredVersion]) -> _Chosen | None:
    """The artifact's wrapped key in force, in its newest version: what it must be, only an identity could tell."""
    keys = [each for each in versions if not each.marker and key_number(each.key.removeprefix(f"{prefix}/"))]
    if not keys:
        return None
    newest = max(keys, key=lambda each: (key_number(each.key.removeprefix(f"{prefix}/")), each.modified_at))
    with store.open_version(newest.key, newest.version_id or "") as stream:
        data = read_limited(stream, origin=newest.key, limit_bytes=KEY_LIMIT_BYTES)
    entry = FileEntry(newest.key.removeprefix(f"{prefix}/"), len(data), digest_of(data))
    return _Chosen(newest.key, entry, newest, _of(versions, newest.key))


def show_again(store: Store, hidden: Sequence[StoredVersion]) -> int:
    """Removes the delete markers of evidence that is hidden, or writes it again; returns how many are shown.

    Its bytes are judged by whoever reads them, as ever.

    Args:
        store: the place.
        hidden: the newest version of each.
    """
    if not isinstance(store, OpensVersions):
        return 0
    shown = 0
    for version in hidden:
        with suppress(ArtifactMissing, StoreRefused):
            with store.open_version(version.key, version.version_id or "") as stream:
                data = stream.read()
            entry = FileEntry(version.key, len(data), digest_of(data))
            _brought_back(store, store, _Chosen(version.key, entry, version, store.versions_of(version.key)))
            shown += 1
    return shown


def _chosen(
    store: OpensVersions,
    prefix: str,
    entries: Sequence[FileEntry],
    versions: Sequence[StoredVersion],
    on_progress: OnProgress,
) -> tuple[list[_Chosen], list[str]]:
    """The right version of each file, and the paths of those that have none."""
    total_bytes, done_bytes, telling = sum(each.size_bytes for each in entries), 0, Lock()

    def one(entry: FileEntry) -> _Chosen | None:
        nonlocal done_bytes
        key = f"{prefix}/{entry.path}"
        of_key = _of(versions, key)
        version = version_with(store, key, entry, of_key)
        with telling:
            done_bytes += entry.size_bytes
            on_progress(Progress("verify", done_bytes, total_bytes, "bytes"))
        return None if version is None else _Chosen(key, entry, version, of_key)

    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="beneath") as reading:
        found = list(reading.map(one, entries))
    return (
        [each for each in found if each is not None],
        [entry.path for entry, each in zip(entries, found, strict=True) if each is None],
    )


def _brought_back(store: Store, beneath: OpensVersions, chosen: _Chosen) -> bool:
    """Makes a key show its right version again; whether its bytes had to be written again for that."""
    markers = markers_above(chosen.versions, chosen.version)
    if markers is not None:
        with suppress(StoreRefused):
            for marker in markers:
                store.delete(marker.key, marker.version_id)
            return False
    with beneath.open_version(chosen.key, chosen.version.version_id or "") as stream:
        store.put(chosen.key, stream, size_bytes=chosen.entry.size_bytes, sha256=chosen.entry.sha256)
    return True


def _require_shown(store: Store, every: Sequence[_Chosen], location: str) -> None:
    """Makes sure that each key shows a file of the right length now.

    Raises:
        StoreRefused: one doesn't.
    """
    shown = {each.key: each.size_bytes for each in store.files(f"{every[-1].key.rpartition('/')[0]}/")}
    missing = [each.key for each in every if shown.get(each.key) != each.entry.size_bytes]
    if missing:
        raise StoreRefused(
            f"{location} is still not whole: {missing[0]} isn't shown.",
            meaning="Somebody may be deleting there at the same time.",
            next_step="Take the key away from whoever deletes, and run it again.",
        )


def _of(versions: Sequence[StoredVersion], key: str) -> tuple[StoredVersion, ...]:
    return tuple(each for each in versions if each.key == key)
