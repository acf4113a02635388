"""Tests the comparison itself: a comparison that finds nothing proves something only if it could have.

Where a table allows it, the copy itself is altered, inside a transaction that is rolled back. Where none does,
what is read of it is altered, so that the test works on every database.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any, Final

import psycopg

from hackorda_ops.engines.postgres.drill.comparisons import alterations, altered_reading
from hackorda_ops.engines.postgres.drill.comparisons.alterations import Alterable
from hackorda_ops.evidence.comparison import evidenced_tables, sequence_findings, table_findings
from hackorda_ops.evidence.manifest import PostgresManifest, TableEvidence
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.archives.table_digest import TableDigest, digest_table
from hackorda_ops.postgres.catalogs import inventory, source_catalog
from hackorda_ops.postgres.catalogs.inventory import Inventory, Table, TableName

# Every row of an altered table is read again. A larger table is altered only where no smaller one will do.
_LARGEST_TABLE_BYTES: Final = 64 * 1024**2

# A larger table is read altered only where no smaller one is there.
_MANY_ROWS: Final = 100_000
# Named so in findings only: it is a row that no table holds.
_STAND_IN: Final = TableName("pg_temp", "stand_in")

_AlterTable = Callable[[psycopg.Connection[Any], Table, Random], str | None]


@dataclass(frozen=True)
class SelfTest:
    """What the self-test showed.

    Attributes:
        noticed: whether every alteration was noticed; None where nothing could be altered or read.
        summary: what was altered, what was noticed, what could not be tried, and the seed, in sentences.
    """

    noticed: bool | None
    summary: str


@dataclass(frozen=True)
class _Tried:
    """One alteration: what was done and whether it was noticed; or why it could not be done."""

    kind: str
    done: str | None
    noticed: bool = False
    reason: str = ""


def alter_and_compare(
    connection: psycopg.Connection[Any],
    manifest: PostgresManifest,
    copy: Inventory,
    digests: Mapping[TableName, TableDigest],
    *,
    seed: int,
) -> SelfTest:
    """Alters the restored copy in four ways, compares what was altered, and rolls each change back.

    A row is deleted, a value changed, a row doubled, a sequence shifted. The choice is random: the
    same seed picks the same tables, columns and sequences of the same copy. Rows that can't be altered are read
    altered; where there are none, a row of the test's own is.

    Args:
        connection: a session on the restored copy that may change it.
        manifest: what the copy was compared with.
        copy: what it holds.
        digests: of each of the manifest's tables that it holds, as read before. The altered ones are
            compared with these: what differs from the manifest would be "noticed" anyway.
        seed: of the choice.

    Raises:
        psycopg.Error: the connection broke.
    """
    chance = Random(seed)  # noqa: S311  # a repeatable choice, not a secret
    filled = [
        replace(table, rows=digests[table.name].rows)
        for table in evidenced_tables(manifest, copy)
        # A change to configuration may fall outside the condition that selects the rows of a dump.
        if table.name in digests and digests[table.name].rows > 0 and table.configuration is None
    ]
    ddl_allowed = not alterations.runs_code_on_ddl(connection)
    candidates = alterations.alterable(connection, filled, ddl_allowed=ddl_allowed)
    before = replace(
        manifest,
        tables=tuple(
            replace(each, rows=digests[each.name].rows, digest=digests[each.name].digest)
            for each in manifest.tables
            if each.name in digests
        ),
    )
    of_tables: tuple[tuple[str, _AlterTable], ...] = (
        ("a deleted row", alterations.delete_row),
        ("a changed value", alterations.change_value),
        ("a doubled row", partial(alterations.double_row, ddl_allowed=ddl_allowed)),
    )
    tried = [
        _try_tables(connection, before, candidates, kind, alter=alter, chance=chance)
        for kind, alter in of_tables
    ]
    tried = [
        each if each.done else _try_reading(connection, before, filled, each, chance=chance) for each in tried
    ]
    rows_tried = any(each.done for each in tried)
    tried.append(_try_sequences(connection, copy.sequences, chance, ddl_allowed=ddl_allowed))
    if not rows_tried:  # a sequence alone proves nothing about rows
        return SelfTest(None, f"nothing in the copy could be altered and rolled back ({_not_tried(tried)})")
    return SelfTest(all(each.noticed for each in tried if each.done), _summary(tried, seed))


def _in_order_of_trial(found: Sequence[Alterable], chance: Random) -> list[Alterable]:
    small = [each for each in found if each.size_bytes <= _LARGEST_TABLE_BYTES]
    large = [each for each in found if each.size_bytes > _LARGEST_TABLE_BYTES]
    return [*chance.sample(small, len(small)), *sorted(large, key=lambda each: each.size_bytes)]


def _try_tables(
    connection: psycopg.Connection[Any],
    before: PostgresManifest,
    candidates: Sequence[Alterable],
    kind: str,
    *,
    alter: _AlterTable,
    chance: Random,
) -> _Tried:
    def silenced(candidate: Alterable) -> str | None:
        if candidate.has_triggers:
            alterations.silence(connection, candidate.table)
        return alter(connection, candidate.table, chance)

    for candidate in _in_order_of_trial(candidates, chance):
        table = candidate.table
        with _taken_back(connection):
            done = _attempted(connection, partial(silenced, candidate))
            if done is None:
                continue
            altered = digest_table(connection, table)
        return _Tried(kind, done, noticed=_is_noticed(before, table, altered))
    return _Tried(kind, None, reason="no table with rows allows it")


def _try_sequences(
    connection: psycopg.Connection[Any],
    sequences: Sequence[inventory.Sequence],
    chance: Random,
    *,
    ddl_allowed: bool,
) -> _Tried:
    kind = "a shifted sequence"
    if not sequences:
        return _Tried(kind, None, reason="there is none")
    if not ddl_allowed:
        return _Tried(kind, None, reason="the database's event triggers would run")
    for sequence in chance.sample(sequences, len(sequences)):
        with _taken_back(connection):
            done = _attempted(connection, partial(alterations.shift_sequence, connection, sequence, chance))
            if done is None:
                continue
            there = source_catalog.read_catalog(connection).sequences
        found = tuple(sequence_findings((sequence,), there))
        return _Tried(kind, done, noticed=_names(found, str(sequence.name)))
    return _Tried(kind, None, reason="no sequence allows it")


def _try_reading(
    connection: psycopg.Connection[Any],
    before: PostgresManifest,
    filled: Sequence[Table],
    refused: _Tried,
    *,
    chance: Random,
) -> _Tried:
    """Alters what is read, where nothing in the copy could be: a sound copy has a right to its verdict."""
    kind = refused.kind
    if not filled:
        done, was, altered = altered_reading.read_stand_in(connection, kind)
        evidence = TableEvidence(_STAND_IN, "dump/none", ("n",), was.rows, was.digest)
        found = table_findings(replace(before, tables=(evidence,)), {_STAND_IN: altered})
        return _Tried(kind, done, noticed=_names(found, str(_STAND_IN)))
    few = [table for table in filled if (table.rows or 0) <= _MANY_ROWS]
    many = sorted((table for table in filled if table not in few), key=lambda table: table.rows or 0)
    for table in [*chance.sample(few, len(few)), *many]:
        try:
            with _taken_back(connection):
                read = altered_reading.read_altered(connection, table, kind, chance)
        except psycopg.Error:
            if connection.broken:
                raise
            continue
        if read is not None:
            done, altered = read
            return _Tried(kind, done, noticed=_is_noticed(before, table, altered))
    return refused


@contextmanager
def _taken_back(connection: psycopg.Connection[Any]) -> Iterator[None]:
    with connection.transaction(force_rollback=True):
        yield


def _attempted(connection: psycopg.Connection[Any], alter: Callable[[], str | None]) -> str | None:
    try:
        with connection.transaction():
            return alter()
    except psycopg.Error:
        # A constraint forbids it, or a right is missing: try the next one.
        if connection.broken:
            raise
        return None


def _is_noticed(before: PostgresManifest, table: Table, altered: TableDigest) -> bool:
    # The drill's own comparison, given nothing but this table.
    alone = replace(before, tables=tuple(each for each in before.tables if each.name == table.name))
    return _names(table_findings(alone, {table.name: altered}), str(table.name))


def _names(found: Iterable[Finding], subject: str) -> bool:
    return any(finding.subject == subject for finding in found)


def _summary(tried: Sequence[_Tried], seed: int) -> str:
    done = [each for each in tried if each.done]
    missed = [each.done for each in done if not each.noticed]
    sentences = [
        "The copy was altered on purpose, and each alteration rolled back: "
        + ", ".join(each.done for each in done if each.done)
        + f" (seed {seed}).",
        "The comparison noticed every one."
        if not missed
        else f"The comparison did not notice: {', '.join(filter(None, missed))}.",
    ]
    if reasons := _not_tried(tried):
        sentences.append(f"Not tried: {reasons}.")
    return " ".join(sentences)


def _not_tried(tried: Sequence[_Tried]) -> str:
    return "; ".join(f"{each.kind}, because {each.reason}" for each in tried if not each.done)
