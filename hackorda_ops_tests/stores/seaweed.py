"""A second S3 implementation (SeaweedFS), which enforces locks and what each of its users may do."""

import json
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from hackorda_ops.local.s3 import S3Server
from hackorda_ops.processes import child

_START_DEADLINE_SECONDS: Final = 90.0
_ROOT: Final = ("root-access-key", "root-secret-access-key")


def program() -> Path | None:
    """The server's program: a wheel puts it beside Python's own."""
    beside = Path(sys.executable).parent / "weed"
    found = beside if beside.exists() else shutil.which("weed")
    return Path(found) if found else None


@contextmanager
def running_seaweed(folder: Path) -> Iterator[S3Server]:
    """Runs a server as long as the block lasts.

    Args:
        folder: an empty one of its own.
    """
    weed = program()
    assert weed is not None
    identities = folder / "s3.json"
    identities.write_text(
        json.dumps(
            {
                "identities": [
                    {
                        "name": "root",
                        "credentials": [{"accessKey": _ROOT[0], "secretKey": _ROOT[1]}],
                        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
                    }
                ]
            }
        )
    )
    roles = ("master", "volume", "filer", "s3")
    ports = _free_ports(2 * len(roles))
    listen = [
        option
        for role, port, grpc in zip(roles, ports[::2], ports[1::2], strict=True)
        for option in (f"-{role}.port={port}", f"-{role}.port.grpc={grpc}")
    ]
    process = child.start(
        [
            str(weed),
            "server",
            f"-dir={folder}",
            "-ip=127.0.0.1",
            "-filer",
            "-s3",
            *listen,
            f"-s3.config={identities}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-volume.max=500",
            "-master.volumeSizeLimitMB=16",
        ],
        environment={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
        on_stderr_line=lambda _: None,
    )
    server = S3Server(f"http://127.0.0.1:{ports[6]}", *_ROOT)
    try:
        deadline = time.monotonic() + _START_DEADLINE_SECONDS
        while not _ready(server) and process.running and time.monotonic() < deadline:
            time.sleep(0.3)
        yield server
    finally:
        process.stop()


def _ready(server: S3Server) -> bool:
    client = server.client()
    with suppress(BotoCoreError, ClientError):
        client.create_bucket(Bucket="is-it-ready")
    with suppress(BotoCoreError, ClientError):
        client.put_object(Bucket="is-it-ready", Key="yes", Body=b"yes")
        return True
    return False


def _free_ports(number: int) -> Sequence[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
