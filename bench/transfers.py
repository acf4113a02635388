"""Copy and fetch over a slow link, beside the AWS command line.

The server is SeaweedFS. moto reads a whole object for each range of it that is asked for: the more pieces, the more it
would have to do, and that would be all that is measured.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, replace
from io import BytesIO
from pathlib import Path

from bench.link import slow_link
from bench.measuring import Run
from bench.rows import Row
from bench.running import Bench, memory, middle, ratio
from bench.variants.given import NAME
from hackorda_ops.artifacts.manifest import FileEntry
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.stores.seaweed import running_seaweed

_MIB = 1024 * 1024


def slow_link_rows(bench: Bench, largest_bytes: int) -> Iterator[Row]:
    """Copy and fetch over a link of 20 MB/s a connection and 20 ms a request, beside the AWS command line."""
    work, server = bench.folder / "slow_link", bench.folder / "seaweed"
    _make_files(work, largest_bytes)
    server.mkdir()
    with running_seaweed(server) as s3, slow_link(s3.endpoint_url) as endpoint_url:
        create_bucket(s3, NAME)
        environment = replace(bench, s3=s3).environment(endpoint_url=endpoint_url)
        runs: dict[str, list[Run]] = {}
        for number in range(1, bench.rounds + 1):
            for name in ("copy", "aws_copy", "fetch", "aws_fetch"):
                bench.told(f"slow link, round {number} of {bench.rounds}: {name}")
                if name == "copy":
                    _empty_bucket(s3)
                # The start of aws is in its time, so ours is in ours.
                ours = not name.startswith("aws")
                runs.setdefault(name, []).append(bench.run(name, work, environment, with_start=ours))
    medians = {name: middle(each) for name, each in runs.items()}
    title = f"slow link, one file of {largest_bytes / 1e6:.0f} MB among others"
    yield ratio(
        f"copy with read-back over aws s3 cp up and down, {title}", medians["copy"], medians["aws_copy"], 1.0
    )
    yield ratio(
        f"fetch for a restore over aws s3 cp down, {title}", medians["fetch"], medians["aws_fetch"], 1.0
    )
    yield memory("copy over a slow link", medians["copy"])


def _make_files(work: Path, largest_bytes: int) -> None:
    store, entries = FolderStore(work / "files"), []
    work.mkdir()
    store.check()
    for name, size_bytes in {
        "large": largest_bytes,
        "a": 6 * _MIB,
        "b": 3 * _MIB,
        "c": _MIB,
        "toc.dat": 4096,
    }.items():
        data = secrets.token_bytes(size_bytes)
        entries.append(FileEntry(name, size_bytes, hashlib.sha256(data).hexdigest()))
        store.put(f"{NAME}/copied/{name}", BytesIO(data), size_bytes=size_bytes, sha256=entries[-1].sha256)
    (work / "files.json").write_text(json.dumps([asdict(each) for each in entries]))


def _empty_bucket(s3: S3Server) -> None:
    client = s3.client()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=NAME):
        for entry in page.get("Contents", []):
            client.delete_object(Bucket=NAME, Key=entry["Key"])
