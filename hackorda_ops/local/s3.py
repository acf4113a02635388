"""An S3 server of our own (moto's), for the demo and for the tests. What it holds is gone when it ends."""

import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import boto3

from hackorda_ops.errors import StoreUnreachable
from hackorda_ops.processes import child

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_START_DEADLINE_SECONDS = 60.0
_RUNNING_ON = re.compile(r"Running on (http://127\.0\.0\.1:\d+)")


@dataclass(frozen=True)
class S3Server:
    """A running S3 server on the loopback interface.

    Attributes:
        endpoint_url: where it answers, in the form of boto3's `endpoint_url`.
        access_key_id: of credentials that it accepts (it accepts any).
        secret_access_key: the secret that belongs to it.
        region: the region that its buckets are in.
    """

    endpoint_url: str
    access_key_id: str = "local-access-key"
    secret_access_key: str = field(default="local-secret-access-key", repr=False)
    region: str = "us-east-1"

    def client(self) -> "S3Client":
        """A boto3 client of this server, whatever the caller's own AWS configuration says."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
        )


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """Runs an S3 server for as long as the block lasts; it ends with this process, however that happens.

    Raises:
        StoreUnreachable: it did not start; the message has the end of its log.
    """
    address: list[str] = []
    known = threading.Event()

    def on_line(line: str) -> None:
        if not address and (found := _RUNNING_ON.search(line)):
            address.append(found.group(1))
            known.set()

    process = child.start(
        # Port 0: the server takes a free one and reports it, so that nothing can take it in between.
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
        environment={"PATH": os.defpath, "PYTHONUNBUFFERED": "1"},
        on_stderr_line=on_line,
    )
    try:
        deadline = time.monotonic() + _START_DEADLINE_SECONDS
        while not known.wait(0.1) and process.running and time.monotonic() < deadline:
            pass
        if not address:
            raise StoreUnreachable(
                "The embedded S3 server did not start. The end of its log:\n" + process.stderr_tail,
                meaning="There is no bucket to copy to.",
                next_step="Install it: pip install 'hackorda-ops[local]'",
            )
        yield S3Server(endpoint_url=address[0])
    finally:
        process.stop()


def create_bucket(server: S3Server, name: str, *, object_lock: bool = False) -> None:
    """Creates a bucket unless it exists; with `object_lock`, one that can block deletion.

    Args:
        server: the server to create it on.
        name: the bucket's name.
        object_lock: whether it can hold back deletion.
    """
    client = server.client()
    if name not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=object_lock)
