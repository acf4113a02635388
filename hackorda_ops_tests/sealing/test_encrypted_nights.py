"""A night that is encrypted, on real servers: what it leaves behind, and who can open it."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import FORMAT_VERSION, Manifest, from_bytes, to_bytes
from hackorda_ops.artifacts.sealed import SealedManifest
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged, ConfigError, IdentityRefused, StoreUnreachable
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.sessions import connection
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import BroughtBack, bring_back
from hackorda_ops.recovery.verify import verify
from hackorda_ops.sealing.opening import opened
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops_tests.sealing.keys import encrypted, everything_in, keygen, with_identity

# Each is looked for in what a thief would get.
NAMES = ("secret_customers", "telling_column", "a_telling_role", "the_tickets", "a telling row", "shhh")
SCHEMA = """
CREATE TABLE secret_customers (id serial PRIMARY KEY, telling_column text);
INSERT INTO secret_customers (telling_column) SELECT 'a telling row ' || n FROM generate_series(1, 20000) n;
CREATE TABLE secret_customers_empty (id int);
CREATE SEQUENCE the_tickets; SELECT setval('the_tickets', 4711);
COMMENT ON TABLE secret_customers IS 'shhh';
SELECT lo_from_bytea(20001, 'a telling row in an object'), lo_from_bytea(20002, '');
"""


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> str:
    made = create_database(postgres_server, "encrypted nights")
    with psycopg.connect(made, autocommit=True) as session:
        session.execute(SCHEMA)
    return made


@pytest.fixture
def empty(postgres_server: PostgresServer, database_on: Callable[[PostgresServer], str]) -> str:
    return database_on(postgres_server)


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    return tmp_path / "identity.txt"


@pytest.fixture
def dumping(tmp_path: Path, url: str, identity: Path) -> Protected:
    return encrypted(tmp_path, url, keygen(identity))


def stored(protected: Protected) -> Manifest:
    newest = catalog.read(protected.store, protected.name).newest
    assert newest is not None
    return newest


def restore(protected: Protected, manifest: Manifest, empty: str, **more: Any) -> BroughtBack:
    target = connection.parse(empty, origin="a test")
    return bring_back(protected, protected.store, manifest, target, source=None, on_progress=ignore, **more)


def test_a_night_leaves_nothing_in_the_clear_that_names_or_holds_anything(
    dumping: Protected, tmp_path: Path
) -> None:
    night = take_night(dumping)
    assert night.manifest.rows == 20_000
    assert night.manifest.format_version == FORMAT_VERSION
    folder = Path(night.location)
    clear = {"manifest.json", "RESTORE.md", "SHA256SUMS"}
    left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {path for path in left if not path.endswith(".age")} == clear
    assert {"key-1.age", "sealed.age", "dump/toc.dat.age", "roles.sql.age"} <= left
    everything = everything_in(tmp_path / "store")
    for name in NAMES:
        assert name.encode() not in everything, name
    # The digest of a small table would say whether it holds what one guesses.
    for part in night.manifest.parts:
        assert part.digest.encode() not in everything
    listed = json.loads((folder / "manifest.json").read_text())
    assert (listed["total_rows"], listed["total_parts"], listed["format_version"]) == (20_000, 2, 2)
    assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=True)


def test_the_machine_that_dumps_knows_neither_key(dumping: Protected, tmp_path: Path) -> None:
    night = take_night(dumping)
    kept = everything_in(tmp_path / "work") + everything_in(tmp_path / "store")
    assert b"AGE-SECRET-KEY" not in kept
    with pytest.raises(ConfigError, match="no identity is named here"):
        opened(dumping, dumping.store, stored(dumping))
    assert isinstance(night.stored, SealedManifest)


def test_it_comes_back_row_for_row_where_the_identity_is(
    dumping: Protected, identity: Path, empty: str
) -> None:
    take_night(dumping)
    brought = restore(with_identity(dumping, identity), stored(dumping), empty)
    assert (brought.verdict, brought.rows, brought.findings) == ("PASS", 20_000, ())
    with psycopg.connect(empty) as session:
        assert session.execute("SELECT count(*) FROM secret_customers").fetchone() == (20_000,)


def test_one_table_of_it_comes_back_alone(dumping: Protected, identity: Path, empty: str) -> None:
    take_night(dumping)
    brought = restore(with_identity(dumping, identity), stored(dumping), empty, tables=["secret_customers"])
    assert (brought.verdict, brought.tables) == ("PASS", 1)


def test_nothing_of_it_is_left_in_the_work_folder_after_a_restore(
    dumping: Protected, identity: Path, empty: str, tmp_path: Path
) -> None:
    take_night(dumping)
    restore(with_identity(dumping, identity), stored(dumping), empty)
    assert [path.name for path in (tmp_path / "work").rglob("*") if path.is_file()] == ["hackorda.json"]


def test_verify_without_the_identity_checks_the_bytes_and_says_what_it_did_not(
    dumping: Protected, identity: Path
) -> None:
    take_night(dumping)
    seen = verify(dumping, dumping.store, stored(dumping), on_progress=ignore)
    assert (seen.verdict, seen.findings) == ("PASS", ())
    assert "not measured" in seen.not_measured
    seen = verify(with_identity(dumping, identity), dumping.store, stored(dumping), on_progress=ignore)
    assert (seen.verdict, seen.findings, seen.not_measured) == ("PASS", (), "")


@pytest.mark.parametrize("knowing", [False, True], ids=["without the identity", "with it"])
@pytest.mark.parametrize("name", ["sealed.age", "dump/toc.dat.age", "RESTORE.md", "SHA256SUMS"])
def test_a_changed_byte_of_any_file_is_a_fail(
    dumping: Protected, identity: Path, name: str, knowing: bool
) -> None:
    folder = Path(take_night(dumping).location)
    data = bytearray((folder / name).read_bytes())
    data[-1] ^= 1
    (folder / name).write_bytes(data)
    protected = with_identity(dumping, identity) if knowing else dumping
    seen = verify(protected, dumping.store, stored(dumping), on_progress=ignore)
    assert seen.verdict == "FAIL"
    assert any(name in finding.subject for finding in seen.findings)


@pytest.mark.parametrize("knowing", [False, True], ids=["without the identity", "with it"])
def test_a_missing_key_is_a_fail(dumping: Protected, identity: Path, knowing: bool) -> None:
    folder = Path(take_night(dumping).location)
    (folder / "key-1.age").unlink()
    protected = with_identity(dumping, identity) if knowing else dumping
    seen = verify(protected, dumping.store, stored(dumping), on_progress=ignore)
    assert seen.verdict == "FAIL"
    assert "key-1.age" in seen.findings[0].observed


def test_a_wrong_identity_is_refused_before_anything_is_fetched(
    dumping: Protected, tmp_path: Path, empty: str
) -> None:
    take_night(dumping)
    keygen(tmp_path / "wrong.txt")
    with pytest.raises(IdentityRefused) as refused:
        restore(with_identity(dumping, tmp_path / "wrong.txt"), stored(dumping), empty)
    assert dumping.policy.encrypt_to[0] in refused.value.next_step
    with psycopg.connect(empty) as session:
        assert session.execute(
            "SELECT count(*) FROM pg_class WHERE relname = 'secret_customers'"
        ).fetchone() == (0,)


def test_a_key_that_was_put_in_its_place_is_noticed(
    dumping: Protected, identity: Path, empty: str, tmp_path: Path
) -> None:
    folder = Path(take_night(dumping).location)
    # Somebody who can write to the store knows the recipients; he wraps a key of his own for them.
    keygen(tmp_path / "his.txt")
    (folder / "key-1.age").unlink()
    subprocess.run(
        ["age", "-r", dumping.policy.encrypt_to[0], "-o", folder / "key-1.age", tmp_path / "his.txt"],
        check=True,
    )
    with pytest.raises(ArtifactDamaged, match="doesn't hold the key"):
        restore(with_identity(dumping, identity), stored(dumping), empty)


def test_a_sealed_part_of_another_night_is_noticed(dumping: Protected, identity: Path) -> None:
    folder = Path(take_night(dumping).location)
    sealed = stored(dumping)
    assert isinstance(sealed, SealedManifest)
    told_otherwise = replace(sealed, total_rows=sealed.total_rows + 1)
    (folder / "manifest.json").write_bytes(to_bytes(told_otherwise))
    with pytest.raises(ArtifactDamaged, match="isn't what the manifest beside it was made of"):
        opened(with_identity(dumping, identity), dumping.store, stored(dumping))


def test_a_second_night_is_compared_with_the_first_although_that_is_sealed(
    tmp_path: Path, new_database: str, identity: Path
) -> None:
    protected = encrypted(tmp_path, new_database, keygen(identity))
    with psycopg.connect(new_database, autocommit=True) as session:
        session.execute("CREATE TABLE secret_customers AS SELECT generate_series(1, 1000) AS n")
    first = take_night(protected)
    with psycopg.connect(new_database, autocommit=True) as session:
        session.execute("TRUNCATE secret_customers")
    second = take_night(protected)
    assert second.compared_with == first.manifest.artifact_id
    assert [(each.code, each.subject) for each in second.manifest.findings] == [
        ("table emptied", "public.secret_customers")
    ]
    listed = stored(protected)
    assert not listed.sound
    assert [(each.code, each.subject) for each in listed.findings] == [("table emptied", "(sealed)")]
    # The memory of the night before may be lost; then the night says that it wasn't compared.
    (tmp_path / "work" / "last-nights" / "hackorda.json").unlink()
    third = take_night(protected)
    assert third.compared_with is None
    assert any("were not compared" in warning for warning in third.manifest.warnings)
    # An altered one isn't believed.
    fourth_memory = tmp_path / "work" / "last-nights" / "hackorda.json"
    fourth_memory.write_text(fourth_memory.read_text().replace('"rows": 0', '"rows": 7'))
    assert any("were not compared" in warning for warning in take_night(protected).manifest.warnings)
    # Where an identity is, the sealed manifest itself is read.
    fourth_memory.unlink()
    assert take_night(with_identity(protected, identity)).compared_with is not None


def test_large_files_are_encrypted_while_the_dump_is_still_written(
    tmp_path: Path, new_database: str, identity: Path, empty: str
) -> None:
    with psycopg.connect(new_database, autocommit=True) as session:
        for number in range(3):
            session.execute(
                f"CREATE TABLE large_{number} AS SELECT n, md5(n::text) || md5((n + 1)::text) AS value "
                "FROM generate_series(1, 150000) n"
            )
    protected = encrypted(tmp_path, new_database, keygen(identity))
    night = take_night(protected)
    assert max(entry.size_bytes for entry in night.manifest.files) > 3_000_000
    assert restore(with_identity(protected, identity), stored(protected), empty).verdict == "PASS"


def test_an_unknown_recipient_stops_the_night_before_anything_is_read(tmp_path: Path, url: str) -> None:
    protected = encrypted(tmp_path, url, str(tmp_path / "nobody.txt"))
    with pytest.raises(ConfigError, match="can't be read"):
        take_night(protected)
    assert catalog.read(protected.store, protected.name).newest is None


def test_artifacts_from_before_encryption_still_come_back(
    tmp_path: Path, url: str, identity: Path, empty: str
) -> None:
    plain = encrypted(tmp_path, url)
    before = take_night(plain)
    after = take_night(encrypted(tmp_path, url, keygen(identity)))
    assert after.compared_with == before.manifest.artifact_id
    brought = restore(plain, before.manifest, empty)
    assert brought.verdict == "PASS"


def test_reading_what_is_not_a_manifest_of_a_sealed_artifact_is_refused(dumping: Protected) -> None:
    folder = Path(take_night(dumping).location)
    raw = json.loads((folder / "manifest.json").read_text())
    for change in (
        {"data_recipient": "age1nobody"},
        {"files": [each for each in raw["files"] if each["path"] != "sealed.age"]},
        {"files": [*raw["files"], {**raw["files"][0], "path": "dump/plain.dat"}]},
        {"files": [*raw["files"], {**raw["files"][0], "path": "key-1.age"}]},
        {"files": [*raw["files"], {**raw["files"][0], "path": "../../elsewhere.age"}]},
    ):
        with pytest.raises(ArtifactDamaged, match="contradicts itself"):
            from_bytes(json.dumps({**raw, **change}).encode(), origin="x")


def test_the_key_is_taken_from_another_place_where_the_first_does_not_answer(
    dumping: Protected, identity: Path
) -> None:
    night = take_night(dumping)
    knowing, manifest = with_identity(dumping, identity), stored(dumping)
    silent = S3Store(
        "nowhere", endpoint_url="http://127.0.0.1:9", access_key_id="a", secret_access_key="b", attempts=1
    )

    with pytest.raises(StoreUnreachable):
        opened(knowing, silent, manifest)

    assert opened(knowing, silent, manifest, elsewhere=[dumping.store]).manifest == night.manifest
