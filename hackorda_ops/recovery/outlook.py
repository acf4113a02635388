"""What a restore would do, without doing it: whether the target may take the artifact, and whether there's room."""

from collections.abc import Iterator, Sequence

from hackorda_ops.artifacts import room
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.artifacts.sealed import is_sealed
from hackorda_ops.concerns import Concern, Looked, looked
from hackorda_ops.engines.engine import Target
from hackorda_ops.engines.orders import RestoreOrder
from hackorda_ops.engines.registry import engine_that_wrote
from hackorda_ops.environment import Protected
from hackorda_ops.errors import DiskFull
from hackorda_ops.progress import ignore
from hackorda_ops.sealing.opening import opened
from hackorda_ops.stores.store import Store
from hackorda_ops.words import counted, size


def look_at_restore(
    protected: Protected,
    store: Store,
    manifest: Manifest,
    target: Target,
    *,
    source: Target | None,
    with_access: bool,
    tables: Sequence[str] = (),
) -> tuple[Looked, ...]:
    """Checks what a restore would check before it begins; nothing is fetched, created or changed.

    Args:
        protected: the database.
        store: where the artifact lies.
        manifest: the artifact's.
        target: the database that it would be restored into.
        source: the live database, where it's known: the target must not be it.
        with_access: whether missing roles, owners and grants are to come back as well.
        tables: only these; none for everything.

    Returns:
        What was checked, each with its concerns.

    Raises:
        UsageError: the artifact has no such tables.
        ConfigError, IdentityRefused: the artifact is encrypted, and no identity here opens it.
    """
    engine = engine_that_wrote(manifest)
    stored, manifest = manifest, opened(protected, store, manifest, elsewhere=protected.known_stores).manifest
    if tables:
        manifest = engine.part_of(manifest, tables)

    def admit() -> str:
        order = RestoreOrder(
            protected=protected,
            store=store,
            manifest=manifest,
            target=target,
            source=source,
            jobs=protected.policy.dump.jobs,
            on_progress=ignore,
            with_access=with_access,
            in_part=bool(tables),
            only_look=True,
        )
        with engine.admitted(order):
            return f"{target.describe()}: empty, and able to take {engine.name} {manifest.server_version}"

    return (
        looked("target", "stops the restore", admit),
        Looked(
            "source", "the target is not it" if source else "not known here", tuple(_unknown_source(source))
        ),
        looked("work folder", "stops the restore", lambda: _look_for_room(protected, manifest)),
        *([Looked("identity", "opens the artifact")] if is_sealed(stored) else []),
        Looked(
            "target's disk",
            f"not visible from here; the database took {size(manifest.source_bytes)} on its own server",
        ),
    )


def _unknown_source(source: Target | None) -> Iterator[Concern]:
    if source is None:
        yield Concern(
            "worth knowing",
            "The source's variables are not set here.",
            "Whether the target is the source can't be told; as long as it's empty, nothing can be lost there.",
            "Make sure that the URL leads to a new database.",
        )


def _look_for_room(protected: Protected, manifest: Manifest) -> Looked:
    folder = protected.policy.dump.work_folder
    free = room.free_bytes(folder)
    to_fetch = f"{counted(len(manifest.files), 'file')} to fetch, {size(manifest.size_bytes)}"
    seen = f"{size(free)} free in {folder}; {to_fetch}"
    if free >= manifest.size_bytes:
        return Looked("", seen)
    concern = Concern(
        "stops the restore",
        f"{folder} has {size(free)} free, and {size(manifest.size_bytes)} are to be fetched.",
        "The artifact can't be fetched completely.",
        "Make room there, or point dump.work_folder in databases.yaml at a larger disk.",
        DiskFull,
    )
    return Looked("", seen, (concern,))
