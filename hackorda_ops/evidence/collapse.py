"""Compares tonight with the previous night: what vanished, what collapsed, and what went back.

A dump of a database that lost its data is a perfect dump. This comparison is how anyone notices
while the previous night's artifact still exists.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from hackorda_ops.config.expectations import Tolerances
from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.catalogs.inventory import Sequence, TableName

# Below this, a dump's size says more about compression and catalogs than about data.
_SMALLEST_SIZE_BYTES = 1_000_000


def collapses(
    before: PostgresManifest, tonight: PostgresManifest, tolerances: Tolerances
) -> tuple[Finding, ...]:
    """Compares two manifests of one database.

    A partitioned table is compared as a whole: which partitions it has may change every night.

    Args:
        before: the previous night's manifest.
        tonight: the new one.
        tolerances: what may be lost from one night to the next.

    Returns:
        A finding for every table that vanished, was emptied or lost more than the tolerated share of
        its rows; for every sequence that vanished or went back; for every extension that vanished;
        for large objects and for a dump's size that collapsed.
    """
    return (
        *_tables(before, tonight, tolerances),
        *_sequences(before, tonight, tolerances),
        *_extensions(before, tonight),
        *_large_objects(before, tonight, tolerances),
        *_size(before, tonight, tolerances),
    )


def _tables(before: PostgresManifest, tonight: PostgresManifest, tolerances: Tolerances) -> Iterator[Finding]:
    rows_tonight = tonight.rows_by_table
    # A table that was attached to a partitioned one still exists, but isn't counted on its own.
    attached = {table.name for table in tonight.tables} - rows_tonight.keys()
    # A branch has no rows of unlogged tables; the night warns of that.
    without_rows = (
        {table.name for table in tonight.inventory.tables if table.unlogged}
        if tonight.dumped_from == "branch"
        else set()
    )
    for name, rows in before.rows_by_table.items():
        if name in attached or name in without_rows or _is_volatile(name, tolerances):
            continue
        expected = f"about {rows:,} rows as in {_artifact(before)}"
        now = rows_tonight.get(name)
        if now is None:
            yield Finding(
                "table vanished",
                str(name),
                expected,
                "no such table",
                "If a migration dropped it, nothing is wrong; otherwise restore it from that artifact.",
            )
        elif rows > 0 and now == 0:
            yield Finding(
                "table emptied",
                str(name),
                expected,
                "0 rows",
                "If somebody emptied it on purpose, nothing is wrong (a TRUNCATE as the dump began looks the "
                "same: dump again); otherwise restore it from that artifact. If it is emptied by design, name it "
                "in tolerances.volatile.",
            )
        elif _collapsed(rows, now, tolerances):
            yield Finding(
                "table collapsed",
                str(name),
                expected,
                f"{now:,} rows",
                "If a cleanup did it, nothing is wrong; otherwise restore the rows from that artifact.",
            )


def _sequences(
    before: PostgresManifest, tonight: PostgresManifest, tolerances: Tolerances
) -> Iterator[Finding]:
    there = {sequence.name: sequence for sequence in tonight.inventory.sequences}
    falling = {*before.inventory.falling_sequences, *tonight.inventory.falling_sequences}
    # A branch reads sequences ahead of their last value, so the source's own may be behind it.
    read_ahead = before.dumped_from == "branch" and tonight.dumped_from == "source"
    for sequence in before.inventory.sequences:
        if _is_volatile(sequence.name, tolerances):
            continue
        now = there.get(sequence.name)
        if now is None:
            yield Finding(
                "sequence vanished",
                str(sequence.name),
                f"{_state(sequence)} or later, as in {_artifact(before)}",
                "no such sequence",
                "If a migration dropped it, nothing is wrong; otherwise find out what did.",
            )
        elif not read_ahead and sequence.name not in falling and _position(now) < _position(sequence):
            yield Finding(
                "sequence went back",
                str(sequence.name),
                f"{_state(sequence)} or later, as in {_artifact(before)}",
                _state(now),
                "If it was restarted on purpose, nothing is wrong (name it in tolerances.volatile if that is "
                "normal); otherwise find out whether the source was reset to an older state.",
            )


def _extensions(before: PostgresManifest, tonight: PostgresManifest) -> Iterator[Finding]:
    installed = {extension.name for extension in tonight.inventory.extensions}
    for extension in before.inventory.extensions:
        if extension.name not in installed:
            yield Finding(
                "extension vanished",
                extension.name,
                f"installed, as in {_artifact(before)}",
                "not installed",
                "If a migration dropped it, nothing is wrong; otherwise look for the columns and functions that "
                "went with it.",
            )


def _large_objects(
    before: PostgresManifest, tonight: PostgresManifest, tolerances: Tolerances
) -> Iterator[Finding]:
    then, now = before.inventory.large_objects, tonight.inventory.large_objects
    if (then > 0 and now == 0) or _collapsed(then, now, tolerances):
        yield Finding(
            "large objects collapsed",
            "large objects",
            f"about {then:,} as in {_artifact(before)}",
            f"{now:,}",
            "If a cleanup (vacuumlo) did it, nothing is wrong; otherwise restore them from that artifact.",
        )


def _size(before: PostgresManifest, tonight: PostgresManifest, tolerances: Tolerances) -> Iterator[Finding]:
    if before.client.compression != tonight.client.compression or before.size_bytes < _SMALLEST_SIZE_BYTES:
        return
    if tonight.size_bytes < before.size_bytes * (1 - tolerances.collapse_percent / 100):
        yield Finding(
            "dump collapsed",
            tonight.database,
            f"about {before.size_bytes:,} bytes as in {_artifact(before)}",
            f"{tonight.size_bytes:,} bytes",
            "Find out which data was removed; keep the older artifact until then.",
        )


def _collapsed(before: int, now: int, tolerances: Tolerances) -> bool:
    kept_share = 1 - tolerances.collapse_percent / 100
    return before >= tolerances.collapse_minimum_rows and now < before * kept_share


def _is_volatile(name: TableName, tolerances: Tolerances) -> bool:
    return any(
        fnmatchcase(str(name), pattern if "." in pattern else f"public.{pattern}")
        for pattern in tolerances.volatile
    )


def _position(sequence: Sequence) -> tuple[int, bool]:
    return (sequence.last_value, sequence.is_called)


def _state(sequence: Sequence) -> str:
    return f"{sequence.last_value:,}{'' if sequence.is_called else ' (not used yet)'}"


def _artifact(manifest: PostgresManifest) -> str:
    return f"the artifact of {manifest.night} ({manifest.artifact_id})"
