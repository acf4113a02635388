"""Rows that psql reads: the same as those that processes of ours read, or an error that says why not."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from hackorda_ops.errors import (
    LoginRefused,
    PermanentError,
    RightsMissing,
    ToolFailed,
)
from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.archives.copied_by_psql import Digests, Statement, digest_copies
from hackorda_ops.postgres.archives.row_digest import RowDigest, digest_of, new_digest
from hackorda_ops.postgres.archives.table_digest import digest_tables
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.source_catalog import read_catalog
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.snapshot import exported
from hackorda_ops.progress import Progress, ignore
from hackorda_ops_tests.postgres.awkward import new_role, session, target_of
from hackorda_ops_tests.postgres.dumping import clients_of, execute

pytestmark = pytest.mark.server

AWKWARD = (
    "CREATE TABLE texts (id int, said text)",
    r"INSERT INTO texts SELECT n, said FROM generate_series(1, 3) n, unnest(ARRAY[NULL, '', ' ', E'\f', E'\\f',"
    r" E'a\nb', E'\r\n', E'\\.', E'\x01\x1f\x7f', 'žluťoučký 日本 🐎', repeat(E'\f\t\n', 9000)]) said",
    "CREATE TABLE nothing ()",
    "INSERT INTO nothing SELECT FROM generate_series(1, 7)",
    "CREATE TABLE empty_one (id int)",
    'CREATE TABLE "o\'clock; \\q ""x""" ("a;b" int, ":SQLSTATE" int)',
    'INSERT INTO "o\'clock; \\q ""x""" VALUES (1, 2)',
    "CREATE VIEW shown AS SELECT id FROM texts",
    "CREATE MATERIALIZED VIEW kept AS SELECT * FROM texts",
)


def psql_of(server: PostgresServer) -> Path:
    return clients_of(server).psql


def read_by_psql(
    target: ConnectionTarget, psql: Path, *statements: str, otherwise: list[str] | None = None
) -> list[RowDigest]:
    """What statements of one session write; what psql ends at goes to `otherwise`, and counts as empty."""

    def instead(statement: Statement) -> Digests:
        assert otherwise is not None
        otherwise.append(statement[1])
        return {statement[0]: new_digest()}

    found = digest_copies(
        target,
        [[(TableName("public", str(number)), each) for number, each in enumerate(statements)]],
        psql=psql,
        snapshot_identifier=None,
        otherwise=instead,
        on_bytes=lambda _: None,
    )
    return [found[TableName("public", str(number))] for number in range(len(statements))]


def test_psql_reads_what_our_own_processes_read(
    each_server: PostgresServer, database_on: Callable[[PostgresServer], str]
) -> None:
    url = database_on(each_server)
    execute(url, *AWKWARD)
    with session(url) as connection:
        tables = read_catalog(connection).tables
    told: list[Progress] = []
    read = digest_tables(target_of(url), tables, jobs=2, on_progress=told.append, psql=psql_of(each_server))
    assert read == digest_tables(target_of(url), tables, jobs=2, on_progress=ignore)
    assert {str(name): each.rows for name, each in read.items()}["public.texts"] == 33
    assert told[-1].done > 200_000


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "EUC_JP"])
def test_psql_reads_databases_of_any_encoding(
    postgres_server: PostgresServer, new_database: str, encoding: str
) -> None:
    name = f"by psql {encoding}"
    execute(
        new_database,
        f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
        " LOCALE_PROVIDER libc",
    )
    url = postgres_server.url(name)
    try:
        value = (
            "chr(233)" if encoding == "LATIN1" else "U&'\\3042'" if encoding == "EUC_JP" else "E'\\xe9\\xff'"
        )
        column = "sp" if encoding == "EUC_JP" else "é" if encoding == "LATIN1" else "e"
        execute(
            url,
            f'CREATE TABLE t ("{column}" text)',
            f"INSERT INTO t SELECT {value} FROM generate_series(1, 3)",
        )
        with session(url) as connection:
            tables = read_catalog(connection).tables
        read = digest_tables(
            target_of(url), tables, jobs=1, on_progress=ignore, psql=psql_of(postgres_server)
        )
        assert read == digest_tables(target_of(url), tables, jobs=1, on_progress=ignore)
        assert [each.rows for each in read.values()] == [3]
    finally:
        execute(new_database, f'DROP DATABASE "{name}" WITH (FORCE)')


def test_a_missing_table_or_column_is_left_out_also_in_a_snapshot(
    postgres_server: PostgresServer, new_database: str
) -> None:
    execute(new_database, "CREATE TABLE a (id int, name text)", "CREATE TABLE b AS SELECT 1 AS id")
    with session(new_database) as connection:
        a, b = read_catalog(connection).tables
    others = [replace(a, name=TableName("nowhere", "t")), replace(a, name=TableName("public", "t")), a]
    execute(new_database, "ALTER TABLE a DROP COLUMN name")
    with exported(target_of(new_database), application_name="test") as (_, snapshot):
        execute(new_database, "INSERT INTO b VALUES (2)")
        for seen, identifier in ((1, snapshot.identifier), (2, None)):
            found = digest_tables(
                target_of(new_database),
                [*others, b],
                jobs=1,
                on_progress=ignore,
                snapshot_identifier=identifier,
                psql=psql_of(postgres_server),
            )
            assert {str(name): digest.rows for name, digest in found.items()} == {"public.b": seen}


def test_a_snapshot_that_is_gone_is_an_error(postgres_server: PostgresServer, new_database: str) -> None:
    execute(new_database, "CREATE TABLE b AS SELECT 1 AS id")
    with session(new_database) as connection:
        tables = read_catalog(connection).tables
    with pytest.raises(PermanentError, match="does not exist"):
        digest_tables(
            target_of(new_database),
            tables,
            jobs=1,
            on_progress=ignore,
            snapshot_identifier="00000003-0000001B-1",
            psql=psql_of(postgres_server),
        )


@pytest.mark.parametrize(
    "failing",
    [
        "COPY (SELECT 1 / (90000 - n) FROM generate_series(1, 100000) n) TO STDOUT",
        "COPY (SELECT 1 / (2 - n) FROM generate_series(1, 100000) n) TO STDOUT",
        "COPY nowhere.t TO STDOUT",
    ],
    ids=["after many rows", "after the first row", "at once"],
)
def test_where_a_statement_fails_it_is_read_once_more_and_the_rest_by_psql(
    each_server: PostgresServer, database_on: Callable[[PostgresServer], str], failing: str
) -> None:
    one, again = "COPY (SELECT 1) TO STDOUT", list[str]()
    found = read_by_psql(
        target_of(database_on(each_server)), psql_of(each_server), one, failing, one, one, otherwise=again
    )
    assert again == [failing]
    assert [each.rows for each in found] == [1, 0, 1, 1]


def test_an_error_in_the_middle_of_a_table_is_what_the_server_said(
    each_server: PostgresServer, database_on: Callable[[PostgresServer], str]
) -> None:
    url = database_on(each_server)
    execute(
        url,
        "CREATE TABLE numbers AS SELECT generate_series(1, 100000) AS n",
        "CREATE VIEW ratios AS SELECT 1 / (90000 - n) AS ratio FROM numbers",
    )
    with session(url) as connection:
        tables = read_catalog(connection).tables
    ratios = replace(tables[0], name=TableName("public", "ratios"), columns=("ratio",), kind="view")
    with pytest.raises(PermanentError, match="SQLSTATE 22012"):
        digest_tables(
            target_of(url), [*tables, ratios], jobs=1, on_progress=ignore, psql=psql_of(each_server)
        )


def test_a_session_that_is_ended_meanwhile_is_begun_again(
    each_server: PostgresServer, database_on: Callable[[PostgresServer], str]
) -> None:
    url = database_on(each_server)
    execute(url, "CREATE TABLE long AS SELECT repeat('x', 900) AS said FROM generate_series(1, 200000)")
    with session(url) as connection:
        tables = read_catalog(connection).tables
    ended = threading.Event()

    def end() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not ended.is_set():
                done = connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    " AND datname = current_database() AND query LIKE 'COPY%' AND state = 'active'"
                )
                if done.rowcount:
                    return

    ending = threading.Thread(target=end)
    ending.start()
    try:
        read = digest_tables(target_of(url), tables, jobs=1, on_progress=ignore, psql=psql_of(each_server))
    finally:
        ended.set()
        ending.join()
    assert [each.rows for each in read.values()] == [200_000]


def test_rights_are_missed_in_words(postgres_server: PostgresServer, new_database: str) -> None:
    execute(new_database, "CREATE TABLE secret AS SELECT 'a secret' AS said")
    with session(new_database) as connection:
        tables = read_catalog(connection).tables
    with new_role(new_database, "reads nothing") as url, pytest.raises(RightsMissing) as refused:
        digest_tables(target_of(url), tables, jobs=1, on_progress=ignore, psql=psql_of(postgres_server))
    assert "a secret" not in str(refused.value)


def test_an_error_of_one_session_ends_the_others(postgres_server: PostgresServer, new_database: str) -> None:
    def refuse(statement: Statement) -> Digests:
        raise RightsMissing("no", meaning="no", next_step="no")

    began = time.monotonic()
    with pytest.raises(RightsMissing):
        digest_copies(
            target_of(new_database),
            [
                [(TableName("public", "endless"), "COPY (SELECT pg_sleep(60)) TO STDOUT")],
                [(TableName("public", "t"), "COPY nowhere.t TO STDOUT")],
            ],
            psql=psql_of(postgres_server),
            snapshot_identifier=None,
            otherwise=refuse,
            on_bytes=lambda _: None,
        )
    assert time.monotonic() - began < 50


def test_a_password_that_is_refused_is_told_so(postgres_server: PostgresServer, new_database: str) -> None:
    target = target_of(new_database)
    with pytest.raises(LoginRefused):
        read_by_psql(
            ConnectionTarget(target.parameters, "not the password"),
            psql_of(postgres_server),
            "COPY t TO STDOUT",
        )


def test_a_psql_that_ends_early_has_read_nothing(new_database: str, tmp_path: Path) -> None:
    program = tmp_path / "psql"
    program.write_text("#!/bin/sh\ncat > /dev/null\nprintf '1\\n2\\n'\n")
    program.chmod(0o755)
    again: list[str] = []
    read_by_psql(target_of(new_database), program, "COPY a TO STDOUT", "COPY b TO STDOUT", otherwise=again)
    assert again == ["COPY a TO STDOUT", "COPY b TO STDOUT"]


def test_rows_may_be_split_anywhere_by_the_pipe(postgres_server: PostgresServer, new_database: str) -> None:
    found = read_by_psql(
        target_of(new_database),
        psql_of(postgres_server),
        "COPY (SELECT repeat('x', n % 5000) FROM generate_series(1, 5000) n) TO STDOUT",
        "COPY (SELECT n FROM generate_series(1, 3) n) TO STDOUT",
    )
    wanted = [
        digest_of([b"".join(b"x" * (n % 5000) + b"\n" for n in range(1, 5001))]),
        digest_of([b"1\n2\n3\n"]),
    ]
    assert [(each.rows, each.hexdigest()) for each in found] == [
        (each.rows, each.hexdigest()) for each in wanted
    ]


def test_a_psql_that_writes_its_output_twice_is_no_fault_of_the_rows(
    postgres_server: PostgresServer, new_database: str, tmp_path: Path
) -> None:
    execute(new_database, "CREATE TABLE numbers AS SELECT generate_series(1, 10) AS n")
    twice = tmp_path / "psql"
    twice.write_text("#!/bin/sh\ncat > /dev/null\nprintf '1\\n\\f1\\n\\f'\n")
    twice.chmod(0o700)
    with pytest.raises(ToolFailed, match="more than the rows"):
        read_by_psql(target_of(new_database), twice, "COPY numbers TO STDOUT")
