"""Some tables of an artifact alone: what belongs to them comes back, and the rest is listed."""

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hackorda_ops.artifacts.operations_log import read_log
from hackorda_ops.config.models import Policy
from hackorda_ops.engines.postgres.recovery.some_tables import SomeEntries, part_of, some_entries
from hackorda_ops.environment import Protected
from hackorda_ops.errors import RestoreRefused, UsageError
from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.archives.toc import read_toc
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.sessions import connection
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import BroughtBack, bring_back
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.builders import restoring

SCHEMA = """
CREATE SCHEMA shop;
CREATE TYPE mood AS ENUM ('calm', 'stormy');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE users (id serial PRIMARY KEY, name text, feels mood DEFAULT 'calm');
INSERT INTO users (name) SELECT 'user ' || n FROM generate_series(1, 30) n;
CREATE TRIGGER touched BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE INDEX ON users (name); COMMENT ON COLUMN users.name IS 'as they like';
CREATE TABLE shop.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int REFERENCES users);
ALTER TABLE shop.orders ADD CHECK (id > 0);
INSERT INTO shop.orders (user_id) SELECT n FROM generate_series(1, 20) n;
CREATE TRIGGER touched BEFORE INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TABLE events (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE INDEX ON events (id);
INSERT INTO events SELECT n, '2026-01-31'::date + n % 2 FROM generate_series(1, 10) n;
CREATE TABLE parent (id int); INSERT INTO parent VALUES (1); CREATE TABLE kid (extra text) INHERITS (parent);
INSERT INTO kid VALUES (2, 'x');
CREATE SEQUENCE tickets START 7; CREATE TABLE uses (id int DEFAULT nextval('tickets')); INSERT INTO uses DEFAULT VALUES;
CREATE VIEW everybody AS SELECT * FROM users;
CREATE TABLE moods (id int, feels mood) PARTITION BY HASH (feels);
CREATE TABLE moods_0 PARTITION OF moods FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE moods_1 PARTITION OF moods FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO moods SELECT n, CASE WHEN n % 3 = 0 THEN 'calm'::mood ELSE 'stormy' END FROM generate_series(1, 9) n;
SELECT lo_from_bytea(20001, 'a photo');
"""


@pytest.fixture(scope="module")
def taken(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> tuple[FolderStore, PostgresManifest]:
    url = create_database(postgres_server, "some tables")
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(SCHEMA)
    store = tmp_path_factory.mktemp("night") / "store"
    policy = Policy.model_validate({"store": str(store)})
    manifest = take_night(Protected("shop", policy, {"PATH": "/usr/bin:/bin", "DATABASE_URL": url})).manifest
    assert isinstance(manifest, PostgresManifest)
    return FolderStore(store), manifest


@pytest.fixture
def empty(postgres_server: PostgresServer, database_on: Callable[[PostgresServer], str]) -> str:
    return database_on(postgres_server)


def restored(
    taken: tuple[FolderStore, PostgresManifest], target: str, tmp_path: Path, *tables: str, **options: Any
) -> BroughtBack:
    store, manifest = taken
    return bring_back(
        restoring(tmp_path / "work", {"PATH": "/usr/bin:/bin"}, jobs=2),
        store,
        manifest,
        connection.parse(target, origin="test"),
        source=None,
        on_progress=ignore,
        tables=tables,
        **options,
    )


def chosen(taken: tuple[FolderStore, PostgresManifest], *names: str) -> SomeEntries:
    store, manifest = taken
    toc = read_toc(store.root / manifest.prefix / "dump")
    assert toc is not None
    return some_entries(toc, {table.name for table in part_of(manifest, names).tables})


def named(taken: tuple[FolderStore, PostgresManifest], dump_ids: Collection[int]) -> set[str]:
    store, manifest = taken
    return {
        str(each)
        for each in read_toc(store.root / manifest.prefix / "dump") or ()
        if each.dump_id in dump_ids
    }


def test_a_table_comes_back_with_its_type_sequence_index_trigger_and_comment_and_is_compared(
    taken: tuple[FolderStore, PostgresManifest], empty: str, tmp_path: Path
) -> None:
    result = restored(taken, empty, tmp_path, "users")
    assert (result.verdict, result.findings) == ("PASS", ())
    assert (result.rows, result.tables) == (30, 1)
    with psycopg.connect(empty) as session:
        tables = session.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                                 " AND relkind IN ('r', 'v', 'p')").fetchall()  # fmt: skip
        assert tables == [("users",)]
        assert session.execute("INSERT INTO users (name) VALUES ('next') RETURNING id, feels").fetchone() == (
            31,
            "calm",
        )
        assert session.execute("SELECT col_description('users'::regclass, 2)").fetchone() == ("as they like",)
        assert session.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone() == (0,)
    assert any("no views, no large objects" in each for each in result.warnings)
    event = read_log(taken[0], "shop")[-1]
    assert event.detail.endswith("30 rows in 1 table compared. Only a part was restored: users.")


def test_only_the_files_of_these_tables_are_fetched(taken: tuple[FolderStore, PostgresManifest]) -> None:
    part = part_of(taken[1], ["users"])
    assert len(part.files) == 2
    assert {entry.path for entry in part.files} == {"dump/toc.dat", part.tables[0].file}


def test_a_foreign_key_to_a_table_that_is_not_restored_is_left_out_and_named(
    taken: tuple[FolderStore, PostgresManifest], empty: str, tmp_path: Path
) -> None:
    result = restored(taken, empty, tmp_path, "shop.orders")
    assert result.verdict == "PASS"
    [left_out] = [each for each in result.warnings if each.startswith("Left out")]
    assert "FK CONSTRAINT shop.orders orders_user_id_fkey" in left_out
    with psycopg.connect(empty) as session:
        assert session.execute("INSERT INTO shop.orders (user_id) VALUES (99) RETURNING id").fetchone() == (
            21,
        )
    both = chosen(taken, "users", "shop.orders")
    assert both.left_out == ()
    assert "FK CONSTRAINT shop.orders orders_user_id_fkey" in named(taken, both.dump_ids)


def test_what_only_refers_to_a_table_is_not_said_to_be_left_out_of_it(
    taken: tuple[FolderStore, PostgresManifest],
) -> None:
    assert chosen(taken, "users").left_out == ()
    assert "TRIGGER shop.orders touched" not in named(taken, chosen(taken, "users").dump_ids)


def test_a_partitioned_table_brings_all_its_partitions_and_one_of_them_only_itself(
    taken: tuple[FolderStore, PostgresManifest], empty: str, tmp_path: Path
) -> None:
    assert restored(taken, empty, tmp_path, "events").rows == 10
    with psycopg.connect(empty) as session:
        assert session.execute("SELECT count(*) FROM events").fetchone() == (10,)
    one = chosen(taken, "events_1")
    assert (one.bare, one.left_out) == ((), ())
    assert "TABLE DATA public.events_2" not in named(taken, one.dump_ids)


def test_a_leaf_that_is_loaded_through_its_root_comes_back_or_is_refused(
    taken: tuple[FolderStore, PostgresManifest], empty: str, tmp_path: Path
) -> None:
    # Which leaf an enum hashes to depends on the database, so pg_dump loads these through the root.
    leaf = max(
        (each for each in taken[1].tables if each.name.name.startswith("moods_")), key=lambda each: each.rows
    )
    try:
        result = restored(taken, empty, tmp_path, leaf.name.name)
    except RestoreRefused as error:
        assert "moods" in error.what
    else:
        assert result.verdict == "PASS"
    assert restored_all(taken, tmp_path) == {"public.moods_0", "public.moods_1"}


def restored_all(taken: tuple[FolderStore, PostgresManifest], tmp_path: Path) -> set[str]:
    """The leaves that come with their root."""
    return {str(table.name) for table in part_of(taken[1], ["moods"]).tables}


def test_a_table_that_a_chosen_one_is_made_from_comes_along_without_rows(
    taken: tuple[FolderStore, PostgresManifest], empty: str, tmp_path: Path
) -> None:
    result = restored(taken, empty, tmp_path, "kid")
    assert result.verdict == "PASS"
    assert any("without rows" in each and "TABLE public.parent" in each for each in result.warnings)
    with psycopg.connect(empty) as session:
        assert session.execute("SELECT count(*) FROM ONLY parent").fetchone() == (0,)


def test_a_sequence_that_a_default_uses_comes_back_where_it_stood(
    taken: tuple[FolderStore, PostgresManifest], empty: str, tmp_path: Path
) -> None:
    assert restored(taken, empty, tmp_path, "uses").verdict == "PASS"
    assert chosen(taken, "uses").sequences == {TableName("public", "tickets")}
    with psycopg.connect(empty) as session:
        assert session.execute("INSERT INTO uses DEFAULT VALUES RETURNING id").fetchone() == (8,)


def test_an_unknown_table_is_refused_before_anything_is_fetched(
    taken: tuple[FolderStore, PostgresManifest], empty: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="has no rows of nonesuch, orders"):
        restored(taken, empty, tmp_path, "users", "nonesuch", "orders")


def test_a_file_of_a_chosen_table_that_is_not_what_the_manifest_says_is_found(
    taken: tuple[FolderStore, PostgresManifest], empty: str, tmp_path: Path
) -> None:
    store, manifest = taken
    wrong = tuple(
        replace(each, digest="0" * 32) if each.name.name == "uses" else each for each in manifest.tables
    )
    result = restored((store, replace(manifest, tables=wrong)), empty, tmp_path, "uses")
    assert result.verdict == "FAIL"
    assert {(each.code, each.subject) for each in result.findings} == {
        ("table changed", "public.uses"),
        ("content differs", "public.uses"),
    }
