"""SHA256SUMS: the hashes of an artifact's files, for whoever has nothing but `sha256sum`.

It finds what was damaged on the way or where it lay. It is no evidence: that is the manifest, which lists this file
too. Artifacts of earlier releases don't have it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hackorda_ops.artifacts.manifest import FileEntry, digest_of

CHECKSUMS_NAME: Final = "SHA256SUMS"


def with_checksums(folder: Path, files: Iterable[FileEntry]) -> tuple[FileEntry, ...]:
    """Writes the hashes of an artifact's files next to them.

    Args:
        folder: where they are, not yet published.
        files: all of them; the manifest itself is none, because it's written after this.

    Returns:
        The same files and the new one.
    """
    listed = tuple(files)
    lines = (f"{each.sha256}  {each.path}\n" for each in sorted(listed, key=lambda each: each.path))
    data = "".join(lines).encode()
    (folder / CHECKSUMS_NAME).write_bytes(data)
    return (*listed, FileEntry(CHECKSUMS_NAME, len(data), digest_of(data)))
