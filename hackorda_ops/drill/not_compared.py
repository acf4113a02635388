"""What a PASS does not speak of, told from the manifest alone. Pure."""

from collections.abc import Iterator

from hackorda_ops.backup.by_hand import has_access
from hackorda_ops.backup.manifest import Manifest
from hackorda_ops.drill.result import NotCompared


def beyond_comparison(manifest: Manifest) -> Iterator[NotCompared]:
    """What an artifact does not carry, or carries in a way that rows and digests don't cover."""
    inventory = manifest.inventory
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
            _names("ALTER DATABASE … SET", inventory.database_settings), "a dump does not carry them"
        )
    if inventory.large_objects:
        yield NotCompared(
            f"comments and owners of {inventory.large_objects:,} large objects",
            "a dump has them among its data and not in the schema; the objects' bytes are compared",
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
            "they are made anew by a refresh, which was tried",
        ),
        ("rows of foreign tables", "foreign table", "they lie on another server"),
    )
    for what, kind, why in by_kind:
        names = [str(table.name) for table in inventory.tables if table.kind == kind]
        if names:
            yield NotCompared(_names(what, names), why)
    of_extensions = [str(table.name) for table in inventory.tables if table.extension is not None]
    if of_extensions:
        yield NotCompared(
            _names("rows of tables that belong to extensions", of_extensions),
            "CREATE EXTENSION makes them, and a dump has only what was configured beyond that",
        )


def _names(what: str, names: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join(names[:10])
    return f"{what}: {shown}" + (f" and {len(names) - 10} more" if len(names) > 10 else "")
