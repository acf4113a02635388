"""What a drill does on its scratch, in order: compare the branch, restore, compare, test, migrate."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from hackorda_ops.artifacts.manifest import DUMP_FOLDER_NAME, Manifest
from hackorda_ops.config.models import Database
from hackorda_ops.drill.comparisons.branch import compare_branch
from hackorda_ops.drill.comparisons.materialized_views import refresh_findings
from hackorda_ops.drill.comparisons.production import compare_key_tables
from hackorda_ops.drill.comparisons.schema import schema_findings
from hackorda_ops.drill.comparisons.self_test import alter_and_compare
from hackorda_ops.drill.not_compared import beyond_comparison
from hackorda_ops.drill.record import Record
from hackorda_ops.errors import ArtifactDamaged, RestoreRefused
from hackorda_ops.findings import Finding
from hackorda_ops.migrations.run import migrate_copy, row_losses
from hackorda_ops.postgres.catalogs import counting, source_catalog
from hackorda_ops.postgres.catalogs.whole_tables import rows_of_whole_tables
from hackorda_ops.postgres.restoring import restore
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import translated_errors
from hackorda_ops.postgres.tools.clients import Clients
from hackorda_ops.progress import OnProgress
from hackorda_ops.recovery import bring_back
from hackorda_ops.recovery.not_restored import with_rest
from hackorda_ops.scratch.place import Branch, Place
from hackorda_ops.words import duration

_WHAT_AGREES: Final = {
    "source": "the provider's history and the dump are two independent backups of one moment.",
    "branch": "the dump is what the provider's history holds of that moment, now as on its night.",
}


@dataclass(frozen=True)
class Steps:
    """What every step needs.

    Attributes:
        record: where they write down what they see.
        database: the protected database's configuration.
        manifest: the artifact's.
        folder: where the artifact was fetched to; what is dumped for comparison goes beside it.
        source: the live database, read only.
        environ: the environment.
        on_progress: told of every stage.
        past: the database's artifacts in the store and off-site, this one among them, for the growth of
            its tables.
        seed: what the comparison's test alters, follows from it; None for a new one.
    """

    record: Record
    database: Database
    manifest: Manifest
    folder: Path
    source: ConnectionTarget
    environ: Mapping[str, str]
    on_progress: OnProgress
    past: Sequence[Manifest] = ()
    seed: int | None = None

    def run(self, place: Place) -> None:
        """Goes through all steps; findings are written down, and don't stop it.

        Raises:
            OpsError: a step could not be done.
        """
        self.record.not_compared += beyond_comparison(self.manifest)
        # First of all: whatever is done on the branch moves it away from the artifact's moment.
        self._branch(place.branch)
        with self.record.stage("make the database", in_recovery=True):
            target = place.new_database("restore")
        with bring_back.admitted(
            target, self.manifest, source=self.source, application_name="hackorda_ops drill"
        ) as connection:
            tools = bring_back.tools_for(
                connection, client_folders=self.database.source.client_folders, environ=self.environ
            )
            if self._restored(target, tools):
                self._recovery_time()
                self._compare(place, connection, target, tools)
                self._key_tables(connection)
                self._migrate(connection, target)

    def _branch(self, branch: Branch | None) -> None:
        if branch is None:
            self.record.not_measured(
                "branch_equals_manifest", "the scratch is a server and not a Neon branch"
            )
            return
        with self.record.stage("compare the branch"):
            compared = compare_branch(
                branch,
                self.manifest,
                dump_folder=self.folder / DUMP_FOLDER_NAME,
                jobs=self.database.dump.jobs,
                on_progress=self.on_progress,
            )
        if compared.reason:
            self.record.not_measured("branch_equals_manifest", compared.reason)
            return
        self.record.branch = compared.digests
        self.record.not_compared += compared.not_compared
        self.record.check(
            "branch_equals_manifest",
            compared.findings,
            passed=f"The branch at {branch.parent_lsn} and the artifact agree on {len(compared.digests)} tables, row "
            f"for row: {_WHAT_AGREES[self.manifest.dumped_from]}",
            failed=f"The branch at {branch.parent_lsn} is not what the manifest says",
        )

    def _restored(self, target: ConnectionTarget, tools: Clients) -> bool:
        try:
            with self.record.stage("restore", in_recovery=True):
                done = restore.restore(
                    target,
                    clients=tools,
                    folder=self.folder / DUMP_FOLDER_NAME,
                    jobs=self.database.dump.jobs,
                    on_progress=self.on_progress,
                    deadline_seconds=self.database.dump.deadline_hours * 3600,
                    # So that all that is wrong is told at once; the drill doesn't go on with a part of the backup.
                    keep_going=True,
                )
            refused = with_rest(done.not_restored, ())
        except (RestoreRefused, ArtifactDamaged) as error:
            # Everything else is the scratch's fault, or nobody knows whose: no FAIL of the backup.
            refused = (
                Finding(
                    "restore failed",
                    self.manifest.prefix,
                    "a restore without any error",
                    error.what,
                    error.next_step,
                ),
            )
        if refused:
            self.record.check(
                "restored_equals_manifest",
                refused,
                passed="",
                failed="pg_restore could not bring the artifact back",
            )
            return False
        self.record.recovered = True
        self.record.remarks += done.warnings
        return True

    def _recovery_time(self) -> None:
        taken_seconds = self.record.recovery_seconds or 0.0
        objective_minutes = self.database.objectives.recovery_time_minutes
        took = f"Fetching, checking, making the scratch and restoring took {duration(taken_seconds)}"
        late = taken_seconds > objective_minutes * 60
        self.record.check(
            "within_recovery_time_objective",
            (
                Finding(
                    "recovery too slow",
                    "recovery",
                    f"at most {objective_minutes:g} minutes",
                    duration(taken_seconds),
                    "See which stage took the time: more dump.jobs, a nearer bucket or a larger scratch may help. "
                    "Or agree on another objective.",
                ),
            )
            if late
            else (),
            passed=f"{took}; the objective is {objective_minutes:g} minutes.",
            failed=f"{took}, longer than the objective of {objective_minutes:g} minutes",
        )

    def _compare(
        self, place: Place, connection: psycopg.Connection[Any], target: ConnectionTarget, tools: Clients
    ) -> None:
        record, manifest = self.record, self.manifest
        with record.stage("compare with the manifest"):
            compared = bring_back.compare(
                connection,
                target,
                manifest,
                dump_folder=self.folder / DUMP_FOLDER_NAME,
                jobs=self.database.dump.jobs,
                on_progress=self.on_progress,
            )
        record.restored = compared.digests
        record.sequences_compared = len(manifest.inventory.sequences)
        record.remarks += compared.notes
        with record.stage("compare the schema"):
            schema, objects = schema_findings(
                self.folder / DUMP_FOLDER_NAME,
                target,
                encoding=manifest.inventory.source.encoding,
                tools=tools,
                new_twin=lambda: place.new_database("twin"),
                folder=self.folder,
            )
        with record.stage("refresh the views"), translated_errors(target, "Refreshing materialized views"):
            stale = tuple(refresh_findings(connection, compared.inventory.tables))
        record.check(
            "restored_equals_manifest",
            (*compared.findings, *schema, *stale),
            passed=f"{manifest.rows:,} rows in {len(manifest.tables)} tables, {record.sequences_compared} sequences, "
            f"{manifest.large_objects.objects:,} large objects and {objects} schema objects came back exactly as the "
            "manifest and the archive have them.",
            failed="The restored copy is not what the manifest says",
        )
        self._self_test(connection, target, compared)

    def _self_test(
        self,
        connection: psycopg.Connection[Any],
        target: ConnectionTarget,
        compared: bring_back.Comparison,
    ) -> None:
        with self.record.stage("self-test"), translated_errors(target, "Testing the comparison"):
            tested = alter_and_compare(
                connection,
                self.manifest,
                compared.inventory,
                compared.digests,
                seed=secrets.randbelow(2**32) if self.seed is None else self.seed,
            )
        if tested.noticed is None:
            self.record.not_measured("comparison_self_test", tested.summary)
        else:
            self.record.decided("comparison_self_test", tested.noticed, tested.summary)

    def _key_tables(self, connection: psycopg.Connection[Any]) -> None:
        record = self.record
        if not self.database.key_tables:
            record.not_measured("key_tables_near_production", "databases.yaml names no key_tables")
            record.not_measured("newest_row_recent", "databases.yaml names no key_tables")
            return
        with record.stage("compare key tables with production"):
            seen = compare_key_tables(
                self.database.key_tables,
                connection,
                self.source,
                captured_at=self.manifest.captured_at,
                tolerances=self.database.tolerances,
                past=self.past,
                yield_after_seconds=self.database.dump.yield_after_seconds,
            )
        record.key_tables = seen.tables
        record.not_compared += seen.not_compared
        if not seen.tables and not seen.count_findings:
            record.not_measured("key_tables_near_production", "no key table could be counted in production")
            record.not_measured("newest_row_recent", "no key table could be counted in production")
            return
        counted, wanted = len(seen.tables), len(self.database.key_tables)
        compared = f"All {counted}" if counted == wanted else f"{counted} of {wanted}"
        record.check(
            "key_tables_near_production",
            seen.count_findings,
            passed=f"{compared} key tables are as far from production as their age allows.",
            failed="Key tables are not near production",
        )
        if seen.newest_measured == 0:
            record.not_measured("newest_row_recent", "no key table has a column with a time on both sides")
            return
        record.check(
            "newest_row_recent",
            seen.newest_findings,
            passed=f"The newest rows of {seen.newest_measured} key tables are as recent as production's were.",
            failed="The backup lacks recent rows",
        )

    def _migrate(self, connection: psycopg.Connection[Any], target: ConnectionTarget) -> None:
        record, migrate = self.record, self.database.migrate
        if migrate is None:
            record.not_measured("migrations_apply", "databases.yaml names no migrate command")
            return
        with record.stage("migrate"):
            migrated = migrate_copy(migrate, target, connection, environ=self.environ)
        result = record.migration = migrated.result
        with record.stage("count again"), translated_errors(target, "Counting after the migrations"):
            tables = source_catalog.read_catalog(connection).tables
            record.migrated = counting.count_rows(connection, tables, self.on_progress)
        came_back = {name: digest.rows for name, digest in record.restored.items()}
        lost = row_losses(
            rows_of_whole_tables(self.manifest.inventory.tables, came_back),
            rows_of_whole_tables(tables, record.migrated),
        )
        applied = "nothing known" if result.applied is None else f"{result.applied}"
        record.check(
            "migrations_apply",
            (*migrated.findings, *lost),
            passed=f"{result.command} applied {applied} in {duration(result.seconds)}; "
            f"now {result.after or 'unknown'}.",
            failed=f"{result.command} ended with return code {result.returncode}, and the database is not migrated",
        )
