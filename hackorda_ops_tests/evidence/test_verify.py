"""Verifying an artifact where it lies: any change of any byte is a FAIL that names its file."""

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import zstandard

from hackorda_ops.artifacts.manifest import Manifest, digest_of, from_bytes, to_bytes
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.night.night import take_night
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.verify import Verified, verify
from hackorda_ops.stores.folder import FolderStore


@pytest.fixture
def night(new_database: str, tmp_path: Path) -> tuple[FolderStore, Manifest]:
    with psycopg.connect(new_database, autocommit=True) as session:
        session.execute(
            "CREATE TABLE users AS SELECT n AS id, 'user ' || n AS name FROM generate_series(1, 999) n"
        )
        session.execute("CREATE TABLE empty_one (id int)")
        session.execute("SELECT lo_from_bytea(20001, 'a photo'), lo_from_bytea(20002, 'another photo')")
    database = Policy.model_validate({"store": str(tmp_path / "store")})
    taken = take_night(
        Protected("hackorda", database, {"DATABASE_URL": new_database, "PATH": "/usr/bin:/bin"})
    )
    return FolderStore(tmp_path / "store"), taken.manifest


def judged(night: tuple[FolderStore, Manifest], tmp_path: Path) -> Verified:
    store, manifest = night
    policy = Policy.model_validate({"dump": {"work_folder": str(tmp_path / "work")}})
    return verify(Protected("shop", policy, {}), store, manifest, on_progress=ignore)


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


def decompresses(data: bytes) -> bool:
    try:
        zstandard.ZstdDecompressor().decompressobj().decompress(data)
    except zstandard.ZstdError:
        return False
    return True


def with_a_bit_flipped(data: bytes, *, decompressing: bool) -> bytes:
    """With the first bit after the middle flipped that makes a file of zstd readable, or unreadable."""
    for position in range(len(data) // 2, len(data)):
        changed = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        if decompresses(changed) == decompressing:
            return changed
    raise AssertionError("no such bit")


@pytest.mark.parametrize("decompressing", [True, False], ids=["readable", "not readable"])
def test_a_flipped_bit_is_the_same_finding_whether_the_file_can_still_be_decompressed_or_not(
    night: tuple[FolderStore, Manifest], tmp_path: Path, decompressing: bool
) -> None:
    [users] = [each for each in night[1].tables if each.rows]
    path = file_of(night, users.file)
    path.write_bytes(with_a_bit_flipped(path.read_bytes(), decompressing=decompressing))

    result = judged(night, tmp_path)

    [finding] = [each for each in result.findings if each.code != "table changed"]
    assert (finding.code, finding.subject) == ("file changed", f"{users.file} (public.users)")


def test_every_changed_file_is_named_although_the_first_can_not_be_read(
    night: tuple[FolderStore, Manifest], tmp_path: Path
) -> None:
    paths = [*(each.file for each in night[1].tables), "dump/toc.dat", "RESTORE.md"]
    for path in paths:
        changed = file_of(night, path)
        changed.write_bytes(b"<html>Sign in</html>"[: changed.stat().st_size])

    result = judged(night, tmp_path)

    assert {each.code for each in result.findings} == {"file changed"}
    assert {each.subject.partition(" ")[0] for each in result.findings} == {*paths}


def test_a_file_that_was_broken_when_it_was_hashed_is_a_damaged_artifact(
    night: tuple[FolderStore, Manifest], tmp_path: Path
) -> None:
    [users] = [each for each in night[1].tables if each.rows]
    forged = put_in_place(night, users.file, file_of(night, users.file).read_bytes()[:-1])

    result = judged((night[0], forged), tmp_path)

    assert [(each.code, each.subject) for each in result.findings] == [
        ("artifact damaged", f"{users.file} (public.users)")
    ]


def test_a_file_that_is_gone_is_named_as_missing(night: tuple[FolderStore, Manifest], tmp_path: Path) -> None:
    [users] = [each for each in night[1].tables if each.rows]
    file_of(night, users.file).unlink()

    result = judged(night, tmp_path)

    assert [(each.code, each.subject) for each in result.findings] == [
        ("file missing", f"{users.file} (public.users)")
    ]


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
