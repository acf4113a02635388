"""What a database contains in one snapshot, as plain values that go into the manifest unchanged.

Reading them is `source_catalog` (everything but the counts), `counting` (exact rows), `schema_digest`
(has the schema changed?) and `rights` (can the role read everything?).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from psycopg import sql

TableKind = Literal["table", "partition", "partitioned", "materialized view", "foreign table"]


@dataclass(frozen=True, order=True)
class TableName:
    """A relation's name in its two parts, exactly as the catalog has them (never folded, never quoted).

    Attributes:
        schema: for example "public".
        name: for example "honeyDue users".
    """

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> str:
        """The name as SQL: '"schema"."name"', with quotes inside doubled."""
        return sql.Identifier(self.schema, self.name).as_string(None)


@dataclass(frozen=True)
class Table:
    """One relation that has columns and could hold rows. Views are not among them.

    Attributes:
        name: schema and name.
        oid: the relation's OID on the source; TABLE DATA lines of an archive's list carry it.
        kind: "partition" is a leaf with rows of its own, "partitioned" a parent without any.
        unlogged: its rows do not survive a crash, a suspended Neon compute or a clone.
        columns: what COPY moves, in order: no dropped and no generated ones. May be empty.
        partition_root: the topmost parent of a partition; None for everything else.
        extension: the extension that owns it; pg_dump leaves its rows to CREATE EXTENSION, unless they are
            configuration.
        populated: for a materialized view, whether it has ever been refreshed; None for everything else.
        rows: exact rows of its own in the snapshot (count(*) FROM ONLY), of a configuration table those that the
            condition selects; None if none were counted.
        configuration: for a table that its extension has registered as configuration (pg_extension_config_dump), the
            condition that selects the rows of a dump ("WHERE id >= 1000", "" for all); None for everything else.
        access_method: how its rows are stored ("heap"); None if it has none, or an earlier release didn't check.
    """

    name: TableName
    oid: int
    kind: TableKind
    unlogged: bool
    columns: tuple[str, ...]
    partition_root: TableName | None
    extension: str | None
    populated: bool | None
    rows: int | None
    configuration: str | None = None
    access_method: str | None = None

    @property
    def has_data_in_dump(self) -> bool:
        """Whether the dump holds rows of this table, so that these and their digest can be compared.

        Not for a partitioned parent (its leaves have the rows), a foreign table (the rows are
        elsewhere), a materialized view (it is refreshed) and what an extension owns, unless that is
        its configuration.
        """
        ours = self.extension is None or self.configuration is not None
        return self.kind in ("table", "partition") and ours


@dataclass(frozen=True)
class Sequence:
    """A sequence's stored state. Sequences are not transactional: this is roughly then, not exactly the snapshot.

    Attributes:
        name: schema and name.
        last_value: the value last handed out, or the next one where `is_called` is false.
        is_called: whether `last_value` has been handed out.
    """

    name: TableName
    last_value: int
    is_called: bool


@dataclass(frozen=True)
class Extension:
    """An installed extension: a restore target must offer it.

    Attributes:
        name: for example "citext".
        version: the installed version.
        schema: where its objects are.
    """

    name: str
    version: str
    schema: str


@dataclass(frozen=True, order=True)
class Switch:
    """A trigger, a rule or an event trigger that isn't simply on.

    Attributes:
        subject: what it is ("trigger audit on public.users", "constraint posts_author_fkey of public.posts (…)").
        state: "off", "on for replicas only" or "always on".
        carried: whether a dump records it, so that a restore recreates it.
    """

    subject: str
    state: str
    carried: bool


@dataclass(frozen=True)
class MigrationState:
    """A migration tool's own record of its progress.

    Attributes:
        tool: "drizzle", "prisma", "goose", ...
        table: where the tool keeps its state.
        applied: migrations in force.
        latest: the newest of them as the tool names it; "" if there is none.
    """

    tool: str
    table: TableName
    applied: int
    latest: str


@dataclass(frozen=True)
class SourceIdentity:
    """Which database this was read from, and what a new one needs to hold its data.

    Attributes:
        server_version: "17.10", without the packager's suffix.
        server_version_number: 170010.
        system_identifier: of the cluster, the same on every clone of it; None if the role can't read it.
        neon_timeline: Neon's id of the branch's history; None elsewhere.
        database: the database's name on the server.
        host: as the client dialled it, or the folder of a Unix socket.
        port: as the client dialled it.
        encoding: "UTF8".
        collation: LC_COLLATE.
        character_type: LC_CTYPE.
        locale_provider: "libc", "icu" or "builtin".
        locale: the locale of the ICU or builtin provider; None for libc.
    """

    server_version: str
    server_version_number: int
    system_identifier: str | None
    neon_timeline: str | None
    database: str
    host: str
    port: int
    encoding: str
    collation: str
    character_type: str
    locale_provider: str
    locale: str | None


@dataclass(frozen=True)
class LeftOut:
    """What surrounds a database and needs attention after a restore. Only names.

    Attributes:
        login_roles: roles of the server that log in; their passwords are in no backup.
        required_roles: roles that policies and user mappings name: without them a restore stops.
        settings: statements to be completed: settings whose values were not read, or of every role.
        publications: a restore recreates them, but nobody subscribes to the new server.
        replication_slots: logical ones of this database; no dump holds them.
        user_mappings: "role on server"; their passwords are only in the dump if the role could read them.
        tablespaces: other than the default; a restore puts everything into the default one.
        event_triggers: only a superuser can restore them.
    """

    login_roles: tuple[str, ...] = ()
    required_roles: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    publications: tuple[str, ...] = ()
    replication_slots: tuple[str, ...] = ()
    user_mappings: tuple[str, ...] = ()
    tablespaces: tuple[str, ...] = ()
    event_triggers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inventory:
    """What a database contains. `rows` of the tables are None until they are counted.

    Attributes:
        source: which database it is.
        tables: every table, partition, materialized view and foreign table, by name.
        sequences: every sequence that the role can read, by name; those of extensions are left out, unless they are
            configuration.
        extensions: installed extensions, by name.
        database_settings: what ALTER DATABASE … SET left ("statement_timeout=15s", "role app: work_mem=8MB").
            A dump doesn't include them. Values of settings that Postgres doesn't know are hidden: some
            keep keys there.
        roles: names of the server's roles, without the built-in ones and those of a database's host. A dump
            doesn't include them.
        large_objects: how many.
        migrations: state of every migration tool found.
        size_bytes: size on the server's disk, indexes included.
        subscriptions: names of logical-replication subscriptions; a restore leaves them out.
        warnings: what the dump won't contain or a reader should know, as sentences.
        left_out: what a dump doesn't contain and a restore can't recreate.
        falling_sequences: those whose value can go down by design: they count downwards, or start over.
        made_objects: every other user-made object, as the server names it ("index public.users_pkey").
        on_extension_tables: indexes, constraints, triggers and rules on tables of extensions, in the server's words.
            A dump holds none of them.
        switches: triggers, rules and event triggers that aren't simply on; None if an earlier release didn't check.
    """

    source: SourceIdentity
    tables: tuple[Table, ...]
    sequences: tuple[Sequence, ...]
    extensions: tuple[Extension, ...]
    database_settings: tuple[str, ...]
    roles: tuple[str, ...]
    large_objects: int
    migrations: tuple[MigrationState, ...]
    size_bytes: int
    subscriptions: tuple[str, ...]
    warnings: tuple[str, ...]
    falling_sequences: tuple[TableName, ...] = ()
    left_out: LeftOut = LeftOut()
    made_objects: tuple[str, ...] = ()
    on_extension_tables: tuple[str, ...] = ()
    switches: tuple[Switch, ...] | None = None

    def with_rows(self, rows: Mapping[TableName, int]) -> "Inventory":
        """This inventory with the counts filled in; tables without one keep None."""
        return replace(self, tables=tuple(replace(table, rows=rows.get(table.name)) for table in self.tables))
