"""Copies an artifact to one or several places, and remembers what was seen of it in each."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from hackorda_ops.artifacts.copying import CopyResult, OtherBytes
from hackorda_ops.artifacts.fan_out import copy_to_all
from hackorda_ops.artifacts.key_files import keys_to_copy
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest
from hackorda_ops.artifacts.verifications import remember, verification_of
from hackorda_ops.errors import OpsError
from hackorda_ops.progress import OnProgress
from hackorda_ops.stores.store import PlaceName, Store


def copied_to(
    destinations: Mapping[PlaceName, Store],
    source: Store,
    artifact: Manifest,
    on_progress: OnProgress,
    *,
    admit: Callable[[Store], None] = lambda _: None,
) -> dict[PlaceName, CopyResult | OpsError]:
    """Copies an artifact to every destination, from one reading, and reads each copy back.

    Args:
        destinations: by their names.
        source: where it is.
        artifact: its manifest.
        on_progress: called at every stage, from more than one thread.
        admit: see `copy_to_all`.

    Returns:
        What was done in each, or why it has no copy.

    Raises:
        OpsError: the source's manifest can't be read.
    """
    began_at = datetime.now(UTC)
    other_bytes = {name: OtherBytes() for name in destinations}
    results = copy_to_all(
        source,
        destinations,
        prefix=artifact.prefix,
        files=lambda place: (*artifact.files, *keys_to_copy(source, place, artifact)),
        # The stored bytes and not the parsed manifest: a copy must be byte for byte the same.
        manifest_bytes=source.read_small(f"{artifact.prefix}/{MANIFEST_NAME}"),
        other_bytes=other_bytes,
        admit=admit,
        on_progress=on_progress,
    )

    def saw(place: Store, damaged: Iterable[str], *beside: Store) -> None:
        location = f"{place.describe()}/{artifact.prefix}"
        seen = verification_of(artifact, location, by="copy", began_at=began_at, damaged_files=damaged)
        remember((*beside, place), seen)

    in_source = {path for each in other_bytes.values() for path in each.in_source}
    if in_source:
        saw(source, in_source, *destinations.values())
    for name, result in results.items():
        damaged = other_bytes[name].in_destination
        # Where there is a result, every file was read back.
        if not isinstance(result, OpsError) or damaged:
            saw(destinations[name], damaged if isinstance(result, OpsError) else (), source)
    return results
