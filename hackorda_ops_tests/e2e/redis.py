"""A real Redis of the test's own, with a password."""

import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hackorda_ops.processes import child


@contextmanager
def running_redis(folder: Path, *settings: str) -> Iterator[str]:
    """Runs Redis on the loopback interface for as long as the block lasts; gives its URL, password included.

    Args:
        folder: for its files.
        settings: further lines of its configuration.
    """
    program = shutil.which("redis-server")
    if program is None:
        message = "no redis-server on PATH (apt install redis-server)"
        if "CI" in os.environ:
            pytest.fail(message)
        pytest.skip(message)
    password = secrets.token_urlsafe(24)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = child.start(
        # The configuration comes by standard input, so that the password is on no command line.
        [program, "-"],
        environment={"PATH": os.environ["PATH"]},
        working_directory=folder,
        stdin="\n".join(
            ["bind 127.0.0.1", f"port {port}", f"requirepass {password}", 'save ""', *settings, ""]
        ).encode(),
    )
    try:
        give_up = time.monotonic() + 30
        while not _listens(port):
            assert server.running, f"redis-server ended: {server.stderr_tail}"
            assert time.monotonic() < give_up, "redis-server did not start within 30 seconds"
            time.sleep(0.05)
        yield f"redis://:{password}@127.0.0.1:{port}/0"
    finally:
        server.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
