"""Whether an artifact's files have the bytes that its manifest says, whatever is in them."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing
from hackorda_ops.findings import Finding

OTHER_BYTES: Final = (
    "Do not rely on this artifact: use another one, and find out what changed it or its manifest."
)
"""The next step where bytes changed."""


class FileSeen(Protocol):
    """A file as it was read."""

    @property
    def size_bytes(self) -> int:
        """Its length."""

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of its bytes."""


@dataclass(frozen=True)
class HashedFile:
    """A file's size and hash, without its contents."""

    path: str
    size_bytes: int
    sha256: str


def hashed(folder: Path, path: str) -> HashedFile | None:
    """Reads one file; None if it isn't there.

    Args:
        folder: the artifact's.
        path: relative to it.

    Raises:
        OSError: it can't be read.
    """
    try:
        with (folder / path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return HashedFile(path, file.tell(), digest)
    except FileNotFoundError:
        return None


def all_hashed(folder: Path, manifest: Manifest) -> dict[str, HashedFile]:
    """Reads every file of an artifact that is there, by its path.

    Raises:
        OSError: one can't be read.
    """
    return {entry.path: file for entry in manifest.files if (file := hashed(folder, entry.path))}


def file_findings(manifest: Manifest, read: Mapping[str, FileSeen]) -> Iterator[Finding]:
    """A finding for every file that is missing or has different bytes; pure.

    Args:
        manifest: what must be there.
        read: what is there, by its path in the artifact.
    """
    for entry in manifest.files:
        file, subject = read.get(entry.path), manifest.subject(entry.path)
        if file is None:
            yield Finding("file missing", subject, f"{entry.size_bytes} bytes", "no such file", OTHER_BYTES)
        elif (file.size_bytes, file.sha256) != (entry.size_bytes, entry.sha256):
            yield Finding(
                "file changed",
                subject,
                f"{entry.size_bytes} bytes with SHA-256 {entry.sha256}",
                f"{file.size_bytes} bytes with SHA-256 {file.sha256}",
                OTHER_BYTES,
            )


def damage(manifest: Manifest, error: ArtifactDamaged | ArtifactMissing) -> Finding:
    """The finding for an artifact that can't be read completely; it names the file, and what that holds."""
    named = (entry.path for entry in manifest.files if entry.path in error.what)
    path = next(named, None)
    return Finding(
        "artifact damaged" if path is None or isinstance(error, ArtifactDamaged) else "file missing",
        manifest.prefix if path is None else manifest.subject(path),
        "what its manifest says",
        error.what,
        OTHER_BYTES,
    )
