"""Other recipients for artifacts that exist, in a store and off-site, by the command's own code."""

import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hackorda_ops.age.recipients import read_recipients
from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.key_files import key_files
from hackorda_ops.artifacts.sealed import SealedManifest
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, IdentityRefused, StoreRefused
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.local.s3 import S3Server
from hackorda_ops.night.night import take_night
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.verify import verify
from hackorda_ops.sealing.identity import identity_of
from hackorda_ops.sealing.opening import opened
from hackorda_ops.sealing.rewrap import Rewrapped, rewrap
from hackorda_ops.stores.store import Store
from hackorda_ops.week import week
from hackorda_ops_tests.engines.examples import of_bucket
from hackorda_ops_tests.sealing.keys import encrypted, everything_in, keygen, with_identity


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> str:
    made = create_database(postgres_server, "rewrapped")
    with psycopg.connect(made, autocommit=True) as session:
        session.execute("CREATE TABLE users AS SELECT generate_series(1, 100) AS id")
    return made


@pytest.fixture
def shipped(tmp_path: Path, url: str, s3_server: S3Server, new_bucket: str) -> Protected:
    """A night that lies in the store and off-site, for the identity old.txt."""
    protected = encrypted(tmp_path, url, keygen(tmp_path / "old.txt"), offsite={"bucket": new_bucket})
    protected = Protected(protected.name, protected.policy, {**of_bucket(s3_server), **protected.environ})
    week.ship(protected, take_night(protected).stored)
    return protected


def stored(store: Store) -> SealedManifest:
    newest = catalog.read(store, "hackorda").newest
    assert isinstance(newest, SealedManifest)
    return newest


def rewrapped(protected: Protected, tmp_path: Path, recipient: str, **places: Any) -> Rewrapped:
    return rewrap(
        places or {"store": protected.store, "offsite": protected.offsite},
        stored(protected.store),
        identity_of(with_identity(protected, tmp_path / "old.txt")),
        read_recipients([recipient]),
    )


def test_the_new_identity_opens_it_everywhere_and_the_old_one_no_longer(
    shipped: Protected, tmp_path: Path
) -> None:
    done = rewrapped(shipped, tmp_path, keygen(tmp_path / "new.txt"))
    assert (done.name, len(done.locations), done.left) == ("key-2.age", 2, ())
    for store in (shipped.store, shipped.offsite):
        assert key_files(store, stored(store).prefix) == ("key-2.age",)
        new = with_identity(shipped, tmp_path / "new.txt")
        assert opened(new, store, stored(store)).manifest.rows == 100
        assert verify(new, store, stored(store), on_progress=ignore).verdict == "PASS"
        with pytest.raises(IdentityRefused):
            opened(with_identity(shipped, tmp_path / "old.txt"), store, stored(store))


def test_no_other_byte_of_the_artifact_changes(shipped: Protected, tmp_path: Path) -> None:
    folder = tmp_path / "store" / stored(shipped.store).prefix
    (folder / "key-1.age").rename(tmp_path / "key-1.age")
    before = everything_in(folder)
    (tmp_path / "key-1.age").rename(folder / "key-1.age")
    rewrapped(shipped, tmp_path, keygen(tmp_path / "new.txt"))
    (folder / "key-2.age").unlink()
    assert everything_in(folder) == before


def test_a_copy_brings_no_earlier_key_back(shipped: Protected, tmp_path: Path) -> None:
    rewrapped(shipped, tmp_path, keygen(tmp_path / "new.txt"), offsite=shipped.offsite)
    assert key_files(shipped.store, stored(shipped.store).prefix) == ("key-1.age",)
    week.ship(shipped, stored(shipped.store))
    assert key_files(shipped.offsite, stored(shipped.offsite).prefix) == ("key-2.age",)


def test_a_copy_brings_a_newer_key_and_one_that_is_missing(shipped: Protected, tmp_path: Path) -> None:
    prefix = stored(shipped.store).prefix
    rewrapped(shipped, tmp_path, keygen(tmp_path / "new.txt"), store=shipped.store)
    week.ship(shipped, stored(shipped.store))
    assert key_files(shipped.offsite, prefix)[0] == "key-2.age"
    for name in key_files(shipped.offsite, prefix):
        shipped.offsite.delete(f"{prefix}/{name}")
    seen = verify(shipped, shipped.offsite, stored(shipped.offsite), on_progress=ignore)
    assert seen.verdict == "FAIL"
    week.ship(shipped, stored(shipped.store))
    assert verify(shipped, shipped.offsite, stored(shipped.offsite), on_progress=ignore).verdict == "PASS"


def test_a_key_that_is_gone_here_is_taken_from_the_other_place(shipped: Protected, tmp_path: Path) -> None:
    manifest = stored(shipped.store)
    key = tmp_path / "store" / manifest.prefix / "key-1.age"
    wrapped = key.read_bytes()
    key.unlink()
    knowing = with_identity(shipped, tmp_path / "old.txt")
    with pytest.raises(ArtifactMissing, match=r"key-1\.age"):
        opened(knowing, shipped.store, manifest)
    assert opened(knowing, shipped.store, manifest, elsewhere=(shipped.offsite,)).manifest.rows == 100
    key.write_bytes(wrapped)
    (tmp_path / "store" / manifest.prefix / "sealed.age").write_bytes(b"!")
    with pytest.raises(ArtifactDamaged):
        opened(knowing, shipped.store, manifest)
    assert opened(knowing, shipped.store, manifest, elsewhere=(shipped.offsite,)).manifest.rows == 100


def test_an_earlier_key_that_may_not_be_removed_is_said_to_be_there(
    shipped: Protected, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_store: object, key: str, version_id: str | None = None) -> None:
        raise StoreRefused(f"{key} is locked.", meaning="It stays.", next_step="Wait.")

    monkeypatch.setattr(type(shipped.offsite), "delete", refuse)
    done = rewrapped(shipped, tmp_path, keygen(tmp_path / "new.txt"))
    [left] = done.left
    assert "key-1.age is still there" in left
    new = with_identity(shipped, tmp_path / "new.txt")
    assert opened(new, shipped.offsite, stored(shipped.offsite)).manifest.rows == 100


def test_a_wrong_identity_changes_nothing(shipped: Protected, tmp_path: Path) -> None:
    recipient = keygen(tmp_path / "wrong.txt")
    before = everything_in(tmp_path / "store")
    with pytest.raises(IdentityRefused):
        rewrap(
            {"store": shipped.store},
            stored(shipped.store),
            identity_of(with_identity(shipped, tmp_path / "wrong.txt")),
            [recipient],
        )
    assert everything_in(tmp_path / "store") == before


def test_the_stock_command_opens_a_rewrapped_key(shipped: Protected, tmp_path: Path) -> None:
    rewrapped(shipped, tmp_path, keygen(tmp_path / "new.txt"))
    key = tmp_path / "store" / stored(shipped.store).prefix / "key-2.age"
    done = subprocess.run(
        ["age", "-d", "-i", tmp_path / "new.txt", key], check=True, capture_output=True, text=True
    )
    assert stored(shipped.store).data_recipient in done.stdout
