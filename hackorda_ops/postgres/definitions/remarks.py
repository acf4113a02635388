"""Queries for a source's remarks on its objects: comments and security labels, as a dump writes them."""

from typing import Final

# The same choice as pg_dump's: user-made objects, in the database's own schemas, not part of an extension.
OWN: Final = """
WITH member AS MATERIALIZED (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
own AS MATERIALIZED (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
rel AS MATERIALIZED (
    SELECT c.* FROM pg_class c
     WHERE c.relnamespace IN (SELECT oid FROM own) AND c.relpersistence <> 't' AND c.oid >= 16384
       AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid))
"""

# Remarks on objects: all except those that no dump has a statement for, and those that come with an extension.
_TOLD: Final = """
  FROM {catalog} d, pg_identify_object(d.classoid, d.objoid, 0) object
 WHERE (d.objoid >= 16384 OR d.classoid = 'pg_namespace'::regclass)
   AND d.classoid <> ALL (ARRAY['pg_subscription', 'pg_largeobject']::regclass[])
   AND NOT EXISTS (SELECT FROM member m WHERE m.classid = d.classoid AND m.objid = d.objoid)
   AND (object.schema IS NULL OR EXISTS (
        SELECT FROM own WHERE own.oid = to_regnamespace(object.schema)))
   AND (d.classoid <> 'pg_namespace'::regclass OR d.objoid IN (SELECT oid FROM own))
   AND (d.classoid <> 'pg_class'::regclass OR NOT EXISTS (
        SELECT FROM pg_index i WHERE i.indexrelid = d.objoid AND i.indrelid NOT IN (SELECT oid FROM rel)))
   AND (d.classoid <> 'pg_class'::regclass OR d.objsubid = 0 OR EXISTS (
        SELECT FROM pg_attribute a JOIN rel c ON c.oid = a.attrelid
         WHERE a.attrelid = d.objoid AND a.attnum = d.objsubid AND NOT a.attisdropped))
   AND (d.classoid <> 'pg_constraint'::regclass OR EXISTS (
        SELECT FROM pg_constraint k WHERE k.oid = d.objoid AND k.conparentid = 0 AND k.contype <> 'n'
           AND ((k.contypid <> 0 AND k.contype = 'c') OR (k.conislocal AND k.conrelid IN (SELECT oid FROM rel)))))
   AND (d.classoid <> 'pg_trigger'::regclass OR EXISTS (
        SELECT FROM pg_trigger t WHERE t.oid = d.objoid AND NOT t.tgisinternal AND t.tgparentid = 0
           AND t.tgrelid IN (SELECT oid FROM rel)))
   AND (d.classoid <> 'pg_rewrite'::regclass OR EXISTS (
        SELECT FROM pg_rewrite r JOIN rel c ON c.oid = r.ev_class WHERE r.oid = d.objoid AND r.rulename <> '_RETURN'))
   AND (d.classoid <> 'pg_policy'::regclass OR EXISTS (
        SELECT FROM pg_policy p JOIN rel c ON c.oid = p.polrelid WHERE p.oid = d.objoid))
   AND (d.classoid <> 'pg_type'::regclass OR NOT EXISTS (
        SELECT FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
         WHERE t.oid = d.objoid AND (t.typtype IN ('m', 'p') OR t.typelem <> 0 OR c.relkind <> 'c')))
   AND NOT EXISTS (SELECT FROM pg_depend p WHERE p.classid = d.classoid AND p.objid = d.objoid
                      AND p.classid <> 'pg_class'::regclass AND p.deptype = 'i' AND p.refclassid = 'pg_type'::regclass)
"""
_LITERAL: Final = "'''' || replace({column}, '''', '''''') || ''''"
# A dump leaves out the comment that a new database already has.
COMMENTS: Final = (
    f"{OWN} SELECT {_LITERAL.format(column='d.description')} {_TOLD.format(catalog='pg_description')}"
    " AND NOT (d.classoid = 'pg_namespace'::regclass AND d.description = 'standard public schema')"
)
LABELS: Final = f"{OWN} SELECT {_LITERAL.format(column='d.label')} {_TOLD.format(catalog='pg_seclabel')}"
