"""What every store gets for free: methods that follow from its own, and default answers."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import BinaryIO, Self

from hackorda_ops.errors import ArtifactMissing
from hackorda_ops.stores.patience import Patience
from hackorda_ops.stores.store import (
    SMALL_FILE_LIMIT_BYTES,
    Readable,
    StoredFile,
    StoredVersion,
    in_a_folder,
    read_limited,
)


class StoreBase(ABC):
    """Base of a store that keeps no versions, locks nothing, has no clock of its own and always answers at once.

    A store that does overrides these methods; `stores.store.Store` documents what each one promises.
    """

    @abstractmethod
    def describe(self) -> str:
        """See `Store.describe`."""

    @abstractmethod
    def check(self) -> None:
        """See `Store.check`."""

    @abstractmethod
    def files(self, prefix: str) -> Iterator[StoredVersion]:
        """See `Store.files`."""

    @abstractmethod
    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        """See `Store.open`."""

    @abstractmethod
    def put(self, key: str, source: Readable, *, size_bytes: int, sha256: str) -> None:
        """See `Store.put`."""

    def put_new(self, key: str, data: bytes) -> bool:
        """Looks, then writes: two writers at the same moment could both succeed. See `Store.put_new`.

        Raises:
            StoreRefused, StoreUnreachable, DiskFull: it was not stored.
        """
        try:
            with self.open(key):
                return False
        except ArtifactMissing:
            self.put(key, BytesIO(data), size_bytes=len(data), sha256=sha256(data).hexdigest())
            return True

    def list(self, prefix: str) -> Iterator[StoredFile]:
        """Every file below the folder `prefix` ("" for all); nothing where the store is still empty.

        Raises:
            StoreRefused, StoreUnreachable: it can't be listed.
        """
        for file in self.files(prefix):
            yield StoredFile(file.key, file.size_bytes)

    def in_each_folder(self, prefix: str, name: str, *, leaving_out: str) -> Iterator[StoredVersion]:  # noqa: ARG002
        """See `Store.in_each_folder`; it lists all files for it.

        Raises:
            StoreRefused, StoreUnreachable: it can't be listed.
        """
        for file in self.files(prefix):
            if in_a_folder(file.key, prefix, name):
                yield file

    def read_small(self, key: str, limit_bytes: int = SMALL_FILE_LIMIT_BYTES) -> bytes:
        """A small file as a whole.

        Raises:
            ArtifactMissing: there is no such file.
            ArtifactDamaged: it is larger than `limit_bytes`.
        """
        with self.open(key) as stream:
            return read_limited(stream, origin=f"{self.describe()}/{key}", limit_bytes=limit_bytes)

    def check_writable(self) -> None:
        """Does what `check` does: more can't be tested here without storing something."""
        self.check()

    def try_deleting(self) -> str:
        """Nothing more to try: who can write here can delete as well."""
        self.check_writable()
        return ""

    def versions(self, prefix: str) -> Iterator[StoredVersion]:
        """Every file below the folder `prefix`, as its only version; see `files`."""
        return self.files(prefix)

    def may_be_locked(self, version: StoredVersion) -> bool:  # noqa: ARG002  # there are no locks
        """Never: there are no locks."""
        return False

    def locked_until(self, version: StoredVersion) -> datetime | None:  # noqa: ARG002  # there are no locks
        """None: there are no locks."""
        return None

    def clock_ahead(self) -> timedelta:
        """Nothing: this machine's clock dates its files."""
        return timedelta()

    def with_patience(self, patience: Patience) -> Self:  # noqa: ARG002  # there's nobody to wait for
        """The same store: it never waits for anything."""
        return self

    def link(self, key: str, *, media_type: str, lasts: timedelta) -> str | None:  # noqa: ARG002  # nobody serves it
        """None: no web server shows its files. See `Store.link`."""
        return None

    def abandoned_uploads(self, prefix: str) -> tuple[str, ...]:  # noqa: ARG002  # nothing stays behind
        """Nothing: killed uploads leave nothing behind."""
        return ()

    def end_abandoned_uploads(self, prefix: str) -> tuple[str, ...]:  # noqa: ARG002  # as above
        """Nothing, likewise."""
        return ()
