"""Fetching an artifact: as it lies there, or with each file that is damaged taken from another copy."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hackorda_ops.artifacts.fetch import fetch_artifact
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.artifacts.twins import Fetched, Twin
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing
from hackorda_ops.progress import Progress
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.artifacts.nights import of_night
from hackorda_ops_tests.stores.examples import CONTENTS, FILES, SPOILED, put, read_wrongly_once

ARTIFACT: Manifest = replace(of_night(18), files=FILES)
BAD = "dump/2.dat.zst"
KEY = f"{ARTIFACT.prefix}/{BAD}"
SHA256 = next(each.sha256 for each in FILES if each.path == BAD)

DAMAGES: dict[str, Callable[[Path], object]] = {
    "a bit": lambda path: path.write_bytes(path.read_bytes()[:-1] + b"?"),
    "shorter": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"?"),
    "gone": Path.unlink,
}


@pytest.fixture
def here(tmp_path: Path) -> FolderStore:
    return stored(tmp_path / "here")


@pytest.fixture
def there(tmp_path: Path) -> FolderStore:
    return stored(tmp_path / "there")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "fetched"
    made.mkdir(mode=0o700)
    return made


def stored(root: Path) -> FolderStore:
    store = FolderStore(root)
    for path, data in CONTENTS.items():
        put(store, f"{ARTIFACT.prefix}/{path}", data)
    return store


def contents(folder: Path) -> dict[str, bytes]:
    return {path: (folder / path).read_bytes() for path in CONTENTS}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_a_file_that_is_read_wrongly_once_is_read_again_before_it_counts_as_damaged(
    here: FolderStore, folder: Path, monkeypatch: pytest.MonkeyPatch, spoiled: Callable[[bytes], bytes]
) -> None:
    waiting = read_wrongly_once(monkeypatch, BAD.rpartition("/")[2], spoiled)

    fetched = Fetched()
    fetch_artifact(here, ARTIFACT, folder, on_progress=lambda _: None, fetched=fetched)

    assert (waiting, fetched.damaged) == ([], [])
    assert contents(folder) == CONTENTS


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_taken_from_the_first_twin_that_is_sound(
    here: FolderStore, there: FolderStore, folder: Path, damage: Callable[[Path], object]
) -> None:
    damage(here.root / KEY)
    put(there, "hackorda/another/rotten", CONTENTS[BAD][:-1] + b"!")
    twins = [
        Twin(here, KEY),
        Twin(there, "hackorda/another/missing"),
        Twin(there, "hackorda/another/rotten"),
        Twin(there, KEY),
    ]
    fetched, told = Fetched(), list[Progress]()

    fetch_artifact(here, ARTIFACT, folder, on_progress=told.append, twins={SHA256: twins}, fetched=fetched)

    assert contents(folder) == CONTENTS
    assert (fetched.damaged, fetched.taken) == ([BAD], {BAD: Twin(there, KEY)})
    assert told[-1].done <= ARTIFACT.size_bytes
    assert (folder / BAD).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_where_no_twin_is_sound_the_copy_itself_is_blamed(
    here: FolderStore, there: FolderStore, folder: Path, damage: Callable[[Path], object]
) -> None:
    damage(here.root / KEY)
    DAMAGES["a bit"](there.root / KEY)
    fetched = Fetched()

    with pytest.raises((ArtifactDamaged, ArtifactMissing)) as caught:
        fetch_artifact(
            here,
            ARTIFACT,
            folder,
            on_progress=lambda _: None,
            twins={SHA256: [Twin(there, KEY)]},
            fetched=fetched,
        )

    assert f"{here.root}/{KEY}" in caught.value.what
    assert str(there.root) not in caught.value.what
    assert (fetched.damaged, fetched.taken) == ([BAD], {})


def test_without_twins_the_copy_is_fetched_as_it_is_because_it_is_what_is_judged(
    here: FolderStore, folder: Path
) -> None:
    DAMAGES["a bit"](here.root / KEY)

    fetch_artifact(here, ARTIFACT, folder, on_progress=lambda _: None)

    assert contents(folder)[BAD] == CONTENTS[BAD][:-1] + b"?"
