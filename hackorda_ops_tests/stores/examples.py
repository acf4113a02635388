"""The stores and the artifact that several test files use."""

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO

import pytest

from hackorda_ops.artifacts.copying import CopyResult, copy_artifact
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, FileEntry
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.progress import OnProgress, ignore
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops.stores.store import Store
from hackorda_ops_tests.stores.s3_proxy import Misbehave, proxied

PREFIX = "hackorda/20261108T020000Z-1a2b3c"
MANIFEST = b'{"a": "manifest"}'
MANIFEST_KEY = f"{PREFIX}/{MANIFEST_NAME}"
MIB = 1024 * 1024
# The same in the child process that one test kills.
_RANDOM = random.Random(20261108)
CONTENTS = {
    "dump/1.dat.zst": _RANDOM.randbytes(3 * MIB),
    "dump/2.dat.zst": _RANDOM.randbytes(100_000),
    "dump/3.dat.zst": b"",
    "dump/toc.dat": _RANDOM.randbytes(5_000),
    "RESTORE.md": b"# How to restore",
}
ODD_KEYS = ["db/a b+c%20&?#.dat", "db/ü/日本語", "db/quote'\"\\x", "db/.hidden", "db/~"]
# None of them names a file of a store.
NO_KEYS = (
    "",
    "/etc/x",
    "../x",
    "a/../../x",
    "a//b",
    "a/",
    "./a",
    "a/\0b",
    ".staging/x",
    "a/\n",
    "a/line\nbreak",
    "a/\x1b[2J",
    "x" * 1025,
    "a/" * 600 + "x",
)


def entries(contents: dict[str, bytes]) -> tuple[FileEntry, ...]:
    """What a manifest says of these files."""
    return tuple(
        FileEntry(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in contents.items()
    )


FILES = entries(CONTENTS)
TOTAL_BYTES = sum(entry.size_bytes for entry in FILES)


def put(store: Store, key: str, data: bytes) -> None:
    """Stores bytes under a key."""
    store.put(key, BytesIO(data), size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def store_on(server: S3Server, bucket: str, **more: Any) -> S3Store:
    """A store that gives up soon."""
    settings: dict[str, Any] = {"connect_timeout_seconds": 0.5, "read_timeout_seconds": 5, "attempts": 2}
    return S3Store(
        bucket,
        endpoint_url=server.endpoint_url,
        region=server.region,
        access_key_id=server.access_key_id,
        secret_access_key=server.secret_access_key,
        **{**settings, **more},
    )


@contextmanager
def behind(server: S3Server, store: S3Store, misbehave: Misbehave) -> Iterator[S3Store]:
    """The same store, as reached through a proxy."""
    with proxied(server, misbehave) as proxy:
        yield replace(store, endpoint_url=proxy.endpoint_url)


def unfinished(server: S3Server, bucket: str) -> list[str]:
    """The keys of uploads that were begun and not ended."""
    return [
        upload["Key"] for upload in server.client().list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    ]


def copy(
    source: Store,
    destination: Store,
    *,
    read_back: float = 1.0,
    jobs: int = 4,
    on_progress: OnProgress = ignore,
) -> CopyResult:
    """Copies the one artifact."""
    return copy_artifact(
        source,
        destination,
        prefix=PREFIX,
        files=FILES,
        manifest_bytes=MANIFEST,
        jobs=jobs,
        read_back=read_back,
        on_progress=on_progress,
    )


def keys(store: Store) -> set[str]:
    """What a store holds of the artifact."""
    return {entry.key.removeprefix(f"{PREFIX}/") for entry in store.list(PREFIX)}


def require_whole(store: Store) -> None:
    """Every file is there with its right bytes, and nothing else is."""
    assert keys(store) == {*CONTENTS, MANIFEST_NAME}
    for path, data in {**CONTENTS, MANIFEST_NAME: MANIFEST}.items():
        assert store.read_small(f"{PREFIX}/{path}") == data


# What one bad reading makes of a file: cut off, or another byte.
SPOILED: tuple[Callable[[bytes], bytes], ...] = (lambda data: data[:-100], lambda data: b"?" + data[1:])


def read_wrongly_once(
    monkeypatch: pytest.MonkeyPatch, name: str, spoiled: Callable[[bytes], bytes]
) -> list[str]:
    """Has the next reading of a file of that name in a folder go wrong; returns the names that still wait for that."""
    opened, waiting = FolderStore.open, [name]

    @contextmanager
    def wrongly_once(store: FolderStore, key: str) -> Iterator[BinaryIO]:
        with opened(store, key) as stream:
            if key.rpartition("/")[2] in waiting:
                waiting.clear()
                yield BytesIO(spoiled(stream.read()))
            else:
                yield stream

    monkeypatch.setattr(FolderStore, "open", wrongly_once)
    return waiting
