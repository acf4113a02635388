"""A directory-format dump on disk: what its table of contents lists, and what its files really contain."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hackorda_ops import local_trouble
from hackorda_ops.errors import ArtifactDamaged, ToolFailed
from hackorda_ops.postgres.archives.damage import unusable
from hackorda_ops.postgres.archives.reader import ArchivedFile
from hackorda_ops.postgres.tools.clients import Clients, for_an_archive
from hackorda_ops.processes import child
from hackorda_ops.redaction.tool_lines import without_rows

__all__ = [
    "ArchiveEntry",
    "ArchivedFile",
    "list_entries",
    "restorable",
    "table_files",
    "write_list",
]

_LIST_DEADLINE_SECONDS: Final = 600.0
_DATA_FILE = re.compile(r"(\d+)\.dat(?:\.[a-z0-9]+)?")
_LIST_LINE = re.compile(r"(\d+); (\d+) (\d+) (.+)")

_BOUND_TO_SOURCE = re.compile(r"TRIGGER .* RI_ConstraintTrigger_[ac]_\d+ |CAST - CAST \(.*\bpg_temp_\d+\.")

# The entry types with several words in their names, as pg_dump writes them.
_TYPES_OF_SEVERAL_WORDS: Final = (
    "ACCESS METHOD",
    "BLOB METADATA",
    "CHECK CONSTRAINT",
    "DATABASE PROPERTIES",
    "DEFAULT ACL",
    "EVENT TRIGGER",
    "FK CONSTRAINT",
    "FOREIGN DATA WRAPPER",
    "FOREIGN TABLE",
    "MATERIALIZED VIEW",
    "OPERATOR CLASS",
    "OPERATOR FAMILY",
    "PROCEDURAL LANGUAGE",
    "PUBLICATION TABLE",
    "PUBLICATION TABLES IN SCHEMA",
    "ROW SECURITY",
    "SECURITY LABEL",
    "SEQUENCE OWNED BY",
    "SHELL TYPE",
    "SUBSCRIPTION TABLE",
    "TEXT SEARCH CONFIGURATION",
    "TEXT SEARCH DICTIONARY",
    "TEXT SEARCH PARSER",
    "TEXT SEARCH TEMPLATE",
    "USER MAPPING",
)
# These have no catalog (its OID is 0), which distinguishes "TABLE DATA" from a TABLE in a schema "DATA".
_TYPES_WITHOUT_CATALOG: Final = (
    "INDEX ATTACH",
    "MATERIALIZED VIEW DATA",
    "SEQUENCE SET",
    "STATISTICS DATA",
    "TABLE ATTACH",
    "TABLE DATA",
)


def _any_of(types: Iterable[str]) -> re.Pattern[str]:
    # The longest that fits is the one that's meant.
    return re.compile(f"(?:{'|'.join(sorted(types, key=len, reverse=True))})(?= |$)")


_TYPE_WITH_CATALOG: Final = _any_of(_TYPES_OF_SEVERAL_WORDS)
_TYPE: Final = _any_of(_TYPES_OF_SEVERAL_WORDS + _TYPES_WITHOUT_CATALOG)


@dataclass(frozen=True)
class ArchiveEntry:
    """One line of `pg_restore --list`.

    Attributes:
        dump_id: the entry's number in the archive; a table's data is in the file of this number.
        catalog_oid: OID of the catalog that the object is in; 0 if there is none.
        object_oid: the object's OID on the source; for TABLE DATA, the table's.
        type: "TABLE", "TABLE DATA", "INDEX", ...
        description: the rest of the line: schema, name and owner, which can't be separated safely, as
            names may contain blanks.
    """

    dump_id: int
    catalog_oid: int
    object_oid: int
    type: str
    description: str


def list_entries(clients: Clients, folder: Path) -> tuple[ArchiveEntry, ...]:
    """The archive's table of contents, in pg_restore's processing order.

    Raises:
        ArtifactDamaged: pg_restore can't read the archive's table of contents.
        LocalTrouble: this machine kept it from reading.
    """
    finished = child.run(
        [clients.pg_restore, "--list", folder],
        environment=for_an_archive(),
        capture_stdout=True,
        deadline_seconds=_LIST_DEADLINE_SECONDS,
    )
    if finished.returncode != 0:
        if trouble := local_trouble.of_child("pg_restore", finished.returncode, finished.stderr_tail):
            raise trouble
        raise ArtifactDamaged(
            f"pg_restore {clients.version} can't read the table of contents of {folder}:\n"
            f"{without_rows(finished.stderr_tail)}",
            meaning="This dump can't be restored as it is; it does not count as a backup.",
            next_step="Use another artifact. If this one is new, take a new dump and check the disk.",
        )
    return parse_list(finished.stdout.decode("utf-8", "replace"))


def parse_list(text: str) -> tuple[ArchiveEntry, ...]:
    """Reads the text of `pg_restore --list`.

    Raises:
        ToolFailed: a line has a form that this release doesn't know.
    """
    return tuple(_entry(line) for line in text.split("\n") if line and not line.startswith(";"))


def restorable(entries: Iterable[ArchiveEntry]) -> tuple[ArchiveEntry, ...]:
    """The entries without those that pg_dump writes but no server can restore.

    It names the triggers of a partition's foreign key by their number on the source, if they are
    switched differently from the partitioned table's, and it writes casts of other sessions' temporary types.
    """
    return tuple(
        entry for entry in entries if not _BOUND_TO_SOURCE.match(f"{entry.type} {entry.description}")
    )


def write_list(entries: Iterable[ArchiveEntry], path: Path) -> None:
    """Writes the file for pg_restore's --use-list that selects these entries."""
    path.write_text("".join(f"{entry.dump_id}; 0 0 {entry.type}\n" for entry in entries))


def table_files(entries: Iterable[ArchiveEntry], files: Iterable[ArchivedFile]) -> Mapping[int, ArchivedFile]:
    """Finds the file that holds each table's data.

    Args:
        entries: the archive's table of contents.
        files: the archive's files, as `reading_back` saw them.

    Returns:
        The table's OID on the source, and its file.

    Raises:
        ArtifactDamaged: the table of contents names table data whose file isn't there.
    """
    by_dump_id = {
        int(match[1]): file for file in files if (match := _DATA_FILE.fullmatch(file.path)) is not None
    }
    found: dict[int, ArchivedFile] = {}
    for entry in entries:
        if entry.type != "TABLE DATA":
            continue
        file = by_dump_id.get(entry.dump_id)
        if file is None:
            raise unusable(
                f"The dump has no file for the data of {entry.description!r} (number {entry.dump_id}).",
                meaning="This table's rows are missing from this dump; it does not count as a backup.",
            )
        found[entry.object_oid] = file
    return found


def _entry(line: str) -> ArchiveEntry:
    match = _LIST_LINE.fullmatch(line)
    if match is None:
        raise ToolFailed(
            f"A line of pg_restore's list has an unknown form: {line!r}.",
            meaning="The archive's contents can't be matched with its files, so nothing was proven.",
            next_step="Report this line, with the version of pg_restore.",
        )
    dump_id, catalog_oid, object_oid = int(match[1]), int(match[2]), int(match[3])
    kind = _type_of(match[4], has_catalog=catalog_oid != 0)
    return ArchiveEntry(dump_id, catalog_oid, object_oid, kind, match[4][len(kind) :].lstrip())


def _type_of(text: str, *, has_catalog: bool) -> str:
    match = (_TYPE_WITH_CATALOG if has_catalog else _TYPE).match(text)
    return match[0] if match else text.split(" ", 1)[0]
