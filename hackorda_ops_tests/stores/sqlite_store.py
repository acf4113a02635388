"""A third kind of store, in a SQLite file: written outside the package, with nothing but what the seam asks for."""

import io
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self

from hackorda_ops.config.places import StoreSection
from hackorda_ops.errors import ArtifactMissing, StoreRefused
from hackorda_ops.stores.base import StoreBase
from hackorda_ops.stores.checked import CheckedSource
from hackorda_ops.stores.store import Location, Readable, StoredVersion, checked_key, folder_prefix


class Sqlite(StoreSection):
    """Artifacts lie in one SQLite file."""

    key = "sqlite"

    sqlite: Path

    def anchored(self, at: Callable[[Path], Path]) -> Self:
        return self.model_copy(update={"sqlite": at(self.sqlite)})


def opened(section: Sqlite, _environ: Mapping[str, str], work_folder: Path) -> "SqliteStore":
    return SqliteStore(section.sqlite, work_folder)


@dataclass(frozen=True)
class SqliteStore(StoreBase):
    path: Path
    staging_root: Path

    def describe(self) -> str:
        return f"sqlite:{self.path}"

    def location(self) -> Location:
        return Location("this machine", str(self.path))

    def check(self) -> None:
        with self._opened():
            pass

    def files(self, prefix: str) -> Iterator[StoredVersion]:
        within = folder_prefix(prefix)
        with self._opened() as file:
            rows = file.execute(
                "SELECT key, length(data), modified_at FROM files WHERE substr(key, 1, ?) = ?",
                (len(within), within),
            ).fetchall()
        for key, size_bytes, modified_at in rows:
            when = datetime.fromisoformat(modified_at)
            yield StoredVersion(key, size_bytes, when, None, current=True, marker=False)

    def folders(self, prefix: str) -> Iterator[str]:
        within = folder_prefix(prefix)
        rest = [each.key.removeprefix(within) for each in self.files(prefix)]
        yield from {key.split("/")[0] for key in rest if "/" in key}

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        with self._opened() as file:
            row = file.execute("SELECT data FROM files WHERE key = ?", (checked_key(key),)).fetchone()
        if row is None:
            raise ArtifactMissing(f"There is no file {key}.", meaning="It's gone.", next_step="Use another.")
        yield io.BytesIO(row[0])

    def put(self, key: str, source: Readable, *, size_bytes: int, sha256: str) -> None:
        name = checked_key(key)
        checked = CheckedSource(source, name=f"{self.describe()}/{key}", size_bytes=size_bytes, sha256=sha256)
        data = b"".join(checked.blocks(size_bytes))
        checked.finish()
        with self._opened() as file:
            file.execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?)", (name, data, datetime.now(UTC).isoformat())
            )

    def delete(self, key: str, version_id: str | None = None) -> None:
        with self._opened() as file:
            file.execute("DELETE FROM files WHERE key = ?", (checked_key(key),))

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=60)) as file, file:
                file.execute(
                    "CREATE TABLE IF NOT EXISTS files (key TEXT PRIMARY KEY, data BLOB, modified_at TEXT)"
                )
                yield file
        except sqlite3.Error as error:
            raise StoreRefused(
                str(error), meaning="Nothing was stored.", next_step="See to the file."
            ) from None
