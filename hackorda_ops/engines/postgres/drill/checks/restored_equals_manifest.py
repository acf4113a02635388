"""The artifact comes back, and the restored database is exactly what the manifest and the archive have."""

from typing import Final

from hackorda_ops.drilling.declaration import RESTORED, DrillCheck, Drilling
from hackorda_ops.engines.postgres.drill.comparisons.materialized_views import refresh_findings
from hackorda_ops.engines.postgres.drill.comparisons.schema import schema_findings
from hackorda_ops.engines.postgres.drill.copy import Copy
from hackorda_ops.engines.postgres.drill.reaching_out import reaching_out
from hackorda_ops.engines.postgres.recovery.not_restored import with_rest
from hackorda_ops.errors import ArtifactDamaged, RestoreRefused
from hackorda_ops.evidence import comparing
from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.restoring import restore
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import translated_errors
from hackorda_ops.postgres.tools.clients import Clients

_OTHERWISE: Final = "The restored copy is not what the manifest says"


def restored(
    drilling: Drilling, target: ConnectionTarget, tools: Clients, administrator: ConnectionTarget | None
) -> bool:
    """Restores the artifact into an empty database; whether all of it went in.

    Args:
        drilling: the drill.
        target: the empty database.
        tools: the client tools of its major version.
        administrator: see `Place.administrator`.

    Raises:
        OpsError: it could not be tried to the end.
    """
    record, dump = drilling.record, drilling.policy.dump
    try:
        with record.stage("restore", in_recovery=True):
            done = restore.restore(
                target,
                clients=tools,
                folder=drilling.folder / DUMP_FOLDER_NAME,
                jobs=dump.jobs,
                on_progress=drilling.on_progress,
                deadline_seconds=dump.deadline_hours * 3600,
                # So that all that is wrong is reported at once; the drill doesn't go on with part of the backup.
                keep_going=True,
                administrator=administrator,
            )
        refused = with_rest(done.not_restored, ())
    except (RestoreRefused, ArtifactDamaged) as error:
        # Everything else is the scratch's fault, or unclear: no FAIL of the backup.
        refused = (
            Finding(
                "restore failed",
                drilling.manifest.prefix,
                "a restore without any error",
                error.what,
                error.next_step,
            ),
        )
    if refused:
        record.check(
            CHECK.name,
            refused,
            passed="",
            failed="pg_restore could not restore the artifact",
        )
        return False
    record.recovered = True
    record.remarks += done.warnings
    return True


def _compare(copy: Copy) -> None:
    drilling, connection, target = copy.drilling, copy.connection, copy.target
    record, manifest = drilling.record, copy.manifest
    with record.stage("compare with the manifest"):
        compared = comparing.compare(
            connection,
            target,
            manifest,
            dump_folder=drilling.folder / DUMP_FOLDER_NAME,
            jobs=drilling.policy.dump.jobs,
            on_progress=drilling.on_progress,
            psql=copy.tools.psql,
        )
    found = tuple(each for each in compared.findings if not _switched_off_for_the_drill(copy, each))
    copy.compared = compared
    record.restored = {str(name): digest for name, digest in compared.digests.items()}
    record.sequences_compared = len(manifest.inventory.sequences)
    record.remarks += compared.notes
    with translated_errors(target, "Looking at the functions of the dump"):
        record.remarks += reaching_out(connection)
    with record.counting(CHECK.name, found, failed=_OTHERWISE):
        with record.stage("compare the schema"):
            schema, objects = schema_findings(
                drilling.folder / DUMP_FOLDER_NAME,
                target,
                encoding=manifest.inventory.source.encoding,
                tools=copy.tools,
                new_twin=lambda: copy.place.new_database("twin"),
                folder=drilling.folder,
                administrator=copy.place.administrator,
            )
        with record.stage("refresh the views"), translated_errors(target, "Refreshing materialized views"):
            stale = tuple(refresh_findings(connection, compared.inventory.tables))
    record.check(
        CHECK.name,
        (*found, *schema, *stale),
        passed=f"{manifest.rows:,} rows in {len(manifest.tables)} tables, {record.sequences_compared} sequences, "
        f"{manifest.large_objects.objects:,} large objects and {objects} schema objects came back exactly as the "
        "manifest and the archive have them.",
        failed=_OTHERWISE,
    )


def _switched_off_for_the_drill(copy: Copy, finding: Finding) -> bool:
    """Whether an event trigger is off only because the administrator made it so (`by_administrator`)."""
    return (
        copy.place.administrator is not None
        and finding.code == "switched otherwise"
        and finding.subject.startswith("event trigger ")
        and finding.observed == "off"
    )


CHECK: Final = DrillCheck(
    name=RESTORED,
    title="The restored database is what the manifest says",
    description="Every table and sequence of the restored database equals the manifest, exactly.",
    essential=True,
    each_night=True,
    run=_compare,
)
