"""Deletes what the plan doesn't keep, in an order that leaves nothing that looks like a backup and isn't one."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest
from hackorda_ops.errors import ArtifactDamaged, StoreRefused
from hackorda_ops.retention.leftovers import Leftover
from hackorda_ops.stores.store import ABANDONED_AFTER, Store, StoredVersion

_WORKERS = 16
_T = TypeVar("_T")


def files_of(versions: Iterable[StoredVersion], prefix: str) -> tuple[StoredVersion, ...]:
    """The files that are now below an artifact's prefix."""
    return tuple(each for each in versions if each.is_file and each.key.startswith(f"{prefix}/"))


def last_lock(store: Store, versions: Sequence[StoredVersion]) -> datetime | None:
    """Until when a lock holds any of these; None where none ever did.

    Raises:
        StoreRefused, StoreUnreachable: the locks could not be read.
    """
    lockable = [each for each in versions if store.may_be_locked(each)]
    if not lockable:
        return None
    with ThreadPoolExecutor(_WORKERS) as looking:
        until = [each for each in looking.map(store.locked_until, lockable) if each is not None]
    return max(until, default=None)


def delete_artifact(store: Store, database: str, artifact_id: str, *, now: datetime) -> int | None:
    """Deletes an artifact: its manifest first, so that half of it is no artifact, then its files.

    Only what lies below its prefix, and only while a readable manifest there says that it's this database's.

    Args:
        store: where it is.
        database: whose.
        artifact_id: which.
        now: the present, aware.

    Returns:
        The bytes of what was deleted; a store that keeps versions still has them, behind delete markers. None
        where the artifact is gone already.

    Raises:
        ArtifactDamaged: its manifest is not (or no longer) one of this artifact; nothing was deleted.
        StoreRefused: the store refused, or somebody is writing to the artifact. Without its manifest it's no artifact
            any more; the rest of it is deleted by a later run.
        StoreUnreachable: likewise.
    """
    prefix = f"{database}/{artifact_id}"
    manifest_key = f"{prefix}/{MANIFEST_NAME}"
    found = list(catalog.read_each(store, database, [artifact_id]))
    if not found:
        return None
    if not isinstance(found[0], Manifest):
        raise ArtifactDamaged(
            found[0].problem,
            meaning="Nobody can say whose it is, so it's kept.",
            next_step="Look at it, and delete it by hand.",
        )
    files = files_of(store.versions(f"{prefix}/"), prefix)
    if any(now - file.modified_at < ABANDONED_AFTER for file in files):
        raise _in_use(store, prefix)
    store.delete(manifest_key)
    _each(lambda file: store.delete(file.key), [file for file in files if file.key != manifest_key])
    # A copy that resumed it meanwhile would have found some of its files there, and not these.
    if any(store.list(f"{prefix}/")):
        store.delete(manifest_key)
        raise _in_use(store, prefix)
    return sum(file.size_bytes for file in files)


def remove_leftover(store: Store, leftover: Leftover) -> None:
    """Removes what no artifact needs: files that are half an artifact, or versions for good.

    Raises:
        StoreRefused, StoreUnreachable: some of it is still there.
    """
    by_key: dict[str, list[StoredVersion]] = {}
    # Markers last, and only once the versions behind them are gone: without its marker a version is a file again.
    for version in sorted(leftover.versions, key=lambda each: each.marker):
        by_key.setdefault(version.key, []).append(version)

    def remove(versions: Sequence[StoredVersion]) -> None:
        for version in versions:
            store.delete(version.key, None if version.is_file else version.version_id)

    _each(remove, by_key.values())


def _each(do: Callable[[_T], None], items: Iterable[_T]) -> None:
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="delete") as deleting:
        for _ in deleting.map(do, items):
            pass


def _in_use(store: Store, prefix: str) -> StoreRefused:
    return StoreRefused(
        f"Somebody is writing to {store.describe()}/{prefix}.",
        meaning="It was to be deleted, but a copy to it seems to be under way. What is there now may be a partial "
        "artifact; verify it before you rely on it.",
        next_step="Nothing: the next run decides again. If you want a copy of it, copy it once more.",
    )
