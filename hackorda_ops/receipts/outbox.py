"""Receipts that wait on this machine until their chain can be written to: private files, one each.

A receipt waits here from the moment that its work begins. So one whose process was killed is found by the next, and
says so.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hackorda_ops import untrusted
from hackorda_ops.artifacts.ids import is_id
from hackorda_ops.receipts.draft import Draft
from hackorda_ops.receipts.verify import LIMIT_BYTES, canonical

_SUFFIX: Final = ".json"
# Several nights of one database can't run at a time; a drill and a copy can, and each sends for a few seconds.
_PATIENCE_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.1
# Far more than a year of nights.
_MOST_SENT: Final = 1_000
_log = logging.getLogger(__name__)


@dataclass
class UnsentReceipt:
    """A receipt that waits in a file.

    Attributes:
        path: the file.
        draft: what it will say.
        tried: the sequence number that it was sent with last, which it may have without our knowing; None for none.
    """

    path: Path
    draft: Draft
    tried: int | None = None

    def save(self) -> None:
        """Writes it, whole or not at all.

        Raises:
            OSError: it could not be written.
        """
        os.close(self._written())

    def hold(self) -> int:
        """Writes it, and holds it: nobody sends it until the returned descriptor is closed, or this process ends.

        Raises:
            OSError: it could not be written.
        """
        return self._written()

    def _written(self) -> int:
        told = {"draft": self.draft.plain, "tried": self.tried}
        unfinished = self.path.with_suffix(".unfinished")
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write_all(handle, canonical(told))
            os.fsync(handle)
            unfinished.rename(self.path)
            _flush(self.path.parent)
        except BaseException:
            os.close(handle)
            unfinished.unlink(missing_ok=True)
            raise
        return handle

    def sent(self) -> None:
        """Removes it: it's in its chain."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class UnsentReceipts:
    """The receipts of a database that wait here.

    Attributes:
        folder: with a file for each.
    """

    folder: Path

    def new(self, draft: Draft) -> UnsentReceipt:
        """A receipt that will wait here; `save` or `hold` writes it.

        Raises:
            OSError: there can be no such folder.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return UnsentReceipt(self.folder / f"{draft.receipt_id}{_SUFFIX}", draft)

    def count(self) -> int:
        """How many wait, those of work that goes on included."""
        return len(self._paths())

    def left_over(self, *, before: float) -> tuple[str, ...]:
        """The ids of those that were written before a moment, and whose work is over.

        Args:
            before: in seconds since the epoch.

        Raises:
            OSError: the folder can't be read.
        """
        return tuple(path.stem for path in self._paths() if _left_alone(path, before))

    @contextmanager
    def to_send(self) -> Iterator[Iterator[UnsentReceipt]]:
        """Those that may be sent, oldest first, and nobody else's meanwhile; nothing where another process sends them.

        Raises:
            OSError: the folder can't be read.
        """
        if not self._paths():
            yield iter(())
            return
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield self._mine() if _locked_soon(handle) else iter(())
        finally:
            os.close(handle)

    def _mine(self) -> Iterator[UnsentReceipt]:
        for path in self._paths()[:_MOST_SENT]:
            with suppress(FileNotFoundError):
                handle = os.open(path, os.O_RDONLY)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    waiting = self._read(path, handle)
                except BlockingIOError:
                    continue  # its work goes on
                finally:
                    os.close(handle)
                if waiting is not None:
                    yield waiting

    def _read(self, path: Path, handle: int) -> UnsentReceipt | None:
        with os.fdopen(os.dup(handle), "rb") as file:
            data = file.read(LIMIT_BYTES)
        try:
            told = untrusted.parsed(data)
            tried = told["tried"]
            waiting = UnsentReceipt(
                path, Draft.from_bytes(canonical(told["draft"])), tried if type(tried) is int else None
            )
        except (ValueError, KeyError, TypeError):
            path.rename(path.with_suffix(".damaged"))
            _log.warning(
                "A receipt that waited on this machine can't be read: %s.damaged", path.with_suffix("")
            )
            return None
        # Written again since it was listed: somebody holds the new one.
        return waiting if os.fstat(handle).st_ino == path.stat().st_ino else None

    def _paths(self) -> list[Path]:
        try:
            names = os.listdir(self.folder)  # noqa: PTH208  # raises where there's no such folder, before it is iterated
        except FileNotFoundError:
            return []
        return [
            self.folder / name
            for name in sorted(names)
            if name.endswith(_SUFFIX) and is_id(name[: -len(_SUFFIX)])
        ]


def _left_alone(path: Path, before: float) -> bool:
    with suppress(FileNotFoundError, BlockingIOError):
        handle = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return os.fstat(handle).st_mtime < before
        finally:
            os.close(handle)
    return False


def _locked_soon(handle: int) -> bool:
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(_PAUSE_SECONDS)
        else:
            return True


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
