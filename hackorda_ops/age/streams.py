"""Files that are encrypted and decrypted block by block: memory stays flat, and both forms are hashed on the way."""

import errno
import hashlib
import os
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Protocol

import pyrage

from hackorda_ops.age.recipients import parse_recipient
from hackorda_ops.errors import DiskFull, StoreRefused

BLOCK_BYTES: Final = 1024 * 1024
# pyrage reads eight kilobytes at a time; a few blocks ahead keep both threads going.
_BLOCKS_AHEAD: Final = 4
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class NotOpened(Exception):
    """A file that none of the keys opens, or whose bytes are not those that were encrypted.

    Attributes:
        no_key: that none of the keys is one that it was encrypted to; otherwise it's damaged.
    """

    def __init__(self, *, no_key: bool) -> None:
        super().__init__("no key opens it" if no_key else "it is damaged")
        self.no_key = no_key


@dataclass(frozen=True)
class Bytes:
    """The length and the hex SHA-256 of what went by."""

    size_bytes: int
    sha256: str


class _Reads(Protocol):
    def read(self, size_bytes: int, /) -> bytes: ...


class _Hashed:
    """A file that is read or written, with the hash of its bytes; keeps the operating system's own error."""

    def __init__(
        self, file: Any, on_bytes: Callable[[int], None] | None = None, *, hashing: bool = True
    ) -> None:
        self._file = file
        self._hashing = hashing
        self._digest = hashlib.sha256()
        self._on_bytes = on_bytes
        self.size_bytes = 0
        self.error: BaseException | None = None

    def read(self, size_bytes: int = -1) -> bytes:
        return self._counted(self._kept(lambda: self._file.read(size_bytes)))

    def write(self, data: bytes) -> int:
        self._kept(lambda: self._file.write(data))
        self._counted(data)
        return len(data)

    def flush(self) -> None:
        self._kept(self._file.flush)

    @property
    def seen(self) -> Bytes:
        return Bytes(self.size_bytes, self._digest.hexdigest())

    def _kept(self, do: Callable[[], Any]) -> Any:
        # pyrage makes a text of what is raised here.
        try:
            return do()
        except BaseException as error:
            self.error = error
            raise

    def _counted(self, data: bytes) -> bytes:
        if self._hashing:
            self._digest.update(data)
        self.size_bytes += len(data)
        if self._on_bytes is not None:
            self._on_bytes(len(data))
        return data


def encrypt_stream(
    source: _Reads, target: Path, recipient: str, *, hashing: bool = True
) -> tuple[Bytes, Bytes]:
    """Encrypts what is read into a new private file, which is not flushed to the disk.

    Args:
        source: read to its end.
        target: where the ciphertext goes; it must not exist.
        recipient: whom it's for.
        hashing: whether what is read is hashed; whoever hands it over may have done that already.

    Returns:
        What was read, and what was written.

    Raises:
        OSError: as reading or writing it raised; `target` is gone again.
    """
    to = parse_recipient(recipient)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb", buffering=BLOCK_BYTES) as file:
            plain, cipher = _Hashed(source, hashing=hashing), _Hashed(file)
            _run(lambda: pyrage.encrypt_io(plain, cipher, [to]), plain, cipher)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return plain.seen, cipher.seen


def encrypt_file(source: Path, target: Path, recipient: str) -> tuple[Bytes, Bytes]:
    """The same for a file on disk, which stays.

    Args:
        source: the file.
        target: where the ciphertext goes; it must not exist.
        recipient: whom it's for.
    """
    with source.open("rb", buffering=BLOCK_BYTES) as file:
        return encrypt_stream(file, target, recipient)


def decrypt_file(
    source: Path, target: Path, identities: Any, *, on_bytes: Callable[[int], None] | None = None
) -> Bytes:
    """Decrypts a file into a new private one.

    Args:
        source: the ciphertext.
        target: where the plaintext goes; it must not exist.
        identities: a sequence of those that may open it.
        on_bytes: called with the number of bytes read since the last call.

    Returns:
        What was written.

    Raises:
        NotOpened: no identity opens it, or it's damaged; nothing of it is left.
        OSError: as reading or writing raised.
    """
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with (
            os.fdopen(descriptor, "wb", buffering=BLOCK_BYTES) as written,
            source.open("rb", buffering=BLOCK_BYTES) as file,
        ):
            cipher, plain = _Hashed(file, on_bytes), _Hashed(written)
            _run(lambda: pyrage.decrypt_io(cipher, plain, list(identities)), cipher, plain)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return plain.seen


def decrypt_small(data: bytes, identities: Any) -> bytes:
    """Decrypts what is in memory already.

    Raises:
        NotOpened: no identity opens it, or it's damaged.
    """
    try:
        plain: bytes = pyrage.decrypt(data, list(identities))
    except pyrage.DecryptError as error:
        raise NotOpened(no_key=_no_key(error)) from None
    return plain


def _run(do: Callable[[], None], *files: _Hashed) -> None:
    try:
        do()
    except (pyrage.EncryptError, pyrage.DecryptError, OSError) as error:
        for file in files:
            if file.error is not None:
                raise file.error from None
        raise NotOpened(no_key=_no_key(error)) from None


def _no_key(error: Exception) -> bool:
    return "No matching keys" in str(error)


class Encryptor:
    """Encrypts blocks as they come, beside whoever reads them: one reading serves both.

    Args:
        target: where the ciphertext goes; it must not exist.
        recipient: whom it's for.
    """

    def __init__(self, target: Path, recipient: str) -> None:
        self._target = target
        self._blocks: queue.Queue[bytes] = queue.Queue(_BLOCKS_AHEAD)
        self._gathered = bytearray()
        self._rest, self._at = b"", 0
        self._ended = self._dropped = False
        self._result: Bytes | None = None
        self._error: BaseException | None = None
        self._recipient = recipient
        # Not for a file that fits into one block: most tables of most databases do.
        self._thread: threading.Thread | None = None

    def update(self, block: bytes) -> None:
        """Encrypts the next block.

        Raises:
            DiskFull, StoreRefused: what was written before could not be.
        """
        self._gathered += block
        if len(self._gathered) >= BLOCK_BYTES:
            self._hand_over()

    def finish(self) -> Bytes:
        """Ends the file; what was written of it.

        Raises:
            DiskFull, StoreRefused: it could not be written; nothing of it is left.
        """
        if self._thread is None:
            self._rest, self._ended = bytes(self._gathered), True
            self._encrypt()
        else:
            if self._gathered:
                self._hand_over()
            self._end()
        self._raise_error()
        if self._result is None:
            raise AssertionError("the encrypting thread ended without a result")
        return self._result

    def drop(self) -> None:
        """Gives up: nothing of the file is left."""
        self._dropped = True
        self._end()
        # Where it failed, it has cleared up; what was in its way is somebody else's.
        if self._result is not None:
            self._target.unlink(missing_ok=True)

    def read(self, size_bytes: int = -1) -> bytes:
        """What the encrypting thread takes: the blocks, one after the other, and nothing at the end."""
        if self._at >= len(self._rest) and not self._ended:
            self._rest, self._at = self._blocks.get(), 0
            self._ended = not self._rest
        if self._dropped:
            raise OSError("given up")
        taken = self._rest[self._at : self._at + size_bytes]
        self._at += len(taken)
        return taken

    def _hand_over(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._encrypt, name="encrypt", daemon=True)
            self._thread.start()
        block, self._gathered = bytes(self._gathered), bytearray()
        while True:
            self._raise_error()
            with suppress(queue.Full):
                self._blocks.put(block, timeout=0.1)
                return

    def _raise_error(self) -> None:
        if isinstance(self._error, OSError):
            # Not as an OSError: whoever reads would take it for the file that is read.
            full = self._error.errno in _FULL
            raise (DiskFull if full else StoreRefused)(
                f"{self._target} can't be written: {self._error.strerror or self._error}.",
                meaning="The dump could not be encrypted; no artifact was made of it.",
                next_step="Make room on that disk."
                if full
                else "Check the disk, the folder and its permissions.",
            )
        if self._error is not None:
            raise self._error

    def _end(self) -> None:
        if self._thread is None:
            return
        while self._thread.is_alive():
            with suppress(queue.Full):
                self._blocks.put(b"", timeout=0.1)
                break
        self._thread.join()

    def _encrypt(self) -> None:
        try:
            _, self._result = encrypt_stream(self, self._target, self._recipient, hashing=False)
        except BaseException as error:  # noqa: BLE001  # raised in the thread that reads
            self._error = error


@contextmanager
def encrypting(target: Path, recipient: str) -> Iterator[Encryptor]:
    """An `Encryptor`; where the block ends with an error, nothing of the file is left."""
    encryptor = Encryptor(target, recipient)
    try:
        yield encryptor
    except BaseException:
        encryptor.drop()
        raise


def write_small(target: Path, data: bytes, recipient: str) -> Bytes:
    """Encrypts what is in memory already.

    Args:
        target: a new private file.
        data: what is encrypted.
        recipient: whom it's for.

    Returns:
        What was written.
    """
    return encrypt_stream(BytesIO(data), target, recipient)[1]
