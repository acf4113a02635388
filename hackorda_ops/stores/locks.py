"""Object lock: what holds a file so that nobody can delete it, its owner included, until a date."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

LockMode = Literal["compliance", "governance"]

_WORKERS = 16


@dataclass(frozen=True)
class ObjectLock:
    """The lock that every file of a bucket gets when it's written.

    Attributes:
        mode: compliance: nobody can lift it before its date. governance: who has a right of its own can.
        days: how many it lasts.
    """

    mode: LockMode
    days: int


@dataclass(frozen=True)
class FileLock:
    """The lock of one file, as its bucket tells it.

    Attributes:
        until: its date, aware; None where there's none, or it can't be read.
        mode: its mode; None likewise.
        held: whether a legal hold keeps the file as well.
        unread: why the lock can't be read; "" where it was, or where there is certainly none.
    """

    until: datetime | None = None
    mode: LockMode | None = None
    held: bool = False
    unread: str = ""


@runtime_checkable
class LocksFiles(Protocol):
    """A store whose files can be locked. Safe to use from several threads at once.

    Every method raises StoreRefused if the store refuses, and StoreUnreachable if it doesn't answer.
    """

    @property
    def lock(self) -> ObjectLock | None:
        """What every file gets when it's written; None for nothing."""

    def lock_of(self, key: str) -> FileLock:
        """A file's lock.

        Raises:
            ArtifactMissing: there's no such file.
        """

    def lock_until(self, key: str, until: datetime) -> None:
        """Makes a file's lock last at least until then; one that lasts longer stays as it is."""

    def hold(self, key: str, *, on: bool) -> None:
        """Puts a legal hold on a file, which has no end, or lifts it."""


def locking(store: object) -> LocksFiles | None:
    """The store, if it's configured to lock what it gets; None for every other one."""
    return store if isinstance(store, LocksFiles) and store.lock is not None else None


def locks_of(store: LocksFiles, keys: Iterable[str]) -> dict[str, FileLock]:
    """The locks of several files, by key.

    Raises:
        ArtifactMissing, StoreRefused, StoreUnreachable: as `LocksFiles.lock_of` does.
    """
    listed = list(keys)
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="locks") as looking:
        return dict(zip(listed, looking.map(store.lock_of, listed), strict=True))


def lock_each_until(store: LocksFiles, keys: Iterable[str], until: datetime) -> None:
    """Extends the locks of several files.

    Args:
        store: where they are.
        keys: the files.
        until: their new date, aware.

    Raises:
        StoreRefused, StoreUnreachable: as `LocksFiles.lock_until` does; some may have been extended.
    """
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="locks") as locking_them:
        for _ in locking_them.map(lambda key: store.lock_until(key, until), keys):
            pass


def hold_each(store: LocksFiles, keys: Iterable[str], *, on: bool) -> None:
    """Puts a legal hold on several files, or lifts it.

    Args:
        store: where they are.
        keys: the files.
        on: False: it's lifted.

    Raises:
        StoreRefused, StoreUnreachable: as `LocksFiles.hold` does; some may be held, or lifted, already.
    """
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="locks") as holding:
        for _ in holding.map(lambda key: store.hold(key, on=on), keys):
            pass
