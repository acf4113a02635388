"""Copies an artifact from one store to another, and proves the copy by reading it back.

The weekly off-site copy is one such copy; shipping a staged night into an S3 store and fetching
an artifact into a folder are others. The manifest is written last, so an interrupted
copy leaves nothing that looks like a backup, and the next attempt continues from there.
"""

import hashlib
import math
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from io import BytesIO

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, FileEntry, digest_of
from hackorda_ops.artifacts.metering import Meter, Watched
from hackorda_ops.artifacts.sharing import LeftBehindError, SharedReadings
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, StoreRefused, StoreUnreachable
from hackorda_ops.progress import OnProgress, ignore
from hackorda_ops.stores.memory import give_memory_back_at_once
from hackorda_ops.stores.store import CHUNK_BYTES, Readable, Store


@dataclass(frozen=True)
class CopyResult:
    """What a copy did.

    Attributes:
        files: files of the artifact that are now in the destination, the manifest included.
        bytes_copied: bytes written there by this copy; 0 if everything was there already.
        seconds: total wall-clock time.
        files_read_back: files read from the destination and found to have the right hash.
        bytes_read_back: their bytes.
        repaired: paths of files that were damaged or removed in the destination after they
            were copied, and that were written again.
    """

    files: int
    bytes_copied: int
    seconds: float
    files_read_back: int
    bytes_read_back: int
    repaired: tuple[str, ...]


@dataclass(frozen=True)
class OtherBytes:
    """The paths of the files that a copy found to have other bytes than the manifest says, and didn't repair.

    Attributes:
        in_source: where it copies from; also files that are missing there.
        in_destination: where it copies to.
    """

    in_source: set[str] = field(default_factory=set)
    in_destination: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Step:
    """What to do with one file.

    Attributes:
        entry: the file, as the manifest has it.
        present: a file of that size is in the destination already.
        read_back: it will be read back from the destination.
    """

    entry: FileEntry
    present: bool
    read_back: bool


def plan(
    files: Sequence[FileEntry], present_bytes: Mapping[str, int], *, read_back: float, seed: str
) -> tuple[Step, ...]:
    """Decides what to copy and what to read back; largest files first, so that no big one is left for last.

    A file that is there with the right size is not copied again, but then it is always read back.

    Args:
        files: of the artifact, its manifest left out.
        present_bytes: path to size, for the files that the destination already has.
        read_back: share of the files to read back, 1.0 for all; at least one file in any case.
        seed: chooses the sample; the artifact's own name makes it different for each artifact.

    Raises:
        ValueError: `read_back` is not above 0 and at most 1.
    """
    if not 0 < read_back <= 1:
        raise ValueError(f"read_back is a share above 0 and at most 1, not {read_back}")
    drawn = sorted(files, key=lambda entry: digest_of(f"{seed}/{entry.path}".encode()))
    sample = {entry.path for entry in drawn[: math.ceil(read_back * len(drawn))]}
    steps = []
    for entry in sorted(files, key=lambda entry: (-entry.size_bytes, entry.path)):
        present = present_bytes.get(entry.path) == entry.size_bytes
        steps.append(Step(entry, present, read_back=present or entry.path in sample))
    return tuple(steps)


def copy_artifact(
    source: Store,
    destination: Store,
    *,
    prefix: str,
    files: Sequence[FileEntry],
    manifest_bytes: bytes,
    jobs: int = 4,
    read_back: float = 1.0,
    other_bytes: OtherBytes | None = None,
    shared: tuple[SharedReadings, str] | None = None,
    ended: threading.Event | None = None,
    on_progress: OnProgress = ignore,
) -> CopyResult:
    """Copies the files several at a time, checking every hash on the way, then the manifest.

    Calling it again is safe at any time: alongside another copy of the same artifact, after one that
    was killed, and after one that was finished.

    Args:
        source: where the artifact is.
        destination: where to copy it.
        prefix: its place in both: "<database>/<artifact id>".
        files: all of its files but the manifest.
        manifest_bytes: the manifest exactly as stored in the source.
        jobs: files in work at the same time.
        read_back: share of the files that are read from the destination; the manifest always is.
        other_bytes: collects what is damaged, and isn't repaired, also where the copy ends with an error.
        shared: the readings that this copy shares with others, and its name among them; None where it reads alone.
        ended: ends the copy once it is set.
        on_progress: called for "copy" and "read back" in bytes, from several threads, one at a time.

    Returns:
        What was done. Whenever there is a result, the copy is complete.

    Raises:
        ArtifactDamaged: the source has other bytes than the manifest says.
        ArtifactMissing: the source lacks a file.
        StoreRefused: one store refuses; or the destination has a different manifest in this place;
            or it did not keep what it was given.
        StoreUnreachable: one store does not answer.
        DiskFull: no room, in a folder store.
    """
    give_memory_back_at_once()
    started = time.monotonic()
    present = {
        entry.key.removeprefix(f"{prefix}/"): entry.size_bytes for entry in destination.list(f"{prefix}/")
    }
    manifest_key = f"{prefix}/{MANIFEST_NAME}"
    complete = MANIFEST_NAME in present
    if complete:
        _require_same_manifest(destination, manifest_key, manifest_bytes)
    steps = plan(files, present, read_back=read_back, seed=prefix)
    if shared is not None:
        readings, name = shared
        readings.lacks(name, [f"{prefix}/{step.entry.path}" for step in steps if not step.present])
    copier = _Copier(
        source,
        destination,
        prefix,
        steps,
        other_bytes=other_bytes or OtherBytes(),
        shared=shared,
        ended=ended or threading.Event(),
        on_progress=on_progress,
    )
    damaged = copier.run(jobs)
    if not complete:
        destination.put(
            manifest_key,
            BytesIO(manifest_bytes),
            size_bytes=len(manifest_bytes),
            sha256=digest_of(manifest_bytes),
        )
        _require_same_manifest(destination, manifest_key, manifest_bytes)
    read = [step.entry for step in steps if step.read_back]
    copied = [step.entry for step in steps if not step.present or step.entry.path in damaged]
    return CopyResult(
        files=len(files) + 1,
        bytes_copied=sum(entry.size_bytes for entry in copied) + (0 if complete else len(manifest_bytes)),
        seconds=time.monotonic() - started,
        files_read_back=len(read) + 1,
        bytes_read_back=sum(entry.size_bytes for entry in read) + len(manifest_bytes),
        # Stores show complete files only, so one of another size isn't left over from a killed copy.
        repaired=tuple(sorted(entry.path for entry in copied if complete or entry.path in present)),
    )


def _require_same_manifest(destination: Store, key: str, manifest_bytes: bytes) -> None:
    if destination.read_small(key) != manifest_bytes:
        raise StoreRefused(
            f"{destination.describe()}/{key} is not the manifest to be copied.",
            meaning="It was damaged or replaced there; it is left as it is, as evidence. "
            "The files next to it can't be relied on.",
            next_step="Compare the two manifests, and find out who or what can write to the destination. "
            "Then move the artifact there out of the way and copy again.",
        )


class _Copier:
    """The files of one copy: what its threads share."""

    def __init__(
        self,
        source: Store,
        destination: Store,
        prefix: str,
        steps: Sequence[Step],
        *,
        other_bytes: OtherBytes,
        shared: tuple[SharedReadings, str] | None,
        ended: threading.Event,
        on_progress: OnProgress,
    ) -> None:
        self._source = source
        self._destination = destination
        self._prefix = prefix
        self._steps = steps
        self._other_bytes = other_bytes
        self._shared = shared
        self._ended = ended
        telling = threading.Lock()
        self._copying = Meter("copy", sum(step.entry.size_bytes for step in steps), on_progress, telling)
        self._reading = Meter(
            "read back", sum(step.entry.size_bytes for step in steps if step.read_back), on_progress, telling
        )

    def run(self, jobs: int) -> frozenset[str]:
        """Runs every step; returns the paths of files that were present with different bytes."""
        damaged = set()
        with ThreadPoolExecutor(jobs, thread_name_prefix="copy") as pool:
            steps = {pool.submit(self._one, step): step for step in self._steps}
            try:
                for finished in as_completed(steps):
                    if finished.result():
                        damaged.add(steps[finished].entry.path)
            except BaseException:
                # Interrupts too. The files in progress notice at their next block, and abort their uploads.
                self._ended.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return frozenset(damaged)

    def _one(self, step: Step) -> bool:
        """Copies one file; True if it was present with different bytes."""
        entry = step.entry
        key = f"{self._prefix}/{entry.path}"
        if step.present:
            if self._hash_of(key) == entry.sha256:
                self._copying.add(entry.size_bytes)
                return False
            self._other_bytes.in_destination.add(entry.path)
            # It will be read a second time.
            self._reading.expect(entry.size_bytes)
        self._put(key, entry)
        if step.read_back and (found := self._hash_of(key)) != entry.sha256:
            self._other_bytes.in_destination.add(entry.path)
            raise StoreRefused(
                f"{self._destination.describe()}/{key} was read back with SHA-256 {found} "
                f"instead of {entry.sha256}.",
                meaning="The destination did not store what was written. There is no copy of this artifact "
                "there: its manifest was not written.",
                next_step="Copy again. If it happens again, do not rely on this store: use another one.",
            )
        self._other_bytes.in_destination.discard(entry.path)
        return step.present

    def _put(self, key: str, entry: FileEntry) -> None:
        try:
            try:
                if not self._put_shared(key, entry):
                    self._put_from(self._source.open(key), key, entry)
            except ArtifactDamaged:
                # What is found damaged is never chosen again, and a disk or a network may err once.
                self._copying.expect(entry.size_bytes)
                self._put_from(self._source.open(key), key, entry)
        except (ArtifactDamaged, ArtifactMissing):
            self._other_bytes.in_source.add(entry.path)
            raise

    def _put_shared(self, key: str, entry: FileEntry) -> bool:
        """Stores a file from the reading that several copies share; False where this one has to read it by itself."""
        if self._shared is None:
            return False
        readings, name = self._shared
        try:
            self._put_from(readings.open(name, key), key, entry)
        except LeftBehindError as error:
            self._copying.expect(error.taken_bytes)
            return False
        return True

    def _put_from(self, opened: AbstractContextManager[Readable], key: str, entry: FileEntry) -> None:
        with opened as stream:
            self._destination.put(
                key,
                Watched(stream, self._copying, self._ended),
                size_bytes=entry.size_bytes,
                sha256=entry.sha256,
            )

    def _hash_of(self, key: str) -> str:
        digest = hashlib.sha256()
        with self._destination.open(key) as stream:
            watched = Watched(stream, self._reading, self._ended)
            while block := watched.read(CHUNK_BYTES):
                digest.update(block)
        return digest.hexdigest()


def end_abandoned_uploads(store: Store, name: str) -> tuple[str, ...]:
    """Aborts a database's unfinished uploads, which are billed; does nothing where that's not allowed."""
    try:
        return store.end_abandoned_uploads(f"{name}/")
    except (StoreRefused, StoreUnreachable):
        return ()
