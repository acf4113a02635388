"""The manifest: an artifact's identity and evidence, as one versioned JSON file.

An artifact exists only once its manifest does; it is always written last.
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Final, Literal

from pydantic import TypeAdapter

from hackorda_ops.artifacts.documents import USE_ANOTHER_ARTIFACT, Advice, Document
from hackorda_ops.artifacts.ids import is_id, second
from hackorda_ops.artifacts.recorded import missed
from hackorda_ops.artifacts.source_values import SourceValues
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.postgres.archives.large_objects import LargeObjectsDigest
from hackorda_ops.postgres.catalogs.inventory import Inventory, Table, TableName
from hackorda_ops.postgres.catalogs.own_rules import Kept
from hackorda_ops.postgres.catalogs.whole_tables import rows_of_whole_tables
from hackorda_ops.postgres.sessions.reading import Burden
from hackorda_ops.words import counted, size

FORMAT_VERSION = 1
MANIFEST_NAME = "manifest.json"
RECOVERY_SHEET_NAME = "RESTORE.md"
DUMP_FOLDER_NAME = "dump"

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class FileEntry:
    """One file of an artifact.

    Attributes:
        path: relative to the artifact, with forward slashes ("dump/3395.dat.zst").
        size_bytes: length of the file as stored.
        sha256: hex SHA-256 of those bytes.
    """

    path: str
    size_bytes: int
    sha256: str


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


@dataclass(frozen=True)
class Manifest:
    """Everything an artifact records about itself.

    Attributes:
        format_version: `FORMAT_VERSION` of the writer.
        artifact_id: "YYYYMMDDTHHMMSSZ-xxxxxx", from the server's clock; sorts by time.
        database: the protected database's name in databases.yaml.
        night: the partition: the local date on which the dump was due.
        captured_at: the source's own clock at the moment that the dump holds, in UTC.
        lsn: WAL position of that moment on the source ("0/1A2B3C8").
        lsn_aligned: whether snapshot and position are known to belong together.
        snapshot: `pg_current_snapshot()` as text, which decides at a drill whether a branch is exact.
        late: whether the dump was taken after its night's date had passed.
        as_of: for a missed night: its scheduled time, recovered from the provider's history; None
            for a dump of the present.
        dumped_from: "branch" where the dump was read from a Neon branch of the source at `lsn`. Then position
            and dump belong together by construction, and `snapshot` is of the branch.
        burden: what the night cost the database that was read; None where an earlier release wrote it.
        source_values: when each table's values were last compared with the source's; None where an earlier release
            took the night.
        reason: "night" for the scheduled dump, "on demand" for a requested one.
        inventory: what the database held in that snapshot.
        schema_sha256: digest of the schema in that snapshot.
        tables: one entry per table whose data the archive holds.
        large_objects: what the archive holds of them, read back from disk.
        client: what wrote the dump.
        files: every file of the artifact but the manifest itself.
        findings: what the comparison with the previous night's artifact found; an artifact with a fatal
            one is kept, but isn't sound: no weekly copy ships it.
        warnings: what the night noticed without failing.
        timings_seconds: stage name to wall-clock seconds.
        schema_objects: by type and name ("TABLE public.users"), one digest of everything that the archive's table
            of contents says about it, as written in the snapshot; empty where an earlier release wrote it.
        evidence: how many entries each list of this manifest was written with, to detect what is removed from it
            later; empty where an earlier release wrote it.
        rules: whether the source's rows satisfied its foreign keys, checks and generated columns, and which of these
            weren't checked; None where an earlier release didn't check.
        new_source: whether an operator confirmed that the source differs from the previous night's.
    """

    artifact_id: str
    database: str
    night: date
    captured_at: datetime
    lsn: str
    lsn_aligned: bool
    snapshot: str
    late: bool
    reason: str
    inventory: Inventory
    schema_sha256: str
    tables: tuple[TableEvidence, ...]
    large_objects: LargeObjectsDigest
    client: ClientRecord
    files: tuple[FileEntry, ...]
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    timings_seconds: dict[str, float]
    as_of: datetime | None = None
    dumped_from: Literal["branch", "source"] = "source"
    burden: Burden | None = None
    source_values: SourceValues | None = None
    schema_objects: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, int] = field(default_factory=dict)
    rules: Kept | None = None
    new_source: bool = False
    format_version: int = FORMAT_VERSION

    @property
    def prefix(self) -> str:
        """The artifact's place in a store: "<database>/<artifact id>"."""
        return f"{self.database}/{self.artifact_id}"

    @property
    def sound(self) -> bool:
        """Whether its night found nothing wrong with it; warnings don't count."""
        return not fatal(self.findings)

    @property
    def size_bytes(self) -> int:
        """Bytes of all files, the manifest itself left out."""
        return sum(entry.size_bytes for entry in self.files)

    @property
    def rows(self) -> int:
        """Rows of all tables in the archive."""
        return sum(table.rows for table in self.tables)

    @property
    def rows_by_table(self) -> dict[TableName, int]:
        """Rows of each table in the archive, a partitioned one as a whole."""
        return rows_of_whole_tables(self.inventory.tables, {table.name: table.rows for table in self.tables})

    def table(self, name: TableName) -> Table:
        """The inventory's entry of one table.

        Raises:
            KeyError: the inventory has no such table.
        """
        for table in self.inventory.tables:
            if table.name == name:
                return table
        raise KeyError(str(name))


_DOCUMENT: Final = Document(
    name="manifest",
    adapter=TypeAdapter(Manifest),
    version_field="format_version",
    version=FORMAT_VERSION,
    unreadable=Advice(
        "Nothing is known about this artifact; it is not counted as a backup.",
        "Look at the file; restore by hand from the dump folder next to it, or use another artifact.",
    ),
    other_version=Advice(
        "The artifact may be sound, but this release cannot verify it.",
        "Use the release that wrote it, or restore by hand with the RESTORE.md next to it.",
    ),
)

to_bytes = _DOCUMENT.to_bytes


def from_bytes(data: bytes, *, origin: str) -> Manifest:
    """Reads a stored manifest, trusting nothing in it.

    Args:
        data: the file's bytes.
        origin: where it was read, for the message.

    Raises:
        ArtifactDamaged: not a manifest, one of another format version, or one with paths that
            point outside its artifact.
    """
    manifest = _DOCUMENT.from_bytes(data, origin=origin)
    problems = list(_inconsistencies(manifest))
    if problems:
        raise ArtifactDamaged(
            f"The manifest {origin} contradicts itself: {'; '.join(problems)}.",
            meaning="It was altered or written incorrectly; it is not counted as a backup.",
            next_step=USE_ANOTHER_ARTIFACT,
        )
    return manifest


def _inconsistencies(manifest: Manifest) -> list[str]:
    # A manifest comes from a bucket that others might write to, and its names become paths on our disk.
    problems = []
    if not is_id(manifest.artifact_id):
        problems.append("its artifact id is malformed")
    if manifest.captured_at.tzinfo is None:
        problems.append("captured_at has no time zone")
    elif manifest.as_of is not None and manifest.as_of != manifest.captured_at:
        problems.append(f"it is as of {manifest.as_of}, but was captured at {manifest.captured_at}")
    elif not manifest.artifact_id.startswith(f"{second(manifest.captured_at)}-"):
        problems.append(f"it was captured at {manifest.captured_at}, which its artifact id contradicts")
    paths = [entry.path for entry in manifest.files]
    for path in paths:
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts or "\\" in path or not parts.parts:
            problems.append(f"file name {path!r} points outside the artifact")
    if len(set(paths)) != len(paths):
        problems.append("a file is listed twice")
    if any(not _SHA256.fullmatch(entry.sha256) or entry.size_bytes < 0 for entry in manifest.files):
        problems.append("a file entry has no proper SHA-256 or size")
    missing = [table.file for table in manifest.tables if table.file not in set(paths)]
    if missing:
        problems.append(f"tables without a file: {', '.join(missing[:5])}")
    compared = manifest.source_values
    if compared is not None and {each.table for each in compared.tables} != {
        table.name for table in manifest.tables
    }:
        problems.append("it does not record for each table when its values were compared with the source")
    if manifest.large_objects.objects != manifest.inventory.large_objects:
        problems.append("its evidence covers a different number of large objects than there were")
    problems += missed(manifest)
    listed = {table.name for table in manifest.tables}
    unproven = [
        str(table.name)
        for table in manifest.inventory.tables
        if table.has_data_in_dump and table.name not in listed
    ]
    if unproven:
        problems.append(f"tables without evidence: {', '.join(unproven[:5])}")
    return problems


def digest_of(data: bytes) -> str:
    """Hex SHA-256 of bytes in memory."""
    return hashlib.sha256(data).hexdigest()


def summary(manifest: Manifest) -> str:
    """An artifact in a sentence."""
    against = "; ".join(f"{each.code} ({each.subject})" for each in fatal(manifest.findings))
    when = "as of then, taken afterwards" if manifest.as_of else "late" if manifest.late else manifest.reason
    return (
        f"{manifest.artifact_id} ({when}): {counted(manifest.rows, 'row')} in "
        f"{counted(len(manifest.tables), 'table')}, {size(manifest.size_bytes)}"
        + (f"; kept, but not sound: {against}." if against else ".")
    )
