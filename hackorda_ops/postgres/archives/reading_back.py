"""Reads a dump back from disk: what is complete of it while pg_dump writes the rest, and all of it in the end.

A large file is followed as it grows, so that a database of one large table isn't read when all others are idle. What is
read of it then comes from memory; the disk's bytes are hashed when it's complete, and have to be the same.

Decompressing and hashing don't hold Python's lock, so threads use as many cores as processes would, and start at once.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from hackorda_ops.errors import ArtifactDamaged, Stalled
from hackorda_ops.postgres.archives.dump_files import FileState, sizes, state_of, states
from hackorda_ops.postgres.archives.reader import (
    ENCRYPTED,
    LARGE_BYTES,
    ArchivedFile,
    damaged,
    hash_of,
    read_file,
)
from hackorda_ops.processes.open_files import open_below
from hackorda_ops.progress import OnProgress, Progress

# How often to look which files are complete.
_LOOK_SECONDS: Final = 0.1
# Small files are flushed by the batch: whichever is first takes the names and sizes of all to the disk.
_BATCH_FILES: Final = 64
_BATCH_BYTES: Final = 8 * 1024 * 1024
_GROWTH_SECONDS: Final = 0.05
_TELL_SECONDS: Final = 1.0
# A reader reports every few megabytes. If none does for this long, a read hangs that won't return.
_SILENCE_SECONDS: Final = 600.0
_STOP_SECONDS: Final = 10.0


class _GivenUp(Exception):
    """Nobody wants the files any longer."""


def read_back(
    folder: Path, *, jobs: int, on_progress: OnProgress, most_rows: Mapping[str, int] | None = None
) -> tuple[ArchivedFile, ...]:
    """Reads every file of a finished dump from disk once; see `ReadBack.finish`.

    Args:
        folder: the dump.
        jobs: how many files are read at a time.
        on_progress: called with the bytes read, of those on disk.
        most_rows: where the reading of a table's file ends, by its path (`read_file`).
    """
    with reading_back(folder, jobs=jobs, most_rows=most_rows) as reading:
        return reading.finish(on_progress)


def _leave(_path: Path) -> None:
    pass


@contextmanager
def reading_back(
    folder: Path,
    *,
    jobs: int,
    flush: Callable[[Path], None] = _leave,
    encrypt_to: str | None = None,
    most_rows: Mapping[str, int] | None = None,
) -> Iterator["ReadBack"]:
    """Readers of a dump, for as long as the block lasts.

    Args:
        folder: the dump; it need not exist yet.
        jobs: how many files are read at a time.
        flush: called with each file before it is read, to have it on the disk; what it raises, `finish` does.
        encrypt_to: whom the files with data are encrypted to as they are read: each is replaced by its ciphertext,
            which is not flushed. None: to nobody.
        most_rows: where the reading of a table's file ends, by its path (`read_file`).
    """
    reading = ReadBack(folder, jobs=jobs, flush=flush, encrypt_to=encrypt_to, most_rows=most_rows or {})
    try:
        yield reading
    finally:
        reading.stop()


class ReadBack:
    """The files of one dump, each read from its first byte to its last; made by `reading_back`."""

    def __init__(
        self,
        folder: Path,
        *,
        jobs: int,
        flush: Callable[[Path], None],
        encrypt_to: str | None,
        most_rows: Mapping[str, int],
    ) -> None:
        self._folder = folder
        self._most_rows = most_rows
        self._encrypt_to = encrypt_to
        # Plaintext goes in a moment, and needn't reach the disk.
        self._flush = flush if encrypt_to is None else _leave
        self._stopped = threading.Event()
        # Whoever looks at what is below has this in hand.
        self._changed = threading.Condition()
        self._waiting: list[tuple[str, int]] = []
        self._in_hand: set[str] = set()
        # With their sizes, the files that pg_dump had open a moment ago.
        self._growing: dict[str, int] = {}
        self._read: dict[str, tuple[FileState, ArchivedFile]] = {}
        self._read_bytes = 0
        self._problem: Exception | None = None
        # Every file of the finished dump; None while pg_dump may still write.
        self._final: dict[str, FileState] | None = None
        self._threads: list[threading.Thread] = []
        for number in range(jobs):
            self._start(self._read_what_waits, f"read back {number}")

    def follow(self, pid: int) -> None:
        """Begins while pg_dump runs, with the files that it has completed; where the system doesn't say which, waits.

        Args:
            pid: pg_dump's.
        """
        self._start(lambda: self._watch(pid), "read back watch")
        self._start(self._follow_the_largest, "read back follow")

    def finish(self, on_progress: OnProgress) -> tuple[ArchivedFile, ...]:
        """Reads what is left once pg_dump has ended: whatever hasn't been read, or has changed since.

        Args:
            on_progress: called with the bytes read, of those on disk.

        Returns:
            One entry per file, sorted by path.

        Raises:
            ArtifactDamaged: a file is missing, cut off, unreadable or not what pg_dump writes; it names the file.
            Stalled: nothing could be read for ten minutes.
            OpsError: what `flush` raised.
        """
        final = states(self._folder)
        total_bytes = sum(state.size_bytes for state in final.values())
        with self._changed:
            # What was read and encrypted is no longer there.
            final |= {path: state for path, (state, file) in self._read.items() if file.encrypted_sha256}
            self._final = final
            self._read = {path: read for path, read in self._read.items() if final.get(path) == read[0]}
            left = [
                (path, state.size_bytes)
                for path, state in final.items()
                if path not in self._read and path not in self._in_hand
            ]
            # The next is taken from the end: the largest.
            self._waiting = sorted(left, key=lambda each: each[1])
            self._changed.notify_all()
        until = time.monotonic() + _SILENCE_SECONDS
        heard_bytes = -1
        while not self._all_read(_TELL_SECONDS):
            if heard_bytes != self._read_bytes:
                heard_bytes, until = self._read_bytes, time.monotonic() + _SILENCE_SECONDS
                on_progress(Progress("read back", min(heard_bytes, total_bytes), total_bytes, "bytes"))
            elif time.monotonic() > until:
                raise _silent(self._folder)
        on_progress(Progress("read back", total_bytes, total_bytes, "bytes"))
        return tuple(file for _, (_, file) in sorted(self._read.items()))

    def stop(self) -> None:
        """Ends the readers; what they are at is given up."""
        with self._changed:
            self._stopped.set()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(_STOP_SECONDS)

    def _start(self, work: Callable[[], None], name: str) -> None:
        # A daemon: a read that never returns must not keep the interpreter from ending.
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _all_read(self, wait_seconds: float) -> bool:
        """Whether all is read; waits for it, and raises the first problem."""
        with self._changed:
            done = self._changed.wait_for(
                lambda: self._problem is not None or len(self._read) == len(self._final or ()), wait_seconds
            )
            if self._problem is not None:
                raise self._problem
            return done

    def _watch(self, pid: int) -> None:
        given: set[str] = set()
        while not self._stopped.wait(_LOOK_SECONDS):
            found = sizes(self._folder, leave_out=given)
            # Asked afterwards: what was there by then and isn't open is complete.
            still_open = open_below(self._folder, pid)
            if still_open is None:
                return
            with self._changed:
                if self._final is not None:
                    return
                self._growing = {path: size for path, size in found.items() if path in still_open}
                complete = found.keys() - self._growing.keys()
                given |= complete
                # What was followed to its end and encrypted may be gone since its size was asked.
                taken = self._in_hand | self._read.keys()
                self._waiting += [(path, found[path]) for path in complete if path not in taken]
                self._changed.notify_all()

    @contextmanager
    def _problems_kept(self) -> Iterator[None]:
        try:
            yield
        except _GivenUp:
            pass
        except Exception as problem:  # noqa: BLE001 - raised again by `finish`
            with self._changed:
                self._problem = self._problem or problem
                self._changed.notify_all()

    def _read_what_waits(self) -> None:
        with self._problems_kept():
            while batch := self._next_batch():
                # Looked at first: what is written after this is neither flushed nor read for certain.
                early = self._final is None
                before = [state_of(self._folder, path) for path in batch]
                for path in batch:
                    self._flush(self._folder / path)
                for path, state in zip(batch, before, strict=True):
                    self._read_one(path, state, early=early)

    def _next_batch(self) -> list[str]:
        """The next files to read; none once nobody wants them."""
        batch: list[str] = []
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopped.is_set())
            batch_bytes = 0
            while (
                self._waiting
                and len(batch) < _BATCH_FILES
                and batch_bytes < _BATCH_BYTES
                and not self._stopped.is_set()
            ):
                path, size_bytes = self._waiting.pop()
                batch.append(path)
                batch_bytes += size_bytes
            self._in_hand.update(batch)
        return batch

    def _read_one(self, path: str, state: FileState | None, *, early: bool) -> None:
        file, problem = None, None
        try:
            file = read_file(
                self._folder,
                path,
                on_bytes=self._heard,
                encrypt_to=self._encrypt_to,
                most_rows=self._most_rows.get(path),
            )
        except ArtifactDamaged as error:
            problem = error
        unchanged = state == state_of(self._folder, path)
        with self._changed:
            self._in_hand.discard(path)
            sure = file is not None and state is not None and unchanged and self._may_be(path, state)
            self._keep_one_form(path, file, encrypted=sure)
            if file is not None and state is not None and sure:
                self._read[path] = state, file
            elif self._final is None:
                pass  # It wasn't complete: `finish` has it read again.
            elif early:
                self._waiting.append((path, 0))
            else:
                raise problem or damaged(self._folder, path, "it changes while it is read")
            self._changed.notify_all()

    def _follow_the_largest(self) -> None:
        followed: set[str] = set()
        with self._problems_kept():
            while path := self._next_to_follow(followed):
                followed.add(path)
                self._read_growing(path)

    def _next_to_follow(self, followed: set[str]) -> str | None:
        """The largest file that is still written, once one is large; None once pg_dump has ended."""
        with self._changed:
            while self._final is None and not self._stopped.is_set():
                growing = {path: size for path, size in self._growing.items() if path not in followed}
                path = max(growing, key=lambda each: growing[each], default=None)
                if path is not None and growing[path] >= LARGE_BYTES:
                    self._in_hand.add(path)
                    return path
                self._changed.wait()
        return None

    def _read_growing(self, path: str) -> None:
        file, read, on_disk = None, None, ""
        with suppress(ArtifactDamaged):
            file = read_file(
                self._folder,
                path,
                on_bytes=self._heard,
                is_complete=lambda: self._is_complete(path),
                encrypt_to=self._encrypt_to,
            )
            # Looked at first, as above.
            state = state_of(self._folder, path)
            self._flush(self._folder / path)
            on_disk = hash_of(self._folder, path, on_bytes=self._heard)
            if state is not None and state == state_of(self._folder, path):
                read = state, file
        with self._changed:
            self._in_hand.discard(path)
            if read is not None and self._may_be(path, read[0]):
                if on_disk != read[1].sha256:
                    raise damaged(self._folder, path, "the disk gives back other bytes than were written")
                self._keep_one_form(path, file, encrypted=True)
                self._read[path] = read
            else:
                self._keep_one_form(path, file, encrypted=False)
                if self._final is not None:
                    self._waiting.append((path, 0))
            self._changed.notify_all()

    def _is_complete(self, path: str) -> bool:
        """Whether pg_dump has completed a file; waits a moment first."""
        if self._stopped.wait(_GROWTH_SECONDS):
            raise _GivenUp
        with self._changed:
            return self._final is not None or path not in self._growing

    def _keep_one_form(self, path: str, file: ArchivedFile | None, *, encrypted: bool) -> None:
        """Removes the plaintext of a file that was encrypted, or a ciphertext that is not of the whole of it."""
        if file is not None and file.encrypted_sha256 is not None:
            # Not flushed yet; but before its store has flushed everything there is no artifact to lose.
            (self._folder / (path if encrypted else f"{path}{ENCRYPTED}")).unlink()

    def _may_be(self, path: str, state: FileState) -> bool:
        """Whether a file in this state is what the dump has in the end, as far as is known by now."""
        return self._final is None or self._final.get(path) == state

    def _heard(self, size_bytes: int) -> None:
        if self._stopped.is_set():
            raise _GivenUp
        with self._changed:
            self._read_bytes += size_bytes


def _silent(folder: Path) -> Stalled:
    return Stalled(
        f"Nothing of {folder} could be read for {_SILENCE_SECONDS:g} seconds.",
        meaning="The dump was not read back, so nothing was proven.",
        next_step="Look for a disk or a network file system that hangs; then try again.",
    )
