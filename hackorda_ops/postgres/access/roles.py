"""Roles, memberships and settings of a server, as statements that recreate them. Passwords are not included."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg

from hackorda_ops.postgres.access.one_line_sql import (
    block,
    identifier,
    in_this_database,
    list_of_names,
    literal,
)

# How a role statement begins: a role that already exists is left unchanged.
MAKE_ROLE_IF: Final = "IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = "

# The hosts' own roles, which can't be created and needn't be: the restore target's host has its own.
_HOSTS_ROLES: Final = (
    "azure_pg_admin azuresu cloud_admin cloudsqladmin cloudsqlsuperuser neon_service neon_superuser "
    "rdsadmin rdsrepladmin rdstopmgr rds_superuser rds_replication rds_password rds_iam rds_ad"
)
HOST_ROLE: Final = "{0}rolname = ANY (string_to_array('" + _HOSTS_ROLES + "', ' '))"
OWN_ROLE: Final = "{0}rolname !~ '^pg_' AND NOT " + HOST_ROLE

_ROLES: Final = f"""
SELECT rolname,
       ARRAY[CASE WHEN rolsuper THEN 'SUPERUSER' END,
             CASE WHEN rolcreatedb THEN 'CREATEDB' END,
             CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
             CASE WHEN NOT rolinherit THEN 'NOINHERIT' END,
             CASE WHEN rolcanlogin THEN 'LOGIN' END,
             CASE WHEN rolreplication THEN 'REPLICATION' END,
             CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
             CASE WHEN rolconnlimit <> -1 THEN 'CONNECTION LIMIT ' || rolconnlimit END,
             'VALID UNTIL ' || quote_literal(rolvaliduntil)]
  FROM pg_roles WHERE {OWN_ROLE.format("")} ORDER BY rolname
"""

# Since 16, a membership says whether it inherits and allows SET ROLE, and can exist once per grantor.
_MEMBERSHIPS: Final = f"""
SELECT g.rolname, m.rolname, bool_or(a.admin_option), {{inherit}}, {{may_set}}
  FROM pg_auth_members a
  JOIN pg_roles g ON g.oid = a.roleid
  JOIN pg_roles m ON m.oid = a.member
 WHERE {OWN_ROLE.format("m.")} AND NOT {HOST_ROLE.format("g.")}
 GROUP BY g.rolname, m.rolname, m.rolinherit ORDER BY 1, 2
"""

# A setting that Postgres doesn't know is the application's own, and may hold a key: its value is left out.
_SETTINGS: Final = f"""
SELECT s.setdatabase <> 0, r.rolname, split_part(entry, '=', 1),
       CASE WHEN EXISTS (SELECT FROM pg_settings known WHERE known.name = lower(split_part(entry, '=', 1)))
            THEN substr(entry, strpos(entry, '=') + 1) END
  FROM pg_db_role_setting s
  LEFT JOIN pg_roles r ON r.oid = s.setrole
 CROSS JOIN LATERAL unnest(s.setconfig) AS entry
 WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
   AND (s.setrole = 0 OR {OWN_ROLE.format("r.")})
 ORDER BY 1, 2 NULLS FIRST, 3
"""
# Their values are lists of names, and one quoted text would be read as one name.
_NAME_LISTS: Final = frozenset(
    {
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    }
)


def role_statements(connection: psycopg.Connection[Any]) -> Iterator[str]:
    """The roles and their memberships, without those of Postgres itself and of a database's host.

    Raises:
        psycopg.Error: the caller translates.
    """
    for name, attributes in connection.execute(_ROLES.encode()):
        make = " ".join(("CREATE ROLE", identifier(name), *filter(None, attributes)))
        yield block(f"{MAKE_ROLE_IF}{literal(name)}) THEN {make}; END IF;")
    query = (
        _MEMBERSHIPS.format(
            inherit="nullif(bool_or(a.inherit_option), m.rolinherit)", may_set="bool_or(a.set_option)"
        )
        if connection.info.server_version >= 160000
        else _MEMBERSHIPS.format(inherit="NULL::bool", may_set="true")
    )
    for group, member, admin, inherit, may_set in connection.execute(query.encode()):
        options = [
            *(["ADMIN OPTION"] if admin else []),
            *([] if inherit is None else [f"INHERIT {'TRUE' if inherit else 'FALSE'}"]),
            *([] if may_set else ["SET FALSE"]),
        ]
        with_options = f" WITH {', '.join(options)}" if options else ""
        yield f"GRANT {identifier(group)} TO {identifier(member)}{with_options};"


def settings(
    connection: psycopg.Connection[Any],
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """What ALTER ROLE … SET and ALTER DATABASE … SET left on the server, for this database.

    Returns:
        The statements on roles everywhere; those on this database; and, as statements that must
        be completed by hand, what must not be recreated automatically: settings with hidden values, and
        settings of every role of the server.

    Raises:
        psycopg.Error: the caller translates.
    """
    of_roles: list[str] = []
    of_database: list[str] = []
    by_hand: list[str] = []
    for is_here, role, name, value in connection.execute(_SETTINGS.encode()):
        # A custom setting's name has a dot between its parts, and is quoted part by part.
        setting = ".".join(identifier(part) for part in name.split("."))
        change = f"SET {setting} TO {'...' if value is None else _value(name, value)}"
        of_role = "" if role is None else f"ALTER ROLE {identifier(role)}"
        if value is None:
            where = f"{of_role} IN DATABASE ..." if role and is_here else of_role or "ALTER DATABASE ..."
            by_hand.append(f"{where} {change};")
        elif not is_here:
            (of_roles if role else by_hand).append(f"{of_role or 'ALTER ROLE ALL'} {change};")
        elif role:
            of_database.append(in_this_database(f"{of_role} IN DATABASE", change))
        else:
            of_database.append(in_this_database("ALTER DATABASE", change))
    return tuple(of_roles), tuple(of_database), tuple(by_hand)


def _value(name: str, stored: str) -> str:
    return list_of_names(stored) if name.lower() in _NAME_LISTS else literal(stored)
