"""An artifact's files in a folder: every byte checked, private, and continued where it was interrupted."""

import json
import shutil
from pathlib import Path

import pytest

from hackorda_ops.artifacts.manifest import MANIFEST_NAME
from hackorda_ops.errors import ArtifactDamaged, UsageError
from hackorda_ops.inspection.download import Downloaded, download
from hackorda_ops.progress import ignore
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.inspection.conftest import Run, TwoNights


@pytest.fixture
def stores(nights: TwoNights, tmp_path: Path) -> tuple[FolderStore, FolderStore]:
    """Two copies, for tests that damage them."""
    for name in ("one", "other"):
        shutil.copytree(nights.store.root, tmp_path / name)
    return FolderStore(tmp_path / "one"), FolderStore(tmp_path / "other")


def fetched(stores: tuple[FolderStore, ...], nights: TwoNights, into: Path) -> Downloaded:
    return download(stores, nights.first, into, on_progress=ignore)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_every_file_is_fetched_and_only_we_can_read_it(run: Run, nights: TwoNights, tmp_path: Path) -> None:
    done = run("download", nights.first.artifact_id, "--to", str(tmp_path / "here"), "--json")
    assert done.returncode == 0, done.stderr
    folder = Path(json.loads(done.stdout)["folder"])
    assert files_of(folder) == files_of(nights.store.root / nights.first.prefix)
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (folder, folder / "dump")} == {0o700}


def test_a_second_call_continues_and_mends_what_is_wrong_there(
    stores: tuple[FolderStore, FolderStore], nights: TwoNights, tmp_path: Path
) -> None:
    total = len(nights.first.files) + 1
    first = fetched(stores, nights, tmp_path)
    assert (first.files, first.fetched) == (total, total)
    one, other, *_ = (first.folder / entry.path for entry in nights.first.files)
    one.write_bytes(one.read_bytes()[:-1])
    other.unlink()
    (first.folder / MANIFEST_NAME).unlink()
    again = fetched(stores, nights, tmp_path)
    assert again.fetched == 3
    assert files_of(again.folder) == files_of(nights.store.root / nights.first.prefix)


def test_a_file_that_is_damaged_in_one_place_is_taken_from_the_other(
    stores: tuple[FolderStore, FolderStore], nights: TwoNights, tmp_path: Path
) -> None:
    one, other = stores
    first, second, third, *_ = (entry.path for entry in nights.first.files)
    changed = one.root / nights.first.prefix / first
    changed.write_bytes(b"!" + changed.read_bytes()[1:])
    with (one.root / nights.first.prefix / second).open("ab") as longer:
        longer.write(b"!")
    (other.root / nights.first.prefix / third).unlink()
    done = fetched(stores, nights, tmp_path)
    assert files_of(done.folder) == files_of(nights.store.root / nights.first.prefix)


def test_an_artifact_that_no_place_has_whole_gets_no_manifest(
    stores: tuple[FolderStore, FolderStore], nights: TwoNights, tmp_path: Path
) -> None:
    path = nights.first.files[0].path
    for store in stores:
        damaged = store.root / nights.first.prefix / path
        damaged.write_bytes(b"!" + damaged.read_bytes()[1:])
    with pytest.raises(ArtifactDamaged, match="other bytes than its manifest lists"):
        fetched(stores, nights, tmp_path)
    assert not (tmp_path / nights.first.artifact_id / MANIFEST_NAME).exists()


def test_a_manifest_that_is_replaced_meanwhile_is_not_written(
    stores: tuple[FolderStore, FolderStore], nights: TwoNights, tmp_path: Path
) -> None:
    for store in stores:
        shutil.copy(
            store.root / nights.second.prefix / MANIFEST_NAME,
            store.root / nights.first.prefix / MANIFEST_NAME,
        )
    with pytest.raises(ArtifactDamaged, match="replaced"):
        fetched(stores, nights, tmp_path)


@pytest.mark.parametrize("inside", ["", "dump", "dump/toc.dat", MANIFEST_NAME])
def test_nothing_is_written_through_a_symbolic_link(
    stores: tuple[FolderStore, FolderStore], nights: TwoNights, tmp_path: Path, inside: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = tmp_path / nights.first.artifact_id / inside
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(elsewhere)
    with pytest.raises(UsageError, match="in the way"):
        fetched(stores, nights, tmp_path)
    assert list(elsewhere.iterdir()) == []
