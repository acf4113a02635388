"""The comparison's own test: every alteration has to be noticed, and taken back."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.engines.postgres.drill.comparisons import self_test
from hackorda_ops.engines.postgres.drill.comparisons.self_test import SelfTest, alter_and_compare
from hackorda_ops.evidence.manifest import TableEvidence
from hackorda_ops.postgres.archives.table_digest import TableDigest, digest_table
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops_tests.builders import manifest
from hackorda_ops_tests.postgres.awkward import execute, session

pytestmark = pytest.mark.server


def altered(url: str, *, seed: int = 1) -> tuple[SelfTest, bool]:
    """The test on a database that is its own manifest's equal; and whether it is so afterwards."""
    with session(url) as connection:
        expected, files = manifest_of(connection), files_of(connection)
        digests = {each.name: TableDigest(each.rows, each.digest) for each in expected.tables}
        result = alter_and_compare(connection, expected, expected.inventory, digests, seed=seed)
        return result, (manifest_of(connection), files_of(connection)) == (expected, files)


def manifest_of(connection: Any) -> Manifest:
    # The catalogs' own files may have grown by what was rolled back.
    inventory = replace(source_catalog.read_catalog(connection), size_bytes=0)
    evidence = []
    for table in inventory.tables:
        if table.has_data_in_dump:
            digest = digest_table(connection, table)
            evidence.append(
                TableEvidence(table.name, f"dump/{table.oid}", table.columns, digest.rows, digest.digest)
            )
    return manifest(tables=tuple(evidence), inventory=inventory)


def files_of(connection: Any) -> list[tuple[str, int]]:
    """Which file each table, index and sequence lies in: DDL that was not taken back shows here."""
    return connection.execute(
        "SELECT relname, pg_relation_filenode(oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " ORDER BY relname"
    ).fetchall()


def test_a_database_is_altered_in_all_four_ways_and_unchanged_afterwards(new_database: str) -> None:
    execute(
        new_database,
        "CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mail text UNIQUE NOT NULL,"
        " shouted text GENERATED ALWAYS AS (upper(mail)) STORED)",
        "INSERT INTO users (mail) SELECT 'user' || n FROM generate_series(1, 20) n",
        "CREATE TABLE issues (id serial PRIMARY KEY, by int REFERENCES users, note text)",
        "INSERT INTO issues (by, note) SELECT n, 'x' FROM generate_series(1, 20) n",
    )
    for seed in range(5):
        result, unchanged = altered(new_database, seed=seed)
        assert result.noticed is True
        for part in ("deleted", "changed", "doubled", "shifted", f"(seed {seed})", "noticed every one"):
            assert part in result.summary
        assert "Not tried" not in result.summary
        assert unchanged


def test_the_same_seed_takes_the_same_choice_and_another_one_another(new_database: str) -> None:
    execute(
        new_database,
        *(f"CREATE TABLE t{number} (a int, b text)" for number in range(8)),
        *(f"INSERT INTO t{number} VALUES (1, 'x'), (2, 'y')" for number in range(8)),
        *(f"CREATE SEQUENCE s{number}" for number in range(8)),
    )
    first, again, other = (altered(new_database, seed=seed)[0].summary for seed in (7, 7, 8))
    assert first == again
    assert first.replace("seed 7", "") != other.replace("seed 8", "")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("note text", "x"),
        ("code varchar(3)", "abc"),
        ("id int PRIMARY KEY", "7"),
        ("small smallint", "7"),
        ("big bigint", "7"),
        ("done boolean", "true"),
        ("at timestamptz", "2026-01-01"),
        ("at timestamp", "2026-01-01"),
        ("day date", "2026-01-01"),
        ("amount numeric(10, 2)", "7"),
        ("ratio double precision", "7"),
        ("ratio real", "NaN"),
        ("at timestamptz", "infinity"),
        ("id uuid NOT NULL", "7d0f3f3e-6a5e-4c4e-9f57-0d8f0a6f2c11"),
        ("document jsonb", "{}"),
        ("range int4range", "[1,2)"),
    ],
)
def test_a_value_of_any_usual_type_can_be_changed(new_database: str, column: str, value: str) -> None:
    execute(new_database, f"CREATE TABLE t ({column}, spare text)", f"INSERT INTO t VALUES ('{value}', 'x')")
    result, unchanged = altered(new_database)
    assert result.noticed is True
    assert "one value of public.t." in result.summary
    assert unchanged


def test_constraints_rules_and_cascades_that_reach_a_trigger_are_passed_over(new_database: str) -> None:
    execute(
        new_database,
        "CREATE TABLE watched (n int)",
        "INSERT INTO watched VALUES (1)",
        "CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$",
        "CREATE TRIGGER forbid BEFORE UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION forbid()",
        "CREATE RULE quiet AS ON DELETE TO watched DO INSTEAD NOTHING",
        "CREATE TABLE parents (n int PRIMARY KEY)",
        "INSERT INTO parents VALUES (1)",
        "ALTER TABLE watched ADD FOREIGN KEY (n) REFERENCES parents ON DELETE CASCADE",
        "CREATE TABLE narrow (n int NOT NULL CHECK (n = 5))",
        "INSERT INTO narrow VALUES (5)",
        "CREATE TABLE free (n int)",
        "INSERT INTO free SELECT generate_series(1, 50)",
    )
    for seed in range(5):
        result, unchanged = altered(new_database, seed=seed)
        assert result.noticed is True
        assert "public.free.n changed" in result.summary
        assert "watched" not in result.summary
        assert "parents" not in result.summary
        assert unchanged


def test_triggers_of_the_team_do_not_run_and_are_on_again_afterwards(new_database: str) -> None:
    execute(
        new_database,
        "CREATE SEQUENCE runs",  # a rollback doesn't take nextval back
        "CREATE TABLE t (n int)",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE FUNCTION run() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM nextval('public.runs'); RETURN coalesce(new, old); END $$",
        "CREATE TRIGGER run BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION run()",
    )
    result, unchanged = altered(new_database)
    assert result.noticed is True
    assert "a row of public.t deleted" in result.summary
    assert unchanged
    with psycopg.connect(new_database) as connection:
        assert connection.execute("SELECT is_called FROM runs").fetchone() == (False,)
        assert connection.execute("SELECT tgenabled::text FROM pg_trigger").fetchone() == ("O",)


def test_a_large_table_is_altered_only_where_no_smaller_one_will_do(
    new_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_test, "_LARGEST_TABLE_BYTES", 100_000)
    execute(
        new_database,
        "CREATE TABLE large (n int, note text)",
        "INSERT INTO large SELECT n, repeat('x', 100) FROM generate_series(1, 5000) n",
        "CREATE TABLE small (n int)",
        "INSERT INTO small VALUES (1)",
    )
    for seed in range(5):
        assert "public.large" not in altered(new_database, seed=seed)[0].summary
    execute(new_database, "DELETE FROM small")
    result, _ = altered(new_database)
    assert result.noticed is True
    assert "public.large" in result.summary


def test_ddl_is_left_alone_where_the_databases_own_code_would_run_for_it(new_database: str) -> None:
    execute(
        new_database,
        "CREATE TABLE t (id serial PRIMARY KEY, note text)",
        "INSERT INTO t (note) VALUES ('x')",
        "CREATE FUNCTION tell() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'ran'; END $$",
        "CREATE EVENT TRIGGER tell ON ddl_command_end EXECUTE FUNCTION tell()",
    )
    result, unchanged = altered(new_database)
    assert result.noticed is True
    assert "a row of public.t read twice" in result.summary
    assert "Not tried: a shifted sequence, because the database's event triggers would run." in result.summary
    assert unchanged


def test_what_a_database_lacks_is_said_not_to_be_tried(new_database: str) -> None:
    execute(new_database, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)")
    assert "Not tried: a shifted sequence, because there is none." in altered(new_database)[0].summary


def test_a_sequence_of_two_values_is_altered_as_well(new_database: str) -> None:
    execute(
        new_database,
        "CREATE TABLE t (n int)",
        "INSERT INTO t VALUES (1)",
        "CREATE SEQUENCE pair MINVALUE 1 MAXVALUE 2",
        "SELECT nextval('pair')",
    )
    result, unchanged = altered(new_database)
    assert "the sequence public.pair shifted from 1 to 2" in result.summary
    assert result.noticed is True
    assert unchanged


def test_a_comparison_that_misses_an_alteration_is_told(
    new_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(
        new_database, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)", "CREATE SEQUENCE s START WITH 5"
    )
    monkeypatch.setattr(self_test, "sequence_findings", lambda expected, restored: ())
    result, _ = altered(new_database)
    assert result.noticed is False
    assert "did not notice: the sequence public.s shifted from 5 to " in result.summary


def test_what_differs_from_the_manifest_already_is_not_taken_for_noticing(
    new_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(new_database, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)")
    with session(new_database) as connection:
        damaged = manifest_of(connection)
        read = {each.name: TableDigest(each.rows, each.digest) for each in damaged.tables}
        # A comparison that reads the copy as it was before: blind.
        monkeypatch.setattr(self_test, "digest_table", lambda connection, table: read[table.name])
        [evidence] = damaged.tables
        other = manifest({"t": 9}, inventory=damaged.inventory)
        assert evidence.digest != other.tables[0].digest
        result = alter_and_compare(connection, other, damaged.inventory, read, seed=1)
    assert result.noticed is False


READ_ALTERED = "left out of what is read", "read as another one", "read twice"
# What leaves no table that may be altered, and yet is sound.
UNALTERABLE = {
    "an event trigger, and a trigger on every table": (
        "CREATE FUNCTION note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$",
        "CREATE EVENT TRIGGER note_ddl ON ddl_command_end EXECUTE FUNCTION note_ddl()",
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$",
        "CREATE TABLE orders (id serial PRIMARY KEY, total numeric, updated_at timestamptz DEFAULT now())",
        "INSERT INTO orders (total) SELECT g FROM generate_series(1, 50) g",
        "CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch()",
    ),
    "rules on every table": (
        "CREATE TABLE t (id int, note text)",
        "INSERT INTO t VALUES (1, 'x'), (2, NULL)",
        "CREATE SEQUENCE s",
        *(
            f"CREATE RULE {kind} AS ON {kind} TO t DO INSTEAD NOTHING"
            for kind in ("INSERT", "UPDATE", "DELETE")
        ),
    ),
    "rules on a table of booleans, a domain and an array": (
        "CREATE DOMAIN mail AS varchar(20) NOT NULL CHECK (VALUE LIKE '%@%')",
        "CREATE TABLE t (done bool, written mail, tags text[], none int)",
        "INSERT INTO t VALUES (true, 'a@b', '{a,b}'), (false, 'c@d', NULL)",
        *(
            f"CREATE RULE {kind} AS ON {kind} TO t DO INSTEAD NOTHING"
            for kind in ("INSERT", "UPDATE", "DELETE")
        ),
    ),
    "rules on partitions": (
        "CREATE TABLE t (id int, note text) PARTITION BY LIST (note)",
        "CREATE TABLE t_1 PARTITION OF t DEFAULT",
        "INSERT INTO t VALUES (1, 'x'), (2, NULL)",
        *(
            f"CREATE RULE {kind} AS ON {kind} TO t_1 DO INSTEAD NOTHING"
            for kind in ("INSERT", "UPDATE", "DELETE")
        ),
    ),
}


@pytest.mark.parametrize("statements", UNALTERABLE.values(), ids=UNALTERABLE)
def test_rows_that_nobody_may_alter_are_read_altered(new_database: str, statements: tuple[str, ...]) -> None:
    execute(new_database, *statements)
    for seed in range(8):
        result, unchanged = altered(new_database, seed=seed)
        assert result.noticed is True
        assert unchanged
        assert any(words in result.summary for words in READ_ALTERED)
        assert "The comparison noticed every one." in result.summary


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE t ()", "INSERT INTO t DEFAULT VALUES"),
        ("CREATE TABLE t (n int GENERATED ALWAYS AS (1) STORED)", "INSERT INTO t DEFAULT VALUES"),
        ("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY)", "INSERT INTO t DEFAULT VALUES"),
        ("CREATE TABLE t (n int CHECK (n IS NULL))", "INSERT INTO t VALUES (NULL)"),
        ("CREATE TABLE t (n int NOT NULL CHECK (n = 5))", "INSERT INTO t VALUES (5)"),
        (
            "CREATE TABLE t (during int4range NOT NULL, EXCLUDE USING gist (during WITH &&))",
            "INSERT INTO t VALUES ('[1,2)'), ('[3,4)')",
        ),
        (
            "CREATE TABLE t (id int PRIMARY KEY)",
            "CREATE TABLE child (id int NOT NULL REFERENCES t DEFERRABLE INITIALLY DEFERRED)",
            "INSERT INTO t VALUES (1)",
            "INSERT INTO child VALUES (1)",
        ),
        (
            "CREATE TABLE t (n int)",
            "INSERT INTO t VALUES (1)",
            "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE t FORCE ROW LEVEL SECURITY",
        ),
    ],
)
def test_a_table_that_allows_little_is_altered_or_read_altered(
    new_database: str, statements: tuple[str, ...]
) -> None:
    execute(new_database, *statements)
    for seed in range(3):
        result, unchanged = altered(new_database, seed=seed)
        assert result.noticed is True
        assert unchanged


@pytest.mark.parametrize(
    "statements",
    [
        (),
        ("CREATE TABLE empty (id int)",),
        ("CREATE VIEW v AS SELECT 1 AS n", "CREATE MATERIALIZED VIEW m AS SELECT 1 AS n"),
        ("CREATE SEQUENCE s",),
        ("SELECT lo_from_bytea(0, 'x')",),
        (
            "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$",
            "CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse()",
        ),
    ],
)
def test_where_there_is_no_row_one_stands_in(new_database: str, statements: tuple[str, ...]) -> None:
    execute(new_database, *statements)
    result, unchanged = altered(new_database)
    assert result.noticed is True
    assert "a changed value in a stand-in row, because the copy has none" in result.summary
    assert unchanged


def test_a_role_that_may_not_alter_the_copy_reads_it_altered(new_database: str) -> None:
    execute(new_database, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)", "CREATE SEQUENCE s")
    with session(new_database) as connection:
        expected = manifest_of(connection)
        digests = {each.name: TableDigest(each.rows, each.digest) for each in expected.tables}
        connection.execute("SET default_transaction_read_only = on")
        result = alter_and_compare(connection, expected, expected.inventory, digests, seed=1)
    assert result.noticed is True
    assert "Not tried: a shifted sequence, because no sequence allows it." in result.summary
    with psycopg.connect(new_database) as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == [(1,)]
