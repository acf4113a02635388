"""Tables that are hard to compare, restored from their night: sound as they are, and found when a row is altered."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg
import pytest
from psycopg import sql

from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.config.models import Policy
from hackorda_ops.engines.postgres.drill.comparisons.branch import BranchComparison, compare_branch
from hackorda_ops.environment import Protected
from hackorda_ops.evidence.comparison import evidenced_tables, object_findings, table_findings
from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME
from hackorda_ops.local.postgres import PostgresServer, create_database
from hackorda_ops.night.night import take_night
from hackorda_ops.postgres.archives.table_digest import digest_table
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.progress import ignore
from hackorda_ops.recovery.bring_back import BroughtBack, bring_back
from hackorda_ops.scratch.place import ComparableBranch
from hackorda_ops.stores.folder import FolderStore
from hackorda_ops_tests.builders import restoring
from hackorda_ops_tests.postgres.awkward import execute, session, target_of

MOST_COLUMNS = 1600
SCHEMA = f"""
CREATE TABLE parent (id int, note text);
CREATE TABLE heir (more int) INHERITS (parent);
CREATE TABLE grandchild () INHERITS (heir);
INSERT INTO parent VALUES (1, 'a'), (2, 'b');
INSERT INTO heir VALUES (3, 'c', 3), (4, 'd', 4);
INSERT INTO grandchild VALUES (5, 'e', 5);

CREATE UNLOGGED TABLE cache (k text);
INSERT INTO cache VALUES ('x'), ('y');

CREATE TABLE sales (year int, region text, n int) PARTITION BY RANGE (year);
CREATE TABLE sales_old PARTITION OF sales FOR VALUES FROM (2000) TO (2025) PARTITION BY LIST (region);
CREATE TABLE sales_old_kz PARTITION OF sales_old FOR VALUES IN ('kz') PARTITION BY HASH (n);
CREATE TABLE sales_old_kz_0 PARTITION OF sales_old_kz FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE sales_old_kz_1 PARTITION OF sales_old_kz FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE sales_old_rest PARTITION OF sales_old DEFAULT;
CREATE TABLE sales_new PARTITION OF sales DEFAULT;
INSERT INTO sales SELECT 2020 + n % 10, CASE n % 3 WHEN 0 THEN 'kz' ELSE 'uz' END, n FROM generate_series(1, 90) n;

CREATE TABLE nothing ();
INSERT INTO nothing SELECT FROM generate_series(1, 3);
CREATE TABLE widest ({", ".join(f"c{n} smallint" for n in range(MOST_COLUMNS))});
INSERT INTO widest SELECT {", ".join(str(n) for n in range(MOST_COLUMNS))} FROM generate_series(1, 2);

CREATE MATERIALIZED VIEW base AS SELECT count(*) AS n FROM parent;
CREATE MATERIALIZED VIEW above AS SELECT n FROM base;
CREATE MATERIALIZED VIEW filled AS SELECT 1 AS n;
CREATE MATERIALIZED VIEW never AS SELECT 1 AS n WITH NO DATA;
REFRESH MATERIALIZED VIEW base WITH NO DATA;
SELECT lo_from_bytea(20001, 'a photo');
"""


@dataclass(frozen=True)
class Restored:
    """A night of `SCHEMA`, and the database that it was brought back into."""

    source: str
    store: FolderStore
    manifest: Manifest
    copy: str
    result: BroughtBack


@pytest.fixture(scope="module")
def restored(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restored]:
    names = ("unusual tables", "unusual tables restored")
    source, copy = (create_database(postgres_server, name) for name in names)
    execute(source, SCHEMA)
    folder, environ = tmp_path_factory.mktemp("unusual"), {"PATH": "/usr/bin:/bin"}
    database = Policy.model_validate({"store": str(folder / "store")})
    manifest = take_night(Protected("hackorda", database, {**environ, "DATABASE_URL": source})).manifest
    store = FolderStore(folder / "store")
    result = bring_back(
        restoring(folder / "work", environ, jobs=2),
        store,
        manifest,
        target_of(copy),
        source=None,
        on_progress=ignore,
    )
    yield Restored(source, store, manifest, copy, result)
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        for name in names:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_every_one_of_them_comes_back(restored: Restored) -> None:
    assert (restored.result.verdict, restored.result.findings) == ("PASS", ())
    assert {str(table.name): table.rows for table in restored.manifest.tables} == {
        "public.parent": 2,
        "public.heir": 2,
        "public.grandchild": 1,
        "public.cache": 2,
        "public.sales_old_kz_0": 9,
        "public.sales_old_kz_1": 6,
        "public.sales_old_rest": 30,
        "public.sales_new": 45,
        "public.nothing": 3,
        "public.widest": 2,
    }


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("DELETE FROM parent WHERE id = 5", {"public.grandchild"}),
        ("UPDATE ONLY parent SET note = 'x' WHERE id = 1", {"public.parent"}),
        (
            "WITH moved AS (DELETE FROM heir WHERE id = 4 RETURNING id, note) INSERT INTO parent SELECT * FROM moved",
            {"public.heir", "public.parent"},
        ),
        ("ALTER TABLE grandchild NO INHERIT heir; UPDATE grandchild SET more = 6", {"public.grandchild"}),
        ("TRUNCATE cache", {"public.cache"}),
        ("UPDATE cache SET k = 'z' WHERE k = 'x'", {"public.cache"}),
        ("DELETE FROM sales WHERE n = 3", {"public.sales_old_kz_0", "public.sales_old_kz_1"}),
        ("UPDATE sales SET n = n + 100 WHERE n = 1", {"public.sales_old_rest"}),
        ("INSERT INTO nothing DEFAULT VALUES", {"public.nothing"}),
        ("DELETE FROM nothing WHERE ctid = (SELECT min(ctid) FROM nothing)", {"public.nothing"}),
        ("UPDATE widest SET c1599 = 0 WHERE ctid = (SELECT min(ctid) FROM widest)", {"public.widest"}),
        ("UPDATE widest SET c0 = c1, c1 = c0", {"public.widest"}),
    ],
)
def test_one_altered_row_names_its_table(restored: Restored, damage: str, expected: set[str]) -> None:
    with session(restored.copy) as connection, connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL search_path TO public")
        connection.execute(damage.encode())
        there = evidenced_tables(restored.manifest, source_catalog.read_catalog(connection))
        digests = {table.name: digest_table(connection, table) for table in there}
    found = {finding.subject for finding in table_findings(restored.manifest, digests)}
    # Which leaf of a hash partition a row lies in is Postgres's own affair.
    assert found
    assert found <= expected


def test_a_view_that_the_dump_leaves_empty_is_no_fault_and_is_told_on_its_night(restored: Restored) -> None:
    # Filled on the source, and empty after every restore: pg_dump fills no view that reads an empty one.
    with session(restored.source) as connection:
        before = {
            str(table.name): table.populated for table in source_catalog.read_catalog(connection).tables
        }
    populated = {str(table.name): table.populated for table in restored.manifest.inventory.tables}
    assert (before["public.above"], populated["public.above"]) == (True, False)
    assert [warning for warning in restored.manifest.warnings if "public.above" in warning]
    assert (populated["public.filled"], populated["public.never"], populated["public.base"]) == (
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("damage", "subject"),
    [
        ("REFRESH MATERIALIZED VIEW filled WITH NO DATA", "public.filled"),
        ("REFRESH MATERIALIZED VIEW never", "public.never"),
        ("DROP MATERIALIZED VIEW filled", "public.filled"),
        ("ALTER TABLE sales RENAME TO other", "public.sales"),
    ],
)
def test_views_and_parents_without_rows_of_their_own_are_compared_too(
    restored: Restored, damage: str, subject: str
) -> None:
    with session(restored.copy) as connection, connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL search_path TO public")
        connection.execute(damage.encode())
        there = source_catalog.read_catalog(connection)
    subjects = [each.subject for each in object_findings(restored.manifest.inventory, there)]
    assert subject in subjects
    assert all(subject in each for each in subjects)


def on_branch(restored: Restored, manifest: Manifest) -> BranchComparison:
    return compare_branch(
        ComparableBranch(target_of(restored.source), "0/1", ""),
        manifest,
        dump_folder=restored.store.root / manifest.prefix / DUMP_FOLDER_NAME,
        jobs=2,
        on_progress=ignore,
    )


@pytest.fixture
def exact(restored: Restored) -> Manifest:
    """The manifest with a snapshot that sees everything: others may write on this server meanwhile."""
    return replace(restored.manifest, snapshot="9000000000:9000000000:")


def test_a_branch_is_compared_without_unlogged_tables_and_says_so(
    restored: Restored, exact: Manifest
) -> None:
    with session(restored.source) as connection:
        connection.execute("TRUNCATE public.cache")  # what a clone makes of it
    compared = on_branch(restored, exact)
    assert (compared.reason, compared.findings) == ("", ())
    assert "public.cache" not in {str(name) for name in compared.digests}
    assert ["public.cache" in each.what for each in compared.not_compared] == [True]


def test_a_branch_with_other_large_objects_names_them(restored: Restored, exact: Manifest) -> None:
    execute(restored.source, "SELECT lo_put(20001, 0, 'A'), lo_create(20002)")
    found = on_branch(restored, exact).findings
    execute(restored.source, "SELECT lo_put(20001, 0, 'a'), lo_unlink(20002)")
    assert [(each.code, each.subject, each.severity) for each in found] == [
        ("branch: large objects added", "large object 20002", "fatal"),
        ("branch: large objects differ", "large object 20001", "fatal"),
    ]
    assert on_branch(restored, exact).findings == ()
