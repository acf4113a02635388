"""The row digest of live tables, for comparing a restored copy with its archive.

The tables' text comes over the wire, COPY by COPY, and is digested here: the server computes nothing
that could come out differently than on the source. psql receives it where there is one (`copied_by_psql`); run as a
module, this file is the worker that does it elsewhere.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.postgres.archives.copied import copied_blocks
from hackorda_ops.postgres.archives.copied_by_psql import digest_copies
from hackorda_ops.postgres.archives.row_digest import BLOCK_BYTES, RowDigest, digest_of
from hackorda_ops.postgres.catalogs.inventory import Table, TableName
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, environment, redact
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.processes.worker import WorkerAnswer, serve
from hackorda_ops.processes.workers import run_workers, shares
from hackorda_ops.progress import OnProgress, Progress

_TELL_EVERY_BYTES: Final = 8 * 1024 * 1024
# What a COPY costs, and what starting a process costs: as many rows as could be read meanwhile, if they are wide.
_TABLE_ROWS: Final = 20
_SHARE_ROWS: Final = 2_000
# What COPY reads directly. Everything else keeps its rows elsewhere and must be queried.
_KINDS_WITH_ROWS: Final = ("table", "partition")


@dataclass(frozen=True)
class TableDigest:
    """What a live table holds.

    Attributes:
        rows: exact number of rows.
        digest: the row digest (`row_digest`) as 32 hex digits.
    """

    rows: int
    digest: str


def digest_tables(
    target: ConnectionTarget,
    tables: Sequence[Table],
    *,
    jobs: int,
    on_progress: OnProgress,
    snapshot_identifier: str | None = None,
    psql: Path | None = None,
) -> dict[TableName, TableDigest]:
    """Counts and digests the rows of tables, as COPY writes them.

    Args:
        target: the database that holds them.
        tables: as the inventory of the *source* has them: its column lists decide what is compared.
        jobs: connections that work in parallel.
        on_progress: called with the bytes of COPY text digested.
        snapshot_identifier: an exported snapshot that all of them see; None: each its own.
        psql: the program, which reads in a third of the time; None: processes of ours do it.

    Returns:
        By table name. A table that isn't there, or lacks one of the columns, is left out.

    Raises:
        OpsError: the login, the rights or the connection failed.
    """
    split = shares(list(tables), weight=_work, count=jobs, least=_SHARE_ROWS)

    def tell(done_bytes: int) -> None:
        on_progress(Progress("row digests", done_bytes, None, "bytes"))

    if psql is not None:
        found = digest_copies(
            target,
            [[(table.name, copy_statement(table)) for table in share] for share in split],
            psql=psql,
            snapshot_identifier=snapshot_identifier,
            otherwise=lambda copy: {
                TableName(schema, name): digest
                for schema, name, digest in _digests(
                    target, snapshot_identifier, [(copy[0].schema, copy[0].name, copy[1])], lambda _: None
                )
            },
            on_bytes=tell,
        )
        return {name: TableDigest(digest.rows, digest.hexdigest()) for name, digest in found.items()}
    results = run_workers(
        "hackorda_ops.postgres.archives.table_digest",
        [
            {
                "parameters": dict(target.parameters),
                "password": target.password,
                "snapshot": snapshot_identifier,
                "tables": [(table.name.schema, table.name.name, copy_statement(table)) for table in share],
            }
            for share in split
        ],
        environment=environment(target, base=os.environ),
        on_done=tell,
        redact=lambda text: redact(text, target),
    )
    return {TableName(schema, name): TableDigest(rows, digest) for schema, name, rows, digest in results}


def _work(table: Table) -> int:
    return _TABLE_ROWS + (_SHARE_ROWS if table.rows is None else table.rows)


def digest_table(connection: psycopg.Connection[Any], table: Table) -> TableDigest:
    """Counts and digests one table's rows on a session of the caller's, in whatever transaction that is in.

    The drill's self-test (`drill.comparisons.self_test`) uses this to see a change that no other session can see yet.

    Args:
        connection: with the comparable settings of `session.connect`.
        table: its column list decides what is compared.

    Raises:
        psycopg.Error: there is no such table or column, or the connection broke.
    """
    return digest_copy(connection, copy_statement(table))


def digest_copy(connection: psycopg.Connection[Any], statement: str) -> TableDigest:
    """Counts and digests what any COPY … TO STDOUT writes, as `digest_table` does a table's.

    Raises:
        psycopg.Error: the statement fails, or the connection broke.
    """
    digest = _digest(connection, statement, lambda _: None)
    return TableDigest(digest.rows, digest.hexdigest())


def copy_statement(table: Table) -> str:
    """The COPY that writes a table's rows as pg_dump writes them into its archive."""
    name = sql.Identifier(table.name.schema, table.name.name)
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    if table.configuration:
        query = sql.SQL("COPY (SELECT {} FROM {} {}) TO STDOUT")
        return query.format(columns, name, sql.SQL(table.configuration)).as_string(None)
    if table.kind not in _KINDS_WITH_ROWS:
        return sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(columns, name).as_string(None)
    if not table.columns:
        # COPY t () is not valid SQL; without a list it writes an empty line per row, as pg_dump does.
        return sql.SQL("COPY {} TO STDOUT").format(name).as_string(None)
    return sql.SQL("COPY {} ({}) TO STDOUT").format(name, columns).as_string(None)


def _digest_share(order: Any, answer: WorkerAnswer) -> None:
    target = ConnectionTarget(order["parameters"], order["password"])
    for schema, name, digest in _digests(target, order["snapshot"], order["tables"], answer.done):
        answer.result((schema, name, digest.rows, digest.hexdigest()))


def _digests(
    target: ConnectionTarget,
    snapshot: str | None,
    tables: Iterable[tuple[str, str, str]],
    on_bytes: Callable[[int], None],
) -> Iterator[tuple[str, str, RowDigest]]:
    """Reads tables, given with their schema and statement, in a session of ours; without those that aren't there."""
    with translated_errors(target, "comparing rows"), ExitStack() as stack:
        connection = stack.enter_context(connect(target, application_name="hackorda-ops row digests"))
        if snapshot is not None:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
        for schema, name, statement in tables:
            try:
                # Inside a snapshot's transaction this is a savepoint: a missing table must not end it.
                with connection.transaction():
                    digest = _digest(connection, statement, on_bytes)
            except (
                psycopg.errors.UndefinedTable,
                psycopg.errors.UndefinedColumn,
                psycopg.errors.InvalidSchemaName,
            ):
                continue
            yield schema, name, digest


def _digest(
    connection: psycopg.Connection[Any], statement: str, on_bytes: Callable[[int], None]
) -> RowDigest:
    with closing(copied_blocks(connection, statement, block_bytes=BLOCK_BYTES)) as blocks:
        return digest_of(_told(blocks, on_bytes))


def _told(blocks: Iterable[bytes], on_bytes: Callable[[int], None]) -> Iterator[bytes]:
    untold_bytes = 0
    for block in blocks:
        yield block
        untold_bytes += len(block)
        if untold_bytes >= _TELL_EVERY_BYTES:
            on_bytes(untold_bytes)
            untold_bytes = 0
    on_bytes(untold_bytes)


if __name__ == "__main__":
    serve(_digest_share)
