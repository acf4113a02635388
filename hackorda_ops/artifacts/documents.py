"""What the stores keep as versioned JSON: manifests, drill reports, exercise results, operations log events.

Which versions are read, and what an unreadable file means, is decided here for all of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from pydantic import TypeAdapter
from pydantic_core import from_json

from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.stores.store import SMALL_FILE_LIMIT_BYTES, Store

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
        unreadable: for a file that isn't such a document.
        other_version: for a document of another version; None if the advice is the same.
        moments: the times in a document, which have to be aware.
    """

    name: str
    adapter: TypeAdapter[T]
    version_field: str
    version: int
    unreadable: Advice
    other_version: Advice | None = None
    earlier: tuple[int, ...] = ()
    moments: Callable[[T], Iterable[datetime]] = lambda _: ()

    def to_bytes(self, content: T) -> bytes:
        """The content as the JSON text that is stored."""
        return self.adapter.dump_json(content, indent=1) + b"\n"

    def from_bytes(self, data: bytes, *, origin: str) -> T:
        """Reads a stored document.

        Args:
            data: the file's bytes.
            origin: where they were read, for the message.

        Raises:
            ArtifactDamaged: it is not such a document, or has another version.
        """
        try:
            raw: Any = from_json(data)
            version = raw.get(self.version_field) if isinstance(raw, dict) else None
            read = version in (self.version, *self.earlier)
            content = self.adapter.validate_json(data) if read else None
        except ValueError as error:
            raise ArtifactDamaged(
                f"The {self.name} {origin} is not readable ({len(data)} bytes: {type(error).__name__}).",
                meaning=self.unreadable.meaning,
                next_step=self.unreadable.next_step,
            ) from None
        if content is None:
            advice = self.other_version or self.unreadable
            raise ArtifactDamaged(
                f"The {self.name} {origin} has format version {version!r}, but this release reads "
                f"{' and '.join(map(str, (*self.earlier, self.version)))}.",
                meaning=advice.meaning,
                next_step=advice.next_step,
            )
        if any(moment.tzinfo is None for moment in self.moments(content)):
            raise ArtifactDamaged(
                f"The {self.name} {origin} has times without a time zone.",
                meaning=f"It was altered or badly written. {self.unreadable.meaning}",
                next_step=self.unreadable.next_step,
            )
        return content
