"""One attempt at reading a night: a snapshot, a dump of it, and definitions and row counts read meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.calendar import partitions
from hackorda_ops.engines.postgres.night import preflight
from hackorda_ops.engines.postgres.night.origin import Origin
from hackorda_ops.environment import Protected
from hackorda_ops.evidence import source
from hackorda_ops.evidence.manifest import DUMP_FOLDER_NAME, PostgresManifest
from hackorda_ops.evidence.rules_kept import rules_of_source
from hackorda_ops.postgres.access import access
from hackorda_ops.postgres.archives import source_digests
from hackorda_ops.postgres.archives.reading_back import ReadBack, reading_back
from hackorda_ops.postgres.catalogs import counting, rewrites, sequences, source_catalog
from hackorda_ops.postgres.catalogs.inventory import Inventory, Sequence, TableName
from hackorda_ops.postgres.catalogs.own_rules import Kept
from hackorda_ops.postgres.definitions import server_text
from hackorda_ops.postgres.definitions.schema_digest import schema_digest
from hackorda_ops.postgres.sessions.capacity import read_lock_room
from hackorda_ops.postgres.sessions.lock import Lock
from hackorda_ops.postgres.sessions.reading import Burden, Reading
from hackorda_ops.postgres.sessions.session import letting_go, translated_errors
from hackorda_ops.postgres.sessions.snapshot import Snapshot, exported
from hackorda_ops.postgres.sessions.tls import is_plain_elsewhere
from hackorda_ops.postgres.tools import clients, dump
from hackorda_ops.progress import OnProgress, timed
from hackorda_ops.stores.disk_errors import disk_errors
from hackorda_ops.stores.lasting import make_lasting
from hackorda_ops.stores.staging import staged_folder


@dataclass(frozen=True)
class Captured:
    """What was captured, once the dump is on disk and the snapshot is released.

    Attributes:
        artifact_id: of the future artifact.
        staged: its folder, which exists as long as the staging that it was written to.
        readers: read the dump back from there; they have begun with the files that were complete first.
        burden: what it cost the source, all attempts together.
    """

    artifact_id: str
    staged: Path
    readers: ReadBack
    snapshot: Snapshot
    inventory: Inventory
    rules: Kept
    access: access.Access
    schema_sha256: str
    values: source.Tonight
    digests: source_digests.SourceDigests
    definitions: server_text.SourceDefinitions
    sequences_after: tuple[Sequence, ...]
    tools: clients.Clients
    dump: dump.DumpResult
    origin: Origin
    late: bool
    night: date
    burden: Burden


@dataclass(frozen=True)
class _Beside:
    """What is read in the snapshot while pg_dump works."""

    access: access.Access
    schema_sha256: str
    definitions: server_text.SourceDefinitions
    rows: dict[TableName, int]
    rules: Kept


@dataclass(frozen=True)
class Capture:
    """What every attempt of one night starts with.

    Attributes:
        protected: the database; the artifact grows beside its store.
        read_from: what is read.
        lock: the source's dump lock.
        night: the partition; None for the source's own today.
        before: the newest artifact's manifest; None before the first.
        seconds: the night's timings, by stage; those of the last attempt are kept.
        on_progress: called at every stage, from more than one thread.
        encrypt_to: whom the files are encrypted to as they are read back; None: to nobody.
    """

    protected: Protected
    read_from: Origin
    lock: Lock
    night: date | None
    before: PostgresManifest | None
    seconds: dict[str, float]
    on_progress: OnProgress
    encrypt_to: str | None = None

    def take(self, reading: Reading, staging: ExitStack) -> Captured:
        """Takes a snapshot, and dumps and counts it.

        Args:
            reading: this attempt; every session on the source is named by it.
            staging: removes the artifact's folder when it ends; an attempt that fails leaves nothing behind.

        Raises:
            OpsError: one of its tree.
        """
        files = rewrites.table_files(self.read_from.target)
        with ExitStack() as mine:
            # Staged before the snapshot is taken and removed after its release: the stack unwinds in reverse.
            with exported(
                self.read_from.target,
                application_name=reading.application_name(f"hackorda_ops snapshot of {self.protected.name}"),
            ) as (connection, of_target):
                reading.snapshot_taken()
                snapshot = self.read_from.dated(of_target)
                artifact_id = new_id(snapshot.captured_at)
                staged = mine.enter_context(
                    staged_folder(
                        self.protected.store.staging_root,
                        self.protected.name,
                        artifact_id,
                        guarded=self.encrypt_to is not None,
                    )
                )
                readers = mine.enter_context(
                    reading_back(
                        staged / DUMP_FOLDER_NAME,
                        jobs=self.protected.policy.dump.jobs,
                        flush=_flush,
                        encrypt_to=self.encrypt_to,
                    )
                )
                captured = self._take(
                    reading,
                    connection,
                    snapshot,
                    files=files,
                    artifact_id=artifact_id,
                    staged=staged,
                    readers=readers,
                )
            staging.push(mine.pop_all())
        return captured

    def _take(
        self,
        reading: Reading,
        connection: psycopg.Connection[Any],
        snapshot: Snapshot,
        *,
        files: rewrites.Files,
        artifact_id: str,
        staged: Path,
        readers: ReadBack,
    ) -> Captured:
        name, policy, target = self.protected.name, self.protected.policy, self.read_from.target
        warnings = self.read_from.warnings
        warnings += [each for each in preflight.require_clock(connection, target) if each not in warnings]
        due = self.night or partitions.night_of(snapshot.captured_at, policy.schedule)
        late = not self.read_from.is_past and partitions.require_open(
            due, snapshot.captured_at, policy.schedule
        )
        # The locks that these take on tables, views and indexes are released afterwards.
        with translated_errors(target, "Reading the catalogs"), letting_go(connection):
            inventory = source_catalog.read_catalog(connection)
            if self.read_from.branch is not None:
                inventory = replace(inventory, source=self.read_from.branch.identity)
            values = source.tonight(
                inventory,
                source_digests.estimated_bytes(connection),
                before=self.before,
                now=snapshot.captured_at,
                dump=policy.dump,
                of_a_branch=self.read_from.branch is not None,
                plain=is_plain_elsewhere(target),
            )
        tools = preflight.require_ready(
            self.protected,
            connection,
            target,
            inventory,
            folder=staged,
            previous=self.before,
        )

        # Each job after the first locks its tables again; preflight has made sure that one job's locks fit.
        with translated_errors(target, "Checking the server's lock capacity"), letting_go(connection):
            jobs = read_lock_room(connection).jobs_that_fit(policy.dump.jobs) or 1

        def read_on() -> _Beside:
            # What nothing before the dump needs is read while pg_dump works.
            with translated_errors(target, "Reading the catalogs"), letting_go(connection):
                allowed = access.capture(connection)
                schema_sha256 = schema_digest(connection)
                definitions = server_text.read_source_definitions(connection)
            with timed(self.seconds, "count"), translated_errors(target, "Counting the rows"):
                counted = counting.count_rows(connection, inventory.tables, self.on_progress)
            with timed(self.seconds, "rules"), translated_errors(target, "Reading the source's own rules"):
                rules = rules_of_source(connection)
            return _Beside(allowed, schema_sha256, definitions, counted, rules)

        def watch() -> None:
            self.lock.probe()
            if reading_on.done():
                reading_on.result()  # what failed there ends the dump at once

        with (
            source_digests.digesting(
                target,
                values.tables(inventory),
                snapshot_identifier=snapshot.identifier,
                limit_seconds=values.plan.limit_seconds,
                application_name=reading.application_name(f"hackorda_ops values of {name}"),
                on_progress=self.on_progress,
            ) as digests,
            ThreadPoolExecutor(1, thread_name_prefix="catalogs") as beside,
        ):
            reading_on = beside.submit(read_on)
            try:
                with timed(self.seconds, "dump"):
                    dumped = dump.dump(
                        target,
                        clients=tools,
                        snapshot=snapshot,
                        folder=staged / DUMP_FOLDER_NAME,
                        encoding=inventory.source.encoding,
                        application_name=reading.application_name(f"hackorda_ops pg_dump of {name}"),
                        jobs=jobs,
                        on_progress=self.on_progress,
                        on_start=readers.follow,
                        poll=watch,
                        check=reading.raise_if_in_the_way,
                        deadline_seconds=policy.dump.deadline_hours * 3600,
                    )
            except BaseException:
                # Otherwise leaving this block would wait for a count that is no longer needed.
                # The first failure is the one to report, even if the connection is dead by now.
                with suppress(psycopg.Error):
                    connection.cancel_safe(timeout=10)
                raise
            read = reading_on.result()
            after = rewrites.table_files(target)
            rewrites.require_not_rewritten(files, after)
            with translated_errors(target, "Reading the sequences again"), letting_go(connection):
                sequences_after = sequences.read_sequences_left(connection)
            # The dump is complete: from here on a waiting session only ends the reading of values.
            digested = digests(self.lock.probe)
        # Nothing has locked these since the dump ended.
        for table in rewrites.rewritten(after, rewrites.table_files(target)):
            digested.digests.pop(table, None)
        self.lock.probe()
        return Captured(
            artifact_id,
            staged,
            readers,
            snapshot,
            inventory.with_rows(read.rows),
            read.rules,
            read.access,
            read.schema_sha256,
            values,
            digested,
            read.definitions,
            sequences_after,
            tools,
            dumped,
            self.read_from,
            late,
            due,
            reading.burden,
        )


def _flush(path: Path) -> None:
    with disk_errors(f"write {path}"):
        make_lasting(path)
