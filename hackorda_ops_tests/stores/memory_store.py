"""A store in this process's memory, whose answers and clock a test decides."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from hackorda_ops.config.places import StoreSection
from hackorda_ops.errors import ArtifactMissing, StoreUnreachable
from hackorda_ops.stores.base import StoreBase
from hackorda_ops.stores.checked import CheckedSource
from hackorda_ops.stores.store import Location, Readable, StoredVersion, checked_key, folder_prefix


class Memory(StoreSection):
    """Artifacts lie in memory, under a name."""

    key = "memory"

    memory: str


@dataclass(frozen=True, slots=True)
class Held:
    """A file."""

    data: bytes
    modified_at: datetime


@dataclass(eq=False)
class MemoryStore(StoreBase):
    """Files by the first two folders of their keys, so that a listing touches no more than it needs.

    Attributes:
        name: how people name it.
        staging_root: for unfinished work.
        clock: dates its files.
        silent: whether it doesn't answer.
    """

    name: str
    staging_root: Path = Path("/nonexistent")
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    silent: bool = False
    _folders: dict[tuple[str, ...], dict[str, Held]] = field(default_factory=dict)
    _below: dict[str, dict[tuple[str, ...], None]] = field(default_factory=dict)

    def describe(self) -> str:
        return f"memory:{self.name}"

    def location(self) -> Location:
        return Location(f"memory of {self.name}", self.name)

    def check(self) -> None:
        self._answers()

    def files(self, prefix: str) -> Iterator[StoredVersion]:
        self._answers()
        within = folder_prefix(prefix)
        for folder in self._candidates(within):
            whole = len(folder) == within.count("/")
            for key, held in list(self._folders.get(folder, {}).items()):
                if whole or key.startswith(within):
                    yield StoredVersion(
                        key, len(held.data), held.modified_at, None, current=True, marker=False
                    )

    def folders(self, prefix: str) -> Iterator[str]:
        self._answers()
        within = folder_prefix(prefix)
        if within.count("/") == 1:
            yield from self.names(within[:-1])
            return
        names = {
            rest.partition("/")[0]
            for folder in self._candidates(within)
            for key in list(self._folders.get(folder, {}))
            if key.startswith(within) and "/" in (rest := key[len(within) :])
        }
        yield from sorted(names)

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        yield io.BytesIO(self.held(key).data)

    def read_small(self, key: str, limit_bytes: int = 64 * 1024 * 1024) -> bytes:
        data = self.held(key).data
        return data if len(data) <= limit_bytes else super().read_small(key, limit_bytes)

    def put(self, key: str, source: Readable, *, size_bytes: int, sha256: str) -> None:
        self._answers()
        name = checked_key(key)
        checked = CheckedSource(source, name=f"{self.describe()}/{key}", size_bytes=size_bytes, sha256=sha256)
        data = b"".join(checked.blocks(size_bytes))
        checked.finish()
        self.write(name, data)

    def delete(self, key: str, version_id: str | None = None) -> None:
        self._answers()
        self.lose(checked_key(key))

    def held(self, key: str) -> Held:
        """A file as it is."""
        self._answers()
        found = self._folders.get(_folder(checked_key(key)), {}).get(key)
        if found is None:
            raise ArtifactMissing(f"There is no file {key}.", meaning="It's gone.", next_step="Use another.")
        return found

    def write(self, key: str, data: bytes) -> None:
        """Writes a file, whether or not the store answers."""
        folder = _folder(key)
        if folder not in self._folders:
            self._folders[folder] = {}
            self._below.setdefault(folder[0] if folder else "", {})[folder] = None
        self._folders[folder][key] = Held(data, self.clock())

    def rot(self, key: str, data: bytes) -> None:
        """Changes a file's bytes, and nothing else of it."""
        files = self._folders[_folder(key)]
        files[key] = Held(data, files[key].modified_at)

    def lose(self, key: str) -> None:
        """Removes a file, whether or not the store answers."""
        folder = _folder(key)
        files = self._folders.get(folder, {})
        files.pop(key, None)
        if not files and folder in self._folders:
            del self._folders[folder]
            del self._below[folder[0] if folder else ""][folder]

    def content(self, folder: str) -> Mapping[str, bytes]:
        """What lies below a folder of a database ("shop/20260101T…"), by key."""
        return {key: each.data for key, each in self._folders.get(tuple(folder.split("/")), {}).items()}

    def peek(self, key: str) -> Held | None:
        """A file as it is, whether or not the store answers; None where there is none."""
        return self._folders.get(_folder(key), {}).get(key)

    def names(self, top: str) -> list[str]:
        """The names of the folders directly below another, likewise."""
        return [each[1] for each in self._below.get(top, {}) if len(each) == 2]

    def _candidates(self, within: str) -> list[tuple[str, ...]]:
        parts = tuple(within.split("/"))[:-1]
        if len(parts) >= 2:
            return [parts[:2]]
        if len(parts) == 1:
            return list(self._below.get(parts[0], {}))
        return list(self._folders)

    def _answers(self) -> None:
        if self.silent:
            raise StoreUnreachable(
                f"{self.describe()} doesn't answer.", meaning="Nothing was done.", next_step="Wait."
            )


def _folder(key: str) -> tuple[str, ...]:
    return tuple(key.split("/")[:-1])[:2]


_OPENED: dict[str, MemoryStore] = {}


def opened(section: Memory, _environ: Mapping[str, str], work_folder: Path) -> MemoryStore:
    """The store of a name: the same one each time."""
    if section.memory not in _OPENED:
        _OPENED[section.memory] = MemoryStore(section.memory, work_folder)
    return _OPENED[section.memory]
