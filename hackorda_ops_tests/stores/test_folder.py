"""The store in a folder."""

import hashlib
import os
import stat
import threading
import time
from io import BytesIO
from pathlib import Path

import pytest

from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, DiskFull, StoreRefused
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.store import ABANDONED_AFTER, StoredFile
from hackorda_ops_tests.stores.examples import NO_KEYS, ODD_KEYS, put


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """An empty store."""
    made = FolderStore(tmp_path / "backups")
    made.check()
    return made


def content_of(folder: Path) -> set[str]:
    """Every file below a folder, hidden ones too."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_names_are_kept_as_they_are(store: FolderStore, key: str) -> None:
    put(store, key, b"kept")

    assert list(store.list("db/")) == [StoredFile(key, 4)]
    assert store.read_small(key) == b"kept"


@pytest.mark.parametrize("key", NO_KEYS)
def test_a_key_that_points_outside_is_refused(store: FolderStore, key: str) -> None:
    with pytest.raises(StoreRefused, match="doesn't name a file"):
        put(store, key, b"x")
    with pytest.raises(StoreRefused, match="doesn't name a file"):
        store.read_small(key)
    assert content_of(store.root.parent) == set()


def test_everything_it_writes_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = FolderStore(tmp_path / "backups")
        store.check()
        put(store, "db/one/dump/1.dat", b"secret")
        staged = store.staging_root / "night"
        (staged / "dump").mkdir(parents=True)
        (staged / "dump" / "2.dat").write_bytes(b"secret")
        store.adopt(staged, "db/two")
    finally:
        os.umask(before)

    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in store.root.rglob("*")}
    assert {modes[path] for path in modes if path.is_file()} == {0o600}
    assert {modes[path] for path in modes if path.is_dir()} == {0o700}
    assert stat.S_IMODE(store.root.stat().st_mode) == 0o700


def test_a_staged_folder_is_published_whole_by_a_rename(store: FolderStore) -> None:
    staged = store.staging_root / "night"
    (staged / "dump").mkdir(parents=True)
    (staged / "dump" / "1.dat").write_bytes(b"rows")
    (staged / "manifest.json").write_bytes(b"{}")
    assert list(store.list("")) == []

    store.adopt(staged, "db/one")

    assert {entry.key for entry in store.list("")} == {"db/one/dump/1.dat", "db/one/manifest.json"}
    assert not staged.exists()


def test_an_artifact_is_never_published_over_another(store: FolderStore) -> None:
    put(store, "db/one/manifest.json", b"first")
    staged = store.staging_root / "night"
    staged.mkdir(parents=True)
    (staged / "manifest.json").write_bytes(b"second")

    with pytest.raises(StoreRefused, match="already has"):
        store.adopt(staged, "db/one")

    assert store.read_small("db/one/manifest.json") == b"first"
    assert (staged / "manifest.json").exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"shor", "ends 1 bytes before"), (b"longer", "continues after"), (b"other", "has SHA-256")],
)
def test_a_source_with_other_bytes_than_announced_stores_nothing(
    store: FolderStore, data: bytes, message: str
) -> None:
    put(store, "db/one", b"before")
    announced = hashlib.sha256(b"right").hexdigest()

    with pytest.raises(ArtifactDamaged, match=message):
        store.put("db/one", BytesIO(data), size_bytes=5, sha256=announced)

    assert store.read_small("db/one") == b"before"
    assert content_of(store.root) == {"db/one"}


def test_a_full_disk_ends_in_one_clear_error_and_leaves_nothing(small_disk: Path) -> None:
    store = FolderStore(small_disk)
    put(store, "db/one", b"kept")

    with pytest.raises(DiskFull) as caught:
        put(store, "db/two", bytes(2_000_000))

    assert str(small_disk / "db" / "two") in caught.value.what
    assert "Make room" in caught.value.next_step
    assert content_of(small_disk) == {"db/one"}
    put(store, "db/three", b"still works")


def test_a_missing_file_is_told_as_such(store: FolderStore) -> None:
    put(store, "db/one/x", b"")

    for key in ("db/none", "db/one", "db/one/x/y"):
        with pytest.raises(ArtifactMissing, match="There is no file"), store.open(key):
            pass


def test_the_folder_is_made_but_never_the_place_where_a_disk_should_be(tmp_path: Path) -> None:
    unmounted = FolderStore(tmp_path / "mnt" / "backups")

    for use in (unmounted.check, lambda: list(unmounted.list("")), lambda: put(unmounted, "db/x", b"")):
        with pytest.raises(StoreRefused, match="No such file or directory"):
            use()

    assert list(tmp_path.iterdir()) == []


def test_a_store_that_nothing_was_put_into_yet_is_empty(tmp_path: Path) -> None:
    assert list(FolderStore(tmp_path / "backups").list("db/")) == []


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "backups").write_bytes(b"")
    store = FolderStore(tmp_path / "backups")

    with pytest.raises(StoreRefused):
        store.check()
    with pytest.raises(StoreRefused):
        list(store.list(""))


def test_a_disk_that_does_not_read_is_told_as_such(store: FolderStore) -> None:
    (store.root / "db").mkdir()
    # The kernel answers EIO to whoever reads a process's memory at address 0, as it does for a bad block.
    (store.root / "db" / "bad").symlink_to("/proc/self/mem")

    with pytest.raises(StoreRefused, match=r"read .*db/bad: Input/output error") as caught:
        store.read_small("db/bad")
    assert "replace the disk" in caught.value.next_step


def test_many_threads_may_put_the_same_file(store: FolderStore) -> None:
    data = os.urandom(500_000)
    threads = [threading.Thread(target=put, args=(store, "db/one/x", data)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.read_small("db/one/x") == data
    assert content_of(store.root) == {"db/one/x"}


def test_what_a_killed_put_left_is_cleared_after_a_day(store: FolderStore) -> None:
    store.staging_root.mkdir()
    old, young, nights = (store.staging_root / name for name in ("upload-old", "upload-young", "night"))
    for path in (old, young, nights):
        path.write_bytes(b"half")
    yesterday = time.time() - ABANDONED_AFTER.total_seconds() - 1
    os.utime(old, (yesterday, yesterday))
    os.utime(nights, (yesterday, yesterday))

    assert store.abandoned_uploads("db") == ("upload-old",)
    assert store.end_abandoned_uploads("db") == ("upload-old",)
    assert content_of(store.root) == {".staging/upload-young", ".staging/night"}
    assert list(store.list("")) == []


def test_the_folders_below_a_folder_are_named_without_what_lies_in_them(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    assert list(store.folders("db")) == []
    for key in ("db/one/dump/a", "db/two/manifest.json", "db/log.md", "db2/three/a"):
        put(store, key, b"1")

    assert sorted(store.folders("db/")) == ["one", "two"]
    assert sorted(store.folders("")) == ["db", "db2"]
    assert list(store.folders("nothing")) == []
    # A disk that isn't mounted must not look like an empty store.
    with pytest.raises(StoreRefused):
        list(FolderStore(tmp_path / "not mounted" / "store").folders("db"))


def test_what_is_deleted_is_gone_with_the_folders_that_it_leaves_empty(store: FolderStore) -> None:
    put(store, "db/one/dump/1.dat", b"rows")
    put(store, "db/one/manifest.json", b"{}")
    put(store, "db/two/manifest.json", b"{}")

    store.delete("db/one/dump/1.dat")
    assert sorted(path.name for path in (store.root / "db" / "one").iterdir()) == ["manifest.json"]
    store.delete("db/one/manifest.json")
    store.delete("db/one/manifest.json")

    assert content_of(store.root) == {"db/two/manifest.json"}
    assert [path.name for path in (store.root / "db").iterdir()] == ["two"]
    with pytest.raises(StoreRefused, match="doesn't name a file"):
        store.delete("../elsewhere")


def test_a_file_that_can_not_be_deleted_is_told_as_such(store: FolderStore) -> None:
    put(store, "db/one/dump/1.dat", b"rows")

    with pytest.raises(StoreRefused, match=r"delete .*db/one/dump: "):
        store.delete("db/one/dump")


def test_a_folder_has_one_version_of_each_file_and_no_locks(store: FolderStore) -> None:
    put(store, "db/one/manifest.json", b"{}")

    [version] = store.versions("db")

    assert (version.key, version.size_bytes, version.version_id) == ("db/one/manifest.json", 2, None)
    assert version.is_file
    assert abs(version.modified_at.timestamp() - time.time()) < 3600
    assert store.locked_until(version) is None
    assert list(store.versions("nothing")) == []
