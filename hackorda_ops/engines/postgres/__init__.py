"""Postgres as an engine: its nights, restores and drills.

Each method loads what it needs: a list of artifacts should not wait for all that a night or a drill needs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any, Final

from hackorda_ops.artifacts.damage import FileSeen
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.concerns import Looked
from hackorda_ops.drilling.declaration import DrillCheck, Drilling
from hackorda_ops.drilling.result import ByHand
from hackorda_ops.engines.contents import Definition, LiveContents, LiveView
from hackorda_ops.engines.engine import FILES_READ_BACK, NO_COLLAPSE, ROWS_EQUAL_SNAPSHOT, Fact, NightView
from hackorda_ops.engines.orders import NightOrder, Restored, RestoreOrder, Taken
from hackorda_ops.engines.rights import RoleRights
from hackorda_ops.engines.suggested import Suggested
from hackorda_ops.environment import Protected
from hackorda_ops.errors import UsageError
from hackorda_ops.evidence.manifest import PostgresManifest, of_postgres
from hackorda_ops.findings import Finding
from hackorda_ops.own_folders import private_folder
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.progress import OnProgress
from hackorda_ops.scratch.place import Place, Scratch
from hackorda_ops.sealing.opening import OpenArtifact
from hackorda_ops.stores.store import Store


class PostgresEngine:
    """See `Engine`."""

    name = "Postgres"
    kind = "postgres"
    night_asset = "nightly_dump"
    night_description = (
        "A dump of {name} from one snapshot, read back from disk and checked against "
        "that snapshot's exact row counts before it becomes an artifact. The partition is the local date on "
        "which it is due. A night that was missed can be backfilled where the database is on Neon, as far back as the "
        "project's history reaches; elsewhere a past night can no longer be taken."
    )
    night_checks: Mapping[str, str] = {  # nobody changes it
        FILES_READ_BACK: "Every file of the dump was read back from disk, decompressed to its end and hashed.",
        ROWS_EQUAL_SNAPSHOT: "Every table has exactly as many rows in the archive as in the snapshot.",
        NO_COLLAPSE: "Since the previous artifact nothing vanished, was emptied or collapsed, and no sequence went "
        "back.",
    }
    manifest: type[Manifest] = PostgresManifest

    @property
    def checks(self) -> Sequence[DrillCheck]:
        """See `Engine.checks`."""
        from hackorda_ops.engines.postgres.drill.checks import (
            branch_equals_manifest,
            comparison_self_test,
            key_tables,
            migrations_apply,
            restored_equals_manifest,
        )

        return (
            restored_equals_manifest.CHECK,
            branch_equals_manifest.CHECK,
            comparison_self_test.CHECK,
            key_tables.NEAR_PRODUCTION,
            key_tables.NEWEST_RECENT,
            migrations_apply.CHECK,
        )

    def source(self, protected: Protected, *, private_folder: Path) -> ConnectionTarget:
        """See `Engine.source`."""
        return protected.source(private_folder=private_folder)

    def target(self, url: str, *, origin: str) -> ConnectionTarget:
        """See `Engine.target`."""
        from hackorda_ops.postgres.sessions import connection, tls

        return tls.encrypted_elsewhere(connection.direct(connection.parse(url, origin=origin)))

    def without_password_in_url(self, url: str, environ: Mapping[str, str]) -> ConnectionTarget:
        """See `Engine.without_password_in_url`."""
        target = self.target(url, origin="--to")
        if target.password is not None:
            raise UsageError(
                "The URL after --to contains a password, which every user of this machine can read.",
                meaning="Nothing was restored; treat that password as compromised.",
                next_step="Put the whole URL into RESTORE_URL (or the variable of --to-env), or leave the password out "
                "and set PGPASSWORD.",
            )
        return ConnectionTarget(target.parameters, environ.get("PGPASSWORD"))

    def observed(self, protected: Protected) -> Mapping[str, Fact]:
        """See `Engine.observed`."""
        from hackorda_ops.engines.postgres import facts

        with private_folder() as private:
            return facts.observed(protected.source(private_folder=private), protected.name)

    def observed_by(self, manifest: Manifest) -> Mapping[str, Fact]:
        """See `Engine.observed_by`."""
        from hackorda_ops.engines.postgres import facts

        seen = of_postgres(manifest)
        return facts.of_source(seen.inventory, seen.schema_sha256)

    def look(self, protected: Protected, *, private_folder: Path) -> NightView:
        """See `Engine.look`."""
        from hackorda_ops.engines.postgres.night import preflight

        return preflight.look(protected, private_folder=private_folder)

    def look_at_scratch(
        self, protected: Protected, view: NightView, newest: Manifest | None
    ) -> Iterator[Looked]:
        """See `Engine.look_at_scratch`."""
        from hackorda_ops.engines.postgres.night import preflight_scratch

        known = None if newest is None else of_postgres(newest)
        return preflight_scratch.look_at_scratch(protected, view, known)

    def other_source(self, before: Manifest, view: NightView) -> Finding | None:
        """See `Engine.other_source`."""
        from hackorda_ops.evidence.same_source import another_source

        return None if view.seen is None else another_source(of_postgres(before), view.seen.source)

    def night(self, order: NightOrder) -> AbstractContextManager[Taken]:
        """See `Engine.night`."""
        from hackorda_ops.engines.postgres.night import night

        return night.taken(order)

    def judge(
        self,
        protected: Protected,  # noqa: ARG002  # an archive is read without any server
        folder: Path,
        manifest: Manifest,
        *,
        jobs: int,
        on_progress: OnProgress,
        part: Manifest | None = None,
        hashed: Mapping[str, FileSeen] | None = None,
    ) -> tuple[Finding, ...]:
        """See `Engine.judge`."""
        from hackorda_ops.evidence import contents

        fetched = None if part is None else of_postgres(part)
        return contents.judge(
            folder, of_postgres(manifest), part=fetched, hashed=hashed, jobs=jobs, on_progress=on_progress
        )

    def part_of(self, manifest: Manifest, names: Sequence[str]) -> Manifest:
        """See `Engine.part_of`."""
        from hackorda_ops.engines.postgres.recovery import some_tables

        return some_tables.part_of(of_postgres(manifest), names)

    def admitted(self, order: RestoreOrder) -> AbstractContextManager[Callable[[Path], Restored]]:
        """See `Engine.admitted`."""
        from hackorda_ops.engines.postgres.recovery import restore

        return restore.restoring(order)

    def local_scratch(self, protected: Protected) -> Scratch:
        """See `Engine.local_scratch`."""
        from hackorda_ops.scratch.local import scratch

        return scratch.scratch_of(protected)

    def look_at_proof(
        self, protected: Protected, view: NightView, newest: Manifest | None
    ) -> Iterator[Looked]:
        """See `Engine.look_at_proof`."""
        from hackorda_ops.scratch.local.preflight import look_at_local

        inventory = view.seen or (of_postgres(newest).inventory if newest else None)
        if inventory is not None:
            yield look_at_local(protected, inventory)

    def drill(self, drilling: Drilling, place: Place, checks: Sequence[DrillCheck]) -> None:
        """See `Engine.drill`."""
        from hackorda_ops.engines.postgres.drill import steps

        steps.run_steps(drilling, place, checks)

    def examine(self, protected: Protected, *, private_folder: Path, today: date) -> Iterator[Looked]:
        """See `Engine.examine`."""
        from hackorda_ops.engines.postgres.inspection import examination

        return examination.examine(protected, private_folder=private_folder, today=today)

    def role_rights(self, protected: Protected, *, private_folder: Path) -> RoleRights:
        """See `TellsRights.role_rights`."""
        from hackorda_ops.engines.postgres.inspection import rights  # as above

        return rights.role_rights(protected, private_folder=private_folder)

    def suggest(self, protected: Protected, *, private_folder: Path) -> Suggested:
        """See `Engine.suggest`."""
        from hackorda_ops.engines.postgres.inspection import suggestions

        return suggestions.suggest(protected, private_folder=private_folder)

    @property
    def views(self) -> Mapping[str, str]:
        """See `Engine.views`."""
        from hackorda_ops.engines.postgres.inspection import views

        return views.VIEWS

    def look_at(self, protected: Protected, view: str, *, private_folder: Path, rows: int) -> LiveView:
        """See `Engine.look_at`."""
        from hackorda_ops.engines.postgres.inspection import views

        return views.look_at(protected, view, private_folder=private_folder, rows=rows)

    def definitions(
        self, protected: Protected, store: Store, artifact: OpenArtifact, *, private_folder: Path
    ) -> Mapping[str, Definition]:
        """See `Engine.definitions`."""
        from hackorda_ops.engines.postgres.inspection.definitions import archived_definitions

        tools = protected.client_tools(of_postgres(artifact.manifest).client.major)
        return archived_definitions(store, artifact, tools=tools, folder=private_folder)

    def live(
        self,
        protected: Protected,
        manifest: Manifest,
        *,
        private_folder: Path,
        limit_seconds: float,
        on_progress: OnProgress,
    ) -> LiveContents:
        """See `Engine.live`."""
        from hackorda_ops.engines.postgres.inspection import live

        return live.live_contents(
            protected,
            of_postgres(manifest),
            private_folder=private_folder,
            limit_seconds=limit_seconds,
            on_progress=on_progress,
        )

    def by_hand(self, manifest: Manifest) -> tuple[ByHand, ...]:
        """See `Engine.by_hand`."""
        from hackorda_ops.engines.postgres.recovery.by_hand import still_by_hand

        return still_by_hand(of_postgres(manifest))

    def facts(self, manifest: Manifest) -> Mapping[str, Fact]:
        """See `Engine.facts`."""
        from hackorda_ops.engines.postgres import facts

        return facts.of_night(of_postgres(manifest))

    def details(self, manifest: Manifest) -> Mapping[str, Any]:
        """See `Engine.details`."""
        from hackorda_ops.engines.postgres import facts

        return facts.details(of_postgres(manifest))

    def in_json(self, manifest: Manifest) -> Mapping[str, Any]:
        """See `Engine.in_json`."""
        from hackorda_ops.engines.postgres import facts

        return facts.in_json(of_postgres(manifest))

    def notes(self, manifest: Manifest) -> Sequence[str]:
        """See `Engine.notes`."""
        from hackorda_ops.engines.postgres import facts

        return facts.notes(of_postgres(manifest))


ENGINE: Final = PostgresEngine()
