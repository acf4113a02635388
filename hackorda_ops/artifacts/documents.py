"""What the stores keep as versioned JSON: manifests, drill reports, exercise results, operations log events.

Which versions are read, and what an unreadable file means, is decided here for all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pydantic import TypeAdapter

from hackorda_ops import untrusted
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.stores.store import SMALL_FILE_LIMIT_BYTES, Store
from hackorda_ops.words import visible

T = TypeVar("T")

USE_ANOTHER_ARTIFACT: Final = "Use another artifact, and find out who can write to this store."
"""The next step where a file of an artifact is not what was written."""


def read_own(
    store: Store,
    key: str,
    read: Callable[..., T],
    *,
    said: Callable[[T], tuple[str, str]],
    wanted: tuple[str, str],
    limit_bytes: int = SMALL_FILE_LIMIT_BYTES,
) -> T | str:
    """Reads what a run left in a store, and makes sure that it is that run's; a sentence why where it can't be used.

    Args:
        store: the store to read from.
        key: where it is.
        read: reads its bytes, as `Document.from_bytes` does.
        said: the database and the run that it says it is of.
        wanted: those that it has to be of.
        limit_bytes: how large it may be.

    Raises:
        ArtifactMissing: there's none; a run that was killed may have left its folder behind.
        StoreRefused, StoreUnreachable: the store can't be read.
    """
    try:
        found = read(store.read_small(key, limit_bytes), origin=f"{store.describe()}/{key}")
    except ArtifactDamaged as error:
        return error.what
    if said(found) != wanted:
        database, run = said(found)
        return f"{key} says that it is of {database}, run {run}."
    return found


@dataclass(frozen=True)
class Advice:
    """What it means that a document can't be read, and what to do next."""

    meaning: str
    next_step: str


@dataclass(frozen=True)
class Document(Generic[T]):
    """A kind of document.

    Attributes:
        name: what it is called in messages ("manifest").
        adapter: reads and writes its content. Fields that this release doesn't know are ignored.
        version_field: the field of the JSON object that holds the version.
        version: the one that this release writes.
        earlier: those of earlier releases that it reads as well.
        read_otherwise: versions that another of these documents reads, for the message.
        unreadable: for a file that isn't such a document.
        other_version: for a document of another version; None if the advice is the same.
    """

    name: str
    adapter: TypeAdapter[T]
    version_field: str
    version: int
    unreadable: Advice
    other_version: Advice | None = None
    earlier: tuple[int, ...] = ()
    read_otherwise: tuple[int, ...] = ()

    def to_bytes(self, content: T) -> bytes:
        """The content as the JSON text that is stored."""
        return self.adapter.dump_json(content, indent=1) + b"\n"

    def from_bytes(self, data: bytes, *, origin: str) -> T:
        """Reads a stored document. Whatever is wrong with it, it's damaged, and that says so.

        Args:
            data: the file's bytes.
            origin: where they were read, for the message.

        Raises:
            ArtifactDamaged: it is not such a document, is beyond the limits of any (`untrusted`), has times without
                a time zone or has another version.
        """
        return self.from_parsed(self.parsed(data, origin=origin), data, origin=origin)

    def parsed(self, data: bytes, *, origin: str) -> Any:
        """What a stored document's JSON says, whatever it is of; for who has to know before it's read.

        Args:
            data: the file's bytes.
            origin: where they were read, for the message.

        Raises:
            ArtifactDamaged: it isn't JSON, or is beyond the limits.
        """
        try:
            return untrusted.parsed(data)
        except untrusted.Unreadable as error:
            raise self._damaged(f"is not readable ({len(data)} bytes: {error})", origin) from None

    def from_parsed(self, raw: Any, data: bytes, *, origin: str) -> T:
        """Reads a stored document that `parsed` took.

        Args:
            raw: what that returned.
            data: the file's bytes.
            origin: where they were read, for the message.

        Raises:
            ArtifactDamaged: as `from_bytes`.
        """
        version = raw.get(self.version_field) if isinstance(raw, dict) else None
        # True is 1, and 1.0 as well.
        if type(version) is not int or version not in (self.version, *self.earlier):
            readable = sorted({self.version, *self.earlier, *self.read_otherwise})
            raise self._damaged(
                f"has format version {visible(repr(version)[:40])}, but this release reads "
                f"{' and '.join(map(str, readable))}",
                origin,
                self.other_version,
            )
        try:
            return untrusted.Reader(self.adapter).read(data)
        except untrusted.Unreadable as error:
            raise self._damaged(f"is not readable ({len(data)} bytes: {error})", origin) from None

    def _damaged(self, what: str, origin: str, advice: Advice | None = None) -> ArtifactDamaged:
        advice = advice or self.unreadable
        return ArtifactDamaged(
            f"The {self.name} {visible(origin)} {what}.", meaning=advice.meaning, next_step=advice.next_step
        )
