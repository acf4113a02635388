"""What the tests of stores and copies share."""

import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from hackorda_ops.config.places import STORE_SECTIONS
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.stores import registry
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops_tests.stores import memory_store, sqlite_store
from hackorda_ops_tests.stores.examples import CONTENTS, MANIFEST, MANIFEST_KEY, PREFIX, put, store_on

SMALL_DISK_BYTES = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder in which about a mebibyte fits, by the kernel's own refusal."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    size = f"size={SMALL_DISK_BYTES}"
    command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode == 0:
        yield folder
        subprocess.run(["umount", folder], check=True)
        return
    # An ordinary user may not mount; a limit on the length of files refuses the same write.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_DISK_BYTES, hard))
    yield folder
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def nightly(tmp_path: Path) -> FolderStore:
    """A store that holds one artifact."""
    store = FolderStore(tmp_path / "nightly")
    for path, data in CONTENTS.items():
        put(store, f"{PREFIX}/{path}", data)
    put(store, MANIFEST_KEY, MANIFEST)
    return store


@pytest.fixture
def bucket(s3_server: S3Server, new_bucket: str) -> S3Store:
    """The off-site bucket, still empty."""
    return store_on(s3_server, new_bucket, prefix="off-site")


@pytest.fixture
def store(s3_server: S3Server, new_bucket: str) -> S3Store:
    """An empty store below a prefix of a bucket."""
    return store_on(s3_server, new_bucket, prefix="/backups//nightly/")


@pytest.fixture
def third_store() -> Iterator[None]:
    """Adds the store in SQLite to the registry, as its line there would."""
    with patch.dict(STORE_SECTIONS), patch.dict(registry.OPENERS):
        registry.register(sqlite_store.Sqlite, sqlite_store.opened)
        yield


@pytest.fixture
def memory_stores() -> Iterator[None]:
    """Adds the stores in memory, likewise."""
    with (
        patch.dict(STORE_SECTIONS),
        patch.dict(registry.OPENERS),
        patch.dict(memory_store._OPENED, clear=True),
    ):
        registry.register(memory_store.Memory, memory_store.opened)
        yield
