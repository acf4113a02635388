"""What the last night held, remembered on the machine that dumps: it has no identity, and compares the next night.

It is a copy of the sealed manifest, in the work folder and for this user alone. This machine can read all of that from
the source anyway. It may be lost: then one night is compared with less, and says so.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from hackorda_ops.artifacts.manifest import Manifest, from_bytes, to_bytes
from hackorda_ops.artifacts.sealed import SealedManifest, is_sealed, tells_the_same
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.sealing.opening import opened

_FOLDER: Final = "last-nights"
_LIMIT_BYTES: Final = 64 * 1024 * 1024


def remember(protected: Protected, manifest: Manifest) -> tuple[str, ...]:
    """Keeps what a night held for the next one.

    Args:
        protected: the database.
        manifest: the engine's own, of an artifact that was just published.

    Returns:
        A sentence where it could not be kept.
    """
    path = _path(protected)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = path.with_suffix(".new")
        with suppress(FileNotFoundError):
            unfinished.unlink()
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(to_bytes(manifest))
        unfinished.replace(path)
    except OSError as error:
        return (
            f"What this night held could not be kept for the next one's comparison ({path}: {error.strerror}).",
        )
    return ()


def known(protected: Protected, found: Manifest | None) -> tuple[Manifest | None, tuple[str, ...]]:
    """The night before, with all that it held, as far as this machine may know it.

    Args:
        protected: the database.
        found: what the store has of it; None before the first.

    Returns:
        Its manifest, None where there's none or it is sealed for this machine; and a sentence where that is so.
    """
    if not isinstance(found, SealedManifest):
        return found, ()
    remembered = _remembered(protected, found)
    if remembered is not None:
        return remembered, ()
    if protected.policy.identity is not None:
        with suppress(OpsError):
            return opened(protected, protected.store, found, elsewhere=protected.known_stores).manifest, ()
    return None, (
        f"Tonight's tables were not compared with those of {found.artifact_id}: its manifest is sealed, this machine "
        "has no identity that opens it, and what it remembered of that night is gone. The next night is compared with "
        "tonight's.",
    )


def _remembered(protected: Protected, found: SealedManifest) -> Manifest | None:
    path = _path(protected)
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT_BYTES)
        manifest = from_bytes(data, origin=str(path))
    except (OSError, OpsError):
        return None
    return manifest if not is_sealed(manifest) and tells_the_same(found, manifest) else None


def _path(protected: Protected) -> Path:
    return protected.policy.dump.work_folder / _FOLDER / f"{protected.name}.json"
