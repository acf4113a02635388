"""What every store holds to, whichever it is: those of the package, and a third one that is added from outside."""

import hashlib
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, to_bytes
from hackorda_ops.artifacts.publish import publish
from hackorda_ops.config import file as config_file
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, ConfigError, StoreRefused
from hackorda_ops.local.s3 import S3Server, create_bucket
from hackorda_ops.progress import ignore
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import Store, StoredFile
from hackorda_ops_tests.builders import manifest
from hackorda_ops_tests.stores.examples import MIB, NO_KEYS, ODD_KEYS, copy, entries, put, require_whole


@dataclass(frozen=True)
class Named:
    """A store as a configuration names it.

    Attributes:
        section: the value of `store` in databases.yaml.
        elsewhere: the same for another place of its kind.
        environ: the variables that it names.
        work_folder: as `dump.work_folder`.
        forgets_folders: whether a folder is gone with its last file; where it isn't, it's listed as an empty one.
        keeps_backslashes: whether a backslash in a name is one when it's listed.
    """

    section: Any
    elsewhere: Any
    environ: Mapping[str, str]
    work_folder: Path
    forgets_folders: bool = True
    keeps_backslashes: bool = True

    def database(self, section: Any = None) -> Policy:
        """A database whose nights go there."""
        return Policy.model_validate(
            {"store": section or self.section, "dump": {"work_folder": str(self.work_folder)}}
        )

    def opened(self, section: Any = None) -> Store:
        """The store, opened through its configuration and the registry."""
        return Protected("shop", self.database(section), self.environ).store


def in_a_folder(tmp_path: Path, _request: pytest.FixtureRequest) -> Named:
    return Named(str(tmp_path / "backups"), str(tmp_path / "others"), {}, tmp_path / "work")


def in_a_bucket(tmp_path: Path, request: pytest.FixtureRequest) -> Named:
    return _in_a_bucket_on(request.getfixturevalue("s3_server"), tmp_path)


def in_a_bucket_elsewhere(tmp_path: Path, request: pytest.FixtureRequest) -> Named:
    # SeaweedFS keeps its objects as files in folders, and a backslash separates them as well.
    named = _in_a_bucket_on(request.getfixturevalue("seaweed_server"), tmp_path)
    return replace(named, forgets_folders=False, keeps_backslashes=False)


def _in_a_bucket_on(server: S3Server, tmp_path: Path) -> Named:
    name = f"conforms-{secrets.token_hex(4)}"
    create_bucket(server, name)
    bucket = {"bucket": name, "endpoint_url": server.endpoint_url}
    environ = {
        "OFFSITE_REGION": server.region,
        "OFFSITE_ACCESS_KEY_ID": server.access_key_id,
        "OFFSITE_SECRET_ACCESS_KEY": server.secret_access_key,
    }
    return Named({**bucket, "prefix": "a//b/"}, {**bucket, "prefix": "c"}, environ, tmp_path / "work")


def in_sqlite(tmp_path: Path, request: pytest.FixtureRequest) -> Named:
    request.getfixturevalue("third_store")
    one, other = ({"sqlite": str(tmp_path / name)} for name in ("one.sqlite", "other.sqlite"))
    return Named(one, other, {}, tmp_path / "work")


def in_memory(tmp_path: Path, request: pytest.FixtureRequest) -> Named:
    request.getfixturevalue("memory_stores")
    return Named({"memory": "one"}, {"memory": "other"}, {}, tmp_path / "work")


@pytest.fixture(
    params=[
        pytest.param(in_a_folder, id="folder"),
        pytest.param(in_a_bucket, id="s3", marks=pytest.mark.server),
        pytest.param(in_a_bucket_elsewhere, id="seaweed", marks=pytest.mark.server),
        pytest.param(in_sqlite, id="third"),
        pytest.param(in_memory, id="memory"),
    ]
)
def named(request: pytest.FixtureRequest, tmp_path: Path) -> Named:
    makes: Callable[[Path, pytest.FixtureRequest], Named] = request.param
    return makes(tmp_path, request)


@pytest.fixture
def store(named: Named) -> Store:
    """An empty store."""
    opened = named.opened()
    opened.check()
    return opened


def test_what_is_put_is_listed_and_read_back(store: Store) -> None:
    data = os.urandom(3_000_000)
    put(store, "db/one/dump/1.dat", data)
    put(store, "db/one/manifest.json", b"{}")
    put(store, "db/one/empty", b"")

    with store.open("db/one/dump/1.dat") as stream:
        assert stream.read(10) + stream.read() == data
    assert store.read_small("db/one/manifest.json") == b"{}"
    assert store.read_small("db/one/empty") == b""
    there = {
        StoredFile("db/one/dump/1.dat", 3_000_000),
        StoredFile("db/one/manifest.json", 2),
        StoredFile("db/one/empty", 0),
    }
    assert set(store.list("")) == there
    assert {StoredFile(each.key, each.size_bytes) for each in store.files("db")} == there


def test_a_store_that_nothing_was_put_into_yet_is_empty(named: Named) -> None:
    store = named.opened()
    assert list(store.list("db")) == list(store.files("")) == list(store.versions("")) == []
    assert list(store.folders("")) == list(store.folders("db/one")) == []
    assert store.abandoned_uploads("db") == store.end_abandoned_uploads("db") == ()


def test_what_is_put_again_replaces_what_was_there(store: Store) -> None:
    put(store, "db/one", b"first")
    put(store, "db/one", b"second!")

    assert store.read_small("db/one") == b"second!"
    assert list(store.list("")) == [StoredFile("db/one", 7)]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_names_are_kept_as_they_are(store: Store, named: Named, key: str) -> None:
    put(store, key, b"kept")

    listed = key if named.keeps_backslashes else key.replace("\\", "/")
    assert list(store.list("db/")) == [StoredFile(listed, 4)]
    assert store.read_small(key) == b"kept"


def test_a_key_that_points_outside_is_refused(store: Store) -> None:
    for key in NO_KEYS:
        for use in (lambda: put(store, key, b"x"), lambda: store.read_small(key), lambda: store.delete(key)):  # noqa: B023
            with pytest.raises(StoreRefused, match="doesn't name a file"):
                use()
    assert list(store.list("")) == []


def test_a_prefix_is_a_folder_and_not_the_beginning_of_a_name(store: Store) -> None:
    put(store, "hackorda/one", b"1")
    put(store, "hackorda2/one", b"2")

    for prefix in ("hackorda", "hackorda/"):
        assert [each.key for each in store.list(prefix)] == ["hackorda/one"]
        assert [each.key for each in store.versions(prefix)] == ["hackorda/one"]
    assert list(store.list("another")) == []


def test_the_folders_below_a_folder_are_named_without_what_lies_in_them(store: Store) -> None:
    for key in ("db/one/dump/a", "db/one/manifest.json", "db/two/manifest.json", "db/log.md", "db2/three/a"):
        put(store, key, b"1")

    assert sorted(store.folders("db/")) == ["one", "two"]
    assert sorted(store.folders("")) == ["db", "db2"]
    assert list(store.folders("nothing")) == []


def test_one_file_of_each_folder_is_listed_with_a_stamp_that_changes_with_its_bytes(store: Store) -> None:
    for key in (
        "db/one/dump/manifest.json",
        "db/one/manifest.json",
        "db/two/manifest.json",
        "db/manifest.json",
    ):
        put(store, key, b"1")
    put(store, "db/three/dump/a", b"1")

    def listed() -> dict[str, str]:
        found = store.in_each_folder("db/", "manifest.json", leaving_out="dump")
        return {each.key: each.stamp for each in found if each.is_file and each.size_bytes}

    before = listed()
    put(store, "db/two/manifest.json", b"2")
    assert sorted(before) == sorted(listed()) == ["db/one/manifest.json", "db/two/manifest.json"]
    assert (
        not before["db/two/manifest.json"]
        or before["db/two/manifest.json"] != listed()["db/two/manifest.json"]
    )
    assert list(store.in_each_folder("nothing", "manifest.json", leaving_out="dump")) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"shor", "ends 1 bytes before"), (b"longer", "continues after"), (b"other", "has SHA-256")],
)
def test_a_source_with_other_bytes_than_announced_stores_nothing(
    store: Store, data: bytes, message: str
) -> None:
    put(store, "db/one", b"before")
    announced = hashlib.sha256(b"right").hexdigest()

    for key in ("db/one", "db/two"):
        with pytest.raises(ArtifactDamaged, match=message):
            store.put(key, BytesIO(data), size_bytes=5, sha256=announced)

    assert store.read_small("db/one") == b"before"
    assert [each.key for each in store.list("")] == ["db/one"]


def test_a_missing_file_is_reported_as_missing(store: Store) -> None:
    put(store, "db/one/x", b"")

    for key in ("db/none", "db/one"):
        with pytest.raises(ArtifactMissing, match=key), store.open(key):
            pass
        with pytest.raises(ArtifactMissing, match=key):
            store.read_small(key)


def test_a_small_file_that_is_large_is_not_read(store: Store) -> None:
    put(store, "db/manifest.json", bytes(1_001))

    assert len(store.read_small("db/manifest.json", limit_bytes=1_001)) == 1_001
    with pytest.raises(ArtifactDamaged, match="larger than 1000 bytes"):
        store.read_small("db/manifest.json", limit_bytes=1_000)


def test_what_is_deleted_is_gone_and_deleting_it_again_is_no_error(store: Store, named: Named) -> None:
    put(store, "db/one/x", b"1")
    put(store, "db/one/y", b"2")

    store.delete("db/one/x")
    store.delete("db/one/x")

    assert [each.key for each in store.list("")] == ["db/one/y"]
    store.delete("db/one/y")
    assert list(store.list("")) == []
    assert list(store.folders("db")) == ([] if named.forgets_folders else ["one"])


def test_each_file_has_a_current_version_of_now_that_can_be_deleted_by_its_name(store: Store) -> None:
    put(store, "db/one/x", b"1")
    put(store, "db/one/y", b"22")
    # Some stores keep whole seconds.
    now = datetime.now(UTC) + store.clock_ahead()

    versions = sorted(store.versions("db"), key=lambda each: each.key)

    assert [(each.key, each.size_bytes, each.is_file) for each in versions] == [
        ("db/one/x", 1, True),
        ("db/one/y", 2, True),
    ]
    assert all(abs(each.modified_at - now) < timedelta(minutes=1) for each in versions)
    assert [store.locked_until(each) for each in versions] == [None, None]
    store.delete(versions[0].key, versions[0].version_id)
    assert [each.key for each in store.list("")] == ["db/one/y"]


def test_many_threads_may_put_and_read_at_once(store: Store) -> None:
    data = os.urandom(200_000)
    read: list[bytes] = []

    def work(number: int) -> None:
        put(store, "db/one/shared", data)
        put(store, f"db/one/{number}", data)
        read.append(store.read_small("db/one/shared"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert read == [data] * 8
    assert set(store.list("")) == {
        StoredFile(f"db/one/{name}", len(data)) for name in ("shared", *map(str, range(8)))
    }


def test_it_takes_files_has_a_clock_and_names_itself(store: Store, named: Named) -> None:
    store.check_writable()
    assert abs(store.clock_ahead()) < timedelta(minutes=1)
    assert store.describe()
    for value in named.environ.values():
        assert value not in store.describe()


def test_it_is_the_same_place_however_often_it_is_opened_and_no_other(named: Named) -> None:
    location = named.opened().location()

    assert named.opened().location() == location
    assert named.opened(named.elsewhere).location() != location


def test_less_patience_changes_nothing_but_the_waiting(store: Store) -> None:
    put(store, "db/one/x", b"1")
    impatient = store.with_patience(SOON)

    assert impatient.read_small("db/one/x") == b"1"
    assert (impatient.describe(), impatient.location()) == (store.describe(), store.location())
    assert impatient.with_patience(SOON) == impatient


def test_an_artifact_is_copied_there_and_back_whole(
    store: Store, nightly: FolderStore, tmp_path: Path
) -> None:
    copied = copy(nightly, store)
    require_whole(store)
    assert copied.repaired == ()

    back = FolderStore(tmp_path / "back")
    copy(store, back)
    require_whole(back)


def test_a_finished_night_is_published_with_all_its_files_and_its_manifest(store: Store) -> None:
    content = os.urandom(2 * MIB)
    night = manifest({}, files=entries({"dump/1.dat": content}))
    staged = store.staging_root / night.prefix
    (staged / "dump").mkdir(parents=True)
    (staged / "dump" / "1.dat").write_bytes(content)

    publish(store, staged, night, on_progress=ignore)

    assert store.read_small(f"{night.prefix}/{MANIFEST_NAME}") == to_bytes(night)
    assert store.read_small(f"{night.prefix}/dump/1.dat") == content
    assert {each.key for each in store.list("")} == {
        f"{night.prefix}/{name}" for name in (MANIFEST_NAME, "dump/1.dat")
    }
    assert catalog.read_newest(store, night.database) == night


def test_what_has_to_be_set_is_named_with_its_key(named: Named) -> None:
    needed = [name for name in named.environ if name != "OFFSITE_REGION"]
    if not needed:
        Protected("shop", named.database(), {}).require("store")
        return
    with pytest.raises(ConfigError) as caught:
        _ = Protected("shop", named.database(), {}).store
    for name in needed:
        assert (
            f"databases.shop.store.{name.removeprefix('OFFSITE_').lower()}_env: set {name}"
            in caught.value.what
        )


def test_databases_yaml_names_it_and_a_relative_folder_is_that_of_the_file(
    named: Named, tmp_path: Path
) -> None:
    section = str(named.section).replace(f"{tmp_path}/", "")
    (tmp_path / "databases.yaml").write_text(f"databases: {{shop: {{store: {section}}}}}", encoding="utf-8")

    shop = config_file.load(tmp_path / "databases.yaml").databases["shop"]

    assert shop.store == named.database().store
    assert Policy.model_validate(shop.model_dump()).store == shop.store
    with pytest.raises(ConfigError) as caught:
        (tmp_path / "databases.yaml").write_text("databases: {shop: {store: {bukket: x}}}", encoding="utf-8")
        config_file.load(tmp_path / "databases.yaml")
    assert "databases.shop.store.bukket: unknown key; did you mean bucket?" in caught.value.what


def test_a_file_is_put_only_where_there_is_none(store: Store) -> None:
    assert store.put_new("db/receipts/00000001.json", b"one")
    assert not store.put_new("db/receipts/00000001.json", b"two")

    assert store.read_small("db/receipts/00000001.json") == b"one"
    assert set(store.list("")) == {StoredFile("db/receipts/00000001.json", 3)}
    assert not any(store.staging_root.glob("upload-*"))
