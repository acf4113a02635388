"""What the role of the source could destroy: asked by `has_*_privilege` and the role's attributes, never tried."""

from pathlib import Path
from typing import Final

from hackorda_ops.engines.rights import RoleRights
from hackorda_ops.environment import Protected
from hackorda_ops.postgres.catalogs.own_schemas import OWN_SCHEMA
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS

_SETTINGS: Final = {**SHORT_SETTINGS, "default_transaction_read_only": "on", "statement_timeout": "15s"}
_RETRY_BUDGET_SECONDS: Final = 10.0

# Every role that this one may become counts, also one whose rights it doesn't inherit.
_RIGHTS: Final = rf"""
WITH roles AS MATERIALIZED (
    SELECT oid, rolname, rolsuper, rolcreaterole FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'MEMBER')
), relations AS MATERIALIZED (
    SELECT c.oid, c.relowner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'f', 'm') AND {OWN_SCHEMA}
)
SELECT current_user::text,
       (SELECT bool_or(rolsuper OR rolname = 'pg_execute_server_program') FROM roles),
       (SELECT count(*) FROM relations WHERE relowner IN (SELECT oid FROM roles))
       + (SELECT count(*) FROM pg_catalog.pg_namespace n WHERE {OWN_SCHEMA} AND nspowner IN (SELECT oid FROM roles))
       + (SELECT count(*) FROM pg_catalog.pg_database
           WHERE datname = pg_catalog.current_database() AND datdba IN (SELECT oid FROM roles)),
       (SELECT count(*) FROM relations t
         WHERE EXISTS (SELECT FROM roles r
                        WHERE pg_catalog.has_table_privilege(r.oid, t.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))),
       (SELECT count(*) FROM pg_catalog.pg_namespace n
         WHERE {OWN_SCHEMA} AND EXISTS (SELECT FROM roles r
                                         WHERE pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE'))),
       (SELECT coalesce(array_agg(rolname::text ORDER BY rolname), ARRAY[]::text[]) FROM roles
         WHERE rolname IN ('pg_write_all_data', 'pg_write_server_files', 'pg_execute_server_program')),
       (SELECT bool_or(rolcreaterole) FROM roles)
"""


def role_rights(protected: Protected, *, private_folder: Path) -> RoleRights:
    """See `TellsRights.role_rights`."""
    target = protected.source(private_folder=private_folder)
    with (
        connect(
            target,
            application_name="hackorda_ops blast-radius",
            settings=_SETTINGS,
            retry_budget_seconds=_RETRY_BUDGET_SECONDS,
        ) as connection,
        translated_errors(target, "Asking what the role may do"),
    ):
        [(role, superuser, owns, writes, creates, powers, makes_roles)] = connection.execute(
            _RIGHTS.encode()
        ).fetchall()
    return RoleRights(
        role=role,
        superuser=bool(superuser),
        owns=owns,
        writes=writes,
        creates=creates,
        powers=(*(("CREATEROLE",) if makes_roles else ()), *powers),
    )
