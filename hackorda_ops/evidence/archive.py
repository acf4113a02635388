"""What an archive says besides its rows: compared with the source that night, and with its manifest from then on."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from hackorda_ops.artifacts.damage import OTHER_BYTES
from hackorda_ops.errors import ArtifactDamaged, RetryableError
from hackorda_ops.evidence import refusals
from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME, PostgresManifest
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.archives.sequences import parse_setvals
from hackorda_ops.postgres.archives.toc import TocEntry, digests_by_object, encoding_of
from hackorda_ops.postgres.catalogs.inventory import Inventory, TableName
from hackorda_ops.postgres.catalogs.inventory import Sequence as SequenceState
from hackorda_ops.postgres.definitions.queries import NO_OBJECT
from hackorda_ops.postgres.definitions.server_text import SourceDefinition, SourceDefinitions
from hackorda_ops.words import named

# pg_dump gives these no OIDs.
_OF_NO_OBJECT = frozenset({"TABLE ATTACH", "INDEX ATTACH", "SEQUENCE OWNED BY", "USER MAPPING"})


def lacking_definitions(source: SourceDefinitions, toc: Sequence[TocEntry]) -> tuple[str, ...]:
    """What the archive's table of contents lacks of the source, in words that show no definition. Pure.

    Args:
        source: what the catalogs said in the dump's snapshot.
        toc: the archive's whole table of contents.
    """
    return (*_definitions(source.definitions, toc), *_told(source, toc))


def lacking_sequences(
    before: Inventory, archived: Iterable[SequenceState], after: Iterable[SequenceState]
) -> tuple[str, ...]:
    """Where the archive's sequences differ from the source's around the dump. Pure.

    Sequences aren't transactional, so a value may be any that the source had during the dump. Nothing is said
    about a value that went back meanwhile, or that goes back by design.

    Args:
        before: the source, before the dump.
        archived: what the dump holds.
        after: the source's sequences after the dump, as far as they could be read.
    """
    there, later = ({each.name: each for each in many} for many in (archived, after))
    problems = []
    for sequence in before.sequences:
        found, last = there.get(sequence.name), later.get(sequence.name)
        if found is None:
            problems.append(f"the value of the sequence {sequence.name} is missing from it")
        elif last is None or sequence.name in before.falling_sequences or _drawn(last) < _drawn(sequence):
            continue
        elif not _drawn(sequence) <= _drawn(found) <= _drawn(last):
            problems.append(
                f"the sequence {sequence.name} is at {found.last_value} in it, but was between "
                f"{sequence.last_value} and {last.last_value} on the source"
            )
    return tuple(problems)


def incomplete(problems: Sequence[str], *, schema_changed: bool) -> ArtifactDamaged | RetryableError:
    """The error for an archive that doesn't say what the source's catalogs did.

    Args:
        problems: what is lacking.
        schema_changed: whether the source's catalogs have changed by now.
    """
    if schema_changed:
        return refusals.schema_changed(f"the dump matches neither state: {named(problems)}")
    return refusals.not_what_was_there(
        named(problems),
        next_step="Check what is between the database and the dump: a wrapper around pg_dump with options of "
        "its own (--exclude-table-data, --no-comments, --section), a pg_dump that isn't Postgres's own. Then dump "
        "again.",
    )


def toc_findings(manifest: PostgresManifest, toc: Sequence[TocEntry]) -> tuple[Finding, ...]:
    """Compares an archive's table of contents with the manifest, both ways. Pure.

    Args:
        manifest: what there must be; one from an older release records less of it.
        toc: the archive's whole table of contents.
    """
    return (
        *_digest_findings(manifest.schema_objects, toc),
        *_data_findings(manifest, toc),
        *_sequence_findings(manifest, toc),
    )


def _definitions(source: Iterable[SourceDefinition], toc: Iterable[TocEntry]) -> Iterator[str]:
    texts: defaultdict[tuple[int, int], list[bytes]] = defaultdict(list)
    for entry in toc:
        place = NO_OBJECT if entry.type in _OF_NO_OBJECT else (entry.catalog_oid, entry.object_oid)
        texts[place].append(entry.definition)
    said = {place: b"\0".join(many) for place, many in texts.items()}
    for wanted in source:
        # Not joined: the text of all entries without OIDs may be long.
        there = [said[place] for place in wanted.places if place in said]
        if not there:
            yield f"{wanted.subject} is missing from it"
        elif not all(_is_in(there, part) for part in wanted.parts) or (
            wanted.alternatives and not any(_is_in(there, each) for each in wanted.alternatives)
        ):
            yield f"{wanted.subject} has a different definition in it than on the source"


def _is_in(texts: Iterable[bytes], part: bytes) -> bool:
    return any(part in text for text in texts)


def _told(source: SourceDefinitions, toc: Sequence[TocEntry]) -> Iterator[str]:
    for kind, wanted in (("COMMENT", source.comments), ("SECURITY LABEL", source.labels)):
        there = b"\0".join(entry.definition for entry in toc if entry.type == kind)
        missing = sum(
            max(0, number - there.count(b" IS " + literal + b";"))
            for literal, number in Counter(wanted).items()
        )
        if missing:
            yield f"{missing} of {len(wanted)} {kind.lower()}s are missing from it"


def _drawn(sequence: SequenceState) -> tuple[int, bool]:
    return (sequence.last_value, sequence.is_called)


def _digest_findings(expected: Mapping[str, str], toc: Sequence[TocEntry]) -> Iterator[Finding]:
    if not expected:
        return
    found = digests_by_object(toc)
    for subject in sorted(expected.keys() | found.keys()):
        was, is_now = expected.get(subject), found.get(subject)
        if was != is_now:
            yield Finding(
                "definition changed",
                subject,
                "not in the dump" if was is None else f"the definition with digest {was}",
                "not in the dump" if is_now is None else f"one with digest {is_now}",
                OTHER_BYTES,
            )


def _data_findings(manifest: PostgresManifest, toc: Iterable[TocEntry]) -> Iterator[Finding]:
    # Names don't help here: in a database without an encoding some aren't valid text.
    oids = {table.name: table.oid for table in manifest.inventory.tables}
    expected = {_number(table.file): (oids.get(table.name), table.name) for table in manifest.tables}
    # An older release left the rows of extensions to CREATE EXTENSION.
    left_out = {table.oid for table in manifest.inventory.tables if not table.has_data_in_dump}
    there = {entry.dump_id: entry for entry in toc if entry.type == "TABLE DATA"}
    for number, entry in sorted(there.items()):
        # The server's own schemas are not in any inventory.
        if number in expected or entry.object_oid in left_out or entry.schema.startswith("pg_"):
            continue
        name = f"{entry.schema}.{entry.name}"
        yield Finding(
            "evidence missing", name, "rows that the manifest records", "rows only in the dump", OTHER_BYTES
        )
    for number, (oid, table) in sorted(expected.items()):
        found = there.get(number)
        if found is None or found.object_oid != oid:
            other = "no rows there" if found is None else f"rows of {found.schema}.{found.name} there"
            yield Finding("rows misplaced", str(table), f"its rows in file {number}", other, OTHER_BYTES)


def _sequence_findings(manifest: PostgresManifest, toc: Sequence[TocEntry]) -> Iterator[Finding]:
    encoding = encoding_of(toc)
    script = "\n".join(
        entry.definition.decode(encoding, "replace") for entry in toc if entry.type == "SEQUENCE SET"
    )
    expected: dict[TableName, SequenceState] = {each.name: each for each in manifest.inventory.sequences}
    found = {each.name: each for each in parse_setvals(script)}
    for name in sorted(expected.keys() | found.keys()):
        if name not in expected:
            yield Finding(
                "evidence missing",
                str(name),
                "a value that the manifest records",
                "a value only in the dump",
                OTHER_BYTES,
            )
        elif expected[name] != found.get(name):
            yield Finding(
                "sequence changed",
                str(name),
                _state(expected[name]),
                _state(found[name]) if name in found else "no value in the dump",
                OTHER_BYTES,
            )


def _number(file: str) -> int:
    number = file.removeprefix(f"{DUMP_FOLDER_NAME}/").partition(".")[0]
    return int(number) if number.isdecimal() else -1


def _state(sequence: SequenceState) -> str:
    return f"{sequence.last_value} ({'used' if sequence.is_called else 'not used yet'})"
