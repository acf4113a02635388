"""What this machine keeps of manifests that it has read, and what of it is believed."""

import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest, digest_of, to_bytes
from hackorda_ops.artifacts.summaries import CACHE_VARIABLE, KnownSummary, keep, recall, summary_of
from hackorda_ops.progress import Progress
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.store import Location
from hackorda_ops_tests.artifacts.nights import of_night

HERE, THERE = Location("this machine", "/nights"), Location("this machine", "/others")
OF_18 = KnownSummary("stamp", summary_of(of_night(18)))
LONG_AGO = 1_700_000_000


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv(CACHE_VARIABLE, str(folder))
    return folder


class Counted(FolderStore):
    """A store that notes which files were read."""

    def read_small(self, key: str, limit_bytes: int = 1_000_000) -> bytes:
        _reads.append(key.split("/")[1])
        return super().read_small(key, limit_bytes)


_reads: list[str] = []


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    _reads.clear()
    return Counted(tmp_path / "store")


def put(store: FolderStore, artifact: Manifest, data: bytes | None = None, *, at: int = LONG_AGO) -> Path:
    """Publishes an artifact, written long enough ago that its times say which version it is."""
    data = to_bytes(artifact) if data is None else data
    key = f"{artifact.prefix}/{MANIFEST_NAME}"
    store.put(key, BytesIO(data), size_bytes=len(data), sha256=digest_of(data))
    path = store.root / key
    os.utime(path, (at, at))
    return path


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    # A file's change time can't be set: what was written just now counts as settled.
    monkeypatch.setattr("hackorda_ops.stores.folder._SETTLED_SECONDS", -1.0)


def kept_file(cache: Path) -> Path:
    [path] = (cache / "summaries").iterdir()
    return path


def test_a_summary_has_what_the_manifest_says() -> None:
    for manifest in (of_night(18), of_night(19, sound=False)):
        summary = summary_of(manifest)
        for name in (
            "artifact_id",
            "night",
            "prefix",
            "sound",
            "against",
            "rows",
            "size_bytes",
            "files_sha256",
        ):
            assert getattr(summary, name) == getattr(manifest, name)


def test_a_manifest_is_read_once_as_long_as_it_stays_what_it_is(store: FolderStore) -> None:
    for day in (17, 18):
        put(store, of_night(day))
    told: list[Progress] = []
    first = catalog.summarise(store, "hackorda", on_progress=told.append)
    put(store, of_night(19))
    second = catalog.summarise(store, "hackorda")

    assert [each.night.day for each in first.artifacts] == [17, 18]
    assert [each.night.day for each in second.artifacts] == [17, 18, 19]
    assert sorted(_reads) == [of_night(day).artifact_id for day in (17, 18, 19)]
    assert {(each.done, each.total) for each in told} == {(1, 2), (2, 2)}


def test_what_is_listed_is_what_read_finds(store: FolderStore) -> None:
    for each in (of_night(17), of_night(18, sound=False), replace(of_night(16), database="other")):
        put(store, each)
    put(store, of_night(20), b"{")
    (store.root / "hackorda/20261119T210000Z-0a1b2c/dump").mkdir(parents=True)
    for _ in range(2):
        found, whole = catalog.summarise(store, "hackorda"), catalog.read(store, "hackorda")
        assert found.artifacts == tuple(map(summary_of, whole.artifacts))
        assert (found.damaged, found.ahead) == (whole.damaged, whole.ahead)


def test_an_artifact_that_is_gone_is_not_listed_whatever_was_kept(store: FolderStore) -> None:
    for day in (17, 18):
        put(store, of_night(day))
    catalog.summarise(store, "hackorda")
    store.delete(f"{of_night(17).prefix}/{MANIFEST_NAME}")

    assert [each.night.day for each in catalog.summarise(store, "hackorda").artifacts] == [18]
    assert recall(store.location(), "hackorda").keys() == {of_night(18).artifact_id}


def test_a_manifest_that_was_replaced_by_hand_is_read_again(store: FolderStore) -> None:
    path = put(store, of_night(18))
    catalog.summarise(store, "hackorda")
    sound = to_bytes(of_night(18))
    # As long, in the same place, and with the same time.
    path.write_bytes(sound.replace(b'"late": false', b'"late": fals?', 1))
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert len(path.read_bytes()) == len(sound)

    found = catalog.summarise(store, "hackorda")
    assert found.artifacts == ()
    assert len(found.damaged) == 1


def test_what_was_written_just_now_is_not_kept(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hackorda_ops.stores.folder._SETTLED_SECONDS", 60.0)
    put(store, of_night(18))
    for _ in range(2):
        assert len(catalog.summarise(store, "hackorda").artifacts) == 1
    assert len(_reads) == 2


def _no_json(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def _of_another_version(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":2'))


def _a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _of_another_place(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"/nights", b"/others"))


def _of_another_database(path: Path) -> None:
    path.write_bytes(
        path.read_bytes().replace(b'"database":"hackorda","known"', b'"database":"other","known"')
    )


def _open_to_others(path: Path) -> None:
    path.parent.chmod(0o777)


@pytest.mark.parametrize(
    "spoil",
    [_no_json, _of_another_version, _a_link, _of_another_place, _of_another_database, _open_to_others],
)
def test_what_is_damaged_or_somebody_elses_is_not_believed(
    spoil: Callable[[Path], None], cache: Path
) -> None:
    keep(HERE, "hackorda", {OF_18.summary.artifact_id: OF_18})
    assert recall(HERE, "hackorda") == {OF_18.summary.artifact_id: OF_18}
    spoil(kept_file(cache))
    assert recall(HERE, "hackorda") == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("artifact_id", "../../etc"),
        ("artifact_id", "20261118T210001Z-0a1b2c"),
        ("database", "other"),
        ("captured_at", "2026-11-17T21:00:00"),
        ("rows", -1),
        ("size_bytes", -1),
        ("files_sha256", "f" * 63),
    ],
)
def test_a_summary_that_no_manifest_could_have_is_not_believed(field: str, value: Any, cache: Path) -> None:
    keep(HERE, "hackorda", {OF_18.summary.artifact_id: OF_18})
    path = kept_file(cache)
    kept = json.loads(path.read_bytes())
    kept["known"][0]["summary"][field] = value
    path.write_text(json.dumps(kept))
    assert recall(HERE, "hackorda") == {}


def test_places_and_databases_are_kept_apart() -> None:
    keep(HERE, "hackorda", {OF_18.summary.artifact_id: OF_18})
    assert recall(THERE, "hackorda") == {}
    assert recall(HERE, "other") == {}


def test_it_is_kept_for_this_user_alone_and_what_nobody_uses_is_forgotten(cache: Path) -> None:
    keep(THERE, "hackorda", {OF_18.summary.artifact_id: OF_18})
    unused = kept_file(cache)
    os.utime(unused, (LONG_AGO, LONG_AGO))
    keep(HERE, "hackorda", {OF_18.summary.artifact_id: OF_18})

    assert kept_file(cache) != unused
    assert kept_file(cache).stat().st_mode & 0o777 == 0o600
    assert kept_file(cache).parent.stat().st_mode & 0o777 == 0o700


def test_where_nothing_can_be_kept_everything_is_read(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    # Root may write anywhere, but not below a file.
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file" / "cache"))
    put(store, of_night(18))
    for _ in range(2):
        assert len(catalog.summarise(store, "hackorda").artifacts) == 1
    assert len(_reads) == 2


def test_many_may_write_at_the_same_time(cache: Path) -> None:
    def write(day: int) -> None:
        for _ in range(20):
            keep(
                HERE,
                "hackorda",
                {of_night(day).artifact_id: KnownSummary("stamp", summary_of(of_night(day)))},
            )
            assert len(recall(HERE, "hackorda")) == 1

    threads = [threading.Thread(target=write, args=(day,)) for day in (17, 18, 19)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(recall(HERE, "hackorda")) == 1
    assert len(list((cache / "summaries").iterdir())) == 1
