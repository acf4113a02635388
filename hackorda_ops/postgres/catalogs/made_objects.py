"""User-made objects of a database, by name: every object in the catalogs that a dump must contain.

pg_dump writes its archive's list itself, so the list can't show what a dump left out. The server's catalogs can.
"""

from typing import Any, Final

import psycopg

# The server creates some objects itself, as parts of others, and renames them on each restore: they are left
# out, as are NOT NULL constraints, which are named objects from release 18 on only. Tables and sequences are compared
# by their contents. `relid` is the table that an object is on: such an object has no schema of its own.
_OBJECTS: Final = """
WITH objects (classid, objid, relid) AS (
    SELECT 'pg_class'::regclass, c.oid, i.indrelid FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
     WHERE c.relkind IN ('v', 'i', 'I', 'c') AND i.indisvalid IS NOT FALSE
    UNION ALL SELECT 'pg_constraint'::regclass, k.oid, k.conrelid
      FROM pg_constraint k LEFT JOIN pg_type t ON t.oid = k.contypid
     WHERE k.contype NOT IN ('n', 't') AND k.conparentid = 0 AND (t.oid IS NULL OR t.typnamespace {dumped})
    UNION ALL SELECT 'pg_trigger'::regclass, oid, tgrelid FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0
    UNION ALL SELECT 'pg_rewrite'::regclass, oid, ev_class FROM pg_rewrite WHERE rulename <> '_RETURN'
    UNION ALL SELECT 'pg_policy'::regclass, oid, polrelid FROM pg_policy
    UNION ALL SELECT 'pg_proc'::regclass, oid, NULL FROM pg_proc
    UNION ALL SELECT 'pg_type'::regclass, oid, NULL FROM pg_type
     WHERE typtype IN ('b', 'd', 'e', 'r') AND typelem = 0
    UNION ALL SELECT 'pg_operator'::regclass, oid, NULL FROM pg_operator WHERE oprcode <> 0
    UNION ALL SELECT 'pg_opclass'::regclass, oid, NULL FROM pg_opclass
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, NULL FROM pg_opfamily
    UNION ALL SELECT 'pg_cast'::regclass, c.oid, NULL FROM pg_cast c
      JOIN pg_type s ON s.oid = c.castsource JOIN pg_type t ON t.oid = c.casttarget
     WHERE NOT (s.typnamespace {temporary} OR t.typnamespace {temporary})
    UNION ALL SELECT 'pg_collation'::regclass, oid, NULL FROM pg_collation
    UNION ALL SELECT 'pg_conversion'::regclass, oid, NULL FROM pg_conversion
    UNION ALL SELECT 'pg_namespace'::regclass, oid, NULL FROM pg_namespace WHERE oid {dumped}
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxrelid FROM pg_statistic_ext
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid, NULL FROM pg_event_trigger
    UNION ALL SELECT 'pg_publication'::regclass, oid, NULL FROM pg_publication
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, NULL FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, NULL FROM pg_foreign_server
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, NULL FROM pg_ts_config
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, NULL FROM pg_ts_dict
    UNION ALL SELECT 'pg_ts_parser'::regclass, oid, NULL FROM pg_ts_parser
    UNION ALL SELECT 'pg_ts_template'::regclass, oid, NULL FROM pg_ts_template
    UNION ALL SELECT 'pg_language'::regclass, oid, NULL FROM pg_language
    UNION ALL SELECT 'pg_am'::regclass, oid, NULL FROM pg_am
), named AS (
    SELECT object.type || ' ' || object.identity AS name, object.schema AS schema_name
      FROM objects o LEFT JOIN pg_class r ON r.oid = o.relid,
           pg_identify_object(o.classid, o.objid, 0) object
     WHERE (r.oid IS NULL OR r.relnamespace {dumped}) AND {chosen}
    UNION ALL
    SELECT 'row security on ' || object.identity, object.schema
      FROM pg_class c, pg_identify_object('pg_class'::regclass, c.oid, 0) object WHERE c.relrowsecurity
    UNION ALL
    SELECT format('%s as a child of %s', child.identity, parent.identity), child.schema
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'p', 'f'),
           pg_identify_object('pg_class'::regclass, i.inhrelid, 0) child,
           pg_identify_object('pg_class'::regclass, i.inhparent, 0) parent
)
-- One that is dropped meanwhile has no name any more.
SELECT DISTINCT name FROM named
 WHERE name IS NOT NULL AND (schema_name IS NULL OR to_regnamespace(schema_name) {dumped})
"""
_DUMPED: Final = (
    "IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')"
)
_TEMPORARY: Final = "IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_temp_')"

# User-made objects have OIDs from 16384 on; those below came with the server. The only schema among these that
# a dump covers is public, which people drop, rename and recreate. What is part of an extension comes with it.
_MADE: Final = """
(o.objid >= 16384 OR o.classid = 'pg_namespace'::regclass)
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid
                   AND (d.deptype = 'e' OR (d.deptype = 'i' AND d.refclassid = 'pg_type'::regclass)))
"""
# Of these, pg_dump only dumps policies: it leaves the rest to CREATE EXTENSION, whoever made it.
_ON_A_TABLE_OF_AN_EXTENSION: Final = """
o.classid <> 'pg_policy'::regclass
AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = o.relid AND d.deptype = 'e')
"""


def read_made_objects(connection: psycopg.Connection[Any]) -> tuple[str, ...]:
    """Reads what the database contains besides tables, sequences, extensions and their parts.

    Args:
        connection: with the comparable settings of `session.connect`. It needs no right on anything.

    Returns:
        The server's name for each ("index public.users_pkey", "policy own_rows on public.users"), sorted.

    Raises:
        psycopg.Error: the caller translates.
    """
    return _read(connection, f"{_MADE} AND NOT ({_ON_A_TABLE_OF_AN_EXTENSION})")


def read_on_extension_tables(connection: psycopg.Connection[Any]) -> tuple[str, ...]:
    """Reads the indexes, constraints, triggers and rules on tables of extensions, which no dump holds.

    Those of the extension's own script are recreated with it. The catalogs don't distinguish them from others.

    Raises:
        psycopg.Error: the caller translates.
    """
    return _read(connection, f"{_MADE} AND {_ON_A_TABLE_OF_AN_EXTENSION}")


def read_present_objects(connection: psycopg.Connection[Any]) -> tuple[str, ...]:
    """Reads the same from a restored copy, whoever made it.

    What somebody dropped and recreated on the source (plpgsql, say), a new database may have from the server or
    from an extension: it exists, and that's all that matters.

    Raises:
        psycopg.Error: the caller translates.
    """
    return _read(connection, "true")


def _read(connection: psycopg.Connection[Any], chosen: str) -> tuple[str, ...]:
    query = _OBJECTS.format(dumped=_DUMPED, temporary=_TEMPORARY, chosen=chosen)
    return tuple(sorted(name for (name,) in connection.execute(query.encode())))
