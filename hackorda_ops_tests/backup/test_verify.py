"""Verifying an artifact where it lies: any change of any byte is a FAIL that names its file."""

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.backup.folder_store import FolderStore
from hackorda_ops.backup.manifest import Manifest, digest_of, from_bytes, to_bytes
from hackorda_ops.backup.nightly import take_night
from hackorda_ops.backup.verify import Verification, verify
from hackorda_ops.config import Database
from hackorda_ops.progress import ignore


@pytest.fixture
def night(new_database: str, tmp_path: Path) -> tuple[FolderStore, Manifest]:
    with psycopg.connect(new_database, autocommit=True) as session:
        session.execute(
            "CREATE TABLE users AS SELECT n AS id, 'user ' || n AS name FROM generate_series(1, 999) n"
        )
        session.execute("CREATE TABLE empty_one (id int)")
        session.execute("SELECT lo_from_bytea(20001, 'a photo'), lo_from_bytea(20002, 'another photo')")
    database = Database.model_validate({"store": str(tmp_path / "store")})
    taken = take_night("hackorda", database, environ={"DATABASE_URL": new_database, "PATH": "/usr/bin:/bin"})
    return FolderStore(tmp_path / "store"), taken.manifest


def judged(night: tuple[FolderStore, Manifest], tmp_path: Path) -> Verification:
    store, manifest = night
    return verify(store, manifest, work_folder=tmp_path / "work", jobs=2, on_progress=ignore)


def file_of(night: tuple[FolderStore, Manifest], name: str) -> Path:
    store, manifest = night
    return store.root / manifest.prefix / name


def test_an_untouched_artifact_passes_and_leaves_nothing_behind(
    night: tuple[FolderStore, Manifest], tmp_path: Path
) -> None:
    assert judged(night, tmp_path).verdict == "PASS"
    assert list((tmp_path / "work").iterdir()) == []


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        flip,
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(b""),
        Path.unlink,
        lambda path: path.write_bytes(path.read_bytes() + b"\n"),
    ],
    ids=["one bit", "cut short", "emptied", "gone", "one byte more"],
)
@pytest.mark.parametrize("which", ["data", "toc", "sheet"])
def test_any_damage_to_any_file_fails_and_names_it(
    night: tuple[FolderStore, Manifest], tmp_path: Path, damage: Callable[[Path], object], which: str
) -> None:
    name = {"data": night[1].tables[1].file, "toc": "dump/toc.dat", "sheet": "RESTORE.md"}[which]
    damage(file_of(night, name))
    result = judged(night, tmp_path)
    assert result.verdict == "FAIL"
    assert name in " ".join(str(finding) for finding in result.findings)
    assert list((tmp_path / "work").iterdir()) == []


def test_hashes_made_to_fit_do_not_hide_changed_rows(
    night: tuple[FolderStore, Manifest], tmp_path: Path
) -> None:
    store, manifest = night
    users = next(table for table in manifest.tables if table.rows)
    empty = next(table for table in manifest.tables if not table.rows)
    # Somebody empties the table's file and makes the file's hash fit; the row digest stays behind.
    forged = put_in_place(night, users.file, file_of(night, empty.file).read_bytes())
    result = judged((store, forged), tmp_path)
    assert [(each.code, each.subject) for each in result.findings] == [("table changed", "public.users")]


def test_hashes_made_to_fit_do_not_hide_changed_large_objects(
    night: tuple[FolderStore, Manifest], tmp_path: Path
) -> None:
    store, manifest = night
    one, other = sorted(entry.path for entry in manifest.files if "/blob_" in entry.path)
    forged = put_in_place(night, one, file_of(night, other).read_bytes())
    result = judged((store, forged), tmp_path)
    assert [(each.code, each.subject) for each in result.findings] == [
        ("large objects changed", "large objects")
    ]


def put_in_place(night: tuple[FolderStore, Manifest], name: str, data: bytes) -> Manifest:
    """Puts other bytes where a file was, and gives a manifest whose hash of it fits."""
    file_of(night, name).write_bytes(data)
    document = json.loads(to_bytes(night[1]))
    for entry in document["files"]:
        if entry["path"] == name:
            entry.update(size_bytes=len(data), sha256=digest_of(data))
    return from_bytes(json.dumps(document).encode(), origin="x")
