"""The team's migrations on the drill's branch itself: the clone of the live database, and never the live one."""

from dataclasses import replace
from typing import Any

import psycopg

from hackorda_ops.config.expectations import Migrate
from hackorda_ops.engines.postgres.drill.copy import Copy
from hackorda_ops.findings import Finding
from hackorda_ops.migrations.run import migrate_copy, row_losses
from hackorda_ops.postgres.catalogs import counting, source_catalog
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.catalogs.whole_tables import rows_of_whole_tables
from hackorda_ops.postgres.sessions.session import connect, translated_errors


def migrate_branch(copy: Copy, migrate: Migrate) -> tuple[Finding, ...]:
    """Runs the migration command on the branch, and counts its rows before and after.

    It comes last: the branch isn't the artifact's moment any more afterwards. The branch is the drill's own, which made
    it and deletes it; the command gets no other database's address.

    Args:
        copy: the restored copy, with the place that the branch came with.
        migrate: as configured.

    Raises:
        OpsError: it couldn't be tried to the end.
    """
    record, branch = copy.drilling.record, copy.place.branch
    if branch is None:
        record.remarks.append("The migrations did not run on a branch: this scratch came without one.")
        return ()
    with (
        record.stage("migrate the branch"),
        connect(branch.target, application_name="hackorda_ops drill") as connection,
    ):
        with translated_errors(branch.target, "Counting the branch's rows"):
            before = _whole_tables(connection, copy)
        migrated = migrate_copy(migrate, branch.target, connection, environ=copy.drilling.protected.environ)
        record.branch_migration = migrated.result
        with translated_errors(branch.target, "Counting the branch's rows after the migrations"):
            after = _whole_tables(connection, copy)
    return tuple(
        replace(each, subject=f"{each.subject} (on the branch)")
        for each in (*migrated.findings, *row_losses(before, after))
    )


def _whole_tables(connection: psycopg.Connection[Any], copy: Copy) -> dict[TableName, int]:
    tables = source_catalog.read_catalog(connection).tables
    return rows_of_whole_tables(tables, counting.count_rows(connection, tables, copy.drilling.on_progress))
