"""The rights that a role lacks to dump a database, found before pg_dump fails on the first of them."""

from typing import Any, Final

import psycopg
from psycopg import sql

from hackorda_ops.errors import RightsMissing
from hackorda_ops.postgres.catalogs.inventory import Inventory
from hackorda_ops.postgres.catalogs.own_schemas import OWN_SCHEMA
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.words import shortened

_STATEMENTS_SHOWN: Final = 20

# pg_dump locks partitioned parents too, which needs SELECT on them; it skips what an extension owns,
# unless the extension registered the table as one of its configuration.
_RELATIONS: Final = rf"""
SELECT n.nspname, c.relname, c.relkind = 'S',
       has_schema_privilege(n.oid, 'USAGE'),
       CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'SELECT')
            ELSE has_table_privilege(c.oid, 'SELECT') END,
       row_security_active(c.oid)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE (c.oid = ANY(%(tables)s) OR c.relkind = 'S' AND c.relpersistence <> 't'
                                   AND {OWN_SCHEMA})
   AND (NOT EXISTS (SELECT FROM pg_depend d
                     WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        OR EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY(e.extconfig)))
 ORDER BY 3, 1, 2
"""

# Before Postgres 18 no function answers "can I read this large object?", so its access list is read directly.
_LARGE_OBJECTS: Final = """
SELECT count(*) FROM pg_largeobject_metadata l
 WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
   AND NOT pg_has_role(l.lomowner, 'USAGE')
   AND NOT EXISTS (SELECT FROM aclexplode(l.lomacl) a
                    WHERE a.privilege_type = 'SELECT'
                      AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE')))
"""


def missing_rights(connection: psycopg.Connection[Any], inventory: Inventory) -> tuple[str, ...]:
    """Finds everything that a dump must read but the connection's role can't.

    Args:
        connection: as the role that will dump.
        inventory: of the same database.

    Returns:
        SQL statements that fix one gap each; empty if nothing is missing. To be run by a
        superuser or the owner. GRANT pg_read_all_data fixes gaps in schemas, tables and
        sequences at once, and those of future tables.

    Raises:
        psycopg.Error: the caller translates.
    """
    [(role_name,)] = connection.execute("SELECT current_user::text").fetchall()
    role = sql.Identifier(role_name)
    dumped = [table.oid for table in inventory.tables if table.kind in ("table", "partition", "partitioned")]
    schemas: dict[str, sql.Composed] = {}
    relations: list[sql.Composed] = []
    policies = False
    for schema, name, is_sequence, schema_open, readable, policy_applies in connection.execute(
        _RELATIONS, {"tables": dumped}
    ):
        # NULL if it was dropped since the snapshot: pg_dump will report that.
        if schema_open is False:
            schemas[schema] = sql.SQL("GRANT USAGE ON SCHEMA {} TO {};").format(sql.Identifier(schema), role)
        if readable is False:
            relations.append(
                sql.SQL("GRANT SELECT ON {} {} TO {};").format(
                    sql.SQL("SEQUENCE" if is_sequence else "TABLE"), sql.Identifier(schema, name), role
                )
            )
        policies = policies or policy_applies
    statements = [*schemas.values(), *relations]
    if policies:
        # With row_security=off pg_dump stops at such a table; with it on, rows would be missing silently.
        statements.append(sql.SQL("ALTER ROLE {} BYPASSRLS;").format(role))
    [(closed_large_objects,)] = connection.execute(_LARGE_OBJECTS).fetchall()
    if closed_large_objects:
        statements.append(_open_large_objects(role_name))
    return tuple(statement.as_string(connection) for statement in statements)


def rights_missing(target: ConnectionTarget, statements: tuple[str, ...]) -> RightsMissing:
    """The error that lists what `missing_rights` found."""
    return RightsMissing(
        f"{target.describe()}: the role {target.user} can't read everything:\n"
        + "\n".join(f"  {statement}" for statement in shortened(statements, _STATEMENTS_SHOWN)),
        meaning="A dump would fail, or leave these out. None was taken; the earlier artifacts are unchanged.",
        next_step="Run the statements above as the owner of these objects, then dump again. If there are many: "
        "GRANT pg_read_all_data TO the role covers tables, sequences and schemas.",
    )


def _open_large_objects(role_name: str) -> sql.Composed:
    # There is no GRANT on all large objects, and there may be millions of them.
    return sql.SQL(
        "DO $do$ DECLARE id oid; BEGIN FOR id IN SELECT oid FROM pg_largeobject_metadata LOOP "
        "EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO %I', id, {}); END LOOP; END $do$;"
    ).format(sql.Literal(role_name))
