"""What pages and commands show of a Postgres artifact's evidence."""

from collections.abc import Iterator, Mapping
from typing import Any

from hackorda_ops.engines.engine import Fact
from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.postgres.catalogs.inventory import Inventory
from hackorda_ops.postgres.catalogs.migration_state import migration_words
from hackorda_ops.postgres.catalogs.source_catalog import read_catalog
from hackorda_ops.postgres.definitions.schema_digest import schema_digest
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.words import counted, moment


def observed(target: ConnectionTarget, name: str) -> Mapping[str, Fact]:
    """A look at the live database's catalogs.

    Args:
        target: the live database.
        name: its name in databases.yaml.

    Raises:
        OpsError: it can't be reached or read.
    """
    with (
        connect(
            target, application_name=f"hackorda_ops look at {name}", settings=SHORT_SETTINGS
        ) as connection,
        translated_errors(target, "read the catalogs"),
    ):
        return of_source(read_catalog(connection), schema_digest(connection))


def of_source(inventory: Inventory, schema_sha256: str) -> Mapping[str, Fact]:
    """Version, size, schema, tables. `inventory` need not have its rows counted."""
    source = inventory.source
    extensions = ", ".join(f"{extension.name} {extension.version}" for extension in inventory.extensions)
    return {
        "server version": source.server_version,
        "size in bytes": inventory.size_bytes,
        "tables": len(inventory.tables),
        "schema digest": schema_sha256,
        "database": f"{source.database} on {source.host}:{source.port}",
        "extensions": extensions or "none",
        "warnings": inventory.warnings,
    }


def of_night(manifest: PostgresManifest) -> Mapping[str, Fact]:
    """What the night cost the source, and which values were compared with it."""
    return dict((*_burden(manifest), *_values_of_the_source(manifest)))


def _burden(manifest: PostgresManifest) -> Iterator[tuple[str, Fact]]:
    if manifest.burden is not None:
        yield "attempts", manifest.burden.attempts
        yield "longest wait it caused in seconds", manifest.burden.longest_wait_seconds
        yield "oldest xmin it held in seconds", manifest.burden.xmin_held_seconds
        yield "connections it took", manifest.burden.connections


def _values_of_the_source(manifest: PostgresManifest) -> Iterator[tuple[str, Fact]]:
    values = manifest.source_values
    if values is None:
        return
    compared = [each for each in values.tables if each.compared_at is not None]
    longest_ago = min(compared, key=lambda each: each.waiting_since, default=None)
    yield "values compared with the source", len(values.compared_in(manifest.captured_at))
    yield "values never compared with the source", len(values.never_compared)
    yield (
        "longest since values were compared",
        "none was compared yet"
        if longest_ago is None
        else f"{longest_ago.table}, {moment(longest_ago.waiting_since)}",
    )
    yield "seconds: values of the source", values.spent_seconds


def details(manifest: PostgresManifest) -> Mapping[str, Any]:
    """The evidence in a few lines; the whole of it is stored with the artifact's files."""
    source = manifest.inventory.source
    return {
        "source": f"{source.database} on {source.host}:{source.port}",
        "server_version": source.server_version,
        "client": f"{manifest.client.version}, {manifest.client.compression}",
        "lsn": manifest.lsn,
        "lsn_aligned": manifest.lsn_aligned,
        "late": manifest.late,
        "as_of": None if manifest.as_of is None else manifest.as_of.isoformat(),
        "schema_sha256": manifest.schema_sha256,
        "sequences": len(manifest.inventory.sequences),
        "large_objects": manifest.inventory.large_objects,
        "extensions": [
            f"{extension.name} {extension.version}" for extension in manifest.inventory.extensions
        ],
        "migrations": [migration_words(state) for state in manifest.inventory.migrations],
    }


def in_json(manifest: PostgresManifest) -> Mapping[str, Any]:
    """What scripts read of an artifact."""
    values = manifest.source_values
    return {
        "tables": len(manifest.tables),
        "values_compared_with_source": None
        if values is None
        else [str(name) for name in values.compared_in(manifest.captured_at)],
    }


def notes(manifest: PostgresManifest) -> tuple[str, ...]:
    """Which tables' values were compared with the source's."""
    values = manifest.source_values
    if values is None:
        return ()
    compared = len(values.compared_in(manifest.captured_at))
    return (
        f"values of {compared} of {counted(len(values.tables), 'table')} were compared with the source's; "
        f"never compared yet: {len(values.never_compared)}",
    )
