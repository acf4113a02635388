"""What a PASS does not cover, from the manifest alone. Pure."""

from collections.abc import Iterator

from hackorda_ops.drilling.result import NotCompared
from hackorda_ops.engines.postgres.recovery.by_hand import has_access
from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.words import moment, named


def beyond_comparison(manifest: PostgresManifest) -> Iterator[NotCompared]:
    """What an artifact does not carry, or carries in a way that rows and digests don't cover."""
    inventory = manifest.inventory
    yield from _values_of_the_source(manifest)
    yield NotCompared(
        "owners and grants",
        "the drill leaves them out, so that it works on any server; restore --with-access applies and compares them"
        if has_access(manifest)
        else "a restore leaves them out on purpose, so that it works on any server",
    )
    if inventory.roles:
        yield NotCompared(
            _names("roles", inventory.roles), "they belong to the server and not to the database"
        )
    if inventory.database_settings:
        yield NotCompared(
            _names("ALTER DATABASE … SET", inventory.database_settings), "a dump does not contain them"
        )
    if inventory.large_objects:
        yield NotCompared(
            f"comments and owners of {inventory.large_objects:,} large objects",
            "a dump has them among its data and not in the schema; the objects' bytes are compared",
        )
        yield NotCompared(
            f"bytes of {inventory.large_objects:,} large objects with their source",
            "the night compared their number; their bytes are compared from the archive on",
        )
    if inventory.subscriptions:
        yield NotCompared(
            _names("subscriptions", inventory.subscriptions),
            "a restored copy must not take the source's changes",
        )
    by_kind = (
        (
            "rows of materialized views",
            "materialized view",
            "a refresh recreates them, and was tried",
        ),
        ("rows of foreign tables", "foreign table", "they are on another server"),
    )
    for what, kind, why in by_kind:
        names = [str(table.name) for table in inventory.tables if table.kind == kind]
        if names:
            yield NotCompared(_names(what, names), why)
    of_extensions = [
        str(table.name)
        for table in inventory.tables
        if table.extension is not None and not table.has_data_in_dump
    ]
    if of_extensions:
        yield NotCompared(
            _names("rows of tables that belong to extensions", of_extensions),
            "CREATE EXTENSION makes them, and a dump has none",
        )


def _values_of_the_source(manifest: PostgresManifest) -> Iterator[NotCompared]:
    """Which tables' values were not compared with the source's on the night itself."""
    values = manifest.source_values
    if values is None:
        if manifest.tables:
            yield NotCompared(
                "values of the source",
                "the night counted the rows, but read none of their values from the source",
            )
        return
    never = [str(name) for name in values.never_compared]
    if never:
        yield NotCompared(
            _names("values of the source that no night has compared yet", never),
            "each night reads as many tables as a share of its dump's time allows "
            "(dump.compare_with_source_percent), in turn; the number of rows was compared",
        )
    earlier = sorted(
        (each.compared_at, str(each.table))
        for each in values.tables
        if each.compared_at is not None and each.compared_at != manifest.captured_at
    )
    if earlier:
        yield NotCompared(
            _names("values of the source on this night", [table for _, table in earlier]),
            f"they were equal on an earlier night, and will have their turn again (longest ago: {earlier[0][1]}, "
            f"{moment(earlier[0][0])}); the number of rows was compared",
        )


def _names(what: str, names: tuple[str, ...] | list[str]) -> str:
    return f"{what}: {named(names)}"
