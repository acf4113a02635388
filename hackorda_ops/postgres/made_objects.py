"""What somebody made in a database, by name: every object that the catalogs know and a dump has to hold.

pg_dump writes its archive's list itself, so the list can't show what a dump left out. The server's own can.
"""

from typing import Any, Final

import psycopg

# Objects that somebody made have OIDs from 16384 on; those below came with the server. The server makes some by
# itself, as parts of others, and names them anew on each restore: they are left out, as are NOT NULL constraints,
# which are named objects from release 18 on only. Tables and sequences are compared by their contents.
_MADE: Final = r"""
WITH made (classid, objid) AS (
    SELECT 'pg_class'::regclass, c.oid FROM pg_class c
     WHERE c.relkind IN ('v', 'i', 'I', 'c') AND c.relpersistence <> 't'
       AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indexrelid = c.oid AND NOT i.indisvalid)
    UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint
     WHERE contype NOT IN ('n', 't') AND conparentid = 0
    UNION ALL SELECT 'pg_trigger'::regclass, oid FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0
    UNION ALL SELECT 'pg_rewrite'::regclass, oid FROM pg_rewrite WHERE rulename <> '_RETURN'
    UNION ALL SELECT 'pg_policy'::regclass, oid FROM pg_policy
    UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc
    UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typtype IN ('b', 'd', 'e', 'r') AND typelem = 0
    UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator WHERE oprcode <> 0
    UNION ALL SELECT 'pg_opclass'::regclass, oid FROM pg_opclass
    UNION ALL SELECT 'pg_opfamily'::regclass, oid FROM pg_opfamily
    UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast
    UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation
    UNION ALL SELECT 'pg_conversion'::regclass, oid FROM pg_conversion
    UNION ALL SELECT 'pg_namespace'::regclass, oid FROM pg_namespace WHERE nspname !~ '^pg_'
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid FROM pg_event_trigger
    UNION ALL SELECT 'pg_publication'::regclass, oid FROM pg_publication
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server
    UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict
    UNION ALL SELECT 'pg_ts_parser'::regclass, oid FROM pg_ts_parser
    UNION ALL SELECT 'pg_ts_template'::regclass, oid FROM pg_ts_template
    UNION ALL SELECT 'pg_language'::regclass, oid FROM pg_language
    UNION ALL SELECT 'pg_am'::regclass, oid FROM pg_am
), named AS (
    SELECT object.type || ' ' || object.identity AS name, object.schema
      FROM made, pg_identify_object(made.classid, made.objid, 0) object
     WHERE made.objid >= 16384
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = made.classid AND d.objid = made.objid
                          AND (d.deptype = 'e' OR (d.deptype = 'i' AND d.refclassid = 'pg_type'::regclass)))
    UNION ALL
    SELECT 'row security on ' || object.identity, object.schema
      FROM pg_class c, pg_identify_object('pg_class'::regclass, c.oid, 0) object WHERE c.relrowsecurity
    UNION ALL
    SELECT format('%s as a child of %s', child.identity, parent.identity), child.schema
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'p', 'f'),
           pg_identify_object('pg_class'::regclass, i.inhrelid, 0) child,
           pg_identify_object('pg_class'::regclass, i.inhparent, 0) parent
     WHERE c.relpersistence <> 't'
)
-- One that is dropped meanwhile has no name any more.
SELECT name FROM named WHERE name IS NOT NULL AND (schema IS NULL OR schema !~ '^pg_')
"""


def read_made_objects(connection: psycopg.Connection[Any]) -> tuple[str, ...]:
    """Reads what the database holds beside tables, sequences, extensions and their parts.

    Args:
        connection: with the comparable settings of `session.connect`. It needs no right on anything.

    Returns:
        The server's words for each ("index public.users_pkey", "policy own_rows on public.users"), sorted.

    Raises:
        psycopg.Error: the caller translates.
    """
    return tuple(sorted(name for (name,) in connection.execute(_MADE)))
