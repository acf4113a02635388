"""Copies that something goes wrong with: each ends in one clear error, and no artifact appears."""

import io
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from hackorda_ops.artifacts.copying import copy_artifact
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, FileEntry
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, StoreRefused, StoreUnreachable
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.progress import Progress
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops_tests.stores.examples import (
    MANIFEST,
    MIB,
    PREFIX,
    SPOILED,
    copy,
    entries,
    keys,
    put,
    read_wrongly_once,
    require_whole,
    unfinished,
)
from hackorda_ops_tests.stores.s3_proxy import Forward, Reply, Request, proxied, refusal


def test_a_source_that_was_damaged_on_its_disk_is_not_copied(nightly: FolderStore, tmp_path: Path) -> None:
    path = nightly.root / PREFIX / "dump" / "1.dat.zst"
    data = bytearray(path.read_bytes())
    data[2 * MIB] ^= 1
    path.write_bytes(data)
    destination = FolderStore(tmp_path / "off-site")

    with pytest.raises(ArtifactDamaged, match=r"dump/1\.dat\.zst has SHA-256"):
        copy(nightly, destination)

    assert not keys(destination) & {MANIFEST_NAME, "dump/1.dat.zst"}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_a_file_that_is_read_wrongly_once_is_read_again_before_it_counts_as_damaged(
    nightly: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoiled: Callable[[bytes], bytes]
) -> None:
    waiting = read_wrongly_once(monkeypatch, "toc.dat", spoiled)
    destination = FolderStore(tmp_path / "off-site")

    copy(nightly, destination)

    assert waiting == []
    require_whole(destination)


def test_a_source_that_lacks_a_file_is_not_copied(nightly: FolderStore, tmp_path: Path) -> None:
    (nightly.root / PREFIX / "dump" / "toc.dat").unlink()
    destination = FolderStore(tmp_path / "off-site")

    with pytest.raises(ArtifactMissing, match=r"toc\.dat"):
        copy(nightly, destination)

    assert MANIFEST_NAME not in keys(destination)


def flip_a_byte(body: bytes) -> bytes:
    """The same length, one bit different."""
    return body[:-1] + bytes([body[-1] ^ 1])


def lose_the_end(body: bytes) -> bytes:
    """One byte short."""
    return body[:-1]


@pytest.mark.server
@pytest.mark.parametrize("damage", [flip_a_byte, lose_the_end])
@pytest.mark.parametrize("victim", ["dump/1.dat.zst", "RESTORE.md"])
def test_a_store_that_keeps_other_bytes_is_found_by_reading_back(
    s3_server: S3Server,
    nightly: FolderStore,
    bucket: S3Store,
    damage: object,
    victim: str,
) -> None:
    assert callable(damage)

    def corrupt(request: Request, forward: Forward) -> Reply:
        if request.method == "PUT" and request.path.endswith(victim):
            headers = {name: value for name, value in request.headers.items() if name != "Content-MD5"}
            return forward(replace(request, body=damage(request.body), headers=headers))
        return forward(request)

    with proxied(s3_server, corrupt) as proxy:
        broken = replace(bucket, endpoint_url=proxy.endpoint_url)
        with pytest.raises(StoreRefused, match=f"{victim} was read back") as caught:
            copy(nightly, broken)

    assert "did not store what was written" in caught.value.meaning
    assert MANIFEST_NAME not in keys(bucket)
    assert copy(nightly, bucket).repaired == (victim,)
    require_whole(bucket)


@pytest.mark.server
def test_a_store_that_damages_the_manifest_is_found_by_reading_back(
    s3_server: S3Server, nightly: FolderStore, bucket: S3Store
) -> None:
    def corrupt(request: Request, forward: Forward) -> Reply:
        if request.method == "PUT" and request.path.endswith(MANIFEST_NAME):
            return forward(replace(request, body=flip_a_byte(request.body)))
        return forward(request)

    with proxied(s3_server, corrupt) as proxy, pytest.raises(StoreRefused, match="is not the manifest"):
        copy(nightly, replace(bucket, endpoint_url=proxy.endpoint_url))


@pytest.mark.server
def test_access_denied_in_the_middle_leaves_no_manifest_and_no_parts(
    s3_server: S3Server, tmp_path: Path, bucket: S3Store
) -> None:
    contents = {"large": os.urandom(17 * MIB), **{f"small {number}": b"x" for number in range(20)}}
    source = FolderStore(tmp_path / "nightly")
    for path, data in contents.items():
        put(source, f"{PREFIX}/{path}", data)

    def deny(request: Request, forward: Forward) -> Reply:
        return refusal(403, "AccessDenied") if "partNumber=2" in request.path else forward(request)

    with proxied(s3_server, deny) as proxy, pytest.raises(StoreRefused, match="AccessDenied"):
        copy_artifact(
            source,
            replace(bucket, endpoint_url=proxy.endpoint_url),
            prefix=PREFIX,
            files=entries(contents),
            manifest_bytes=MANIFEST,
        )

    assert not keys(bucket) & {MANIFEST_NAME, "large"}
    assert unfinished(s3_server, bucket.bucket) == []


_CHILD = """
import sys, pathlib
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.stores.examples import copy, store_on
from hackorda_ops.local.s3 import S3Server
root, endpoint, bucket = sys.argv[1:]
store = store_on(S3Server(endpoint), bucket, prefix="off-site", read_timeout_seconds=60)
copy(FolderStore(pathlib.Path(root)), store, jobs=1)
"""


@pytest.mark.server
@pytest.mark.parametrize("at", ["dump/toc.dat", MANIFEST_NAME])
def test_a_copy_killed_in_the_middle_leaves_nothing_called_an_artifact_and_the_next_one_goes_on(
    s3_server: S3Server, nightly: FolderStore, bucket: S3Store, at: str
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def hold(request: Request, forward: Forward) -> Reply | None:
        if request.method == "PUT" and request.path.endswith(at):
            reached.set()
            go_on.wait(60)
            return None
        return forward(request)

    with proxied(s3_server, hold) as proxy:
        arguments = [sys.executable, "-c", _CHILD, str(nightly.root), proxy.endpoint_url, bucket.bucket]
        with subprocess.Popen(arguments) as child:
            try:
                while not reached.wait(0.1):
                    assert child.poll() is None
            finally:
                child.kill()
                go_on.set()

    assert MANIFEST_NAME not in keys(bucket)
    assert "dump/1.dat.zst" in keys(bucket)
    result = copy(nightly, bucket)
    assert result.bytes_copied < 3 * MIB
    assert result.repaired == ()
    require_whole(bucket)


def test_an_interrupt_ends_the_copy_and_leaves_nothing_half_done(
    nightly: FolderStore, tmp_path: Path
) -> None:
    destination = FolderStore(tmp_path / "off-site")

    def interrupt(progress: Progress) -> None:
        if progress.done > MIB:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(nightly, destination, on_progress=interrupt)

    assert not keys(destination) & {MANIFEST_NAME, "dump/1.dat.zst"}
    assert list(destination.staging_root.iterdir()) == []


def test_one_failed_file_ends_the_others_under_way(tmp_path: Path) -> None:
    reads = itertools.count(1)

    class Endless(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            time.sleep(0.01)
            assert next(reads) < 2_000, "nobody ended this file"
            return b"x"

    class Source(FolderStore):
        @contextmanager
        def open(self, key: str) -> Iterator[BinaryIO]:
            if key.endswith("endless"):
                yield Endless()
                return
            # The other file fails once this one is under way.
            while next(reads) < 10:
                time.sleep(0.01)
            with super().open(key) as stream:
                yield stream

    files = (FileEntry("endless", 1024 * MIB, "0" * 64), FileEntry("missing", 1, "0" * 64))
    with pytest.raises(ArtifactMissing, match="missing"):
        copy_artifact(
            Source(tmp_path / "nightly"),
            FolderStore(tmp_path / "off-site"),
            prefix=PREFIX,
            files=files,
            manifest_bytes=MANIFEST,
        )

    assert next(reads) < 2_000
    assert keys(FolderStore(tmp_path / "off-site")) == set()


@pytest.mark.server
def test_an_unreachable_destination_ends_in_one_clear_error(nightly: FolderStore, bucket: S3Store) -> None:
    with pytest.raises(StoreUnreachable, match="no connection"):
        copy(nightly, replace(bucket, endpoint_url="http://127.0.0.1:1"))
