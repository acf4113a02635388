"""Reads the inventory of a database from its system catalogs: everything but the counts.

Nothing here needs a right on the tables themselves, so preflights and observations use it too.
"""

from typing import Any, Final

import psycopg

from hackorda_ops.postgres.access.roles import OWN_ROLE
from hackorda_ops.postgres.catalogs.inventory import (
    Extension,
    Inventory,
    SourceIdentity,
    Switch,
    Table,
    TableKind,
    TableName,
)
from hackorda_ops.postgres.catalogs.left_out import read_left_out
from hackorda_ops.postgres.catalogs.made_objects import read_made_objects, read_on_extension_tables
from hackorda_ops.postgres.catalogs.migration_state import read_migrations
from hackorda_ops.postgres.catalogs.own_schemas import OWN_SCHEMA
from hackorda_ops.postgres.catalogs.sequences import read_falling_sequences, read_sequences
from hackorda_ops.postgres.catalogs.switches import read_switches

_KINDS: Final[dict[str, TableKind]] = {
    "r": "table",
    "p": "partitioned",
    "m": "materialized view",
    "f": "foreign table",
}
_PROVIDERS: Final = {"c": "libc", "i": "icu", "b": "builtin"}

_TABLES: Final = rf"""
SELECT c.oid::bigint, n.nspname, c.relname, c.relkind::text, c.relispartition, c.relpersistence = 'u',
       c.relispopulated, root_n.nspname, root.relname, e.extname,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
              ORDER BY a.attnum),
       -- pg_dump leaves out those of extensions that came with the server.
       (SELECT registered.condition FROM unnest(e.extconfig, e.extcondition) registered (relation, condition)
         WHERE registered.relation = c.oid AND e.oid >= 16384),
       (SELECT am.amname FROM pg_am am WHERE am.oid = c.relam)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_class root ON c.relispartition AND root.oid = pg_partition_root(c.oid)
  LEFT JOIN pg_namespace root_n ON root_n.oid = root.relnamespace
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
                       AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  LEFT JOIN pg_extension e ON e.oid = d.refobjid
 WHERE c.relkind IN ('r', 'p', 'm', 'f') AND c.relpersistence <> 't' AND {OWN_SCHEMA}
"""

# A setting that Postgres doesn't know is the application's own; it may hold a key ("app.jwt_secret").
# The server hides such placeholders from pg_settings, which distinguishes them from real settings.
_DATABASE_SETTINGS: Final = """
SELECT role.rolname, split_part(entry, '=', 1),
       CASE WHEN EXISTS (SELECT FROM pg_settings known WHERE known.name = lower(split_part(entry, '=', 1)))
            THEN substr(entry, strpos(entry, '=') + 1) END
  FROM pg_db_role_setting s
  JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = current_database()
  LEFT JOIN pg_roles role ON role.oid = s.setrole
 CROSS JOIN LATERAL unnest(s.setconfig) AS entry
"""


def read_catalog(connection: psycopg.Connection[Any]) -> Inventory:
    """Reads what the database holds, without counting any rows.

    Args:
        connection: with the comparable settings of `session.connect`; in a transaction or not.

    Returns:
        The inventory, `rows` of every table None. Sequences that the role may not read are left
        out and named in `warnings`.

    Raises:
        SourceBusy: a sequence was dropped while it was being read.
        psycopg.Error: the caller translates.
    """
    tables = _read_tables(connection)
    sequences, unreadable = read_sequences(connection)
    settings, hidden = _read_database_settings(connection)
    switches = read_switches(connection)
    subscriptions = _texts(
        connection,
        "SELECT s.subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid"
        " WHERE d.datname = current_database()",
    )
    return Inventory(
        source=read_source(connection),
        tables=tables,
        sequences=sequences,
        extensions=tuple(
            Extension(*row)
            for row in sorted(
                connection.execute(
                    "SELECT e.extname, e.extversion, n.nspname FROM pg_extension e"
                    " JOIN pg_namespace n ON n.oid = e.extnamespace"
                )
            )
        ),
        database_settings=settings,
        roles=_texts(connection, f"SELECT rolname FROM pg_roles WHERE {OWN_ROLE.format('')}"),
        large_objects=_one(connection, "SELECT count(*) FROM pg_largeobject_metadata")[0],
        migrations=read_migrations(connection, tables),
        size_bytes=_one(connection, "SELECT pg_database_size(current_database())")[0],
        subscriptions=subscriptions,
        warnings=_warnings(tables, unreadable, hidden, subscriptions, switches),
        left_out=read_left_out(connection),
        made_objects=read_made_objects(connection),
        on_extension_tables=read_on_extension_tables(connection),
        switches=switches,
        falling_sequences=read_falling_sequences(connection),
    )


def read_source(connection: psycopg.Connection[Any]) -> SourceIdentity:
    """Reads which database a connection leads to.

    Raises:
        psycopg.Error: the caller translates.
    """
    number = connection.info.server_version
    # Providers came into the catalog in 15, and 17 renamed the column when it added its own provider.
    locale = {14: "NULL", 15: "daticulocale", 16: "daticulocale"}.get(number // 10000, "datlocale")
    provider = "'c'" if number < 150000 else "datlocprovider"
    version, database, encoding, collation, character_type, provider_letter, provider_locale, neon = _one(
        connection,
        f"""
        SELECT split_part(current_setting('server_version'), ' ', 1), datname,
               pg_encoding_to_char(encoding), datcollate, datctype, {provider}::text, {locale}::text,
               nullif(current_setting('neon.timeline_id', true), '')
          FROM pg_database WHERE datname = current_database()
        """,
    )
    return SourceIdentity(
        server_version=version,
        server_version_number=number,
        system_identifier=_system_identifier(connection),
        neon_timeline=neon,
        database=database,
        host=connection.info.host,
        port=connection.info.port,
        encoding=encoding,
        collation=collation,
        character_type=character_type,
        locale_provider=_PROVIDERS.get(provider_letter, provider_letter),
        locale=provider_locale,
    )


def _system_identifier(connection: psycopg.Connection[Any]) -> str | None:
    try:
        with connection.transaction():  # a refusal must not end the snapshot's transaction
            identifier: str = _one(connection, "SELECT system_identifier::text FROM pg_control_system()")[0]
    except psycopg.errors.InsufficientPrivilege:
        return None
    return identifier


def _read_tables(connection: psycopg.Connection[Any]) -> tuple[Table, ...]:
    tables = []
    for (
        oid,
        schema,
        name,
        kind,
        is_partition,
        unlogged,
        populated,
        root_schema,
        root_name,
        extension,
        columns,
        configuration,
        access_method,
    ) in connection.execute(_TABLES):
        tables.append(
            Table(
                name=TableName(schema, name),
                oid=oid,
                kind="partition" if kind == "r" and is_partition else _KINDS[kind],
                unlogged=unlogged,
                columns=tuple(columns),
                partition_root=TableName(root_schema, root_name) if root_schema is not None else None,
                extension=extension,
                populated=populated if kind == "m" else None,
                rows=None,
                configuration=configuration,
                access_method=access_method,
            )
        )
    return tuple(sorted(tables, key=lambda table: table.name))


def _read_database_settings(connection: psycopg.Connection[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    shown, hidden = [], []
    for role, name, value in connection.execute(_DATABASE_SETTINGS):
        owner = "" if role is None else f"role {role}: "
        shown.append(f"{owner}{name}={'(value hidden)' if value is None else value}")
        if value is None:
            hidden.append(name)
    return tuple(sorted(shown)), tuple(sorted(set(hidden)))


def _warnings(
    tables: tuple[Table, ...],
    unreadable: tuple[TableName, ...],
    hidden: tuple[str, ...],
    subscriptions: tuple[str, ...],
    switches: tuple[Switch, ...],
) -> tuple[str, ...]:
    foreign = [str(table.name) for table in tables if table.kind == "foreign table"]
    unlogged = [str(table.name) for table in tables if table.unlogged]
    found = (
        (foreign, "rows of foreign tables are on another server and not in the dump"),
        (unlogged, "unlogged tables are dumped, but a crash of the source or a clone empties them"),
        ([str(name) for name in unreadable], "the role can't read these sequences"),
        (list(hidden), "values of the application's own database settings are not recorded"),
        (list(subscriptions), "subscriptions are not recreated by a restore"),
        (
            [f"{switch.subject} is {switch.state}" for switch in switches if not switch.carried],
            "a restore switches these on, because no dump records how they are switched",
        ),
    )
    return tuple(f"{sentence}: {', '.join(names)}" for names, sentence in found if names)


def _texts(connection: psycopg.Connection[Any], query: str) -> tuple[str, ...]:
    return tuple(sorted(row[0] for row in connection.execute(query.encode())))


def _one(connection: psycopg.Connection[Any], query: str) -> tuple[Any, ...]:
    row: tuple[Any, ...]
    [row] = connection.execute(query.encode()).fetchall()
    return row
