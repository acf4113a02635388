"""Makes a finished artifact exist in its store."""

from collections.abc import Collection
from pathlib import Path

from hackorda_ops.artifacts.copying import CopyResult, copy_artifact, end_abandoned_uploads
from hackorda_ops.artifacts.key_files import keys_to_copy
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest, to_bytes
from hackorda_ops.progress import OnProgress
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.store import AdoptsFolders, Store


def publish(
    store: Store,
    staged: Path,
    manifest: Manifest,
    *,
    lasting: Collection[str] = (),
    on_progress: OnProgress,
) -> CopyResult | None:
    """Makes the artifact exist: its manifest is written last, or together with everything else.

    Args:
        store: where it goes.
        staged: the folder below the store's staging root that has its files.
        manifest: its own.
        lasting: paths below that folder whose files have been made lasting (`stores.lasting`).
        on_progress: called with the bytes copied.

    Returns:
        What was copied and read back; None where the store adopts the folder itself.

    Raises:
        OpsError: the store did not accept it.
    """
    data = to_bytes(manifest)
    if isinstance(store, AdoptsFolders):
        (staged / MANIFEST_NAME).write_bytes(data)
        store.adopt(staged, manifest.prefix, lasting=lasting)
        return None
    staging = FolderStore(store.staging_root)
    copied = copy_artifact(
        staging,
        store,
        prefix=manifest.prefix,
        files=(*manifest.files, *keys_to_copy(staging, store, manifest)),
        manifest_bytes=data,
        on_progress=on_progress,
    )
    end_abandoned_uploads(store, manifest.database)
    return copied
