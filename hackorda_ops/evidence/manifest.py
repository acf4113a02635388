"""The manifest of a Postgres artifact: what the database held, what the archive holds, and what wrote it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from hackorda_ops.artifacts.manifest import Manifest, Part
from hackorda_ops.artifacts.sealed import require_open
from hackorda_ops.evidence.source_values import SourceValues
from hackorda_ops.postgres.archives.large_objects import LargeObjectsDigest
from hackorda_ops.postgres.catalogs.inventory import Inventory, Table, TableName
from hackorda_ops.postgres.catalogs.own_rules import Kept
from hackorda_ops.postgres.catalogs.whole_tables import rows_of_whole_tables
from hackorda_ops.postgres.sessions.reading import Burden
from hackorda_ops.words import counted

ENGINE: Final = "postgres"
DUMP_FOLDER_NAME: Final = "dump"


@dataclass(frozen=True)
class TableEvidence:
    """One table's data in the archive, as read back from disk.

    Attributes:
        name: the table.
        file: its file in the artifact ("dump/3395.dat.zst").
        columns: the COPY column list, in order: the digest is over rows of exactly these columns.
        rows: rows counted in the archive; equal to the snapshot's exact count, or there'd be no artifact.
        digest: 32 hex digits: the sum modulo 2^128 of XXH3-128 over each row's COPY text.
    """

    name: TableName
    file: str
    columns: tuple[str, ...]
    rows: int
    digest: str


@dataclass(frozen=True)
class ClientRecord:
    """The client that wrote the dump: a restore needs the same major version."""

    major: int
    version: str
    compression: str
    options: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PostgresManifest(Manifest):
    """Everything that an artifact of a Postgres database records about itself.

    Attributes:
        lsn: WAL position of its moment on the source ("0/1A2B3C8").
        lsn_aligned: whether snapshot and position are known to belong together. Where the dump was read from a branch
            of the source at `lsn`, they do by construction, and `snapshot` is of the branch.
        snapshot: `pg_current_snapshot()` as text, which decides at a drill whether a branch is exact.
        burden: what the night cost the database that was read; None where an earlier release wrote it.
        source_values: when each table's values were last compared with the source's; None where an earlier release
            took the night.
        inventory: what the database held in that snapshot.
        schema_sha256: digest of the schema in that snapshot.
        tables: one entry per table whose data the archive holds.
        large_objects: what the archive holds of them, read back from disk.
        client: what wrote the dump.
        schema_objects: by type and name ("TABLE public.users"), one digest of everything that the archive's table
            of contents says about it, as written in the snapshot; empty where an earlier release wrote it.
        rules: whether the source's rows satisfied its foreign keys, checks and generated columns, and which of these
            weren't checked; None where an earlier release didn't check.
    """

    lsn: str
    lsn_aligned: bool
    snapshot: str
    inventory: Inventory
    schema_sha256: str
    tables: tuple[TableEvidence, ...]
    large_objects: LargeObjectsDigest
    client: ClientRecord
    burden: Burden | None = None
    source_values: SourceValues | None = None
    schema_objects: dict[str, str] = field(default_factory=dict)
    rules: Kept | None = None
    engine: str = ENGINE

    @property
    def parts(self) -> tuple[Part, ...]:
        """The tables whose data the archive holds."""
        counted_rows = {table.name: table.rows or 0 for table in self.inventory.tables}
        return tuple(
            Part(str(table.name), table.rows, table.digest, counted_rows.get(table.name, 0))
            for table in self.tables
        )

    @property
    def contents(self) -> str:
        """How many rows, in how many tables."""
        return f"{counted(self.rows, 'row')} in {counted(len(self.tables), 'table')}"

    @property
    def server_version(self) -> str:
        """The version of the source's server."""
        return self.inventory.source.server_version

    @property
    def source_bytes(self) -> int:
        """The database's size on its server's disk, indexes included."""
        return self.inventory.size_bytes

    @property
    def position(self) -> str:
        """The WAL position of its moment."""
        return self.lsn

    @property
    def tool_versions(self) -> dict[str, str]:
        """The version of the client that dumped it."""
        return {"pg_dump": self.client.version}

    @property
    def schema_digest(self) -> str | None:
        """The digest of the schema in the snapshot."""
        return self.schema_sha256

    @property
    def rows(self) -> int:
        """Rows of all tables in the archive."""
        return sum(table.rows for table in self.tables)

    @property
    def rows_by_table(self) -> dict[TableName, int]:
        """Rows of each table in the archive, a partitioned one as a whole."""
        return rows_of_whole_tables(self.inventory.tables, {table.name: table.rows for table in self.tables})

    def subject(self, path: str) -> str:
        """How findings name one of its files: with its table, if it has one."""
        name = self._names_by_file.get(path)
        return path if name is None else f"{path} ({name})"

    def table(self, name: TableName) -> Table:
        """The inventory's entry of one table.

        Raises:
            KeyError: the inventory has no such table.
        """
        return self._listed_by_name[name]

    # Whoever wrote the manifest chose how many there are: asked for each file, a walk through them would never end.
    @cached_property
    def _names_by_file(self) -> dict[str, TableName]:
        return {table.file: table.name for table in reversed(self.tables)}

    @cached_property
    def _listed_by_name(self) -> dict[TableName, Table]:
        return {table.name: table for table in reversed(self.inventory.tables)}

    def contradictions(self) -> Iterator[str]:
        """What in the evidence contradicts itself."""
        paths = {entry.path for entry in self.files}
        missing = [table.file for table in self.tables if table.file not in paths]
        if missing:
            yield f"tables without a file: {', '.join(missing[:5])}"
        compared = self.source_values
        listed = {table.name for table in self.tables}
        if compared is not None and {each.table for each in compared.tables} != listed:
            yield "it does not record for each table when its values were compared with the source"
        if self.large_objects.objects != self.inventory.large_objects:
            yield "its evidence covers a different number of large objects than there were"
        unproven = [
            str(table.name)
            for table in self.inventory.tables
            if table.has_data_in_dump and table.name not in listed
        ]
        if unproven:
            yield f"tables without evidence: {', '.join(unproven[:5])}"


def of_postgres(manifest: Manifest) -> PostgresManifest:
    """A manifest that is known to be of Postgres, with its evidence.

    Raises:
        IdentityMissing: it is sealed.
        TypeError: it is of another engine.
    """
    require_open(manifest)
    if not isinstance(manifest, PostgresManifest):
        raise TypeError(f"{manifest.artifact_id} is an artifact of {manifest.engine}")
    return manifest
