"""A night: one snapshot, dumped and counted at once, read back from disk, proven, then published."""

import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

import psycopg

from hackorda_ops import environment
from hackorda_ops.backup import calendar, catalog, preflight
from hackorda_ops.backup.collapse import collapses
from hackorda_ops.backup.evidence import as_restored, large_object_evidence, table_evidence
from hackorda_ops.backup.manifest import (
    DUMP_FOLDER_NAME,
    RECOVERY_SHEET_NAME,
    ClientRecord,
    FileEntry,
    Manifest,
    digest_of,
    summary,
)
from hackorda_ops.backup.operations_log import log_stores, logged
from hackorda_ops.backup.origin import Origin, opened
from hackorda_ops.backup.publish import publish
from hackorda_ops.backup.recovery_sheet import recovery_sheet
from hackorda_ops.backup.staging import staged_folder
from hackorda_ops.config import Database
from hackorda_ops.postgres import (
    access,
    archive,
    clients,
    counting,
    dump,
    large_objects,
    source_catalog,
)
from hackorda_ops.postgres.archive_sequences import archived_sequences
from hackorda_ops.postgres.inventory import Inventory, TableName
from hackorda_ops.postgres.lock import Lock, dump_lock
from hackorda_ops.postgres.schema_digest import schema_digest
from hackorda_ops.postgres.session import translated_errors
from hackorda_ops.postgres.snapshot import Snapshot, exported
from hackorda_ops.progress import OnProgress, ignore


@dataclass(frozen=True)
class Night:
    """A finished night.

    Attributes:
        manifest: the new artifact's.
        location: where it lies, as people would name it.
        compared_with: the artifact id of the night before that it was held against; None for the first.
    """

    manifest: Manifest
    location: str
    compared_with: str | None


@dataclass(frozen=True)
class _Captured:
    """What the snapshot gave, once the dump is on disk and the snapshot is let go."""

    snapshot: Snapshot
    inventory: Inventory
    access: access.Access
    schema_sha256: str
    tools: clients.Clients
    dump: dump.DumpResult
    origin: Origin
    late: bool
    night: date


def take_night(
    name: str,
    database: Database,
    *,
    environ: Mapping[str, str],
    night: date | None = None,
    reason: Literal["night", "on demand"] = "night",
    on_progress: OnProgress = ignore,
) -> Night:
    """Dumps a database, proves the dump, and publishes it as an artifact.

    Args:
        name: the database's name in databases.yaml.
        database: its configuration.
        environ: where the variables it names are looked up.
        night: the partition; None for the source's own today.
        reason: why it's taken, for the manifest.
        on_progress: told of every stage, from more than one thread.

    Raises:
        OpsError: one of its tree, with nothing published and nothing left behind.
    """
    seconds: dict[str, float] = {}
    environment.require(name, database, environ, {"source", "store"})
    if database.dump_from == "branch":
        environment.require(name, database, environ, {"scratch"})
    store = environment.open_store(name, database, environ)
    with (
        logged("night", log_stores(name, database, environ), name, subject=str(night or "tonight")) as line,
        tempfile.TemporaryDirectory(prefix="hackorda_ops-") as private,
        _timed(seconds, "night"),
    ):
        preflight.require_store(store, name, database, environ, private_folder=Path(private))
        target = environment.source_target(name, database, environ, private_folder=Path(private))
        with (
            dump_lock(target, application_name=f"hackorda_ops dump of {name}") as lock,
            ExitStack() as read,
        ):
            read_from = read.enter_context(opened(name, database, target, environ=environ, night=night))
            connection, snapshot = read.enter_context(
                exported(read_from.target, application_name=f"hackorda_ops snapshot of {name}")
            )
            snapshot = read_from.dated(snapshot)
            artifact_id = f"{snapshot.captured_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
            with staged_folder(store.staging_root, name, artifact_id) as staged:
                before = catalog.read_newest(
                    store, name, before=snapshot.captured_at if read_from.is_past else None
                )
                captured = _capture(
                    read_from,
                    connection,
                    snapshot,
                    database=database,
                    environ=environ,
                    night=night,
                    before=before,
                    folder=staged / DUMP_FOLDER_NAME,
                    lock=lock,
                    seconds=seconds,
                    on_progress=on_progress,
                )
                # The snapshot holds back the source's vacuum, and a branch costs: let go before the reading back.
                read.close()
                manifest = _prove(
                    captured,
                    name=name,
                    artifact_id=artifact_id,
                    reason=reason,
                    staged=staged,
                    jobs=database.dump.jobs,
                    seconds=seconds,
                    on_progress=on_progress,
                )
                if before is not None:
                    manifest = replace(manifest, findings=collapses(before, manifest, database.tolerances))
                lock.retake()
                publish(store, staged, manifest, on_progress)
        line.subject, line.outcome = str(manifest.night), "success" if manifest.sound else "FAIL"
        line.detail = summary(manifest)
    return Night(manifest, f"{store.describe()}/{manifest.prefix}", before.artifact_id if before else None)


def _capture(
    read_from: Origin,
    connection: psycopg.Connection[Any],
    snapshot: Snapshot,
    *,
    database: Database,
    environ: Mapping[str, str],
    night: date | None,
    before: Manifest | None,
    folder: Path,
    lock: Lock,
    seconds: dict[str, float],
    on_progress: OnProgress,
) -> _Captured:
    due = night or calendar.night_of(snapshot.captured_at, database.schedule)
    target = read_from.target
    late = not read_from.is_past and calendar.require_open(due, snapshot.captured_at, database.schedule)
    with translated_errors(target, "Reading the catalogs"):
        inventory = source_catalog.read_catalog(connection)
        if read_from.branch is not None:
            inventory = replace(inventory, source=read_from.branch.identity)
        allowed = access.capture(connection)
        schema_sha256 = schema_digest(connection)
    tools = preflight.require_ready(
        connection,
        target,
        inventory,
        database=database,
        environ=environ,
        folder=folder.parent,
        previous=before,
    )

    def count() -> dict[TableName, int]:
        with _timed(seconds, "count"), translated_errors(target, "Counting the rows"):
            return counting.count_rows(connection, inventory.tables, on_progress)

    def watch() -> None:
        lock.probe()
        if counting_now.done():
            counting_now.result()  # a count that failed ends the dump at once

    with ThreadPoolExecutor(1, thread_name_prefix="count") as beside:
        counting_now = beside.submit(count)
        try:
            with _timed(seconds, "dump"):
                dumped = dump.dump(
                    target,
                    clients=tools,
                    snapshot=snapshot,
                    folder=folder,
                    encoding=inventory.source.encoding,
                    jobs=database.dump.jobs,
                    on_progress=on_progress,
                    poll=watch,
                    deadline_seconds=database.dump.deadline_hours * 3600,
                )
        except BaseException:
            # Otherwise leaving this block would wait for a count that nobody needs any more.
            # What went wrong first is what has to be told, even if the line is dead by now.
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=10)
            raise
        rows = counting_now.result()
    lock.probe()
    return _Captured(
        snapshot, inventory.with_rows(rows), allowed, schema_sha256, tools, dumped, read_from, late, due
    )


def _prove(
    captured: _Captured,
    *,
    name: str,
    artifact_id: str,
    reason: str,
    staged: Path,
    jobs: int,
    seconds: dict[str, float],
    on_progress: OnProgress,
) -> Manifest:
    """Reads the dump back from disk and writes down what it holds."""
    folder, branch = staged / DUMP_FOLDER_NAME, captured.origin.branch
    with _timed(seconds, "read back"):
        files = archive.read_back(folder, jobs=jobs, on_progress=on_progress)
        entries = archive.list_entries(captured.tools, folder)
        tables = table_evidence(captured.inventory, entries, files)
        objects = large_object_evidence(captured.inventory, large_objects.listed(folder), files)
        inventory, left_empty = as_restored(captured.inventory, entries)
        inventory = replace(inventory, sequences=archived_sequences(captured.tools, folder))
    client = ClientRecord(
        captured.tools.major, captured.tools.version, captured.dump.compression, captured.dump.options
    )
    sheet = recovery_sheet(
        database=name,
        artifact_id=artifact_id,
        snapshot=captured.snapshot,
        inventory=captured.inventory,
        client=client,
        tables=tables,
    ).encode()
    beside = {**captured.access.files(), RECOVERY_SHEET_NAME: sheet}
    for path, data in beside.items():
        (staged / path).write_bytes(data)
    return Manifest(
        artifact_id=artifact_id,
        database=name,
        night=captured.night,
        captured_at=captured.snapshot.captured_at,
        lsn=captured.snapshot.lsn,
        lsn_aligned=captured.snapshot.aligned,
        snapshot=captured.snapshot.text,
        late=captured.late,
        reason=reason,
        inventory=inventory,
        schema_sha256=captured.schema_sha256,
        tables=tables,
        large_objects=objects,
        client=client,
        files=(
            *(FileEntry(f"{DUMP_FOLDER_NAME}/{file.path}", file.size_bytes, file.sha256) for file in files),
            *(FileEntry(path, len(data), digest_of(data)) for path, data in beside.items()),
        ),
        findings=(),
        warnings=(
            *captured.origin.warnings,
            *captured.inventory.warnings,
            *captured.dump.warnings,
            *left_empty,
        ),
        timings_seconds={stage: round(value, 3) for stage, value in seconds.items()},
        as_of=branch.as_of if branch else None,
        dumped_from="branch" if branch else "source",
    )


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    finally:
        seconds[stage] = time.monotonic() - started
