"""Restores a Postgres artifact into an empty database, and compares every row with its manifest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hackorda_ops.engines.orders import Restored, RestoreOrder
from hackorda_ops.engines.postgres.recovery.give_access import NOT_GIVEN, give_access, roles_of
from hackorda_ops.engines.postgres.recovery.not_restored import with_rest
from hackorda_ops.engines.postgres.recovery.some_tables import SomeEntries, some_entries, with_sequences
from hackorda_ops.engines.postgres.recovery.target import admitted
from hackorda_ops.errors import UsageError
from hackorda_ops.evidence.comparing import compare
from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME, PostgresManifest, of_postgres
from hackorda_ops.postgres.archives.toc import read_toc
from hackorda_ops.postgres.restoring import restore


@contextmanager
def restoring(order: RestoreOrder) -> Iterator[Callable[[Path], Restored]]:
    """See `Engine.admitted`."""
    manifest, target = of_postgres(order.manifest), order.target
    roles = roles_of(order.store, manifest) if order.with_access else ()
    with admitted(
        target,
        manifest,
        source=order.source,
        application_name="hackorda_ops restore",
        roles=roles,
        only_look=order.only_look,
    ) as connection:
        tools = order.protected.client_tools(connection.info.server_version // 10_000)

        def restored(folder: Path) -> Restored:
            some = _some_entries(folder, manifest) if order.in_part else None
            wanted = manifest if some is None else with_sequences(manifest, some.sequences)
            done = restore.restore(
                target,
                clients=tools,
                only=None if some is None else some.dump_ids,
                folder=folder / DUMP_FOLDER_NAME,
                jobs=order.jobs,
                on_progress=order.on_progress,
                deadline_seconds=None,
                keep_going=order.keep_going,
            )
            compared = compare(
                connection,
                target,
                wanted,
                dump_folder=folder / DUMP_FOLDER_NAME,
                jobs=order.jobs,
                on_progress=order.on_progress,
                psql=tools.psql,
            )
            # Done last: the restoring role may lose the right to read what now belongs to others.
            differing, notes = (
                give_access(connection, target, roles, folder) if order.with_access else ((), (NOT_GIVEN,))
            )
            return Restored(
                done.seconds,
                with_rest(done.not_restored, (*compared.findings, *differing)),
                (*done.warnings, *compared.notes, *(notes if some is None else some.notes)),
            )

        yield restored


def _some_entries(folder: Path, manifest: PostgresManifest) -> SomeEntries:
    toc = read_toc(folder / DUMP_FOLDER_NAME)
    if toc is None:
        raise UsageError(
            f"The archive of {manifest.artifact_id} has a form that this release can't pick tables from.",
            meaning="Nothing was restored.",
            next_step="Restore all of it (without --tables), and take the tables from there.",
        )
    return some_entries(toc, {table.name for table in manifest.tables})
