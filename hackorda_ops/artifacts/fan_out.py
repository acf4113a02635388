"""Copies an artifact to several stores at the same time, from one reading of each of its files."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from hackorda_ops.artifacts.copying import CopyResult, OtherBytes, copy_artifact
from hackorda_ops.artifacts.manifest import FileEntry
from hackorda_ops.artifacts.sharing import SharedReadings
from hackorda_ops.errors import OpsError
from hackorda_ops.progress import OnProgress, Progress, ignore
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import PlaceName, Store

# Each transfer holds a piece in memory, besides those that all share (`stores.s3.seats`).
_TRANSFERS: Final = 8
_MOST_FOR_ONE: Final = 4


def copy_to_all(
    source: Store,
    destinations: Mapping[PlaceName, Store],
    *,
    prefix: str,
    files: Callable[[Store], Sequence[FileEntry]],
    manifest_bytes: bytes,
    other_bytes: Mapping[PlaceName, OtherBytes],
    admit: Callable[[Store], None] = lambda _: None,
    on_progress: OnProgress = ignore,
) -> dict[PlaceName, CopyResult | OpsError]:
    """Copies an artifact to every destination; one that fails or is slow leaves the others as they would be alone.

    Args:
        source: where the artifact is.
        destinations: where to copy it, by their names.
        prefix: its place in all of them: "<database>/<artifact id>".
        files: all of its files but the manifest, for a destination: what opens it may differ there.
        manifest_bytes: the manifest exactly as stored in the source.
        other_bytes: collects for each destination what is damaged, and isn't repaired.
        admit: called with each destination first: it raises an OpsError where nothing may be copied there.
        on_progress: called for each destination's "copy" and "read back", from several threads.

    Returns:
        What was done in each destination, or why it has no copy.
    """
    several = len(destinations) > 1
    transfers = min(_MOST_FOR_ONE, max(1, _TRANSFERS // max(1, len(destinations))))
    readings = SharedReadings(source, destinations, transfers=transfers) if several else None
    ended = {name: threading.Event() for name in destinations}

    def one(name: PlaceName) -> CopyResult | OpsError:
        def told(progress: Progress) -> None:
            on_progress(
                Progress(f"{progress.stage} ({name})", progress.done, progress.total, progress.unit)
                if several
                else progress
            )

        try:
            # Beside others, one that doesn't answer is known to be down within seconds, and not within minutes.
            admit(destinations[name].with_patience(SOON) if several else destinations[name])
            return copy_artifact(
                source,
                destinations[name],
                prefix=prefix,
                files=files(destinations[name]),
                manifest_bytes=manifest_bytes,
                jobs=transfers,
                other_bytes=other_bytes[name],
                shared=(readings, name) if readings is not None else None,
                ended=ended[name],
                on_progress=told,
            )
        except OpsError as error:
            return error
        finally:
            if readings is not None:
                readings.leave(name)

    if not several:
        return {name: one(name) for name in destinations}
    with ThreadPoolExecutor(len(destinations), thread_name_prefix="copy to") as pool:
        running = {name: pool.submit(one, name) for name in destinations}
        try:
            return {name: future.result() for name, future in running.items()}
        except BaseException:
            # Interrupts too: each copy notices at its next block, and aborts its uploads.
            for each in ended.values():
                each.set()
            raise
