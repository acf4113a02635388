"""What a database holds before its destruction and after its recovery: read, and compared exactly."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hackorda_ops.config.expectations import KeyTable
from hackorda_ops.engines.postgres.drill.comparisons.key_tables import name_of
from hackorda_ops.postgres.archives.table_digest import TableDigest, digest_tables
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.catalogs.inventory import Inventory, Table, TableName
from hackorda_ops.postgres.definitions.schema_digest import schema_digest
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.progress import OnProgress

# Holds the exercise's own marker, and so changes after the state was read.
MARKER_SCHEMA: Final = "hackorda_ops_exercise"

_INHERITS: Final = """
SELECT child_n.nspname, child.relname, parent_n.nspname, parent.relname
  FROM pg_catalog.pg_inherits i
  JOIN pg_catalog.pg_class child ON child.oid = i.inhrelid
  JOIN pg_catalog.pg_namespace child_n ON child_n.oid = child.relnamespace
  JOIN pg_catalog.pg_class parent ON parent.oid = i.inhparent
  JOIN pg_catalog.pg_namespace parent_n ON parent_n.oid = parent.relnamespace
"""


@dataclass(frozen=True)
class State:
    """A database at one moment.

    Attributes:
        inventory: what it holds.
        schema_sha256: changes when its schema does.
        inherits: each table that inherits from another, with that other.
        digests: rows and content of every table that has any of its own; unlogged ones and the
            exercise's marker are left out.
    """

    inventory: Inventory
    schema_sha256: str
    inherits: frozenset[tuple[TableName, TableName]]
    digests: Mapping[TableName, TableDigest]

    @property
    def rows(self) -> int:
        """Rows of all compared tables."""
        return sum(digest.rows for digest in self.digests.values())


def read_state(target: ConnectionTarget, *, jobs: int, on_progress: OnProgress) -> State:
    """Reads everything that is compared; nobody else writes to a branch of ours meanwhile.

    Args:
        target: the database.
        jobs: how many processes read.
        on_progress: called with the bytes read.

    Raises:
        OpsError: the database can't be read.
    """
    with (
        translated_errors(target, "Reading what the branch holds"),
        connect(target, application_name="hackorda_ops exercise") as connection,
    ):
        inventory, schema = source_catalog.read_catalog(connection), schema_digest(connection)
        inherits = frozenset(
            (TableName(*row[:2]), TableName(*row[2:])) for row in connection.execute(_INHERITS)
        )
    return State(
        inventory,
        schema,
        inherits,
        digest_tables(
            target,
            [table for table in inventory.tables if is_compared(table)],
            jobs=jobs,
            on_progress=on_progress,
        ),
    )


def is_compared(table: Table) -> bool:
    """Whether a table's rows come back with the history: those of an unlogged one do not."""
    return table.has_data_in_dump and not table.unlogged and table.name.schema != MARKER_SCHEMA


def to_destroy(state: State, key_tables: Sequence[KeyTable]) -> tuple[TableName, ...]:
    """What is destroyed: the first is dropped, the second truncated. Pure.

    Key tables that have rows, in the order of the configuration, then the largest others. Fewer than
    two where the database has fewer. The second must not inherit from the first, or it would go with it.
    """
    plain = {table.name for table in state.inventory.tables if table.kind == "table"}
    filled = {
        name: digest.rows for name, digest in state.digests.items() if digest.rows > 0 and name in plain
    }
    key = [name for each in key_tables if (name := name_of(each.table)) in filled]
    others = sorted(filled.keys() - set(key), key=lambda name: (-filled[name], name))
    dropped, *rest = dict.fromkeys((*key, *others)) or (None,)
    if dropped is None:
        return ()
    with_it = _heirs(dropped, state.inherits)
    return (dropped, *[name for name in rest if name not in with_it][:1])


def _heirs(table: TableName, inherits: Collection[tuple[TableName, TableName]]) -> set[TableName]:
    """The tables that inherit from one, directly or through others."""
    children = {child for child, parent in inherits if parent == table}
    return children.union(*(_heirs(child, inherits) for child in children))


def differences(before: State, after: State) -> Iterator[str]:
    """What is not as it was, a sentence each; none where everything is. Pure."""
    for name, expected in before.digests.items():
        found = after.digests.get(name)
        if found is None:
            yield f"{name}: had {expected.rows:,} rows, and is not there."
        elif found.rows != expected.rows:
            yield f"{name}: had {expected.rows:,} rows, and has {found.rows:,}."
        elif found != expected:
            yield f"{name}: has its {expected.rows:,} rows, but with different content."
    for name in sorted(after.digests.keys() - before.digests.keys()):
        yield f"{name}: was not there before."
    sequences = {sequence.name: sequence for sequence in after.inventory.sequences}
    for sequence in before.inventory.sequences:
        if sequences.get(sequence.name) != sequence:
            yield f"The sequence {sequence.name} is not as it was."
    objects, objects_now = set(before.inventory.made_objects), set(after.inventory.made_objects)
    yield from (f"Not there: {each}." for each in sorted(objects - objects_now))
    yield from (f"Was not there before: {each}." for each in sorted(objects_now - objects))
    if before.inventory.large_objects != after.inventory.large_objects:
        yield (
            f"There were {before.inventory.large_objects:,} large objects, and there are "
            f"{after.inventory.large_objects:,}."
        )
    if before.schema_sha256 != after.schema_sha256:
        yield "The schema is not as it was."
