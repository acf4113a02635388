"""Whether the archive's values match the source's: what was planned for the night, and the result."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from hackorda_ops.config.models import Dump
from hackorda_ops.errors import ArtifactDamaged, RetryableError
from hackorda_ops.evidence import refusals
from hackorda_ops.evidence.manifest import PostgresManifest, TableEvidence
from hackorda_ops.evidence.source_values import (
    Read,
    ReadingPlan,
    SourceComparison,
    SourceValues,
    after,
    budget_seconds,
    everything,
    plan,
    standing,
)
from hackorda_ops.postgres.archives.source_digests import SourceDigests
from hackorda_ops.postgres.catalogs.inventory import Inventory, SourceIdentity, Table, TableName
from hackorda_ops.words import named

_BYTES_DUMPED_PER_SECOND = 20_000_000.0


@dataclass(frozen=True)
class Tonight:
    """What is to be read from the source tonight.

    Attributes:
        standing: what is known about every table whose rows the dump will hold.
        plan: what is read.
        saved_seconds: what earlier nights have left unused.
        percent: the share of the dump's time.
    """

    standing: tuple[SourceComparison, ...]
    plan: ReadingPlan
    saved_seconds: float
    percent: float

    def tables(self, inventory: Inventory) -> tuple[Table, ...]:
        """The inventory's tables that are read, in the plan's order."""
        by_name = {table.name: table for table in inventory.tables}
        return tuple(by_name[name] for name in self.plan.tables)


def tonight(
    inventory: Inventory,
    sizes: Mapping[int, int],
    *,
    before: PostgresManifest | None,
    now: datetime,
    dump: Dump,
    of_a_branch: bool,
    plain: bool = False,
) -> Tonight:
    """Plans what is read from the source alongside the dump. Pure.

    Args:
        inventory: of tonight.
        sizes: pages on disk in bytes, by a table's OID.
        before: the night before; None for the first.
        now: tonight's snapshot.
        dump: how the dump is taken.
        of_a_branch: whether a branch is dumped, which nobody else uses: then all of it is read.
        plain: whether it is reached without TLS from elsewhere: then all of it is read as well, whatever share of the
            dump's time that takes, because what one connection brought is not believed.
    """
    before = before if before is not None and _same(before.inventory.source, inventory.source) else None
    held = [table for table in inventory.tables if table.has_data_in_dump]
    known = before.source_values if before is not None else None
    tables = standing(
        ((table.name, sizes.get(table.oid, 0)) for table in held),
        _of_the_same_tables(before, held, known.tables if known else ()),
        now,
    )
    saved = known.saved_seconds if known else 0.0
    percent = dump.compare_with_source_percent
    if plain:
        return Tonight(tables, everything(tables, limit_seconds=dump.deadline_hours * 3600), saved, percent)
    if not percent:
        return Tonight(tables, ReadingPlan((), 0.0), saved, percent)
    if of_a_branch:
        return Tonight(tables, everything(tables, limit_seconds=dump.deadline_hours * 3600), saved, percent)
    took = before.timings_seconds.get("dump") if before is not None else None
    expected = sum(sizes.values()) / _BYTES_DUMPED_PER_SECOND if took is None else took
    return Tonight(
        tables,
        plan(tables, tonight_seconds=budget_seconds(expected, percent), saved_seconds=saved),
        saved,
        percent,
    )


@dataclass(frozen=True)
class HeldAgainstSource:
    """The result of comparing the archive with the source.

    Attributes:
        values: for the manifest.
        warnings: what kept a table from being compared, as sentences.
        differing: the tables whose values differ from the source's: then there must be no artifact.
    """

    values: SourceValues
    warnings: tuple[str, ...]
    differing: tuple[TableName, ...]


def held_against_source(
    planned: Tonight,
    found: SourceDigests,
    inventory: Inventory,
    archived: Iterable[TableEvidence],
    *,
    now: datetime,
    dump_seconds: float,
) -> HeldAgainstSource:
    """Compares the archive's digests with the source's. Pure.

    A table whose rows differ from when they were counted, in one and the same snapshot, was truncated or
    rewritten in between, which no snapshot prevents: it says nothing about the dump, and waits for another night.

    Args:
        planned: what was to be read.
        found: what was.
        inventory: with the rows of every table counted.
        archived: what the archive holds, with as many rows as were counted.
        now: tonight's snapshot.
        dump_seconds: how long the dump took.
    """
    counted = {table.name: table.rows for table in inventory.tables}
    moved = [name for name, digest in found.digests.items() if digest.rows != counted.get(name)]
    in_archive = {table.name: table.digest for table in archived}
    differing = [
        name
        for name, digest in found.digests.items()
        if name not in moved and digest.digest != in_archive.get(name)
    ]
    equal = {
        name: found.seconds[name] for name in found.digests if name not in moved and name not in differing
    }
    warnings = []
    if found.trouble:
        warnings.append(f"Not all values were compared with the source's: {found.trouble}")
    if moved:
        warnings.append(
            "Tables that were truncated or rewritten while the night read them were not compared with the source: "
            f"{named(moved)}."
        )
    values = after(
        planned.standing,
        Read(equal, found.given_up, found.spent_seconds),
        now,
        tonight_seconds=budget_seconds(dump_seconds, planned.percent),
        saved_seconds=planned.saved_seconds,
    )
    return HeldAgainstSource(values, tuple(warnings), tuple(sorted(differing)))


def other_values(differing: Iterable[TableName], *, schema_changed: bool) -> ArtifactDamaged | RetryableError:
    """The error for an archive whose values differ from the source's.

    Args:
        differing: the tables.
        schema_changed: whether the source's schema changed meanwhile: a change to a type (an enum value that
            is renamed) changes how rows are written, and no snapshot preserves the old form.
    """
    names = named(differing)
    if schema_changed:
        return refusals.schema_changed(f"values in the dump differ from the source's: {names}")
    return refusals.not_what_was_there(
        f"it has as many rows as the snapshot, but other values in {names}",
        next_step="Check what is between the database and the dump: a wrapper around pg_dump with options of "
        "its own (--extra-float-digits, one that drops --snapshot), a proxy, a failing disk. Then dump again.",
    )


def _same(one: SourceIdentity, other: SourceIdentity) -> bool:
    if one.system_identifier is None or other.system_identifier is None:
        return (one.host, one.port, one.database) == (other.host, other.port, other.database)
    return (one.system_identifier, one.database) == (other.system_identifier, other.database)


def _of_the_same_tables(
    before: PostgresManifest | None, tables: Iterable[Table], known: Iterable[SourceComparison]
) -> tuple[SourceComparison, ...]:
    """Without tables that were recreated under an old name since."""
    was = {table.name: table.oid for table in before.inventory.tables} if before is not None else {}
    same = {table.name for table in tables if was.get(table.name) == table.oid}
    return tuple(each for each in known if each.table in same)
