"""A database whose rows are hard to write down, and the way of a dump through the product's own functions."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from hackorda_ops.local.postgres import PostgresServer
from hackorda_ops.postgres.archives.contents import ArchivedFile, list_entries, table_files
from hackorda_ops.postgres.archives.reading_back import read_back
from hackorda_ops.postgres.catalogs.counting import count_rows
from hackorda_ops.postgres.catalogs.inventory import Inventory, Table
from hackorda_ops.postgres.catalogs.source_catalog import read_catalog
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.snapshot import exported
from hackorda_ops.postgres.tools.clients import Clients, find
from hackorda_ops.postgres.tools.dump import DumpResult, dump
from hackorda_ops.progress import ignore
from hackorda_ops_tests.postgres import awkward

HARD_ROWS = r"""
CREATE TABLE hard (
    id int PRIMARY KEY, note text, raw bytea, at timestamptz, day date, span interval, price money, ratio float8,
    tags text[], doc jsonb, mood "Odd Schema".mood, double_id int GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO hard (id, note, raw, at, day, span, price, ratio, tags, doc, mood) VALUES
    (1, E'line one\nline two\r\n\ttabbed', '\x00ff0a5c', '2026-01-31 23:59:59.123456+06', '0044-03-15 BC',
     '1 mon -2 days 03:04:05.678', 1234.5, 0.1 + 0.2, '{"a,b","c\"d",NULL}', '{"k": [1, "\\"]}', 'so so'),
    (2, E'\\.', '', 'infinity', '-infinity', NULL, -0.01, 'NaN', '{}', 'null', NULL),
    (3, '\N', NULL, NULL, NULL, '-00:00:00.5', NULL, '-0', NULL, NULL, 'sad'),
    (4, '', E'\\\\', 'epoch', '9999-12-31', '0', 0, '-infinity', '{{1},{2}}',
     '"\u041a\u0430\u0437\u0430\u043d\u044c"', 'happy'),
    (5, E'\\\\.\n\n\n', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- Rows of very different widths: a restored heap fills its gaps with the narrow ones.
CREATE TABLE widths AS
    SELECT n AS id, repeat(chr(97 + n % 26), (n * 7919) % 1900) AS filler FROM generate_series(1, 3000) n;
CREATE TABLE "empty Table" (id int);
CREATE TABLE only_generated (id int GENERATED ALWAYS AS (1) STORED);
INSERT INTO only_generated DEFAULT VALUES;
SELECT lo_from_bytea(0, 'a large object');
"""


@dataclass(frozen=True)
class Dumped:
    """A dump and what it was taken of."""

    result: DumpResult
    inventory: Inventory
    files: tuple[ArchivedFile, ...]
    by_oid: dict[int, ArchivedFile]

    @property
    def tables(self) -> list[Table]:
        """The tables whose rows the dump holds."""
        return [table for table in self.inventory.tables if table.has_data_in_dump]


def clients_of(server: PostgresServer) -> Clients:
    """The client tools that came with a server."""
    return find(
        int((server.data_folder / "PG_VERSION").read_text()), folders=[server.bin_dir], environ=os.environ
    )


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def hard_database(url: str) -> None:
    """Fills an empty database with everything that is hard to dump."""
    execute(url, awkward.SCHEMA, HARD_ROWS)


def take_dump(
    target: ConnectionTarget,
    clients: Clients,
    folder: Path,
    *,
    on_snapshot: Callable[[], None] = lambda: None,
    jobs: int = 2,
) -> Dumped:
    """Dumps in an exported snapshot, counts in it, and reads the dump back."""
    with exported(target, application_name="test") as (connection, snapshot):
        on_snapshot()
        inventory = read_catalog(connection)
        inventory = inventory.with_rows(count_rows(connection, inventory.tables, ignore))
        result = dump(
            target,
            clients=clients,
            snapshot=snapshot,
            folder=folder,
            on_progress=ignore,
            poll=lambda: None,
            deadline_seconds=60,
            jobs=jobs,
        )
    files = read_back(folder, jobs=2, on_progress=ignore)
    return Dumped(result, inventory, files, dict(table_files(list_entries(clients, folder), files)))
