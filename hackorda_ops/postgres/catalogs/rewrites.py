"""Tables that were emptied or rewritten while they were read.

TRUNCATE and an ALTER that rewrites a table give it a new file, and an older snapshot that reads that file sees
no rows in it. Until pg_dump has locked its tables, and while rows are counted after it has released them, nothing
prevents that: a dump and a count may then differ, or agree on an empty table.
"""

from collections.abc import Mapping
from typing import Final

from hackorda_ops.errors import SourceBusy
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.own_schemas import OWN_SCHEMA
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.words import named

# The function returns the current state, whatever the snapshot sees.
_FILES: Final = rf"""
SELECT n.nspname, c.relname, c.oid::bigint, pg_relation_filenode(c.oid)::bigint
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND {OWN_SCHEMA}
"""
_NAMES_SHOWN: Final = 5

Files = Mapping[TableName, tuple[int, int]]
"""Each table's OID and the number of its file."""


def table_files(target: ConnectionTarget) -> Files:
    """Which file each table's rows are in now. Locks none of them.

    Raises:
        OpsError: the database can't be reached or read.
    """
    with (
        translated_errors(target, "Reading which files the tables are in"),
        connect(
            target, application_name="hackorda_ops looks for rewritten tables", settings=SHORT_SETTINGS
        ) as session,
    ):
        return {
            TableName(schema, name): (oid, file)
            for schema, name, oid, file in session.execute(_FILES.encode())
            if file is not None
        }


def rewritten(before: Files, after: Files) -> tuple[TableName, ...]:
    """The tables that have a different file than before. Pure; leaves out what was created or dropped meanwhile."""
    return tuple(
        sorted(
            name
            for name, (oid, file) in before.items()
            if name in after and after[name][0] == oid and after[name][1] != file
        )
    )


def require_not_rewritten(before: Files, after: Files) -> None:
    """Rejects what was read from a database whose tables were emptied or rewritten meanwhile.

    Raises:
        SourceBusy: some were.
    """
    if found := rewritten(before, after):
        raise SourceBusy(
            f"Tables were emptied or rewritten while they were read: {named(found, _NAMES_SHOWN)} "
            "(TRUNCATE, a rewriting ALTER TABLE, VACUUM FULL or CLUSTER).",
            meaning="The dump's snapshot may have seen them without their rows, so what was read does not count.",
            next_step="Schedule nights when no such command runs.",
        )
