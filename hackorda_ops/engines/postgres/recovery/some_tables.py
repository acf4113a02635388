"""A restore of only some tables: which entries of an archive these need, and what is left out. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hackorda_ops.engines.postgres.drill.comparisons.key_tables import name_of
from hackorda_ops.errors import UsageError
from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME, PostgresManifest
from hackorda_ops.postgres.archives import large_objects
from hackorda_ops.postgres.archives.toc import TOC_NAME, TocEntry
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.words import named

_TABLE: Final = "TABLE"
_DATA: Final = "TABLE DATA"
_SEQUENCE_STATE: Final = "SEQUENCE SET"
# What belongs to a table, where an entry needs it.
_OF_A_TABLE: Final = frozenset(
    {
        "CHECK CONSTRAINT",
        "CONSTRAINT",
        "DEFAULT",
        "FK CONSTRAINT",
        "INDEX",
        "INDEX ATTACH",
        "POLICY",
        "ROW SECURITY",
        "RULE",
        "SEQUENCE",
        "SEQUENCE OWNED BY",
        "STATISTICS",
        "TABLE ATTACH",
        "TRIGGER",
        _SEQUENCE_STATE,
    }
)
# Bringing one of these along would bring rows' places along that nobody asked for.
_HOLDS_ROWS: Final = frozenset({_TABLE, "FOREIGN TABLE", "MATERIALIZED VIEW", "VIEW"})
_HAS_BELONGINGS: Final = _HOLDS_ROWS | {"SEQUENCE", "INDEX", "CONSTRAINT"}
# pg_dump calls these by their table's name and their own.
_NAMED_BY_TABLE: Final = frozenset(
    {"CHECK CONSTRAINT", "CONSTRAINT", "DEFAULT", "FK CONSTRAINT", "POLICY", "RULE", "TRIGGER"}
)
NOT_THERE: Final = (
    "Of the rest of the database nothing was restored: no other tables and their rows, no views, no large objects, no "
    "event triggers; and of these tables no owners and grants."
)


@dataclass(frozen=True)
class SomeEntries:
    """What is restored of an archive.

    Attributes:
        dump_ids: the entries' numbers.
        sequences: the sequences whose state comes back.
        bare: tables that come along without rows, because chosen ones are made from them.
        left_out: what belongs to the chosen tables and can't come back without others, as people would name it.
    """

    dump_ids: frozenset[int]
    sequences: frozenset[TableName]
    bare: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def notes(self) -> Iterator[str]:
        """What a reader must know, a sentence each."""
        yield NOT_THERE
        if self.bare:
            yield f"Restored without rows, because the chosen tables are made from them: {named(self.bare)}."
        if self.left_out:
            yield (
                "Left out, because they need what wasn't restored (foreign keys to other tables, for example): "
                f"{named(self.left_out)}."
            )


def part_of(manifest: PostgresManifest, tables: Sequence[str]) -> PostgresManifest:
    """A manifest of some of its tables only: what must be fetched, restored and compared.

    Args:
        manifest: the artifact's.
        tables: their names, as "users" or "shop.orders"; a partitioned table's brings all its partitions.

    Raises:
        UsageError: there's no such table in the artifact.
    """
    wanted = set(_chosen(manifest, tables))
    evidence = tuple(table for table in manifest.tables if table.name in wanted)
    files = {f"{DUMP_FOLDER_NAME}/{TOC_NAME}", *(table.file for table in evidence)}
    inventory = replace(
        manifest.inventory,
        tables=tuple(table for table in manifest.inventory.tables if table.name in wanted),
        extensions=(),
        large_objects=0,
        made_objects=(),
        on_extension_tables=(),
        switches=None,
    )
    return replace(
        manifest,
        files=tuple(entry for entry in manifest.files if entry.path in files),
        inventory=inventory,
        tables=evidence,
        large_objects=large_objects.digest_of(()),
    )


def _chosen(manifest: PostgresManifest, tables: Sequence[str]) -> Iterator[TableName]:
    known = {table.name: table for table in manifest.inventory.tables}
    unknown = []
    for text in tables:
        asked = name_of(text)
        # A table without data of its own has all of it in its partitions.
        found = [
            each.name
            for each in known.values()
            if each.has_data_in_dump and asked in (each.name, each.partition_root)
        ]
        if not found:
            unknown.append(text)
        yield from found
    if unknown:
        raise UsageError(
            f"{manifest.artifact_id} has no rows of {named(unknown)}.",
            meaning="Nothing was restored.",
            next_step="Write names as `hackorda-ops show` lists them; other schemas than public as schema.table, and "
            "case matters. Its tables: " + named(each.name for each in manifest.tables) + ".",
        )


def with_sequences(manifest: PostgresManifest, sequences: Collection[TableName]) -> PostgresManifest:
    """The same manifest, expecting only the sequences that are restored."""
    left = tuple(each for each in manifest.inventory.sequences if each.name in sequences)
    return replace(manifest, inventory=replace(manifest.inventory, sequences=left))


def some_entries(toc: Iterable[TocEntry], tables: Collection[TableName]) -> SomeEntries:
    """The entries that a restore of these tables takes: them, what they're made from, and what belongs to them.

    Args:
        toc: the archive's whole table of contents.
        tables: the tables whose rows are wanted.
    """
    entries = {entry.dump_id: entry for entry in toc}
    with_rows = {_name(each) for each in entries.values() if each.type == _DATA}
    chosen = {each.dump_id for each in entries.values() if each.type == _TABLE and _name(each) in tables}
    kept = {needed for each in chosen for needed in _needed(entries, each)}
    held = {each for each in kept if entries[each].type in _HOLDS_ROWS}
    left_out: dict[int, TocEntry] = {}
    growing = True
    while growing:
        growing = False
        for entry in entries.values():
            if entry.dump_id in kept or not _belongs(entry, kept, entries):
                continue
            needed = _needed(entries, entry.dump_id)
            if {each for each in needed if entries[each].type in _HOLDS_ROWS} <= held:
                kept |= needed
                growing = True
                left_out.pop(entry.dump_id, None)
            elif _is_of(entry, (entries[each] for each in chosen)):
                left_out[entry.dump_id] = entry
    data = {each.dump_id for each in entries.values() if each.type == _DATA and _name(each) in tables}
    return SomeEntries(
        frozenset(kept | data),
        frozenset(_name(entries[each]) for each in kept if entries[each].type == _SEQUENCE_STATE),
        tuple(sorted(str(entries[each]) for each in held - chosen if _name(entries[each]) in with_rows)),
        tuple(sorted(map(str, left_out.values()))),
    )


def _name(entry: TocEntry) -> TableName:
    return TableName(entry.schema, entry.name)


def _belongs(entry: TocEntry, kept: Collection[int], entries: Mapping[int, TocEntry]) -> bool:
    if entry.type == "COMMENT":
        return bool(entry.needs) and all(each in kept for each in entry.needs)
    return entry.type in _OF_A_TABLE and any(
        each in kept and entries[each].type in _HAS_BELONGINGS for each in entry.needs
    )


def _is_of(entry: TocEntry, chosen: Iterable[TocEntry]) -> bool:
    """Whether an entry belongs to a chosen table, and not to another that refers to it ("orders orders_user_fkey")."""
    return any(
        table.dump_id in entry.needs
        and (
            entry.type not in _NAMED_BY_TABLE
            or (entry.schema == table.schema and entry.name.startswith(f"{table.name} "))
        )
        for table in chosen
    )


def _needed(entries: Mapping[int, TocEntry], dump_id: int) -> set[int]:
    """An entry with everything that must be restored before it."""
    found: set[int] = set()
    waiting = [dump_id]
    while waiting:
        one = waiting.pop()
        if one not in found and one in entries:
            found.add(one)
            waiting += entries[one].needs
    return found
