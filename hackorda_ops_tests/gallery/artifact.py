"""An artifact off-site that is being altered, with every hash made to fit."""

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, FileEntry, Manifest, digest_of, to_bytes
from hackorda_ops.local.damage import compressed, decompressed
from hackorda_ops_tests.drill.fixtures import Shipped

_END = b"\\.\n\n\n"


class OffsiteArtifact:
    """One artifact in a bucket of its own. Whatever is put there, the manifest lists it as it now is.

    Attributes:
        protected: the database it is of.
        manifest: as it is off-site now.
    """

    def __init__(self, protected: Shipped) -> None:
        self.protected = protected
        self.manifest: Manifest = protected.manifest
        # Kept, because each that is opened costs more than all that is done with it.
        self._store = protected.offsite

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        with self._store.open(f"{self.protected.manifest.prefix}/{path}") as stream:
            return stream.read()

    def overwrite(self, path: str, data: bytes, *, prefix: str | None = None) -> None:
        """Puts other bytes in a file's place, or in another artifact's, and leaves the manifest as it is."""
        key = f"{prefix or self.protected.manifest.prefix}/{path}"
        self._store.put(key, io.BytesIO(data), size_bytes=len(data), sha256=digest_of(data))

    def put(self, path: str, data: bytes) -> None:
        """Puts a file, new or in the place of another; the manifest's list follows."""
        self.overwrite(path, data)
        others = (each for each in self.manifest.files if each.path != path)
        self.claim(files=(*others, FileEntry(path, len(data), digest_of(data))))

    def forget(self, path: str) -> None:
        """Takes a file off the manifest's list."""
        self.claim(files=tuple(each for each in self.manifest.files if each.path != path))

    def claim(self, **changes: Any) -> None:
        """Lets the manifest say something else."""
        self.manifest = replace(self.manifest, **changes)
        self.overwrite(MANIFEST_NAME, to_bytes(self.manifest))

    def data_file(self, table: str) -> str:
        """The path of a table's data."""
        [path] = [each.file for each in self.manifest.tables if str(each.name) == table]
        return path

    def alter_rows(self, table: str, alter: Callable[[list[bytes]], Sequence[bytes]]) -> None:
        """Puts other rows (lines of COPY text) in a table's data, well compressed and properly ended."""
        path = self.data_file(table)
        rows = decompressed(self.read(path), path).removesuffix(_END).splitlines(keepends=True)
        self.put(path, compressed(b"".join(alter(rows)) + _END, path))
