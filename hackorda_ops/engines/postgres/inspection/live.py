"""The live database beside an artifact: read like a night reads, in short sessions that give way to everybody."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import psycopg

from hackorda_ops.engines.contents import Definition, LiveContents, PartSeen
from hackorda_ops.engines.postgres.drill.comparisons.schema import schema_of_archive
from hackorda_ops.engines.postgres.inspection.definitions import shown
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ClientMissing
from hackorda_ops.evidence.comparison import evidenced_tables
from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.postgres.archives.source_digests import estimated_bytes
from hackorda_ops.postgres.archives.table_digest import digest_table
from hackorda_ops.postgres.catalogs.inventory import Inventory, Table
from hackorda_ops.postgres.catalogs.source_catalog import read_catalog
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.reading import Reading, reading
from hackorda_ops.postgres.sessions.session import connect, letting_go, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.postgres.tools.dump import dump
from hackorda_ops.progress import OnProgress, Progress

_SETTINGS: Final = {**SHORT_SETTINGS, "default_transaction_read_only": "on"}
_YIELD_AFTER_SECONDS: Final = 5.0
_SCHEMA_DEADLINE_SECONDS: Final = 600.0

_OUT_OF_TIME: Final = "there was no time left for it"
_REASONS: Final[Mapping[type[psycopg.Error], str]] = {
    psycopg.errors.QueryCanceled: _OUT_OF_TIME,
    psycopg.errors.LockNotAvailable: "another session has locked it",
    psycopg.errors.InsufficientPrivilege: "the role may not read all of it",
    psycopg.errors.UndefinedTable: "it was dropped meanwhile",
    psycopg.errors.InvalidSchemaName: "it was dropped meanwhile",
    psycopg.errors.UndefinedColumn: "it lacks columns that the artifact has",
}


def live_contents(
    protected: Protected,
    manifest: PostgresManifest,
    *,
    private_folder: Path,
    limit_seconds: float,
    on_progress: OnProgress,
) -> LiveContents:
    """Reads the source's tables and its schema as they are now.

    Each table is read in a transaction of its own, so that no lock and no snapshot is held for longer than that
    takes: the tables are not of one moment.

    Args:
        protected: the database.
        manifest: the artifact's: its columns decide what of each table is read.
        private_folder: for what must not be read by others.
        limit_seconds: how long tables may be read; the smallest come first.
        on_progress: called after each table.

    Raises:
        SourceBusy: another session waited behind the reading.
        OpsError: the source can't be reached or read.
    """
    target = protected.source(private_folder=private_folder)
    with reading(target, yield_after_seconds=_YIELD_AFTER_SECONDS) as current:
        with (
            connect(
                target,
                application_name=current.application_name("hackorda_ops diff, read-only"),
                settings=_SETTINGS,
            ) as connection,
            translated_errors(target, "Comparing the source with an artifact"),
        ):
            [(at,)] = connection.execute("SELECT pg_catalog.now()").fetchall()
            with letting_go(connection):
                inventory = read_catalog(connection)
            parts, unread = _read(
                connection, current, _tables(connection, manifest, inventory), limit_seconds, on_progress
            )
        definitions, notes = _definitions(protected, target, current, inventory, private_folder)
    return LiveContents(at, parts, unread, definitions, notes)


def _tables(
    connection: psycopg.Connection[Any], manifest: PostgresManifest, inventory: Inventory
) -> list[Table]:
    """What is read, the smallest first: in the artifact's columns, where it has the table."""
    sizes = estimated_bytes(connection)
    known = {table.name: table for table in evidenced_tables(manifest, inventory)}
    held = [known.get(table.name, table) for table in inventory.tables if table.has_data_in_dump]
    return sorted(held, key=lambda table: (sizes.get(table.oid, 0), table.name))


def _read(
    connection: psycopg.Connection[Any],
    current: Reading,
    tables: list[Table],
    limit_seconds: float,
    on_progress: OnProgress,
) -> tuple[dict[str, PartSeen], dict[str, str]]:
    parts: dict[str, PartSeen] = {}
    unread: dict[str, str] = {}
    ends = time.monotonic() + limit_seconds
    for done, table in enumerate(tables, start=1):
        current.raise_if_in_the_way()
        left_ms = round((ends - time.monotonic()) * 1000)
        if left_ms <= 0:
            unread |= {str(each.name): _OUT_OF_TIME for each in tables[done - 1 :]}
            break
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL statement_timeout = {left_ms}".encode())
                digest = digest_table(connection, table)
        except tuple(_REASONS) as error:
            unread[str(table.name)] = next(why for kind, why in _REASONS.items() if isinstance(error, kind))
        else:
            parts[str(table.name)] = PartSeen(digest.rows, digest.digest)
        on_progress(Progress("compare with the source", done, len(tables), "tables"))
    return parts, unread


def _definitions(
    protected: Protected,
    target: ConnectionTarget,
    current: Reading,
    inventory: Inventory,
    private_folder: Path,
) -> tuple[Mapping[str, Definition] | None, tuple[str, ...]]:
    try:
        tools = protected.client_tools(inventory.source.server_version_number // 10_000)
    except ClientMissing as error:
        return None, (f"The schema wasn't compared: {error.what}",)
    dumped = dump(
        target,
        clients=tools,
        snapshot=None,
        folder=private_folder / "schema",
        encoding=inventory.source.encoding,
        application_name=current.application_name("hackorda_ops diff of the schema"),
        on_progress=lambda _: None,
        poll=lambda: None,
        check=current.raise_if_in_the_way,
        deadline_seconds=_SCHEMA_DEADLINE_SECONDS,
        jobs=1,
        schema_only=True,
    )
    return shown(schema_of_archive(tools, dumped.folder, private_folder)), ()
