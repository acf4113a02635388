"""Queries for what a source's catalogs say about each object, word for word as pg_dump writes it."""

from collections.abc import Sequence
from typing import Final

from hackorda_ops.postgres.definitions.remarks import OWN

NO_OBJECT: Final = (0, 1)
"""The place of partitions' attachments and of user mappings, whose entries have no OIDs."""


def _qualified(relation: str) -> str:
    """A relation's qualified name, as pg_dump writes it."""
    return (
        f"(SELECT quote_ident(nspname) FROM pg_namespace WHERE oid = {relation}.relnamespace)"
        f" || '.' || quote_ident({relation}.relname)"
    )


_NO_TEXT: Final = "ARRAY[]::text[]"


def _part_of_a_type(catalog: str, oid: str) -> str:
    """Whether the server made an object together with a type, such as the functions of a range."""
    return (
        f"EXISTS (SELECT FROM pg_depend d WHERE d.classid = '{catalog}'::regclass AND d.objid = {oid}"
        " AND d.deptype = 'i' AND d.refclassid = 'pg_type'::regclass)"
    )


# Each returns: catalog and OID of the object; of the other entry that it may be in; parts (NULL for one that it
# lacks); alternatives.
_QUERIES: Final[dict[str, str]] = {
    "relation": f"""
        SELECT 'pg_class'::regclass, c.oid, 0, 0,
               ARRAY[CASE WHEN c.relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END,
                     CASE WHEN c.relpersistence = 'u' THEN 'CREATE UNLOGGED ' END,
                     'PARTITION BY ' || pg_get_partkeydef(c.oid),
                     (SELECT 'INHERITS (' || string_agg({_qualified("p")}, ', ' ORDER BY i.inhseqno) || ')'
                        FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
                       WHERE i.inhrelid = c.oid AND NOT c.relispartition)], {_NO_TEXT}
          FROM rel c WHERE c.relkind IN ('r', 'p', 'm', 'f', 'S')""",
    # These have entries without OIDs (`NO_OBJECT`).
    "partition": f"""
        SELECT 'pg_class'::regclass, c.oid, {NO_OBJECT[0]}, {NO_OBJECT[1]},
               ARRAY['ATTACH PARTITION ' || {_qualified("c")} || ' ' || pg_get_expr(c.relpartbound, c.oid)], {_NO_TEXT}
          FROM rel c WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f')""",
    "index of a partition": f"""
        SELECT 'pg_class'::regclass, i.inhrelid, {NO_OBJECT[0]}, {NO_OBJECT[1]},
               ARRAY['ALTER INDEX ' || {_qualified("p")} || ' ATTACH PARTITION ' || {_qualified("c")}], {_NO_TEXT}
          FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_class c ON c.oid = i.inhrelid
          JOIN pg_index x ON x.indexrelid = c.oid AND x.indisvalid JOIN rel t ON t.oid = x.indrelid""",
    "column of a sequence": f"""
        SELECT 'pg_class'::regclass, c.oid, {NO_OBJECT[0]}, {NO_OBJECT[1]},
               ARRAY['ALTER SEQUENCE ' || {_qualified("c")} || ' OWNED BY ' || {_qualified("t")} || '.'
                     || quote_ident(a.attname)], {_NO_TEXT}
          FROM rel c
          JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a'
                          AND d.refclassid = 'pg_class'::regclass
          JOIN rel t ON t.oid = d.refobjid
          JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid WHERE c.relkind = 'S'""",
    "user mapping": f"""
        SELECT 'pg_user_mapping'::regclass, umid, {NO_OBJECT[0]}, {NO_OBJECT[1]},
               ARRAY['CREATE USER MAPPING FOR ' || quote_ident(usename) || ' SERVER ' || quote_ident(srvname)],
               {_NO_TEXT}
          FROM pg_user_mappings WHERE srvid NOT IN (SELECT objid FROM member
                                                    WHERE classid = 'pg_foreign_server'::regclass)""",
    "view": f"""
        SELECT 'pg_class'::regclass, c.oid, 'pg_rewrite'::regclass, r.oid,
               ARRAY[rtrim(pg_get_viewdef(c.oid), ';')], {_NO_TEXT}
          FROM rel c JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN'
         WHERE c.relkind IN ('v', 'm')""",
    "row security": f"""
        SELECT 0, c.oid, 0, 0, ARRAY['ENABLE ROW LEVEL SECURITY'], {_NO_TEXT} FROM rel c WHERE c.relrowsecurity""",
    # A column that a table inherits is left to its parent, and its default may be too.
    "column": f"""
        SELECT 'pg_class'::regclass, c.oid, 0, 0,
               array_agg(said.definition ORDER BY a.attnum), {_NO_TEXT}
          FROM rel c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped,
               LATERAL (SELECT E'\\n    ' || quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod))
               said (definition)
         WHERE c.relkind IN ('r', 'p', 'f') AND c.reloftype = 0 AND a.attinhcount = 0 GROUP BY c.oid""",
    "required column": f"""
        SELECT 'pg_class'::regclass, c.oid, 0, 0, {_NO_TEXT},
               ARRAY(SELECT E'\\n    ' || quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
                            || sorted || given || required
                       FROM unnest(ARRAY['', ' COLLATE ' || quote_ident(cn.nspname) || '.' || quote_ident(co.collname)])
                                AS sorted,
                            unnest(ARRAY['', CASE WHEN a.attgenerated = '' THEN ' DEFAULT ' || shown.expression
                                    ELSE ' GENERATED ALWAYS AS (' || shown.expression || ')'
                                         || CASE a.attgenerated WHEN 's' THEN ' STORED' ELSE '' END END]) given,
                            unnest(ARRAY[' NOT NULL', ' CONSTRAINT ' || quote_ident(k.conname) || ' NOT NULL']) required
                      WHERE sorted || given || required IS NOT NULL)
          FROM rel c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
          LEFT JOIN LATERAL (SELECT pg_get_expr(d.adbin, d.adrelid)) shown (expression) ON true
          LEFT JOIN pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
          LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum]
         WHERE c.relkind IN ('r', 'p', 'f') AND c.reloftype = 0 AND a.attinhcount = 0
           AND k.convalidated IS NOT FALSE""",
    "default": f"""
        SELECT 'pg_attrdef'::regclass, d.oid, 'pg_class'::regclass, c.oid, {_NO_TEXT},
               ARRAY(SELECT CASE a.attgenerated WHEN '' THEN 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) || after
                                 ELSE 'GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ')' END
                       FROM unnest(ARRAY[';', ',', ' ', E'\\n']) after)
          FROM rel c JOIN pg_attrdef d ON d.adrelid = c.oid
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum
         WHERE NOT a.attisdropped AND a.attinhcount = 0""",
    # Keys are written from the names of their columns.
    "constraint": f"""
        SELECT 'pg_constraint'::regclass, k.oid, 'pg_class'::regclass, CASE k.contype WHEN 'c' THEN c.oid ELSE 0 END,
               CASE WHEN k.contype IN ('f', 'c', 'x') THEN ARRAY[pg_get_constraintdef(k.oid)]
                    ELSE ARRAY[quote_ident(k.conname)] END, {_NO_TEXT}
          FROM rel c JOIN pg_constraint k ON k.conrelid = c.oid
         WHERE k.contype IN ('p', 'u', 'x') OR (k.contype = 'n' AND NOT k.convalidated AND k.conislocal)
            OR (k.contype IN ('f', 'c') AND k.conparentid = 0 AND k.conislocal)""",
    "index": f"""
        SELECT 'pg_class'::regclass, i.indexrelid, 0, 0, ARRAY[pg_get_indexdef(i.indexrelid)], {_NO_TEXT}
          FROM rel c JOIN pg_index i ON i.indrelid = c.oid
         WHERE (i.indisvalid OR c.relkind = 'p') AND i.indisready AND c.relkind IN ('r', 'p', 'm')
           AND NOT EXISTS (SELECT FROM pg_constraint k
                            WHERE k.conindid = i.indexrelid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x'))""",
    "trigger": f"""
        SELECT 'pg_trigger'::regclass, t.oid, 0, 0,
               ARRAY[pg_get_triggerdef(t.oid)] || CASE t.tgenabled
                    WHEN 'D' THEN ARRAY['DISABLE TRIGGER'] WHEN 'A' THEN ARRAY['ENABLE ALWAYS TRIGGER']
                    WHEN 'R' THEN ARRAY['ENABLE REPLICA TRIGGER'] ELSE {_NO_TEXT} END, {_NO_TEXT}
          FROM rel c JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal AND t.tgparentid = 0""",
    "trigger of a partition": f"""
        SELECT 'pg_trigger'::regclass, t.oid, 0, 0,
               ARRAY[CASE t.tgenabled WHEN 'D' THEN 'DISABLE TRIGGER' WHEN 'A' THEN 'ENABLE ALWAYS TRIGGER'
                                      WHEN 'R' THEN 'ENABLE REPLICA TRIGGER' ELSE 'ENABLE TRIGGER' END], {_NO_TEXT}
          FROM rel c JOIN pg_trigger t ON t.tgrelid = c.oid JOIN pg_trigger p ON p.oid = t.tgparentid
         WHERE NOT t.tgisinternal AND t.tgenabled <> p.tgenabled""",
    "rule": f"""
        SELECT 'pg_rewrite'::regclass, r.oid, 0, 0, ARRAY[pg_get_ruledef(r.oid)], {_NO_TEXT}
          FROM rel c JOIN pg_rewrite r ON r.ev_class = c.oid WHERE r.rulename <> '_RETURN'""",
    "policy": f"""
        SELECT 'pg_policy'::regclass, p.oid, 0, 0,
               ARRAY['USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                                  'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')',
                                  CASE WHEN NOT p.polpermissive THEN ' AS RESTRICTIVE' END,
                     CASE p.polcmd WHEN 'r' THEN ' FOR SELECT' WHEN 'a' THEN ' FOR INSERT'
                                   WHEN 'w' THEN ' FOR UPDATE' WHEN 'd' THEN ' FOR DELETE' END]
                 || ARRAY(SELECT quote_ident(rolname) FROM pg_roles WHERE oid = ANY (p.polroles)), {_NO_TEXT}
          FROM rel c JOIN pg_policy p ON p.polrelid = c.oid""",
    "sequence": f"""
        SELECT 'pg_class'::regclass, c.oid, 0, 0,
               ARRAY['START WITH ' || s.seqstart, 'INCREMENT BY ' || s.seqincrement, 'CACHE ' || s.seqcache]
                 || CASE WHEN s.seqcycle THEN ARRAY['CYCLE'] ELSE {_NO_TEXT} END, {_NO_TEXT}
          FROM rel c JOIN pg_sequence s ON s.seqrelid = c.oid""",
    # A C or internal function has no text except a name.
    "function": f"""
        SELECT 'pg_proc'::regclass, p.oid, 0, 0,
               CASE WHEN p.prokind = 'a' OR l.lanname IN ('c', 'internal') THEN {_NO_TEXT}
                    ELSE ARRAY[coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), pg_get_function_arguments(p.oid),
                               'RETURNS ' || pg_get_function_result(p.oid),
                               CASE WHEN p.prosecdef THEN ' SECURITY DEFINER' END,
                               CASE WHEN p.proisstrict THEN ' STRICT' END,
                               CASE p.provolatile WHEN 'i' THEN ' IMMUTABLE' WHEN 's' THEN ' STABLE' END]
               END, {_NO_TEXT}
          FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
         WHERE p.pronamespace IN (SELECT oid FROM own) AND NOT {_part_of_a_type("pg_proc", "p.oid")}""",
    "type": f"""
        SELECT 'pg_type'::regclass, t.oid, 0, 0,
               CASE t.typtype
                    WHEN 'e' THEN ARRAY(
                        SELECT string_agg(E'\\n    ''' || replace(e.enumlabel, '''', '''''') || '''', ','
                                          ORDER BY e.enumsortorder)
                          FROM pg_enum e WHERE e.enumtypid = t.oid HAVING count(*) > 0)
                    WHEN 'd' THEN ARRAY[' AS ' || format_type(t.typbasetype, t.typtypmod),
                        pg_get_expr(t.typdefaultbin, 0), CASE WHEN t.typnotnull THEN ' NOT NULL' END]
                    ELSE {_NO_TEXT} END, {_NO_TEXT}
          FROM pg_type t LEFT JOIN pg_class row ON row.oid = t.typrelid
         WHERE t.typnamespace IN (SELECT oid FROM own) AND t.typelem = 0
           AND (NOT t.typisdefined OR t.typtype IN ('b', 'd', 'e', 'r') OR row.relkind = 'c')
           AND NOT {_part_of_a_type("pg_type", "t.oid")}""",
    "constraint of a domain": f"""
        SELECT 'pg_constraint'::regclass, k.oid, 'pg_type'::regclass, k.contypid,
               ARRAY[pg_get_constraintdef(k.oid)], {_NO_TEXT}
          FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid
         WHERE k.contype = 'c' AND t.typnamespace IN (SELECT oid FROM own)
           AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_type'::regclass AND m.objid = t.oid)""",
    "statistics": f"""
        SELECT 'pg_statistic_ext'::regclass, s.oid, 0, 0, ARRAY[pg_get_statisticsobjdef(s.oid)], {_NO_TEXT}
          FROM pg_statistic_ext s WHERE s.stxnamespace IN (SELECT oid FROM own)""",
    "cast": f"""
        SELECT 'pg_cast'::regclass, c.oid, 0, 0, {_NO_TEXT}, {_NO_TEXT}
          FROM pg_cast c JOIN pg_type s ON s.oid = c.castsource JOIN pg_type t ON t.oid = c.casttarget
         WHERE NOT {_part_of_a_type("pg_cast", "c.oid")}
           AND NOT EXISTS (SELECT FROM pg_namespace n
                            WHERE n.oid IN (s.typnamespace, t.typnamespace) AND n.nspname ~ '^pg_temp_')""",
    "transform": f"""
        SELECT 'pg_transform'::regclass, oid, 0, 0, {_NO_TEXT}, {_NO_TEXT} FROM pg_transform""",
    "published table": f"""
        SELECT 'pg_publication_rel'::regclass, p.oid, 0, 0, {_NO_TEXT}, {_NO_TEXT}
          FROM pg_publication_rel p JOIN rel c ON c.oid = p.prrelid""",
    "event trigger": f"""
        SELECT 'pg_event_trigger'::regclass, oid, 0, 0, ARRAY['CREATE EVENT TRIGGER ' || quote_ident(evtname)],
               {_NO_TEXT}
          FROM pg_event_trigger""",
}
# For these, only their presence in the archive is required.
_IN_SCHEMAS: Final = {
    "pg_operator": "oprnamespace",
    "pg_opclass": "opcnamespace",
    "pg_opfamily": "opfnamespace",
    "pg_collation": "collnamespace",
    "pg_conversion": "connamespace",
    "pg_ts_config": "cfgnamespace",
    "pg_ts_dict": "dictnamespace",
    "pg_ts_parser": "prsnamespace",
    "pg_ts_template": "tmplnamespace",
}
_WITHOUT_SCHEMA: Final = (
    "pg_publication",
    "pg_publication_namespace",
    "pg_foreign_data_wrapper",
    "pg_foreign_server",
    "pg_language",
    "pg_am",
    "pg_extension",
)


def definition_queries(major: int) -> Sequence[str]:
    """The queries for a server of this major version.

    Each returns a row per object: its name ("index public.users_pkey"), catalog and OID, those of another entry whose
    text may contain its definition (0 if there's none), its parts, and its alternatives.
    """
    existing = [
        f"SELECT '{catalog}'::regclass, o.oid, 0, 0, {_NO_TEXT}, {_NO_TEXT} FROM {catalog} o {chosen}"
        for catalog, chosen in (
            *((name, f"WHERE o.{column} IN (SELECT oid FROM own)") for name, column in _IN_SCHEMAS.items()),
            *((name, "") for name in _WITHOUT_SCHEMA),
            ("pg_namespace", "WHERE o.oid IN (SELECT oid FROM own)"),
        )
        # New in 15.
        if catalog != "pg_publication_namespace" or major >= 15
    ]
    return [_query(each) for each in (*_QUERIES.values(), *existing)]


def _query(facets: str) -> str:
    return f"""
        {OWN}, said (classid, objid, other_classid, other_objid, parts, alternatives) AS ({facets})
        SELECT (object.type || ' ' || object.identity)::text, s.classid::oid::bigint, s.objid::bigint,
               s.other_classid::oid::bigint, s.other_objid::bigint, array_remove(s.parts::text[], NULL),
               s.alternatives::text[]
          FROM said s, pg_identify_object(CASE s.classid::oid WHEN 0 THEN 'pg_class'::regclass ELSE s.classid::oid END,
                                          s.objid, 0) object
         WHERE s.objid >= 16384 AND object.identity IS NOT NULL
           AND NOT EXISTS (SELECT FROM member m WHERE m.classid = s.classid::oid AND m.objid = s.objid)"""
