"""Bringing an artifact back: by the code that an operator and the drill both use."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hackorda_ops.artifacts.damage import all_hashed
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.artifacts.operations_log import read_log
from hackorda_ops.artifacts.verifications import read_verifications, verification_keys
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged, RestoreRefused, TargetRefused
from hackorda_ops.evidence.comparing import Comparison, compare
from hackorda_ops.evidence.contents import judge
from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME
from hackorda_ops.local.damage import compressed, replace_file
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.catalogs.inventory import Extension
from hackorda_ops.postgres.sessions import connection
from hackorda_ops.postgres.sessions.session import connect
from hackorda_ops.progress import Progress, ignore
from hackorda_ops.recovery.bring_back import BroughtBack, bring_back
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.builders import restoring

SCHEMA = """
CREATE TYPE mood AS ENUM ('calm', 'stormy');
CREATE TABLE users (id serial PRIMARY KEY, name text, feels mood DEFAULT 'calm');
INSERT INTO users (name) SELECT repeat('x', n % 50) || n FROM generate_series(1, 500) n;
DELETE FROM users WHERE id % 7 = 0;
CREATE TABLE events (id int, feels mood) PARTITION BY HASH (feels);
CREATE TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO events SELECT n, CASE WHEN n % 2 = 0 THEN 'calm'::mood ELSE 'stormy' END FROM generate_series(1, 100) n;
CREATE SEQUENCE tickets; SELECT nextval('tickets'), nextval('tickets');
CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM users;
SELECT lo_from_bytea(20001, 'a photo'), lo_from_bytea(20002, ''), lo_put(lo_create(20003), 3000000, 'after a hole');
"""
ENVIRON = {"PATH": "/usr/bin:/bin"}


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> str:
    """The source: nothing here changes it, so that one night serves every test."""
    made = create_database(postgres_server, "bring back")
    with psycopg.connect(made, autocommit=True) as session:
        session.execute(SCHEMA)
    return made


@pytest.fixture(scope="module")
def taken(url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[FolderStore, Manifest]:
    store = tmp_path_factory.mktemp("night") / "store"
    database = Policy.model_validate({"store": str(store)})
    night = take_night(Protected("hackorda", database, {**ENVIRON, "DATABASE_URL": url}))
    return FolderStore(store), night.manifest


@pytest.fixture
def night(taken: tuple[FolderStore, Manifest], tmp_path: Path) -> tuple[FolderStore, Manifest]:
    """A copy of that night's store, for tests that damage it."""
    store, manifest = taken
    shutil.copytree(store.root, tmp_path / "store")
    return FolderStore(tmp_path / "store"), manifest


@pytest.fixture
def empty(postgres_server: PostgresServer, database_on: Callable[[PostgresServer], str]) -> str:
    return database_on(postgres_server)


def restored(night: tuple[FolderStore, Manifest], target: str, tmp_path: Path, **changes: Any) -> BroughtBack:
    store, manifest = night
    options: dict[str, Any] = {"source": None, "on_progress": ignore}
    return bring_back(
        restoring(tmp_path / "work", ENVIRON, jobs=2),
        store,
        manifest,
        connection.parse(target, origin="test"),
        **(options | changes),
    )


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(statement)  # type: ignore[call-overload]  # a test's own constant text


def test_a_sound_artifact_comes_back_row_for_row(
    night: tuple[FolderStore, Manifest], empty: str, tmp_path: Path
) -> None:
    result = restored(night, empty, tmp_path)
    assert (result.verdict, result.findings) == ("PASS", ())
    assert result.manifest.rows == 429 + 100
    with psycopg.connect(empty) as session:
        assert session.execute("SELECT count(*), max(feels) FROM users").fetchone() == (429, "calm")
        assert session.execute("SELECT nextval('tickets')").fetchone() == (3,)
    assert list((tmp_path / "work").iterdir()) == []
    store, manifest = night
    event = read_log(store, "hackorda")[-1]
    assert (event.kind, event.outcome, event.subject) == ("restore", "PASS", manifest.artifact_id)
    assert event.detail == f"From {result.location} into {result.target}: 529 rows in 3 tables compared."


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("DELETE FROM users WHERE id = 1", "rows differ"),
        ("UPDATE users SET name = name || '!' WHERE id = 1", "content differs"),
        ("INSERT INTO users (id, name) SELECT 9999, name FROM users WHERE id = 1", "rows differ"),
        ("DROP MATERIALIZED VIEW totals; ALTER TABLE users DROP COLUMN name", "table missing"),
        ("SELECT setval('tickets', 77)", "sequence differs"),
        ("DROP SEQUENCE tickets", "sequence differs"),
        # Which leaf an enum's rows hash to depends on the OIDs that its labels happen to get.
        ("UPDATE events SET id = id + 1 WHERE id = 1", "rows differ or content differs"),
        ("SELECT lo_put(20001, 2, 'P')", "large objects differ"),
        ("SELECT lo_unlink(20002)", "large objects missing"),
        ("SELECT lo_create(20004)", "large objects added"),
        ("SELECT lo_unlink(20001), lo_from_bytea(20004, 'a photo')", "large objects added"),
        ("SELECT lo_put(20003, 10, '\\x00')", ""),  # a hole that was filled with what it reads as
    ],
)
def test_whatever_differs_after_a_restore_is_found(
    night: tuple[FolderStore, Manifest], empty: str, tmp_path: Path, damage: str, finding: str
) -> None:
    restored(night, empty, tmp_path)
    execute(empty, damage)
    target = connection.parse(empty, origin="test")
    with connect(target, application_name="test") as session:
        found = compared(session, target, night).findings
    codes = {each.code for each in found}
    assert codes & set(finding.split(" or ")) if finding else found == ()


def compared(
    session: Any, target: connection.ConnectionTarget, night: tuple[FolderStore, Manifest]
) -> Comparison:
    store, manifest = night
    dump_folder = store.root / manifest.prefix / DUMP_FOLDER_NAME
    return compare(session, target, manifest, dump_folder=dump_folder, jobs=2, on_progress=ignore)


def test_rows_may_move_between_hash_partitions_of_an_enum(
    night: tuple[FolderStore, Manifest], empty: str, tmp_path: Path
) -> None:
    restored(night, empty, tmp_path)
    # As where the enum hashes to the other leaf: swap the leaves' rows under their constraint.
    execute(
        empty,
        "ALTER TABLE events DETACH PARTITION events_0; ALTER TABLE events DETACH PARTITION events_1;"
        "ALTER TABLE events_0 RENAME TO was_0; ALTER TABLE events_1 RENAME TO events_0;"
        "ALTER TABLE was_0 RENAME TO events_1;"
        "ALTER TABLE events ATTACH PARTITION events_0 FOR VALUES WITH (MODULUS 2, REMAINDER 1);"
        "ALTER TABLE events ATTACH PARTITION events_1 FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
    )
    target = connection.parse(empty, origin="test")
    with connect(target, application_name="test") as session:
        assert compared(session, target, night).findings == ()


def test_the_source_is_refused_even_when_it_is_empty(
    night: tuple[FolderStore, Manifest], empty: str, tmp_path: Path
) -> None:
    target = connection.parse(empty, origin="test")
    with pytest.raises(TargetRefused, match="is the source itself"):
        restored(night, empty, tmp_path, source=target)


def test_another_database_of_the_sources_server_is_allowed(
    night: tuple[FolderStore, Manifest], url: str, empty: str, tmp_path: Path
) -> None:
    assert restored(night, empty, tmp_path, source=connection.parse(url, origin="test")).verdict == "PASS"


@pytest.mark.parametrize(
    "content",
    [
        "CREATE TABLE precious (id int)",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT lo_create(0)",
    ],
)
def test_a_database_that_is_not_empty_is_refused_and_left_as_it_was(
    night: tuple[FolderStore, Manifest], empty: str, tmp_path: Path, content: str
) -> None:
    execute(empty, content)
    with pytest.raises(TargetRefused, match="not empty"):
        restored(night, empty, tmp_path)
    with psycopg.connect(empty) as session:
        assert session.execute("SELECT to_regclass('users')").fetchone() == (None,)


def test_a_damaged_artifact_is_refused_before_anything_is_restored(
    night: tuple[FolderStore, Manifest], empty: str, tmp_path: Path
) -> None:
    store, manifest = night
    path = store.root / manifest.prefix / manifest.tables[0].file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    table = manifest.tables[0]
    with pytest.raises(ArtifactDamaged, match=rf"file changed {re.escape(f'{table.file} ({table.name})')}"):
        restored(night, empty, tmp_path)
    with psycopg.connect(empty) as session:
        assert session.execute("SELECT count(*) FROM pg_class WHERE relname = 'users'").fetchone() == (0,)


def test_a_manifest_that_claims_other_rows_than_its_files_have_is_a_fail_of_the_artifact(
    night: tuple[FolderStore, Manifest], empty: str, tmp_path: Path
) -> None:
    store, manifest = night
    first, *others = manifest.tables
    lying = replace(manifest, tables=(replace(first, rows=first.rows + 1), *others))

    result = restored((store, lying), empty, tmp_path)

    assert result.verdict == "FAIL"
    assert {(each.code, each.subject) for each in result.findings} >= {("table changed", str(first.name))}
    keys = verification_keys(store, "hackorda")
    seen, _ = read_verifications(store, "hackorda", keys, {manifest.artifact_id})
    assert [each.sound for each in seen] == [False]


def test_a_file_that_was_bad_before_it_was_hashed_is_named_when_the_restore_fails(
    night: tuple[FolderStore, Manifest], empty: str, tmp_path: Path
) -> None:
    store, manifest = night
    table = max(manifest.tables, key=lambda each: each.rows)
    rows = b"too\tmany\tcolumns\tfor\tany\ttable\n\\.\n\n\n"
    bad = replace_file(store, manifest, table.file, compressed(rows, table.file))

    with pytest.raises(ArtifactDamaged, match=re.escape(f"table changed {table.name}")) as refused:
        restored((store, bad), empty, tmp_path)

    assert "drop it" in refused.value.meaning


@pytest.mark.parametrize(
    "altered",
    [lambda data: data[: len(data) // 2], lambda data: data * 2, lambda _: b"<html>Sign in</html>"],
    ids=["cut off", "twice", "no archive"],
)
def test_a_file_of_another_form_than_pg_dumps_is_refused_although_its_hash_fits(
    night: tuple[FolderStore, Manifest], empty: str, tmp_path: Path, altered: Callable[[bytes], bytes]
) -> None:
    # pg_restore takes the first two without a word.
    store, manifest = night
    table = max(manifest.tables, key=lambda each: each.rows)
    data = (store.root / manifest.prefix / table.file).read_bytes()
    other = replace_file(store, manifest, table.file, altered(data))

    with pytest.raises(ArtifactDamaged, match=re.escape(str(table.name)) + "|" + re.escape(table.file)):
        restored((store, other), empty, tmp_path)

    with psycopg.connect(empty) as session:
        assert session.execute("SELECT to_regclass('users')").fetchone() == (None,)


@pytest.mark.parametrize(
    "altered",
    [
        lambda path, manifest: path.write_bytes(path.read_bytes() + b"x"),
        lambda path, manifest: path.unlink(),
    ],
    ids=["other bytes", "missing"],
)
def test_a_file_with_another_hash_than_the_manifests_is_read_and_named(
    night: tuple[FolderStore, Manifest], tmp_path: Path, altered: Callable[[Path, Manifest], object]
) -> None:
    store, manifest = night
    folder, table = store.root / manifest.prefix, manifest.tables[0]
    altered(folder / table.file, manifest)
    hashed = all_hashed(folder, manifest)
    found = judge(folder, manifest, hashed=hashed, jobs=1, on_progress=ignore)
    assert f"{table.file} ({table.name})" in {each.subject for each in found}


def test_rows_are_only_read_where_a_hash_or_the_number_of_large_objects_is_another(
    night: tuple[FolderStore, Manifest], tmp_path: Path
) -> None:
    store, manifest = night
    folder = store.root / manifest.prefix
    hashed, told = all_hashed(folder, manifest), list[Progress]()
    assert judge(folder, manifest, hashed=hashed, jobs=1, on_progress=told.append) == ()
    assert told == []

    fewer = replace(manifest.large_objects, objects=2)
    found = judge(
        folder, replace(manifest, large_objects=fewer), hashed=hashed, jobs=1, on_progress=told.append
    )
    assert [each.code for each in found] == ["large objects changed"]
    assert told


def test_an_extension_that_the_server_lacks_is_told_before_the_restore(
    night: tuple[FolderStore, Manifest], empty: str, tmp_path: Path
) -> None:
    store, manifest = night
    wanting = replace(
        manifest,
        inventory=replace(manifest.inventory, extensions=(Extension("postgis_x", "3.5", "public"),)),
    )
    with pytest.raises(TargetRefused, match="postgis_x"):
        restored((store, wanting), empty, tmp_path)


def test_an_older_server_is_refused(
    night: tuple[FolderStore, Manifest],
    debian_postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
    tmp_path: Path,
) -> None:
    with pytest.raises(TargetRefused, match="runs Postgres 15; the artifact is from Postgres 17"):
        restored(night, database_on(debian_postgres_server), tmp_path)


def test_another_encoding_is_refused(
    night: tuple[FolderStore, Manifest], postgres_server: PostgresServer, tmp_path: Path
) -> None:
    execute(
        postgres_server.url(),
        "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
        " LOCALE_PROVIDER libc",
    )
    try:
        with pytest.raises(TargetRefused, match="encoding LATIN1"):
            restored(night, postgres_server.url("latin"), tmp_path)
    finally:
        execute(postgres_server.url(), "DROP DATABASE latin")


ORPHANS = """
CREATE TABLE parents (id int PRIMARY KEY); INSERT INTO parents SELECT generate_series(1, 20);
CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES parents, note text);
INSERT INTO posts SELECT g, g, 'secret row' FROM generate_series(1, 20) g;
SET session_replication_role = replica; INSERT INTO posts VALUES (99, 4242, 'secret row');
RESET session_replication_role;
CREATE TABLE twins (n int); INSERT INTO twins VALUES (4243), (4243);
CREATE INDEX kept ON twins (n); CREATE FUNCTION helper(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION lookup(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN helper($1); END';
CREATE TABLE checked (n int CHECK (lookup(n) > 0)); INSERT INTO checked VALUES (4244);
"""


def test_a_restore_that_keeps_going_brings_back_all_but_what_the_source_broke(
    postgres_server: PostgresServer, database_on: Callable[[PostgresServer], str], empty: str, tmp_path: Path
) -> None:
    source = database_on(postgres_server)
    execute(source, ORPHANS)
    database = Policy.model_validate({"store": str(tmp_path / "store")})
    taken = take_night(Protected("hackorda", database, {**ENVIRON, "DATABASE_URL": source}))
    night = (FolderStore(tmp_path / "store"), taken.manifest)

    with pytest.raises(RestoreRefused, match="--keep-going"):
        restored(night, empty, tmp_path)

    other = database_on(postgres_server)
    result = restored(night, other, tmp_path, keep_going=True)
    assert result.verdict == "FAIL"
    refused = {each.subject: each for each in result.findings if each.code == "restore failed"}
    assert set(refused) == {"FK CONSTRAINT public.posts posts_author_fkey", "TABLE DATA public.checked"}
    orphan = refused["FK CONSTRAINT public.posts posts_author_fkey"]
    assert "FOREIGN KEY (author) REFERENCES public.parents(id)" in orphan.expected
    assert orphan.observed == "foreign key violation (SQLSTATE 23503)"
    assert "no other artifact is better" in orphan.next_step
    assert "undefined function" in refused["TABLE DATA public.checked"].observed
    said = " ".join(map(str, result.findings))
    assert "secret row" not in said
    assert "4242" not in said
    assert "Do not rely on this artifact" not in said
    with psycopg.connect(other) as session:
        assert session.execute("SELECT count(*) FROM posts").fetchone() == (21,)
        assert session.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone() == (True,)
