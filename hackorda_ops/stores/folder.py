"""A store in a folder: the usual place for nightly artifacts."""

import errno
import hashlib
import io
import os
import stat
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from hackorda_ops import untrusted
from hackorda_ops.config.places import Folder
from hackorda_ops.errors import ArtifactMissing, StoreRefused
from hackorda_ops.stores.base import StoreBase
from hackorda_ops.stores.checked import CheckedSource
from hackorda_ops.stores.disk_errors import disk_error, disk_errors
from hackorda_ops.stores.lasting import PRIVATE_FOLDER, flush_folder, make_folder, make_lasting, removed_empty
from hackorda_ops.stores.store import (
    ABANDONED_AFTER,
    CHUNK_BYTES,
    Location,
    Readable,
    StoredVersion,
    checked_key,
    folder_prefix,
    is_key,
)

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_STAGING = ".staging"
_UPLOAD = "upload-"
# What is written again sooner than this may keep its times: file systems' clocks tick a few times a second.
_SETTLED_SECONDS = 2.0


@dataclass(frozen=True)
class FolderStore(StoreBase):
    """A store in a folder of this machine, or mounted on it.

    Everything it writes is private (files 0600, folders 0700), flushed to the disk before it gets
    its name, and appears whole: unfinished work stays in a hidden folder next to the artifacts.

    Attributes:
        root: the folder; `check` creates it if only its last part is missing.
    """

    root: Path

    @property
    def staging_root(self) -> Path:
        """The folder for unfinished work, on the same file system, so that a rename publishes it."""
        return self.root / _STAGING

    def describe(self) -> str:
        """The folder's path."""
        return str(self.root)

    def location(self) -> Location:
        """The folder itself, with symbolic links resolved."""
        return Location("this machine", os.path.realpath(self.root))

    def check(self) -> None:
        """Creates the folder if needed, and checks that it can be listed.

        Missing parents are not created: if a disk isn't mounted, backups would fill the disk below.

        Raises:
            StoreRefused, StoreUnreachable, DiskFull: the operating system's error.
        """
        with disk_errors(f"open the store {self.root}"):
            self.root.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            with os.scandir(self.root):
                pass

    def check_writable(self) -> None:
        """Creates the folder if needed, and checks that this user can write to it.

        Raises:
            StoreRefused, StoreUnreachable, DiskFull: the operating system's error.
        """
        self.check()
        if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
            raise StoreRefused(
                f"This user can't write to {self.root}.",
                meaning="No artifact could be stored there.",
                next_step="Give the user that runs this read and write access to the folder, or remount it writable.",
            )

    def folders(self, prefix: str) -> Iterator[str]:
        """The names of the folders directly below the folder `prefix`; none where the store is still empty.

        Raises:
            StoreRefused, StoreUnreachable: the folder can't be read.
        """
        within, start = folder_prefix(prefix), self._start(prefix)
        with disk_errors(f"list {start}"):
            self._require_mounted()
            with suppress(FileNotFoundError), os.scandir(start) as entries:
                for entry in entries:
                    if is_key(f"{within}{entry.name}") and entry.is_dir():
                        yield entry.name

    def _start(self, prefix: str) -> Path:
        within = folder_prefix(prefix)
        return self.root / (checked_key(within.rstrip("/")) if within else "")

    def _require_mounted(self) -> None:
        # A store that nothing was put into yet is empty; one whose disk isn't mounted doesn't count as empty.
        (self.root if self.root.exists() else self.root.parent).stat()

    def _below(self, folder: Path) -> Iterator[tuple[str, os.stat_result]]:
        within = folder.relative_to(self.root).as_posix()
        left = [(str(folder), "" if within == "." else f"{within}/")]
        while left:
            path, prefix = left.pop()
            # An artifact may be deleted while it is listed; anything else must not look like "empty".
            with suppress(FileNotFoundError), os.scandir(path) as entries:
                for entry in entries:
                    if not is_key(f"{prefix}{entry.name}"):
                        continue
                    if not entry.is_dir():
                        with suppress(FileNotFoundError):
                            yield f"{prefix}{entry.name}", entry.stat()
                    elif not entry.is_symlink():
                        left.append((entry.path, f"{prefix}{entry.name}/"))

    def in_each_folder(self, prefix: str, name: str, *, leaving_out: str) -> Iterator[StoredVersion]:  # noqa: ARG002
        """See `Store.in_each_folder`; no folder of them is listed for it.

        Raises:
            StoreRefused, StoreUnreachable: the folder can't be read.
        """
        within, start = folder_prefix(prefix), self._start(prefix)
        with disk_errors(f"list {start}"):
            for folder in self.folders(prefix):
                with suppress(FileNotFoundError, NotADirectoryError):
                    yield _version(f"{within}{folder}/{name}", Path(f"{start}/{folder}/{name}").stat())

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """A file as a stream.

        Raises:
            ArtifactMissing: there is no such file.
            StoreRefused, StoreUnreachable: it can't be read.
        """
        path = self._path(key)
        try:
            raw = _File(path)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise ArtifactMissing(
                f"There is no file {path}.",
                meaning="The artifact is incomplete, or it has been deleted.",
                next_step="List what there is with `hackorda-ops backups`, and use another artifact.",
            ) from None
        except OSError as error:
            raise disk_error(error, f"open {path}") from None
        with io.BufferedReader(raw, CHUNK_BYTES) as stream:
            yield cast(BinaryIO, stream)

    def put(self, key: str, source: Readable, *, size_bytes: int, sha256: str) -> None:
        """Stores a file, replacing one of the same key: written to a temporary file, flushed, then renamed.

        See `Store.put`.

        Raises:
            ArtifactDamaged: the source has other bytes than announced.
            DiskFull, StoreRefused, StoreUnreachable: the operating system's error.
        """
        path = self._path(key)
        checked = CheckedSource(source, name=str(path), size_bytes=size_bytes, sha256=sha256)
        with self._written(path, checked, size_bytes) as unfinished:
            unfinished.replace(path)

    def put_new(self, key: str, data: bytes) -> bool:
        """Stores a small file where there is none of that key. See `Store.put_new`.

        Raises:
            DiskFull, StoreRefused, StoreUnreachable: the operating system's error.
        """
        path = self._path(key)
        digest = hashlib.sha256(data).hexdigest()
        checked = CheckedSource(io.BytesIO(data), name=str(path), size_bytes=len(data), sha256=digest)
        with self._written(path, checked, len(data)) as unfinished:
            try:
                # Unlike a rename, a link never replaces a file.
                os.link(unfinished, path)
            except FileExistsError:
                return False
        return True

    @contextmanager
    def _written(self, path: Path, checked: CheckedSource, size_bytes: int) -> Iterator[Path]:
        """A file that lasts, beside the artifacts, for the block to give its name."""
        with disk_errors(f"write {path}"):
            make_folder(self.staging_root, root=self.root)
            handle, name = tempfile.mkstemp(prefix=_UPLOAD, dir=self.staging_root)
            unfinished = Path(name)
            try:
                with os.fdopen(handle, "wb") as target:
                    for block in checked.blocks(size_bytes):
                        target.write(block)
                    checked.finish()
                    target.flush()
                    os.fsync(target.fileno())
                make_folder(path.parent, root=self.root)
                yield unfinished
                flush_folder(path.parent)
            finally:
                unfinished.unlink(missing_ok=True)

    def adopt(self, staged: Path, prefix: str, *, lasting: Collection[str] = ()) -> None:
        """Publishes a complete folder by renaming it into place.

        Args:
            staged: a folder below `staging_root`; all in it is made private and flushed first.
            prefix: the artifact's place, "<database>/<artifact id>".
            lasting: paths below that folder whose files already are.

        Raises:
            StoreRefused: there is already something in that place.
            DiskFull, StoreUnreachable: the operating system's error; the place is then still empty.
        """
        place = self._path(prefix)
        with disk_errors(f"publish {place}"):
            if place.exists():
                raise StoreRefused(
                    f"The store already has {place}.",
                    meaning="It was left unchanged; the new artifact was not published.",
                    next_step="Look at what is there. Artifact ids never repeat, so somebody put it there.",
                )
            done = {os.path.join(staged, path) for path in lasting}  # noqa: PTH118 - there may be thousands
            for parent, _, names in os.walk(staged, topdown=False):
                for name in names:
                    if (path := os.path.join(parent, name)) not in done:  # noqa: PTH118 - as above
                        make_lasting(Path(path))
                Path(parent).chmod(PRIVATE_FOLDER)
                flush_folder(Path(parent))
            make_folder(place.parent, root=self.root)
            staged.rename(place)
            flush_folder(place.parent)

    def files(self, prefix: str) -> Iterator[StoredVersion]:
        """Every finished file below the folder `prefix`, as its only version.

        Raises:
            StoreRefused, StoreUnreachable: the folder can't be read.
        """
        start = self._start(prefix)
        with disk_errors(f"list {start}"):
            self._require_mounted()
            for key, status in self._below(start):
                yield _version(key, status)

    def delete(self, key: str, version_id: str | None = None) -> None:  # noqa: ARG002  # nor versions
        """Deletes a file, and the folders above it that become empty; does nothing if there is none.

        Raises:
            StoreRefused, StoreUnreachable: the operating system's error.
        """
        path = self._path(key)
        with disk_errors(f"delete {path}"):
            with suppress(FileNotFoundError):
                path.unlink()
                # What is deleted after it must not disappear before it, even after a power failure.
                flush_folder(path.parent)
            for folder in path.parents:
                # A folder that something was created in meanwhile stays: rmdir only removes empty ones.
                if folder == self.root or not removed_empty(folder):
                    break

    def abandoned_uploads(self, prefix: str) -> tuple[str, ...]:  # noqa: ARG002  # unfinished files carry no key
        """The unfinished files of `put` that nobody has written to for a day.

        Raises:
            StoreRefused, StoreUnreachable: they can't be looked at.
        """
        return tuple(path.name for path in self._abandoned())

    def end_abandoned_uploads(self, prefix: str) -> tuple[str, ...]:  # noqa: ARG002  # as above
        """Removes the unfinished files of `put` that nobody has written to for a day.

        Raises:
            StoreRefused, StoreUnreachable: they can't be removed.
        """
        ended = []
        for path in self._abandoned():
            with disk_errors(f"clear {self.staging_root}"), suppress(FileNotFoundError):
                path.unlink()
                ended.append(path.name)
        return tuple(ended)

    def _abandoned(self) -> Iterator[Path]:
        oldest = time.time() - ABANDONED_AFTER.total_seconds()
        with disk_errors(f"look into {self.staging_root}"):
            for path in self.staging_root.glob(f"{_UPLOAD}*"):
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < oldest:
                        yield path

    def _path(self, key: str) -> Path:
        return self.root / checked_key(key)


def opened(section: Folder, _environ: Mapping[str, str], _work_folder: Path) -> FolderStore:
    """Opens the folder that the configuration names."""
    return FolderStore(section.folder)


def _version(key: str, status: os.stat_result) -> StoredVersion:
    settled = time.time() - max(status.st_mtime, status.st_ctime) > _SETTLED_SECONDS
    return StoredVersion(
        key,
        status.st_size,
        untrusted.within_limits(status.st_mtime),
        None,
        current=True,
        marker=False,
        stamp=f"{status.st_ino} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_size}"
        if settled
        else "",
    )


def _opened_at_once(path: str, flags: int) -> int:
    # Of a pipe that lies in a file's place nobody would ever come to write into.
    return os.open(path, flags | os.O_NONBLOCK)


class _File(io.FileIO):
    """A file whose read errors are translated: a dying disk, a mount that went away."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, opener=_opened_at_once)
        self._path = path
        if not stat.S_ISREG(os.fstat(self.fileno()).st_mode):
            self.close()
            raise FileNotFoundError(errno.ENOENT, "no regular file", str(path))

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        with disk_errors(f"read {self._path}"):
            return super().readinto(buffer)
