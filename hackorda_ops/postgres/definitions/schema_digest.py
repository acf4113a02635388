"""One figure that changes when a database's schema does."""

import hashlib
import json
from typing import Any, Final

import psycopg

from hackorda_ops.postgres.catalogs.own_schemas import OWN_SCHEMA
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS


def _not_of_an_extension(catalog: str, alias: str) -> str:
    return (
        f"NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = '{catalog}'::regclass"
        f" AND x.objid = {alias}.oid AND x.deptype = 'e')"
    )


# Partitions are left out: they follow their root, and a job that adds one a day doesn't change the schema.
_RELATION: Final = (
    f"JOIN pg_namespace n ON n.oid = c.relnamespace AND {OWN_SCHEMA} AND c.relpersistence <> 't'"
    f" AND NOT c.relispartition AND {_not_of_an_extension('pg_class', 'c')}"
)

# Each query describes one kind of object by names and the server's own SQL for it, never by OIDs, so that
# equal schemas give equal text on every server of the same version.
_QUERIES: Final[dict[str, str]] = {
    "schema": f"SELECT n.nspname FROM pg_namespace n WHERE {OWN_SCHEMA}",
    "extension": "SELECT e.extname, e.extversion FROM pg_extension e",
    "relation": f"""
        SELECT n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity,
               c.reloptions::text, pg_get_partkeydef(c.oid),
               CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END
          FROM pg_class c {_RELATION} WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')""",
    # row_number instead of attnum: a dropped column leaves a gap that a restored table doesn't have.
    "column": f"""
        SELECT n.nspname, c.relname, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname,
               format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
               pg_get_expr(d.adbin, d.adrelid), co.collname
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid {_RELATION}
          LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          LEFT JOIN pg_collation co ON co.oid = a.attcollation
         WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')""",
    "parent": f"""
        SELECT n.nspname, c.relname, i.inhseqno, pn.nspname, p.relname
          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid {_RELATION}
          JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace""",
    "constraint": f"""
        SELECT n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated
          FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid {_RELATION}""",
    "index": f"""
        SELECT n.nspname, c.relname, pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisreplident
          FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid {_RELATION}""",
    "trigger": f"""
        SELECT pg_get_triggerdef(t.oid), t.tgenabled
          FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid {_RELATION} WHERE NOT t.tgisinternal""",
    "rule": f"""
        SELECT pg_get_ruledef(r.oid), r.ev_enabled
          FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class {_RELATION}
         WHERE r.rulename <> '_RETURN'""",
    "policy": f"""
        SELECT n.nspname, c.relname, p.polname, p.polcmd, p.polpermissive,
               ARRAY(SELECT r.rolname FROM pg_roles r WHERE r.oid = ANY(p.polroles) ORDER BY 1)::text,
               pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
          FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid {_RELATION}""",
    "sequence": f"""
        SELECT n.nspname, c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin,
               s.seqmax, s.seqcache, s.seqcycle
          FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid {_RELATION}""",
    "type": f"""
        SELECT n.nspname, t.typname, t.typtype, t.typnotnull, t.typdefault,
               CASE WHEN t.typbasetype <> 0 THEN format_type(t.typbasetype, t.typtypmod) END,
               ARRAY(SELECT e.enumlabel FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)::text,
               ARRAY(SELECT k.conname || ' ' || pg_get_constraintdef(k.oid) FROM pg_constraint k
                      WHERE k.contypid = t.oid ORDER BY 1)::text
          FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND {OWN_SCHEMA}
           AND {_not_of_an_extension("pg_type", "t")} WHERE t.typtype IN ('e', 'd', 'r')""",
    # An aggregate has no SQL text of its own; its name and types stand for it.
    "function": f"""
        SELECT n.nspname, p.proname, pg_get_function_identity_arguments(p.oid),
               CASE WHEN p.prokind = 'a' THEN pg_get_function_result(p.oid) ELSE pg_get_functiondef(p.oid) END
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND {OWN_SCHEMA}
           AND {_not_of_an_extension("pg_proc", "p")}""",
}


def schema_digest(connection: psycopg.Connection[Any]) -> str:
    """Digests the schema: relations, columns, constraints, indexes, types, functions, policies, extensions.

    Equal schemas on servers of one major version give equal digests, whatever their OIDs and dropped
    columns. It shows *that* a schema changed, to start a drill; it doesn't prove a restore, since
    Postgres rewords some expressions there.

    Args:
        connection: with the comparable settings of `session.connect`: its empty search_path is what
            makes the server write every name in full.

    Returns:
        64 hex digits (SHA-256).

    Raises:
        psycopg.Error: the caller translates.
    """
    digest = hashlib.sha256()
    for kind, query in _QUERIES.items():
        # Sorted here, because a server's order depends on its collation.
        for line in sorted(json.dumps([kind, *row]) for row in connection.execute(query.encode())):
            digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def read_schema_digest(target: ConnectionTarget) -> str:
    """The digest of a database's schema as it is now, on a session of its own.

    Raises:
        OpsError: the database can't be reached or read.
    """
    with (
        translated_errors(target, "Checking whether the schema has changed"),
        connect(target, application_name="hackorda_ops schema", settings=SHORT_SETTINGS) as connection,
    ):
        return schema_digest(connection)
