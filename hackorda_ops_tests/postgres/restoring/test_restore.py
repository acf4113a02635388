"""Real restores: every row comes back, and what goes wrong names what it went wrong at."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from hackorda_ops.errors import ClientMissing, RightsMissing, TargetRefused, ToolFailed
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.archives.table_digest import TableDigest, digest_tables
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.source_catalog import read_catalog
from hackorda_ops.postgres.restoring.restore import failed_entries, restore
from hackorda_ops.postgres.restoring.target import create_like, require_empty
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, with_database
from hackorda_ops.postgres.sessions.snapshot import exported
from hackorda_ops.progress import Progress, ignore
from hackorda_ops_tests.postgres.awkward import new_role, session, target_of
from hackorda_ops_tests.postgres.dumping import Dumped, clients_of, execute, hard_database, take_dump


@pytest.fixture
def dropped_after(postgres_server: PostgresServer) -> Iterator[str]:
    """A name for a database that a test creates by itself on `postgres_server`."""
    name = "Restored 'copy'"
    yield name
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def at_roots(dumped: Dumped, digests: Mapping[TableName, TableDigest]) -> dict[TableName, TableDigest]:
    """Partitions summed up as their root: hash partitions on an enum get other rows in another database."""
    summed: dict[TableName, TableDigest] = {}
    for table in dumped.tables:
        root, part = table.partition_root or table.name, digests[table.name]
        before = summed.get(root, TableDigest(0, "0"))
        digest = (int(before.digest, 16) + int(part.digest, 16)) % 2**128
        summed[root] = TableDigest(before.rows + part.rows, f"{digest:032x}")
    return summed


def archived(dumped: Dumped) -> dict[TableName, TableDigest]:
    """What the archive holds; partitions as their root."""
    files = {table.name: dumped.by_oid[table.oid] for table in dumped.tables}
    return at_roots(
        dumped, {name: TableDigest(file.rows or 0, file.digest or "") for name, file in files.items()}
    )


def live(target: ConnectionTarget, dumped: Dumped) -> dict[TableName, TableDigest]:
    """What a database holds of the tables of a dump; partitions as their root."""
    return at_roots(dumped, digest_tables(target, dumped.tables, jobs=2, on_progress=ignore))


def stream_hash(url: str, table: str) -> str:
    """A hash that depends on the order of rows."""
    hashed = hashlib.sha256()
    with (
        psycopg.connect(url) as connection,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} TO STDOUT".encode()) as rows,
    ):
        for row in rows:
            hashed.update(row)
    return hashed.hexdigest()


def simple_dump(url: str, server: PostgresServer, folder: Path) -> Dumped:
    execute(
        url,
        "CREATE TABLE users (id int PRIMARY KEY, name text)",
        "INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 20000) n",
        "CREATE TABLE issues (id int PRIMARY KEY, user_id int REFERENCES users)",
        "INSERT INTO issues SELECT n, n FROM generate_series(1, 500) n",
    )
    return take_dump(target_of(url), clients_of(server), folder)


def restored(
    target: ConnectionTarget, server: PostgresServer, folder: Path, *, jobs: int = 2
) -> list[Progress]:
    told: list[Progress] = []
    restore(
        target,
        clients=clients_of(server),
        folder=folder,
        on_progress=told.append,
        deadline_seconds=60,
        jobs=jobs,
    )
    return told


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_row_comes_back_whatever_its_order(
    each_server: PostgresServer, database_on: Callable[[PostgresServer], str], tmp_path: Path, jobs: int
) -> None:
    source, copy = database_on(each_server), database_on(each_server)
    hard_database(source)
    dumped = take_dump(target_of(source), clients_of(each_server), tmp_path / "dump")
    with session(copy) as connection:
        require_empty(connection)
    told = restored(target_of(copy), each_server, tmp_path / "dump", jobs=jobs)
    assert live(target_of(copy), dumped) == archived(dumped)
    assert (told[-1].done, told[-1].unit) == (told[-1].total, "bytes")

    # Moves rows to other places of the heap: a hash over the stream sees another table, the digest the same one.
    before = stream_hash(copy, "widths")
    execute(copy, "UPDATE widths SET id = id WHERE id % 3 = 0")
    assert stream_hash(copy, "widths") != before
    assert live(target_of(copy), dumped) == archived(dumped)

    execute(copy, "UPDATE widths SET filler = filler || ' ' WHERE id = 1234")
    changed = live(target_of(copy), dumped)
    assert [str(name) for name, digest in archived(dumped).items() if changed[name] != digest] == [
        "public.widths"
    ]


def test_large_objects_sequences_and_generated_columns_come_back(
    new_database: str,
    postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
    tmp_path: Path,
) -> None:
    hard_database(new_database)
    take_dump(target_of(new_database), clients_of(postgres_server), tmp_path / "dump")
    copy = database_on(postgres_server)
    restored(target_of(copy), postgres_server, tmp_path / "dump")
    questions = (
        "SELECT array_agg(lo_get(oid) ORDER BY lo_get(oid)) FROM pg_largeobject_metadata",
        "SELECT last_value, is_called FROM set_back",
        "SELECT array_agg(double_id ORDER BY id) FROM hard",
    )
    for question in questions:
        with psycopg.connect(new_database) as source, psycopg.connect(copy) as target:
            assert (
                source.execute(question.encode()).fetchall() == target.execute(question.encode()).fetchall()
            )


def test_a_damaged_file_fails_the_restore_and_names_the_table(
    new_database: str,
    postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
    tmp_path: Path,
) -> None:
    dumped = simple_dump(new_database, postgres_server, tmp_path / "dump")
    [users] = [table for table in dumped.tables if table.name.name == "users"]
    file = tmp_path / "dump" / dumped.by_oid[users.oid].path
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    with pytest.raises(ToolFailed, match="users"):
        restored(target_of(database_on(postgres_server)), postgres_server, tmp_path / "dump")


def test_a_restore_that_fails_in_the_middle_names_the_object(
    new_database: str,
    postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
    tmp_path: Path,
) -> None:
    simple_dump(new_database, postgres_server, tmp_path / "dump")
    copy = database_on(postgres_server)
    execute(copy, "CREATE TABLE users (id int)")
    with pytest.raises(ToolFailed, match=r"at TABLE users .*already exists") as caught:
        restored(target_of(copy), postgres_server, tmp_path / "dump")
    assert "CREATE TABLE" not in str(caught.value)


def test_a_duplicate_row_fails_the_restore_without_being_quoted(
    new_database: str,
    postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
    tmp_path: Path,
) -> None:
    execute(
        new_database,
        "CREATE TABLE people (email text)",
        "INSERT INTO people VALUES ('ann@example.org'), ('ann@example.org')",
        # An index whose uniqueness was broken by hand, as a collation change of the system breaks it.
        "CREATE UNIQUE INDEX CONCURRENTLY people_email ON people (email) WHERE email <> 'ann@example.org'",
        "UPDATE pg_index SET indpred = NULL WHERE indexrelid = 'people_email'::regclass",
    )
    take_dump(target_of(new_database), clients_of(postgres_server), tmp_path / "dump")
    with pytest.raises(ToolFailed, match=r"at INDEX people_email .*could not create unique index") as caught:
        restored(target_of(database_on(postgres_server)), postgres_server, tmp_path / "dump")
    assert "ann@" not in str(caught.value)


def test_a_right_that_is_missing_on_the_target_names_what_could_not_be_made(
    new_database: str,
    postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
    tmp_path: Path,
) -> None:
    execute(new_database, "CREATE FOREIGN DATA WRAPPER nowhere")
    take_dump(target_of(new_database), clients_of(postgres_server), tmp_path / "dump")
    copy = database_on(postgres_server)
    with (
        new_role(copy, "no superuser") as url,
        pytest.raises(RightsMissing, match=r"FOREIGN DATA WRAPPER.*nowhere"),
    ):
        restored(target_of(url), postgres_server, tmp_path / "dump")


def test_a_client_newer_than_the_server_ends_in_one_clear_error(
    postgres_server: PostgresServer,
    debian_postgres_server: PostgresServer,
    database_on: Callable[[PostgresServer], str],
    tmp_path: Path,
) -> None:
    simple_dump(database_on(debian_postgres_server), debian_postgres_server, tmp_path / "dump")
    with pytest.raises(ClientMissing, match="transaction_timeout"):
        restored(target_of(database_on(debian_postgres_server)), postgres_server, tmp_path / "dump")


@pytest.mark.parametrize(
    ("made", "named"),
    [
        ("CREATE TABLE users (id int)", "table public.users"),
        ("CREATE VIEW v AS SELECT 1", "view public.v"),
        ("CREATE SEQUENCE s", "sequence public.s"),
        ("CREATE TYPE mood AS ENUM ('sad')", "type public.mood"),
        ("CREATE DOMAIN short AS text", "type public.short"),
        ("CREATE TYPE pair AS (a int, b int)", "composite type public.pair"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function public.f()"),
        ("CREATE SCHEMA drizzle", "schema drizzle"),
        ("SELECT lo_create(4711)", "large object 4711"),
    ],
)
def test_a_database_that_holds_anything_is_refused(new_database: str, made: str, named: str) -> None:
    execute(new_database, made)
    with session(new_database) as connection, pytest.raises(TargetRefused, match="is not empty") as caught:
        require_empty(connection)
    assert named in caught.value.what


def test_a_long_list_of_what_is_there_is_cut(new_database: str) -> None:
    execute(new_database, *(f"CREATE TABLE t{n:02} ()" for n in range(13)))
    with session(new_database) as connection, pytest.raises(TargetRefused, match=r"public\.t09 and 3 more"):
        require_empty(connection)


def test_a_fresh_database_is_empty_and_so_is_one_with_extensions(
    each_server: PostgresServer, database_on: Callable[[PostgresServer], str]
) -> None:
    url = database_on(each_server)
    with session(url) as connection:
        require_empty(connection)
    execute(url, "CREATE EXTENSION pg_trgm", "CREATE EXTENSION hstore")
    with session(url) as connection:
        require_empty(connection)


def test_a_target_is_created_like_the_source(
    new_database: str, postgres_server: PostgresServer, dropped_after: str
) -> None:
    admin = target_of(postgres_server.url())
    with session(new_database) as connection:
        source = read_catalog(connection).source
    create_like(
        admin,
        dropped_after,
        replace(source, collation="C", character_type="C.UTF-8", locale_provider="libc", locale=None),
    )
    with session(postgres_server.url(dropped_after)) as connection:
        require_empty(connection)
        made = read_catalog(connection).source
    assert (made.character_type, made.locale_provider, made.encoding) == ("C.UTF-8", "libc", "UTF8")
    with pytest.raises(TargetRefused, match="already"):
        create_like(admin, dropped_after, source)


def test_a_target_that_can_not_be_like_the_source_is_refused(
    new_database: str, postgres_server: PostgresServer, dropped_after: str
) -> None:
    with session(new_database) as connection:
        source = read_catalog(connection).source
    no_such = [
        replace(source, collation="xx_YY.UTF-8", locale_provider="libc", locale=None),
        replace(source, locale_provider="icu", locale="kk-KZ"),
        replace(source, encoding="EUC_JIS_2004", locale_provider="builtin", locale="C.UTF-8"),
    ]
    for wanted in no_such:
        with pytest.raises(TargetRefused, match="can't have a database like the source"):
            create_like(target_of(postgres_server.url()), dropped_after, wanted)


def test_a_role_that_may_not_create_databases_is_told_so(new_database: str, dropped_after: str) -> None:
    with session(new_database) as connection:
        source = read_catalog(connection).source
    with new_role(new_database, "no creator") as url, pytest.raises(RightsMissing):
        create_like(target_of(url), dropped_after, source)


def test_a_missing_table_or_column_is_left_out_of_the_digests(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    tables = simple_dump(new_database, postgres_server, tmp_path / "dump").tables
    execute(new_database, "ALTER TABLE users DROP COLUMN name")
    others = [
        replace(tables[0], name=TableName("nowhere", "t")),
        replace(tables[0], name=TableName("public", "t")),
    ]
    with exported(target_of(new_database), application_name="test") as (_, snapshot):
        found = digest_tables(
            target_of(new_database),
            [*others, *tables],
            jobs=1,
            on_progress=ignore,
            snapshot_identifier=snapshot.identifier,
        )
    assert {str(name): digest.rows for name, digest in found.items()} == {"public.issues": 500}


def test_digests_of_a_snapshot_do_not_see_what_came_later(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    dumped = simple_dump(new_database, postgres_server, tmp_path / "dump")
    with exported(target_of(new_database), application_name="test") as (_, snapshot):
        execute(new_database, "INSERT INTO issues VALUES (501, 501)")
        seen = digest_tables(
            target_of(new_database),
            dumped.tables,
            jobs=2,
            on_progress=ignore,
            snapshot_identifier=snapshot.identifier,
        )
    assert seen == archived(dumped)


def test_a_partitioned_table_and_a_materialized_view_can_be_digested_too(
    new_database: str, postgres_server: PostgresServer
) -> None:
    hard_database(new_database)
    with session(new_database) as connection:
        tables = [
            table for table in read_catalog(connection).tables if table.name.name in ("events", "fresh")
        ]
    found = digest_tables(target_of(new_database), tables, jobs=2, on_progress=ignore)
    assert {name.name: digest.rows for name, digest in found.items()} == {"events": 3, "fresh": 1}


def test_digests_need_the_right_to_read(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    tables = simple_dump(new_database, postgres_server, tmp_path / "dump").tables
    with (
        new_role(new_database, "reads nothing") as url,
        pytest.raises(RightsMissing, match="permission denied"),
    ):
        digest_tables(target_of(url), tables, jobs=2, on_progress=ignore)


def test_the_name_of_the_database_may_be_anything(
    new_database: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    # pg_restore gets a connection string beside its environment: the name must not be read as one.
    name = "host=elsewhere user=nobody"
    dumped = simple_dump(new_database, postgres_server, tmp_path / "dump")
    execute(postgres_server.url(), f'CREATE DATABASE "{name}" TEMPLATE template0')
    try:
        target = with_database(target_of(new_database), name)
        restored(target, postgres_server, tmp_path / "dump")
        assert live(target, dumped) == archived(dumped)
    finally:
        execute(postgres_server.url(), f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.parametrize(
    ("line", "entries"),
    [
        ("pg_restore: from TOC entry 12; 1259 16400 INDEX one_name postgres", {12}),
        ("pg_restore: pg_restore: from TOC entry 12; 1259 16400 INDEX one_name postgres", {12}),
        ("from TOC entry 13; 0 0 COMMENT INDEX one_name postgres", {13}),
        # As seen: "pg_restore:pg_restore: launching item 3215 …" was the line before.
        (" from TOC entry 3369; 0 0 COMMENT INDEX one_name keep_going_owner", {3369}),
        ("pg_restore:pg_restore: from TOC entry 12; 1259 16400 INDEX one_name postgres", {12}),
        ("pg_restore: error: from TOC entry 14; 0 0 FK CONSTRAINT", {14}),
        ("pg_restore: error: could not execute query: ERROR:  it says 'from TOC entry 15; 0 0'", set()),
    ],
)
def test_an_entry_that_failed_is_seen_although_two_workers_lines_run_into_each_other(
    line: str, entries: set[int]
) -> None:
    assert failed_entries(line) == entries
