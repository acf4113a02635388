"""One hostile manifest is one damaged artifact: its neighbours are listed as if it weren't there."""

import os
from io import BytesIO
from pathlib import Path

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, digest_of, to_bytes
from hackorda_ops.artifacts.operations_log import read_log
from hackorda_ops.safekeeping.pins import read_pins
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.artifacts.hostile import KEYS, MANIFESTS, Change
from hackorda_ops_tests.artifacts.nights import of_night

GOOD, OTHER = of_night(3), of_night(4)
NOW = of_night(5).captured_at


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """With one sound artifact in it."""
    made = FolderStore(tmp_path / "store")
    made.check()
    put(made, f"{GOOD.prefix}/{MANIFEST_NAME}", to_bytes(GOOD))
    return made


def put(store: FolderStore, key: str, data: bytes) -> None:
    store.put(key, BytesIO(data), size_bytes=len(data), sha256=digest_of(data))


@pytest.mark.parametrize("change", MANIFESTS.values(), ids=MANIFESTS.keys())
def test_a_hostile_manifest_is_one_damaged_artifact(store: FolderStore, change: Change) -> None:
    put(store, f"{OTHER.prefix}/{MANIFEST_NAME}", change(to_bytes(OTHER)))
    for found in (catalog.read(store, "hackorda", now=NOW), catalog.summarise(store, "hackorda", now=NOW)):
        assert [each.artifact_id for each in found.artifacts] == [GOOD.artifact_id]
        [damaged] = found.damaged
        assert damaged.prefix == OTHER.prefix
        assert damaged.problem.isprintable()
        assert len(damaged.problem) < 1_000
    assert catalog.read_newest(store, "hackorda") == GOOD


def test_a_manifest_of_a_gigabyte_of_blanks_is_one_damaged_artifact(store: FolderStore) -> None:
    place = store.root / OTHER.prefix
    place.mkdir(parents=True)
    with (place / MANIFEST_NAME).open("wb") as file:
        file.truncate(10**9)
    found = catalog.read(store, "hackorda", now=NOW)
    assert [each.artifact_id for each in found.artifacts] == [GOOD.artifact_id]
    assert "is larger than" in found.damaged[0].problem


@pytest.mark.parametrize("kind", ["folder", "pipe", "a link to nothing", "a link to a device"])
def test_what_is_no_file_is_no_manifest(store: FolderStore, kind: str) -> None:
    path = store.root / OTHER.prefix / MANIFEST_NAME
    path.parent.mkdir(parents=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/nowhere" if kind == "a link to nothing" else "/dev/zero")
    for found in (catalog.read(store, "hackorda", now=NOW), catalog.summarise(store, "hackorda", now=NOW)):
        assert [each.artifact_id for each in found.artifacts] == [GOOD.artifact_id]


def test_names_that_lead_nowhere_are_in_nobodys_way(store: FolderStore) -> None:
    for key in KEYS:
        path = store.root / key.format(database="hackorda", artifact=GOOD.artifact_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}")
    # Not in any encoding, as a disk may have it.
    (store.root / "hackorda" / os.fsdecode(b"\xff\xfe")).mkdir()
    found = catalog.read(store, "hackorda", now=NOW)
    assert [each.artifact_id for each in found.artifacts] == [GOOD.artifact_id]
    assert {each.prefix for each in found.damaged} == {"hackorda/not an artifact", "hackorda/" + "x" * 200}
    assert read_log(store, "hackorda") == ()
    assert read_pins(store, "hackorda").holding(NOW) == {}
    assert all(each.key.isprintable() for each in store.list(""))


def test_a_disk_that_tells_no_time_keeps_nothing_from_being_listed(store: FolderStore) -> None:
    os.utime(store.root / GOOD.prefix / MANIFEST_NAME, (2.0**60, 2.0**60))
    assert len(catalog.summarise(store, "hackorda", now=NOW).artifacts) == 1


def test_of_folders_that_are_no_artifacts_a_few_are_looked_into(store: FolderStore) -> None:
    for number in range(300):
        (store.root / "hackorda" / f"junk {number}").mkdir()
        (store.root / "hackorda" / f"junk {number}" / MANIFEST_NAME).write_bytes(b"{}")
    for found in (catalog.read(store, "hackorda", now=NOW), catalog.summarise(store, "hackorda", now=NOW)):
        assert [each.artifact_id for each in found.artifacts] == [GOOD.artifact_id]
        assert len(found.damaged) == 50
