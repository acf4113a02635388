"""Whether a restored database holds what the manifest says: rows and digest of every table, exactly."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from hackorda_ops.evidence.manifest import PostgresManifest, TableEvidence
from hackorda_ops.evidence.next_steps import NOT_MADE, OTHER_ROWS
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.archives.table_digest import TableDigest
from hackorda_ops.postgres.catalogs.inventory import Extension, Inventory, Sequence, Table, TableName

_MODULUS = 2**128
_SET_SEQUENCE = (
    "Set it as expected (setval) before anything writes to this copy, and find out what advanced or set it in "
    "between."
)
_SWITCH = (
    "Switch it as expected before anything writes to this copy (ALTER TABLE … ENABLE or DISABLE TRIGGER or RULE, "
    "ALTER EVENT TRIGGER), and find out what switched it there."
)
_INSTALL = (
    "See whether the server offers it (pg_available_extensions): if not, install its package or choose a server that "
    "does. Then restore into a new, empty database."
)
_MOVE_EXTENSION = (
    "Move it (ALTER EXTENSION … SET SCHEMA), or restore into a database that doesn't already have it."
)
_REFRESH = (
    "Run REFRESH MATERIALIZED VIEW for it in this copy: if that fails, the server says what its query lacks."
)
_REFRESHED = (
    "No row is lost: something refreshed it in this copy. REFRESH MATERIALIZED VIEW … WITH NO DATA undoes it."
)


def evidenced_tables(manifest: PostgresManifest, there: Inventory) -> tuple[Table, ...]:
    """The tables of a database that a manifest has evidence of, to be read with the manifest's own columns.

    A table that lacks one of those columns can't be read this way, and is then a finding.
    """
    expected = {table.name: table for table in manifest.tables}
    conditions = {table.name: table.configuration for table in manifest.inventory.tables}
    return tuple(
        replace(
            table,
            columns=expected[table.name].columns,
            rows=expected[table.name].rows,
            configuration=conditions.get(table.name),
        )
        for table in there.tables
        if table.name in expected
    )


def table_findings(
    manifest: PostgresManifest, restored: Mapping[TableName, TableDigest]
) -> tuple[Finding, ...]:
    """Compares every table of a manifest with what was read back; there's no tolerance.

    Args:
        manifest: what must be there.
        restored: what there is, for every table that exists.

    Returns:
        A finding for each table that is missing or differs. Leaves of a partitioned table may
        differ if the differing ones match in total: hash partitions on an enum are loaded
        through the root, and an enum hashes to different leaves in another database.
    """
    differing = [table for table in manifest.tables if restored.get(table.name) != _expected(table)]
    root_of = {table.name: table.partition_root for table in manifest.inventory.tables}
    agreeing_roots = {
        root
        for root in {root_of.get(table.name) for table in differing}
        if root is not None
        and _agree_together([leaf for leaf in differing if root_of.get(leaf.name) == root], restored)
    }
    configuration = {table.name for table in manifest.inventory.tables if table.configuration is not None}
    return tuple(
        _of_configuration(table, found)
        if table.name in configuration and found is not None and found.rows > table.rows
        else _finding(table, found)
        for table in differing
        for found in [restored.get(table.name)]
        if root_of.get(table.name) not in agreeing_roots
    )


def sequence_findings(expected: Iterable[Sequence], restored: Iterable[Sequence]) -> Iterator[Finding]:
    """Compares the sequences' states, exactly; a finding for each that is missing or differs."""
    there = {sequence.name: sequence for sequence in restored}
    for sequence in expected:
        found = there.get(sequence.name)
        if found != sequence:
            yield Finding(
                "sequence differs",
                str(sequence.name),
                _state(sequence),
                _state(found) if found else "no such sequence",
                _SET_SEQUENCE if found else NOT_MADE,
            )


def object_findings(expected: Inventory, restored: Inventory) -> Iterator[Finding]:
    """Compares what has no rows of its own to compare: extensions, indexes and the like, materialized views."""
    installed = {extension.name: extension for extension in restored.extensions}
    for extension in expected.extensions:
        yield from _extension(extension, installed.get(extension.name))
    for lacking in sorted({*expected.made_objects} - {*restored.made_objects}):
        yield Finding("schema object missing", lacking, "as on the source that night", "not there", NOT_MADE)
    for lacking in sorted({*expected.on_extension_tables} - {*restored.made_objects}):
        yield Finding(
            "object of an extension's table missing",
            lacking,
            "as on the source that night",
            "not there",
            "If the extension's own script made it, a different version is installed here. Otherwise keep the "
            "statement that creates it with your migrations, and run it after a restore.",
        )
    yield from _switches(expected, restored)
    there = {table.name: table for table in restored.tables}
    yield from _access_methods(expected, there)
    for table in expected.tables:
        if table.has_data_in_dump or table.extension is not None:
            continue  # the former are compared by their rows, the latter come with their extension
        found = there.get(table.name)
        if found is None:
            yield Finding(f"{table.kind} missing", str(table.name), "present", "not there", NOT_MADE)
        elif found.populated != table.populated:
            yield Finding(
                "materialized view differs",
                str(table.name),
                _populated(table),
                _populated(found),
                _REFRESH if table.populated else _REFRESHED,
            )


def _switches(expected: Inventory, restored: Inventory) -> Iterator[Finding]:
    if expected.switches is None:  # recorded by an earlier release, which didn't look
        return
    # Switches that no dump contains are left at their defaults by a restore; the night has warned of that.
    wanted = {switch.subject: switch.state for switch in expected.switches if switch.carried}
    tolerated = {(switch.subject, switch.state) for switch in expected.switches}
    there = {switch.subject: switch.state for switch in restored.switches or ()}
    for subject in sorted(wanted.keys() | there.keys()):
        state = there.get(subject, "on")
        if state != wanted.get(subject, "on") and (subject, state) not in tolerated:
            yield Finding("switched otherwise", subject, wanted.get(subject, "on"), state, _SWITCH)


def _access_methods(expected: Inventory, there: Mapping[TableName, Table]) -> Iterator[Finding]:
    for table in expected.tables:
        found = there.get(table.name)
        if found is None or table.extension is not None or table.access_method is None:
            continue
        if found.access_method != table.access_method:
            yield Finding(
                "access method differs",
                str(table.name),
                f"stored by {table.access_method}",
                f"stored by {found.access_method or 'none of its own'}",
                f"See whether the server has the access method {table.access_method} (pg_am); ALTER TABLE … SET "
                "ACCESS METHOD then stores the rows in this copy as on the source.",
            )


def environment_notes(expected: Inventory, restored: Inventory) -> tuple[str, ...]:
    """Where the server differs from the source: worth knowing, but not the backup's fault."""
    if (there := _locale(restored)) != (was := _locale(expected)):
        return (f"Text sorts by {there} here, but by {was} on the source.",)
    return ()


def _extension(expected: Extension, found: Extension | None) -> Iterator[Finding]:
    if found is None:
        yield Finding("extension missing", expected.name, "installed", "not installed", _INSTALL)
        return
    if found.schema != expected.schema:
        yield Finding(
            "extension differs",
            expected.name,
            f"in schema {expected.schema}",
            f"in {found.schema}",
            _MOVE_EXTENSION,
        )
    if found.version != expected.version:
        # A dump names no version: CREATE EXTENSION installs the server's default one, however good the backup is.
        yield Finding(
            "extension version differs",
            expected.name,
            f"version {expected.version}",
            f"version {found.version}",
            "Before a real recovery, find a server that offers the source's version, or read the "
            "extension's notes on what changed in between.",
        )


def _locale(inventory: Inventory) -> str:
    source = inventory.source
    parts = (source.locale_provider, source.collation, source.character_type, source.locale)
    return " ".join(part for part in parts if part is not None)


def _populated(table: Table) -> str:
    return "populated" if table.populated else "never refreshed"


def _state(sequence: Sequence) -> str:
    return f"{sequence.last_value} ({'used' if sequence.is_called else 'not used yet'})"


def _expected(table: TableEvidence) -> TableDigest:
    return TableDigest(table.rows, table.digest)


def _agree_together(leaves: list[TableEvidence], restored: Mapping[TableName, TableDigest]) -> bool:
    """Whether rows only moved from one of these leaves to another."""
    if any(leaf.name not in restored for leaf in leaves) or len({leaf.columns for leaf in leaves}) != 1:
        return False
    # The digest is a sum over rows, so the digest of all leaves together is the sum of theirs.
    return _total(_expected(leaf) for leaf in leaves) == _total(restored[leaf.name] for leaf in leaves)


def _total(digests: Iterable[TableDigest]) -> tuple[int, int]:
    every = list(digests)
    return sum(each.rows for each in every), sum(int(each.digest, 16) for each in every) % _MODULUS


def _of_configuration(table: TableEvidence, found: TableDigest) -> Finding:
    return Finding(
        "configuration rows added",
        str(table.name),
        f"{table.rows:,} rows",
        f"{found.rows:,} rows",
        "Compare the table's rows with those of the source, and read the extension's notes on restoring a dump.",
    )


def _finding(table: TableEvidence, found: TableDigest | None) -> Finding:
    if found is None:
        return Finding("table missing", str(table.name), f"{table.rows:,} rows", "no such table", OTHER_ROWS)
    if found.rows != table.rows:
        return Finding(
            "rows differ", str(table.name), f"{table.rows:,} rows", f"{found.rows:,} rows", OTHER_ROWS
        )
    return Finding(
        "content differs",
        str(table.name),
        f"{table.rows:,} rows with digest {table.digest}",
        f"as many rows with digest {found.digest}",
        OTHER_ROWS,
    )
