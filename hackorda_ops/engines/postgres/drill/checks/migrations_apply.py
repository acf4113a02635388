"""The team's own migrations run on the restored database, and lose no rows."""

from typing import Final

from hackorda_ops.config.models import Policy
from hackorda_ops.drilling.declaration import MIGRATIONS, DrillCheck
from hackorda_ops.engines.postgres.drill.branch_migrations import migrate_branch
from hackorda_ops.engines.postgres.drill.copy import Copy
from hackorda_ops.errors import RightsMissing
from hackorda_ops.findings import fatal
from hackorda_ops.migrations.conclusion import failure_words, lacked_rights, success_words, unmeasured
from hackorda_ops.migrations.result import MigrationResult
from hackorda_ops.migrations.run import migrate_copy, row_losses
from hackorda_ops.postgres.catalogs import counting, source_catalog
from hackorda_ops.postgres.catalogs.whole_tables import rows_of_whole_tables
from hackorda_ops.postgres.sessions.session import translated_errors

_SHOWN_CHARACTERS: Final = 1000


def _lacking(database: Policy) -> str:
    return "" if database.migrate else "databases.yaml names no migrate command"


def _migrate(copy: Copy) -> None:
    drilling, connection = copy.drilling, copy.connection
    record, migrate = drilling.record, drilling.policy.migrate
    if migrate is None:
        return
    with record.stage("migrate"):
        migrated = migrate_copy(migrate, copy.target, connection, environ=drilling.protected.environ)
    result = record.migration = migrated.result
    if lacked_rights(result):
        raise RightsMissing(
            f"{result.command} ended with return code {result.returncode}, because the role {copy.target.user} may "
            f"not do what it asked for: {result.output_tail[-_SHOWN_CHARACTERS:]}",
            meaning="The scratch lacks a right, so whether the migrations apply is not known. Nothing is known "
            "against the backup.",
            next_step="Have an administrator do on the source what needs the right (an extension, for example): the "
            "next dump brings it along. Or let the drill restore as the scratch server's administrator "
            "(scratch.server.restore_as_admin), where the source's code may run with its rights.",
        )
    with record.counting(CHECK.name, migrated.findings, failed=failure_words(result)):
        with record.stage("count again"), translated_errors(copy.target, "Counting after the migrations"):
            tables = source_catalog.read_catalog(connection).tables
            migrated_rows = counting.count_rows(connection, tables, drilling.on_progress)
        record.migrated = {str(name): rows for name, rows in migrated_rows.items()}
        came_back = {
            name: digest.rows for name, digest in (copy.compared.digests if copy.compared else {}).items()
        }
        lost = row_losses(
            rows_of_whole_tables(copy.manifest.inventory.tables, came_back),
            rows_of_whole_tables(tables, migrated_rows),
        )
        on_branch = migrate_branch(copy, migrate) if migrate.also_on_branch else ()
    findings = (*migrated.findings, *lost, *on_branch)
    why = unmeasured(result)
    if why is not None and not fatal(findings):
        record.findings += findings
        record.not_measured(CHECK.name, why)
        return
    tried = record.branch_migration
    record.check(
        CHECK.name,
        findings,
        passed=success_words(result) + (f" On the branch: {_proven(tried)}" if tried else ""),
        failed=failure_words(tried) + ", on the branch"
        if tried and not fatal((*migrated.findings, *lost))
        else failure_words(result),
    )


def _proven(result: MigrationResult) -> str:
    """What a command that reported success has proven, or why that is nothing."""
    why = unmeasured(result)
    return success_words(result) if why is None else f"not measured: {why}."


CHECK: Final = DrillCheck(
    name=MIGRATIONS,
    title="The team's migrations apply to the restored database",
    description="The team's own migrations run on the restored database, and leave nothing pending.",
    lacking=_lacking,
    run=_migrate,
    changes_copy=True,
)
