"""The sequences of a database: the state of each, and which ones count down or start over."""

from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.errors import SourceBusy
from hackorda_ops.postgres.catalogs.inventory import Sequence, TableName
from hackorda_ops.postgres.catalogs.own_schemas import OWN_SCHEMA
from hackorda_ops.postgres.sessions.session import fetch_letting_go

_SEQUENCES: Final = rf"""
SELECT n.nspname, c.relname,
       -- Neither where it was dropped since the snapshot: reading it says so.
       coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_sequence_privilege(c.oid, 'SELECT'), true)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND {OWN_SCHEMA}
   AND (NOT EXISTS (SELECT FROM pg_depend d
                     WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        OR EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig) AND e.oid >= 16384))
"""

_FALLING_SEQUENCES: Final = rf"""
SELECT n.nspname, c.relname
  FROM pg_sequence s
  JOIN pg_class c ON c.oid = s.seqrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE (s.seqcycle OR s.seqincrement < 0) AND c.relpersistence <> 't' AND {OWN_SCHEMA}
"""

# One statement reads this many sequences: a round trip each is slow over a long distance.
_SEQUENCES_PER_STATEMENT: Final = 200


def read_sequences(
    connection: psycopg.Connection[Any],
) -> tuple[tuple[Sequence, ...], tuple[TableName, ...]]:
    """The sequences that the role can read, and the names of those that it can't.

    Raises:
        SourceBusy: one was dropped while it was being read.
        psycopg.Error: the caller translates.
    """
    listed = sorted(
        (TableName(schema, name), readable) for schema, name, readable in connection.execute(_SEQUENCES)
    )
    names = [name for name, readable in listed if readable]
    sequences: list[Sequence] = []
    for start in range(0, len(names), _SEQUENCES_PER_STATEMENT):
        batch = names[start : start + _SEQUENCES_PER_STATEMENT]
        query = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {}::int, last_value, is_called FROM {}").format(
                sql.Literal(position), sql.Identifier(name.schema, name.name)
            )
            for position, name in enumerate(batch)
        )
        try:
            rows = fetch_letting_go(connection, query)
        except psycopg.errors.UndefinedTable:
            raise SourceBusy(
                "A sequence was dropped or renamed while the inventory was being read.",
                meaning="The schema changed during the backup, so there is no consistent inventory.",
                next_step="Run the backup again when the schema change is finished.",
            ) from None
        sequences += [Sequence(batch[position], last_value, called) for position, last_value, called in rows]
    sequences.sort(key=lambda sequence: sequence.name)
    return tuple(sequences), tuple(name for name, readable in listed if not readable)


def read_sequences_left(connection: psycopg.Connection[Any]) -> tuple[Sequence, ...]:
    """The sequences' states now, in a snapshot that may be hours old: nothing if one was dropped since.

    Raises:
        psycopg.Error: the caller translates.
    """
    try:
        return read_sequences(connection)[0]
    except SourceBusy:
        return ()


def read_falling_sequences(connection: psycopg.Connection[Any]) -> tuple[TableName, ...]:
    """The sequences that count down, or start over at their end.

    Raises:
        psycopg.Error: the caller translates.
    """
    return tuple(sorted(TableName(*row) for row in connection.execute(_FALLING_SEQUENCES)))
