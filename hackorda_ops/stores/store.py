"""Where artifacts are stored: the one protocol that every store implements, whatever it keeps its files in.

A store keeps files under keys: posix paths relative to the store's root, such as
"hackorda/20261108T020000Z-1a2b3c/manifest.json". A file that is put appears whole or not at all.
"""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final, Protocol, runtime_checkable

from hackorda_ops import untrusted
from hackorda_ops.errors import ArtifactDamaged, StoreRefused
from hackorda_ops.stores.patience import Patience

# Each thread that transfers something holds a few of these, beside the pieces that are counted (`s3.seats`).
CHUNK_BYTES = 256 * 1024
SMALL_FILE_LIMIT_BYTES = untrusted.MOST_BYTES
# A single file of a dump takes hours at most; a process that started this long ago is dead.
ABANDONED_AFTER = timedelta(hours=24)
# Next to the folders of the databases, none of which can have this name: theirs have no dot.
READINESS_PAGE: Final = "readiness.html"

# S3's own limit.
_LONGEST_KEY_BYTES: Final = 1024
_SHOWN_CHARACTERS: Final = 200

LOOK_WHO_WRITES: Final = "Look at the file, and find out who can write to this store."
"""The next step for a file that nothing depends on."""

# "store" for the nightly store, or the name of a bucket off-site (`config.offsite`).
PlaceName = str


@dataclass(frozen=True)
class StoredFile:
    """One file in a store.

    Attributes:
        key: its path relative to the store's root.
        size_bytes: its length as stored.
    """

    key: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of a file. A store that keeps no versions has one of each file, the current one.

    Attributes:
        key: the file's path relative to the store's root.
        size_bytes: the version's length; 0 for a delete marker.
        modified_at: when it was written, by the store's clock, aware.
        version_id: the store's name for it ("null" in a bucket that kept none when it was written); None where
            the store has no versions.
        current: it is what the key shows now.
        marker: it is a delete marker: while it is current, there is no such file.
        storage_class: as the provider calls it; None where there are no classes.
        stamp: another one whenever the key gets other bytes, so that what was read under it need not be read again;
            "" where the store can't tell.
    """

    key: str
    size_bytes: int
    modified_at: datetime
    version_id: str | None
    current: bool
    marker: bool
    storage_class: str | None = None
    stamp: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it's a file that can be read by its key."""
        return self.current and not self.marker


@dataclass(frozen=True)
class Location:
    """Where a store keeps its files, however the configuration writes it.

    Two stores with equal locations are the same place.

    Attributes:
        provider: who keeps them: "AWS", a host, "this machine".
        container: the unit that can be lost as a whole: a bucket, a folder.
        folder: inside the container, as `folder_prefix` has it; "" for all of it.
    """

    provider: str
    container: str
    folder: str = ""

    def shares_container(self, other: "Location") -> bool:
        """Whether emptying one's container empties the other's."""
        return (self.provider, self.container) == (other.provider, other.container)


class Readable(Protocol):
    """What `put` needs of its source: blocks of bytes, an empty one at the end."""

    def read(self, size_bytes: int, /) -> bytes:
        """At most `size_bytes` bytes."""


class Store(Protocol):
    """A place that keeps artifacts. Safe to use from several threads at once.

    `stores.base.StoreBase` derives methods from a few of these, and has the defaults for a store that keeps no
    versions, locks nothing and has no clock of its own.

    Every method raises StoreRefused if the store refuses, and StoreUnreachable if it does
    not answer or says "try later".
    """

    @property
    def staging_root(self) -> Path:
        """A local folder for unfinished work; for a folder store on the store's own file system."""

    def describe(self) -> str:
        """The store as people name it: a folder's path, or s3://bucket/prefix. Holds no secret."""

    def location(self) -> Location:
        """Where its files are: two stores of equal locations are one."""

    def check(self) -> None:
        """Checks that the store exists and can be listed."""

    def check_writable(self) -> None:
        """Does what `check` does, and checks as far as possible without storing anything that it accepts files."""

    def try_deleting(self) -> str:
        """Tries whether files can be deleted for good, on a probe of our own that doesn't stay.

        Returns:
            Why it can't be tried; "" where it worked.
        """

    def clock_ahead(self) -> timedelta:
        """How far the clock that dates its files is ahead of this machine's; zero where it's the same."""

    def with_patience(self, patience: Patience) -> "Store":
        """The same store, waited for no longer than this if it doesn't answer."""

    def list(self, prefix: str) -> Iterator[StoredFile]:
        """Every file below the folder `prefix` ("" for all), in no particular order."""

    def folders(self, prefix: str) -> Iterator[str]:
        """The names of the folders directly below the folder `prefix`, in no particular order.

        It takes one request per thousand of them, however many files they contain.
        """

    def in_each_folder(self, prefix: str, name: str, *, leaving_out: str) -> Iterator[StoredVersion]:
        """The file of one name in each of the folders directly below the folder `prefix`, where there is one.

        Args:
            prefix: the folder.
            name: the file's.
            leaving_out: the name of a folder beside the file that has most of what lies there; it need not be listed.
        """

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        """A file as a stream.

        Raises:
            ArtifactMissing: there is no such file.
        """

    def read_small(self, key: str, limit_bytes: int = SMALL_FILE_LIMIT_BYTES) -> bytes:
        """A small file as a whole.

        Raises:
            ArtifactMissing: there is no such file.
            ArtifactDamaged: it is larger than `limit_bytes`.
        """

    def put(self, key: str, source: Readable, *, size_bytes: int, sha256: str) -> None:
        """Stores a file, replacing one of the same key; it appears whole or not at all.

        Args:
            key: where.
            source: its bytes, read once, in blocks.
            size_bytes: how many there must be.
            sha256: the hex SHA-256 that they must have.

        Raises:
            ArtifactDamaged: the source has other bytes than announced; nothing was stored.
            DiskFull: no room, in a folder store or for the blocks in progress.
        """

    def put_new(self, key: str, data: bytes) -> bool:
        """Stores a small file where there is none of that key; it appears whole or not at all.

        Of several writers at a time one succeeds, where the store can decide that itself: a folder can, and a bucket
        whose provider knows conditional writes.

        Args:
            key: where.
            data: all of it.

        Returns:
            False where there is a file of that key already; it is left as it is.
        """

    def files(self, prefix: str) -> Iterator[StoredVersion]:
        """The current version of every file below the folder `prefix`, without older versions."""

    def versions(self, prefix: str) -> Iterator[StoredVersion]:
        """Every version of every file below the folder `prefix`, in no particular order."""

    def may_be_locked(self, version: StoredVersion) -> bool:
        """Whether it's worth asking `locked_until`, without asking the store for it."""

    def locked_until(self, version: StoredVersion) -> datetime | None:
        """Until when a version can't be deleted; `datetime.max` for a hold without end, None for no lock."""

    def delete(self, key: str, version_id: str | None = None) -> None:
        """Deletes a file, or one version of it permanently; does nothing if there is none.

        In a store that keeps versions, deleting the file leaves them, behind a delete marker.
        """

    def link(self, key: str, *, media_type: str, lasts: timedelta) -> str | None:
        """A URL that opens a file in a browser for some time, for whoever has it; None where the store has none.

        Args:
            key: the file.
            media_type: what the browser takes it for.
            lasts: how long.
        """

    def abandoned_uploads(self, prefix: str) -> tuple[str, ...]:
        """The names of what `end_abandoned_uploads` would remove."""

    def end_abandoned_uploads(self, prefix: str) -> tuple[str, ...]:
        """Removes what uploads killed more than `ABANDONED_AFTER` ago left behind.

        Args:
            prefix: only below this folder, if the store can tell.

        Returns:
            The names of what was removed.
        """


@runtime_checkable
class AdoptsFolders(Protocol):
    """A store on a file system of this machine: it publishes a folder as it is, without copying its files."""

    def adopt(self, staged: Path, prefix: str, *, lasting: Collection[str] = ()) -> None:
        """Publishes a complete folder, all at once.

        Args:
            staged: a folder below the store's `staging_root`.
            prefix: the artifact's place, "<database>/<artifact id>".
            lasting: paths below that folder whose files are private and have been flushed to the disk.

        Raises:
            StoreRefused: there is already something in that place.
        """


def versions_or_files(store: Store, prefix: str) -> tuple[tuple[StoredVersion, ...], bool]:
    """All versions below a folder; if the key can't list those (a separate right), the files.

    Returns:
        What there is, and whether versions could be listed.

    Raises:
        StoreRefused, StoreUnreachable: the store can't be listed at all.
    """
    try:
        return tuple(store.versions(prefix)), True
    except StoreRefused:
        return tuple(store.files(prefix)), False


def is_key(key: str) -> bool:
    """Whether a text names a file inside a store: one that is listed with any other name isn't ours, and is left alone.

    It doesn't where it points outside, or into the store's own hidden folder, has characters that no name of ours has
    (control characters, half of a pair, what reorders text), or is longer than a bucket takes.
    """
    parts = key.split("/")
    return (
        key.isprintable()
        and len(key.encode()) <= _LONGEST_KEY_BYTES
        and not parts[0].startswith(".")
        and not any(part in {"", ".", ".."} for part in parts)
    )


def checked_key(key: str) -> str:
    """Returns the key, if it names a file inside a store (`is_key`).

    Raises:
        StoreRefused: it doesn't.
    """
    if not is_key(key):
        raise StoreRefused(
            f"The key {key[:_SHOWN_CHARACTERS]!r} doesn't name a file inside a store.",
            meaning="Nothing was read or written.",
            next_step="Check the manifest or the configuration that it comes from.",
        )
    return key


def folder_prefix(*parts: str) -> str:
    """Joins folder names to what every key below them begins with: "a/b/", or "" for the root."""
    names = [name for part in parts for name in part.split("/") if name]
    return "".join(f"{name}/" for name in names)


def in_a_folder(key: str, prefix: str, name: str) -> bool:
    """Whether a key is that of a file in a folder directly below another.

    Args:
        key: the key.
        prefix: the other folder.
        name: the file's name.
    """
    return (
        key.endswith(f"/{name}") and key.removeprefix(folder_prefix(prefix)).count("/") == name.count("/") + 1
    )


def read_limited(stream: BinaryIO, *, origin: str, limit_bytes: int) -> bytes:
    """Reads a stream to its end.

    Args:
        stream: the stream.
        origin: what it is, for the message.
        limit_bytes: how many bytes it may have.

    Raises:
        ArtifactDamaged: it continues after `limit_bytes`; `origin` says what it is.
    """
    # Block by block: one large read would allocate the full limit even for the smallest file.
    data = bytearray()
    while len(data) <= limit_bytes and (block := stream.read(CHUNK_BYTES)):
        data += block
    if len(data) > limit_bytes:
        raise ArtifactDamaged(
            f"{origin} is larger than {limit_bytes} bytes, which no file of this kind is.",
            meaning="It was not read, because it isn't what its name says.",
            next_step=LOOK_WHO_WRITES,
        )
    return bytes(data)
