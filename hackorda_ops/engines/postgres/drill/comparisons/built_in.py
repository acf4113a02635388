"""What a server adds to every new database, and pg_dump records only where somebody made it anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from hackorda_ops.engines.postgres.drill.comparisons.schema_text import SchemaObject

# pg_dump treats what has an OID below 16384 as the server's own. It mentions the schema public where it has another
# owner than usual, and never makes it; the schema's comment it records whatever its OID is.
_BUILT_IN: Final = """
SELECT 'SCHEMA', 'SCHEMA', nspname, NULL FROM pg_catalog.pg_namespace WHERE nspname = 'public'
UNION ALL
SELECT 'EXTENSION', 'EXTENSION', extname, pg_catalog.obj_description(oid, 'pg_extension')
  FROM pg_catalog.pg_extension WHERE oid < 16384
UNION ALL
SELECT 'PROCEDURAL LANGUAGE', 'LANGUAGE', lanname, pg_catalog.obj_description(oid, 'pg_language')
  FROM pg_catalog.pg_language WHERE oid < 16384
"""


@dataclass(frozen=True)
class BuiltIn:
    """An object that came with the server.

    Attributes:
        type: as pg_dump calls it.
        sql_type: as COMMENT ON calls it.
        name: of the object.
        comment: on it; None where there is none, or where pg_dump writes it down itself.
    """

    type: str
    sql_type: str
    name: str
    comment: str | None


def read_built_in(connection: psycopg.Connection[Any]) -> tuple[BuiltIn, ...]:
    """Reads what a database has of these.

    Raises:
        psycopg.Error: the caller translates.
    """
    return tuple(BuiltIn(*row) for row in connection.execute(_BUILT_IN.encode()))


def with_built_in(
    schema: Mapping[SchemaObject, tuple[str, ...]],
    built_in: tuple[BuiltIn, ...],
    archive: Mapping[SchemaObject, tuple[str, ...]],
) -> Mapping[SchemaObject, tuple[str, ...]]:
    """Adds to a database's schema what pg_dump omits there, but records in the archive. Pure.

    Args:
        schema: as pg_dump has it.
        built_in: what the same database has from the server.
        archive: the backup's schema, of a source where somebody may have made some of it anew.

    Returns:
        The schema with those of the archive's objects that are there, and their comments as they are there.
    """
    told = dict(schema)
    for each in built_in:
        key = SchemaObject(each.type, "-", each.name)
        if key in archive:
            told.setdefault(key, archive[key])
        elif each.type == "SCHEMA":
            told.pop(key, None)
        comment = SchemaObject("COMMENT", "-", f"{each.sql_type} {each.name}")
        if each.comment is not None and comment in archive:
            text = each.comment.replace("'", "''")
            told.setdefault(comment, (f"COMMENT ON {each.sql_type} {each.name} IS '{text}';",))
    return told
