"""Whether a disk has room for what is about to be written to it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.concerns import Concern, ConcernLevel, Looked
from hackorda_ops.errors import DiskFull
from hackorda_ops.stores.disk_errors import disk_errors
from hackorda_ops.words import size

# Compressed, and without indexes, most databases need less.
_FIRST_DUMP_SHARE: Final = 1 / 3
_AMPLE: Final = 1.2
_REMEDY: Final = "Make room there, or point the store or dump.work_folder in databases.yaml at a larger disk."


def free_bytes(folder: Path) -> int:
    """How much an ordinary user can still write to the disk that a folder is on, or would be on.

    Raises:
        OpsError: the disk can't be asked.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    with disk_errors(f"check the free space of {folder}"):
        return shutil.disk_usage(folder).free


def night_concerns(
    free: int,
    database_bytes: int,
    previous: Manifest | None,
    folder: Path,
    *,
    unmeasured: ConcernLevel = "worth knowing",
) -> Iterator[Concern]:
    """Whether a night's dump will fit. Pure.

    Only a size that was measured stops a night that has begun: a first dump may be far smaller than its database.

    Args:
        free: bytes on the disk that the dump is written to.
        database_bytes: size on the server's disk, indexes included.
        previous: the newest artifact's manifest; None before the first.
        folder: where the dump is written, for the message.
        unmeasured: how bad it is where a first dump is expected to be larger than the room for it.
    """
    if previous is None:
        expected = int(database_bytes * _FIRST_DUMP_SHARE)
        if free < expected:
            yield Concern(
                unmeasured,
                f"{folder} has {size(free)} free, and the database takes {size(database_bytes)} on its server.",
                f"Its first dump is expected to take about {size(expected)} (a third); it might not fit.",
                _REMEDY,
                DiskFull,
            )
        return
    growth = database_bytes / max(1, previous.source_bytes)
    least = int(previous.size_bytes * min(1.0, growth))
    if free < least:
        yield Concern(
            "stops the night",
            f"{folder} has {size(free)} free, and {_last(previous)} took {size(previous.size_bytes)}.",
            "A dump would fill the disk and fail halfway.",
            _REMEDY,
            DiskFull,
        )
    elif free < previous.size_bytes * max(1.0, growth) * _AMPLE:
        yield Concern(
            "worth knowing",
            f"{folder} has {size(free)} free, and {_last(previous)} took {size(previous.size_bytes)}.",
            "One of the next dumps will not fit.",
            _REMEDY,
            DiskFull,
        )


def look_at_room(
    folder: Path,
    free: int,
    database_bytes: int | None,
    previous: Manifest | None,
    *,
    unmeasured: ConcernLevel = "worth knowing",
) -> Looked:
    """The same, as a part of a preflight.

    Args:
        folder: where the dump is written.
        free: bytes on its disk.
        database_bytes: size on the server's disk; None where it isn't known.
        previous: the newest artifact's manifest; None before the first.
        unmeasured: as of `night_concerns`.
    """
    concerns = (
        ()
        if database_bytes is None
        else night_concerns(free, database_bytes, previous, folder, unmeasured=unmeasured)
    )
    return Looked("room", f"{size(free)} in {folder}", tuple(concerns))


def drill_concerns(
    free: int, artifact: Manifest | None, folder: Path, *, source_bytes: int | None = None
) -> Iterator[Concern]:
    """Whether the artifact that a drill fetches will fit. Pure.

    Args:
        free: the bytes free in the work folder.
        artifact: the artifact that a drill would fetch; None before the first.
        folder: the work folder.
        source_bytes: size of the database on its server's disk; None where it isn't known.
    """
    if artifact is None:
        expected = int((source_bytes or 0) * _FIRST_DUMP_SHARE)
        if free < expected:
            yield Concern(
                "stops the drill",
                f"{folder} has {size(free)} free, and the first artifact is expected to take about {size(expected)}.",
                "It could not be fetched completely.",
                _REMEDY,
                DiskFull,
            )
    elif free < artifact.size_bytes:
        yield Concern(
            "stops the drill",
            f"{folder} has {size(free)} free, but the artifact {artifact.artifact_id} has {size(artifact.size_bytes)}.",
            "It can't be fetched completely.",
            _REMEDY,
            DiskFull,
        )


def _last(previous: Manifest) -> str:
    return f"the dump of {previous.captured_at:%Y-%m-%d %H:%M} UTC"
