"""Owners and grants of everything in a database, and default privileges, as statements that recreate them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from hackorda_ops.postgres.access.access_lists import Grant, changes, grants_in, listed_by
from hackorda_ops.postgres.access.one_line_sql import block, identifier, identity, in_this_database, literal
from hackorda_ops.postgres.access.roles import HOST_ROLE

# Every catalog whose objects have owners of their own: (catalog, owner, access list, kind of default access, which).
# An index, a table's row type, an array type, a column's sequence and a range's constructors belong to the owner of
# the table or the type.
_CATALOGS: Final = (
    ("pg_namespace", "nspowner", "nspacl", "'n'", "o.nspname !~ '^pg_(toast|temp)'"),
    (
        "pg_class",
        "relowner",
        "relacl",
        "CASE o.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r' END",
        "o.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND o.relpersistence <> 't'",
    ),
    ("pg_proc", "proowner", "proacl", "'f'", "true"),
    (
        "pg_type",
        "typowner",
        "typacl",
        "'T'",
        "o.typtype IN ('b', 'c', 'd', 'e', 'r') AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = o.oid)"
        " AND (o.typrelid = 0 OR (SELECT c.relkind = 'c' FROM pg_class c WHERE c.oid = o.typrelid))",
    ),
    ("pg_language", "lanowner", "lanacl", "'l'", "true"),
    ("pg_foreign_data_wrapper", "fdwowner", "fdwacl", "'F'", "true"),
    ("pg_foreign_server", "srvowner", "srvacl", "'S'", "true"),
    ("pg_operator", "oprowner", "NULL", "NULL", "true"),
    ("pg_opclass", "opcowner", "NULL", "NULL", "true"),
    ("pg_opfamily", "opfowner", "NULL", "NULL", "true"),
    ("pg_collation", "collowner", "NULL", "NULL", "true"),
    ("pg_conversion", "conowner", "NULL", "NULL", "true"),
    ("pg_ts_dict", "dictowner", "NULL", "NULL", "true"),
    ("pg_ts_config", "cfgowner", "NULL", "NULL", "true"),
    ("pg_statistic_ext", "stxowner", "NULL", "NULL", "true"),
    ("pg_event_trigger", "evtowner", "NULL", "NULL", "true"),
    ("pg_publication", "pubowner", "NULL", "NULL", "true"),
)
_EVERY_OBJECT: Final = " UNION ALL ".join(
    f"SELECT '{catalog}'::regclass::oid AS classid, o.oid AS objid, o.{owner} AS owner, "
    f'{acl if acl == "NULL" else f"o.{acl}"}::aclitem[] AS acl, {kind}::"char" AS kind '
    f"FROM {catalog} o WHERE {condition}"
    for catalog, owner, acl, kind, condition in _CATALOGS
)
# Oids below this one are the server's own; the schema public is one of them, but belongs to everybody, even renamed.
_FIRST_OWN_OID: Final = 16384

# Objects that were dropped while this was read no longer have an identity. As in pg_dump, information_schema is
# treated as the server's, although pg_init_privs doesn't list it. Other sessions' temporary objects are left out.
_TOLD: Final = (
    "coalesce(what.schema, what.identity) <> 'information_schema' AND what.schema IS DISTINCT FROM 'pg_temp'"
    r" AND coalesce(what.schema, '') !~ '^pg_(toast_)?temp_'"
)

# What the server or an extension provides is kept apart from the rest: a restore recreates it, with the access that
# pg_init_privs records, so only a change to that matters.
_OBJECTS: Final = f"""
WITH every_object AS ({_EVERY_OBJECT}),
sorted_out AS (
    SELECT x.*, i.initprivs,
           x.objid < {_FIRST_OWN_OID}
           AND NOT (x.classid = 'pg_namespace'::regclass
                    AND (SELECT n.nspname !~ '^pg_' FROM pg_namespace n WHERE n.oid = x.objid))
           OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = x.classid AND d.objid = x.objid AND d.deptype = 'e'
                         AND d.refclassid = 'pg_extension'::regclass) AS shipped,
           x.classid = 'pg_class'::regclass AND x.kind = 's'
           AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = x.classid AND d.objid = x.objid
                          AND d.deptype IN ('a', 'i') AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0)
           AS of_a_column
      FROM every_object x
      LEFT JOIN pg_init_privs i ON i.classoid = x.classid AND i.objoid = x.objid AND i.objsubid = 0
     WHERE x.classid = 'pg_class'::regclass
           OR NOT EXISTS (SELECT FROM pg_depend d
                           WHERE d.classid = x.classid AND d.objid = x.objid AND d.deptype = 'i')
)
SELECT shipped, what.type, what.identity, '' AS column_name,
       CASE WHEN NOT shipped AND NOT of_a_column AND NOT {HOST_ROLE.format("r.")} THEN r.rolname END,
       {{acl}}, {{baseline}}
  FROM sorted_out x
  JOIN pg_roles r ON r.oid = x.owner
 CROSS JOIN LATERAL pg_identify_object(x.classid, x.objid, 0) AS what
 WHERE {_TOLD} AND (NOT shipped OR acl IS DISTINCT FROM initprivs)
UNION ALL
SELECT x.shipped, what.type, what.identity, a.attname, NULL, {{column_acl}}, {{column_baseline}}
  FROM sorted_out x
  JOIN pg_attribute a ON x.classid = 'pg_class'::regclass AND a.attrelid = x.objid
                     AND a.attacl IS NOT NULL AND NOT a.attisdropped
  LEFT JOIN pg_init_privs i ON i.classoid = x.classid AND i.objoid = x.objid AND i.objsubid = a.attnum
 CROSS JOIN LATERAL pg_identify_object(x.classid, x.objid, 0) AS what
 WHERE {_TOLD} AND (NOT x.shipped OR a.attacl IS DISTINCT FROM i.initprivs)
 ORDER BY 1, 2, 3, 4
"""

_DATABASE: Final = f"""
SELECT CASE WHEN NOT {HOST_ROLE.format("r.")} THEN r.rolname END, {{acl}}, {{baseline}}
  FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
 WHERE d.datname = current_database()
"""

_DEFAULTS: Final = f"""
SELECT r.rolname, n.nspname, d.defaclobjtype::text, {{acl}}, {{baseline}}
  FROM pg_default_acl d
  JOIN pg_roles r ON r.oid = d.defaclrole
  LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
 WHERE NOT {HOST_ROLE.format("r.")}
 ORDER BY 1, 2 NULLS FIRST, 3
"""
_DEFAULT_KINDS: Final = {
    "r": "TABLES",
    "S": "SEQUENCES",
    "f": "ROUTINES",
    "T": "TYPES",
    "n": "SCHEMAS",
    "L": "LARGE OBJECTS",
}

# There may be millions of large objects; most have the same owner and the same access.
_LARGE_OBJECTS: Final = f"""
SELECT CASE WHEN NOT {HOST_ROLE.format("r.")} THEN r.rolname END, {{acl}}, {{baseline}}, o.numbers
  FROM (SELECT lomowner, lomacl::text AS lomacl, array_agg(oid::bigint ORDER BY oid) AS numbers
          FROM pg_largeobject_metadata GROUP BY 1, 2) o
  JOIN pg_roles r ON r.oid = o.lomowner
 ORDER BY o.numbers[1]
"""
_LARGE_OBJECTS_PER_STATEMENT: Final = 1000

# pg_identify_object's name for an object type, where ALTER … OWNER and GRANT use another. ROUTINE also names an
# aggregate without arguments, which AGGREGATE can't in this form.
_TO_ALTER: Final = {
    "function": "ROUTINE",
    "procedure": "ROUTINE",
    "aggregate": "ROUTINE",
    "statistics object": "STATISTICS",
    "foreign-data wrapper": "FOREIGN DATA WRAPPER",
}
_TO_GRANT: Final = {
    "view": "TABLE",
    "materialized view": "TABLE",
    "foreign table": "TABLE",
    "server": "FOREIGN SERVER",
}

# The beginning of the statement that states in full what everybody can do in the schema public.
PUBLIC_SCHEMA: Final = "REVOKE ALL ON SCHEMA public"


@dataclass(frozen=True)
class ObjectAccess:
    """Who owns what, and who has which rights on it.

    Attributes:
        owners: a statement per object that can have an owner of its own.
        grants: statements from what a new object allows to what these allow; default privileges too.
        shipped_grants: the same for objects that the server or an extension provides.
    """

    owners: tuple[str, ...]
    grants: tuple[str, ...]
    shipped_grants: tuple[str, ...]


def object_access(connection: psycopg.Connection[Any]) -> ObjectAccess:
    """Reads owners and grants. Grants to a host's own roles, and what those own, are left out.

    A grant that was passed on is shown as if the owner had made it: the right is the same.

    Raises:
        psycopg.Error: the caller translates.
    """
    owners, grants = _database(connection)
    shipped: list[str] = []
    query = _OBJECTS.format(
        acl=listed_by("coalesce(acl, acldefault(kind, owner))"),
        # A new database's schema public is not like a new schema; `_grants_on` states its access in full.
        baseline=listed_by("coalesce(CASE WHEN shipped THEN initprivs END, acldefault(kind, owner))"),
        column_acl=listed_by("a.attacl"),
        column_baseline=listed_by("CASE WHEN x.shipped THEN i.initprivs END"),
    )
    for is_shipped, kind, name, column, owner, acl, baseline in connection.execute(query.encode()):
        subject = f"{_TO_ALTER.get(kind, kind.upper())} {identity(name)}"
        if owner is not None:
            owners.append(f"ALTER {subject} OWNER TO {identifier(owner)};")
        if acl is not None or baseline is not None:
            granted = f"{_TO_GRANT.get(kind, _TO_ALTER.get(kind, kind.upper()))} {identity(name)}"
            found = _grants_on(granted, column, grants_in(acl), grants_in(baseline))
            (shipped if is_shipped else grants).extend(found)
    of_large_objects, on_large_objects = _large_objects(connection)
    owners += of_large_objects
    grants += (*on_large_objects, *_defaults(connection))
    return ObjectAccess(tuple(owners), tuple(grants), tuple(shipped))


def _grants_on(subject: str, column: str, acl: frozenset[Grant], baseline: frozenset[Grant]) -> Iterator[str]:
    if subject == "SCHEMA public":
        # Whether everybody can create there depends on the server's version, and on what administrators changed.
        everybody = sorted(privilege for grantee, privilege, _ in acl if grantee is None)
        grant = f" GRANT {', '.join(everybody)} ON SCHEMA public TO PUBLIC;" if everybody else ""
        yield f"{PUBLIC_SCHEMA} FROM PUBLIC;{grant}"
        acl, baseline = (
            frozenset(each for each in list_ if each[0] is not None) for list_ in (acl, baseline)
        )
    of_column = f" ({identifier(column)})" if column else ""
    for verb, grantee, privileges, option in changes(acl, baseline):
        listed = ", ".join(f"{privilege}{of_column}" for privilege in privileges)
        yield f"{verb} {listed} ON {subject} {'TO' if verb == 'GRANT' else 'FROM'} {grantee}{option};"


def _database(connection: psycopg.Connection[Any]) -> tuple[list[str], list[str]]:
    query = _DATABASE.format(
        acl=listed_by("coalesce(d.datacl, acldefault('d', d.datdba))"),
        baseline=listed_by("acldefault('d', d.datdba)"),
    )
    [(owner, acl, baseline)] = connection.execute(query.encode()).fetchall()
    owners = [] if owner is None else [in_this_database("ALTER DATABASE", f"OWNER TO {identifier(owner)}")]
    grants = [
        in_this_database(
            f"{verb} {', '.join(privileges)} ON DATABASE",
            f"{'TO' if verb == 'GRANT' else 'FROM'} {grantee}{option}",
        )
        for verb, grantee, privileges, option in changes(grants_in(acl), grants_in(baseline))
    ]
    return owners, grants


def _large_objects(connection: psycopg.Connection[Any]) -> tuple[list[str], list[str]]:
    query = _LARGE_OBJECTS.format(
        acl=listed_by("coalesce(o.lomacl::aclitem[], acldefault('L', o.lomowner))"),
        baseline=listed_by("acldefault('L', o.lomowner)"),
    )
    owners: list[str] = []
    grants: list[str] = []
    for owner, acl, baseline, numbers in connection.execute(query.encode()):
        for start in range(0, len(numbers), _LARGE_OBJECTS_PER_STATEMENT):
            some = numbers[start : start + _LARGE_OBJECTS_PER_STATEMENT]
            if owner is not None:
                owners.append(_large_objects_to(owner, some))
            listed = ", ".join(map(str, some))
            for verb, grantee, privileges, option in changes(grants_in(acl), grants_in(baseline)):
                direction = "TO" if verb == "GRANT" else "FROM"
                grants.append(
                    f"{verb} {', '.join(privileges)} ON LARGE OBJECT {listed} {direction} {grantee}{option};"
                )
    return owners, grants


def _large_objects_to(owner: str, numbers: list[int]) -> str:
    change = f"pg_catalog.format('ALTER LARGE OBJECT %s OWNER TO %I', number, {literal(owner)})"
    return block(
        f"FOREACH number IN ARRAY '{{{','.join(map(str, numbers))}}}'::oid[] LOOP EXECUTE {change}; END LOOP;",
        declare="number oid;",
    )


def _defaults(connection: psycopg.Connection[Any]) -> Iterator[str]:
    kind = "CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END"
    query = _DEFAULTS.format(
        acl=listed_by("d.defaclacl"),
        # Those of a schema come on top of the global ones, which are instead of the built-in ones.
        baseline=listed_by(f"CASE WHEN d.defaclnamespace = 0 THEN acldefault({kind}, d.defaclrole) END"),
    )
    for role, schema, letter, acl, baseline in connection.execute(query.encode()):
        where = "" if schema is None else f" IN SCHEMA {identifier(schema)}"
        for verb, grantee, privileges, option in changes(grants_in(acl), grants_in(baseline)):
            direction = "TO" if verb == "GRANT" else "FROM"
            yield (
                f"ALTER DEFAULT PRIVILEGES FOR ROLE {identifier(role)}{where} {verb} {', '.join(privileges)} "
                f"ON {_DEFAULT_KINDS[letter]} {direction} {grantee}{option};"
            )
