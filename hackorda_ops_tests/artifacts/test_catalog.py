"""The catalog of what a store holds."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.catalog import Catalog
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, digest_of, to_bytes
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.store import StoredFile
from hackorda_ops_tests.artifacts.nights import of_night


def put(store: FolderStore, key: str, data: bytes) -> None:
    store.put(key, BytesIO(data), size_bytes=len(data), sha256=digest_of(data))


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def test_an_empty_store_has_an_empty_catalog(store: FolderStore) -> None:
    assert catalog.read(store, "hackorda").artifacts == ()
    assert catalog.read(store, "hackorda").newest is None


def test_artifacts_are_listed_oldest_first_and_only_those_of_the_database(store: FolderStore) -> None:
    for each in (of_night(19), of_night(17), of_night(18), replace(of_night(16), database="other")):
        put(store, f"{each.prefix}/{MANIFEST_NAME}", to_bytes(each))
    found = catalog.read(store, "hackorda")
    assert [each.night.day for each in found.artifacts] == [17, 18, 19]
    assert found.newest == of_night(19)


class DeletedMeanwhile(FolderStore):
    """A store in which retention deletes the oldest artifact's manifest right after it's listed."""

    def folders(self, prefix: str) -> Iterator[str]:
        listed = sorted(super().folders(prefix))
        self.delete(f"{prefix}{listed[0]}/{MANIFEST_NAME}")
        return iter(listed)


def test_what_is_deleted_between_listing_and_reading_is_none(store: FolderStore) -> None:
    changing = DeletedMeanwhile(store.root)
    for each in (of_night(18), of_night(19), of_night(20)):
        put(store, f"{each.prefix}/{MANIFEST_NAME}", to_bytes(each))
    assert catalog.read(changing, "hackorda").artifacts == (of_night(19), of_night(20))
    assert catalog.read_newest(changing, "hackorda") == of_night(20)
    assert catalog.read_newest(changing, "hackorda") is None


class ErrsOnce(FolderStore):
    """A store on a disk that gives half of a file, once."""

    def read_small(self, key: str) -> bytes:
        whole = super().read_small(key)
        marker = self.root / "erred"
        if marker.exists():
            return whole
        marker.touch()
        return whole[: len(whole) // 2]


def test_a_manifest_that_is_read_wrong_once_is_no_damaged_artifact(store: FolderStore) -> None:
    put(store, f"{of_night(19).prefix}/{MANIFEST_NAME}", to_bytes(of_night(19)))
    found = catalog.read(ErrsOnce(store.root), "hackorda")
    assert (found.artifacts, found.damaged) == ((of_night(19),), ())


class Unlisted(FolderStore):
    """A store whose files take too long to list."""

    def list(self, prefix: str) -> Iterator[StoredFile]:
        raise AssertionError(f"every file below {prefix!r} was listed")


def test_the_files_of_artifacts_are_not_listed(store: FolderStore) -> None:
    for each in (of_night(18), of_night(19)):
        put(store, f"{each.prefix}/{MANIFEST_NAME}", to_bytes(each))
    put(store, "hackorda/20261108T020000Z-1a2b3c/dump/toc.dat", b"without a manifest")
    put(store, "hackorda/notes.txt", b"no folder")

    assert catalog.read(Unlisted(store.root), "hackorda").artifacts == (of_night(18), of_night(19))


def test_a_date_that_never_was_makes_no_artifact(store: FolderStore) -> None:
    put(store, "hackorda/00000000T000000Z-aaaaaa/dump/toc.dat", b"")
    put(store, "hackorda/20261131T020000Z-aaaaaa/dump/toc.dat", b"")
    assert catalog.ids(store, "hackorda") == ()


def test_the_newest_is_found_past_what_is_damaged_and_among_those_of_one_second(store: FolderStore) -> None:
    assert catalog.read_newest(store, "hackorda") is None
    later = of_night(18)
    # Of the same second, captured later, and with an id that sorts before.
    latest = replace(
        later,
        artifact_id=f"{later.artifact_id.partition('-')[0]}-000000",
        captured_at=later.captured_at + timedelta(milliseconds=1),
    )
    for each in (of_night(17), later, latest):
        put(store, f"{each.prefix}/{MANIFEST_NAME}", to_bytes(each))
    put(store, f"hackorda/20261119T210000Z-0a1b2c/{MANIFEST_NAME}", b"{")
    assert catalog.read_newest(store, "hackorda") == latest
    assert catalog.read_newest(store, "hackorda") == catalog.read(store, "hackorda").newest


def test_the_newest_before_a_moment_leaves_out_what_was_captured_then_or_later(store: FolderStore) -> None:
    for day in (16, 17, 18):
        put(store, f"{of_night(day).prefix}/{MANIFEST_NAME}", to_bytes(of_night(day)))
    of_18 = of_night(18).captured_at

    assert catalog.read_newest(store, "hackorda", before=of_18) == of_night(17)
    assert catalog.read_newest(store, "hackorda", before=of_18 + timedelta(microseconds=1)) == of_night(18)
    assert catalog.read_newest(store, "hackorda", before=of_night(16).captured_at) is None


def test_files_without_a_manifest_are_no_artifact(store: FolderStore) -> None:
    put(store, "hackorda/20261118T210000Z-0a1b2c/dump/toc.dat", b"data")
    assert catalog.read(store, "hackorda") == Catalog(store.describe(), ())


def test_a_damaged_manifest_is_told_and_not_counted(store: FolderStore) -> None:
    put(store, f"{of_night(18).prefix}/{MANIFEST_NAME}", to_bytes(of_night(18)))
    put(store, f"hackorda/20261119T210000Z-0a1b2c/{MANIFEST_NAME}", b"{")
    found = catalog.read(store, "hackorda")
    assert [each.night.day for each in found.artifacts] == [18]
    assert "20261119T210000Z-0a1b2c" in found.damaged[0].problem


def test_a_manifest_in_another_artifacts_place_is_not_counted(store: FolderStore) -> None:
    put(store, f"hackorda/20261119T210000Z-0a1b2c/{MANIFEST_NAME}", to_bytes(of_night(18)))
    found = catalog.read(store, "hackorda")
    assert found.artifacts == ()
    assert "belongs to" in found.damaged[0].problem
