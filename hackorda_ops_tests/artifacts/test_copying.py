"""Copying artifacts between stores, with proof."""

import os
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from hackorda_ops.artifacts.copying import copy_artifact, plan
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, FileEntry
from hackorda_ops.errors import StoreRefused
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.progress import Progress
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops_tests.stores.examples import (
    CONTENTS,
    FILES,
    MANIFEST,
    MANIFEST_KEY,
    MIB,
    PREFIX,
    TOTAL_BYTES,
    copy,
    entries,
    keys,
    put,
    require_whole,
    store_on,
)
from hackorda_ops_tests.stores.s3_proxy import Forward, Reply, Request, proxied


@pytest.mark.server
def test_an_artifact_is_copied_read_back_and_fetched_again(
    nightly: FolderStore, bucket: S3Store, tmp_path: Path
) -> None:
    result = copy(nightly, bucket)

    assert (result.files, result.files_read_back) == (6, 6)
    assert result.bytes_copied == result.bytes_read_back == TOTAL_BYTES + len(MANIFEST)
    assert result.repaired == ()
    require_whole(bucket)

    fetched = FolderStore(tmp_path / "fetched")
    copy(bucket, fetched)
    require_whole(fetched)


@pytest.mark.server
def test_a_second_copy_writes_nothing_and_proves_everything_again(
    nightly: FolderStore, bucket: S3Store
) -> None:
    copy(nightly, bucket)

    again = copy(nightly, bucket, read_back=0.1)

    assert again.bytes_copied == 0
    assert (again.files_read_back, again.bytes_read_back) == (6, TOTAL_BYTES + len(MANIFEST))
    assert again.repaired == ()


@pytest.mark.server
def test_what_was_damaged_or_lost_since_the_last_copy_is_written_anew_and_told(
    nightly: FolderStore, bucket: S3Store
) -> None:
    copy(nightly, bucket)
    put(bucket, f"{PREFIX}/dump/toc.dat", bytes(5_000))
    put(bucket, f"{PREFIX}/RESTORE.md", b"# How")
    bucket._client.delete_object(Bucket=bucket.bucket, Key=f"off-site/{PREFIX}/dump/2.dat.zst")

    again = copy(nightly, bucket)

    assert again.repaired == ("RESTORE.md", "dump/2.dat.zst", "dump/toc.dat")
    assert again.bytes_copied == 105_000 + len(CONTENTS["RESTORE.md"])
    require_whole(bucket)


@pytest.mark.server
def test_a_manifest_that_differs_is_never_overwritten(nightly: FolderStore, bucket: S3Store) -> None:
    put(bucket, MANIFEST_KEY, b'{"another": "manifest"}')

    with pytest.raises(StoreRefused, match="is not the manifest"):
        copy(nightly, bucket)

    assert keys(bucket) == {MANIFEST_NAME}
    assert bucket.read_small(MANIFEST_KEY) == b'{"another": "manifest"}'


@pytest.mark.server
def test_the_manifest_is_sent_last_and_after_every_file_was_read_back(
    s3_server: S3Server, nightly: FolderStore, bucket: S3Store
) -> None:
    seen: list[tuple[str, str]] = []

    def record(request: Request, forward: Forward) -> Reply:
        if PREFIX in request.path and "?" not in request.path:
            seen.append((request.method, request.path.partition(f"{PREFIX}/")[2]))
        return forward(request)

    with proxied(s3_server, record) as proxy:
        copy(nightly, replace(bucket, endpoint_url=proxy.endpoint_url))

    assert seen[-2:] == [("PUT", MANIFEST_NAME), ("GET", MANIFEST_NAME)]
    assert set(seen[:-2]) == {(method, path) for path in CONTENTS for method in ("PUT", "GET")}


@pytest.mark.server
def test_copies_of_the_same_artifact_at_the_same_time_do_not_disturb_each_other(
    nightly: FolderStore, s3_server: S3Server, new_bucket: str
) -> None:
    # moto answers 500 where one key is written at the same time: a try more than other tests have, as in real use.
    bucket = store_on(s3_server, new_bucket, attempts=5)
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: copy(nightly, bucket), range(3)))

    assert all(result.files == 6 for result in results)
    require_whole(bucket)


def test_progress_is_told_one_at_a_time_seldom_and_to_the_end(tmp_path: Path) -> None:
    contents = {f"{number}": os.urandom(5_000) for number in range(200)}
    source = FolderStore(tmp_path / "nightly")
    for path, data in contents.items():
        put(source, f"{PREFIX}/{path}", data)
    told: list[Progress] = []
    inside = threading.Lock()

    def listen(progress: Progress) -> None:
        assert inside.acquire(blocking=False)
        told.append(progress)
        inside.release()

    copy_artifact(
        source,
        FolderStore(tmp_path / "off-site"),
        prefix=PREFIX,
        files=entries(contents),
        manifest_bytes=MANIFEST,
        jobs=8,
        on_progress=listen,
    )

    for stage in ("copy", "read back"):
        done = [progress.done for progress in told if progress.stage == stage]
        assert done == sorted(done)
        assert done[-1] == 1_000_000
        assert len(done) <= 202
    assert {(progress.total, progress.unit) for progress in told} == {(1_000_000, "bytes")}


@pytest.mark.server
def test_memory_stays_flat_however_large_the_files_are(bucket: S3Store, tmp_path: Path) -> None:
    source = FolderStore(tmp_path / "nightly")
    data = bytes(80 * MIB)
    put(source, f"{PREFIX}/large", data)
    files = entries({"large": data})
    del data
    bucket.check()  # boto3 reads its own description of S3 now

    tracemalloc.start()
    copy_artifact(source, bucket, prefix=PREFIX, files=files, manifest_bytes=MANIFEST)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # Six pieces of 8 MiB for all files together, one for each of those in work, and what reads and sends them.
    assert peak_bytes < 72 * MIB


def test_the_largest_files_come_first() -> None:
    steps = plan(FILES, {}, read_back=1.0, seed="x")

    sizes = [step.entry.size_bytes for step in steps]
    assert sizes == sorted(sizes, reverse=True)
    assert all(step.read_back and not step.present for step in steps)


def test_a_sample_has_its_size_and_differs_from_artifact_to_artifact() -> None:
    files = tuple(FileEntry(f"{number}", number, "") for number in range(100))

    def drawn(seed: str, share: float) -> frozenset[str]:
        steps = plan(files, {}, read_back=share, seed=seed)
        return frozenset(step.entry.path for step in steps if step.read_back)

    assert len(drawn("a", 0.1)) == 10
    assert len(drawn("a", 0.001)) == 1
    assert drawn("a", 0.1) == drawn("a", 0.1)
    assert drawn("a", 0.1) != drawn("b", 0.1)


def test_a_file_that_is_there_is_read_back_even_outside_the_sample() -> None:
    files = tuple(FileEntry(f"{number}", 5, "") for number in range(100))
    steps = plan(files, dict.fromkeys(map(str, range(50)), 5), read_back=0.01, seed="a")

    assert all(step.read_back for step in steps if step.present)
    assert sum(step.present for step in steps) == 50


@pytest.mark.parametrize("share", [0.0, -1.0, 1.1, float("nan")])
def test_a_share_that_proves_nothing_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        plan(FILES, {}, read_back=share, seed="a")
