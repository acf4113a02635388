"""A night of Postgres: one snapshot, dumped and counted in parallel, read back from disk, and proven."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from hackorda_ops.artifacts.by_hand import Offsite, copies_of
from hackorda_ops.artifacts.checksums import with_checksums
from hackorda_ops.artifacts.elsewhere import night_before
from hackorda_ops.artifacts.manifest import RECOVERY_SHEET_NAME, FileEntry, digest_of
from hackorda_ops.artifacts.recorded import recorded
from hackorda_ops.artifacts.sealed import SUFFIX
from hackorda_ops.config.expectations import Tolerances
from hackorda_ops.engines.orders import NightOrder, Taken
from hackorda_ops.engines.postgres.night.attempts import attempted, made_way
from hackorda_ops.engines.postgres.night.capture import Capture, Captured
from hackorda_ops.engines.postgres.night.origin import opened
from hackorda_ops.engines.postgres.recovery.recovery_sheet import recovery_sheet
from hackorda_ops.evidence import source
from hackorda_ops.evidence.archive import incomplete, lacking_definitions, lacking_sequences
from hackorda_ops.evidence.collapse import collapses
from hackorda_ops.evidence.manifest import (
    DUMP_FOLDER_NAME,
    ClientRecord,
    PostgresManifest,
    TableEvidence,
    of_postgres,
)
from hackorda_ops.evidence.night import as_restored, large_object_evidence, table_evidence
from hackorda_ops.evidence.plain import not_encrypted
from hackorda_ops.evidence.rules_kept import warnings_of
from hackorda_ops.evidence.same_source import another_source
from hackorda_ops.postgres.archives import contents as archive
from hackorda_ops.postgres.archives import large_objects, toc
from hackorda_ops.postgres.archives.sequences import archived_sequences
from hackorda_ops.postgres.catalogs.inventory import Sequence
from hackorda_ops.postgres.definitions.schema_digest import read_schema_digest
from hackorda_ops.postgres.definitions.server_text import read_source_definitions_of
from hackorda_ops.postgres.sessions.lock import dump_lock
from hackorda_ops.postgres.sessions.tls import is_plain_elsewhere
from hackorda_ops.progress import OnProgress, timed
from hackorda_ops.sealing import last_night


@contextmanager
def taken(order: NightOrder) -> Iterator[Taken]:
    """See `Engine.night`."""
    protected, policy, seconds = order.protected, order.protected.policy, order.seconds
    target = protected.source(private_folder=order.private_folder)
    with (
        dump_lock(target, application_name=f"hackorda_ops dump of {protected.name}") as lock,
        ExitStack() as staging,
    ):
        # The snapshot holds back the source's vacuum, and a branch costs money: released before reading back.
        with opened(protected, target, night=order.night) as read_from:
            found, noted = night_before(protected, before=read_from.past_moment)
            found, unknown = last_night.known(protected, found)
            before = None if found is None else of_postgres(found)
            read_from.warnings.extend((*noted, *unknown))
            capture = Capture(
                protected,
                read_from,
                lock,
                order.night,
                before,
                seconds,
                order.on_progress,
                order.data_recipient,
            )
            attempt = attempted(
                read_from.target,
                replace(order.patience, yield_after_seconds=policy.dump.yield_after_seconds),
                lambda reading: capture.take(reading, staging),
            )
        # The dump lock has a connection of its own.
        burden = replace(attempt.burden, connections=attempt.burden.connections + 1)
        captured = replace(attempt.result, burden=burden)
        manifest, encrypted = _prove(
            captured,
            name=protected.name,
            reason=order.reason,
            offsite=copies_of(policy.offsites, protected.environ),
            seconds=seconds,
            on_progress=order.on_progress,
        )
        if before is not None:
            manifest = _held_against(before, manifest, policy.tolerances, new_source=order.new_source)
        if is_plain_elsewhere(read_from.target) and manifest.source_values is not None:
            plain = not_encrypted(read_from.target.host, manifest.source_values, manifest.captured_at)
            manifest = replace(manifest, findings=(*manifest.findings, plain))
        yield Taken(
            manifest,
            captured.staged,
            before.artifact_id if before else None,
            # The readers have flushed what they read; what is encrypted, the store flushes.
            lasting=frozenset(
                each.path for each in manifest.files if each.path.startswith(f"{DUMP_FOLDER_NAME}/")
            ),
            before_publishing=lock.retake,
            encrypted=encrypted,
        )


def _prove(
    captured: Captured,
    *,
    name: str,
    reason: str,
    offsite: Offsite,
    seconds: dict[str, float],
    on_progress: OnProgress,
) -> tuple[PostgresManifest, dict[str, FileEntry]]:
    """Reads the dump back from disk and records what it holds; also the files that were encrypted meanwhile."""
    folder, branch = captured.staged / DUMP_FOLDER_NAME, captured.origin.branch
    with timed(seconds, "read back"):
        files = captured.readers.finish(on_progress)
        entries = archive.list_entries(captured.tools, folder)
        tables = table_evidence(captured.inventory, entries, files)
        objects = large_object_evidence(captured.inventory, large_objects.listed(folder), files)
        inventory, left_empty = as_restored(captured.inventory, entries)
        inventory = replace(inventory, sequences=archived_sequences(captured.tools, folder, entries))
        contents = toc.read_toc(folder)
        _require_definitions(captured, inventory.sequences, contents)
        values = _held_against_source(captured, tables)
    client = ClientRecord(
        captured.tools.major, captured.tools.version, captured.dump.compression, captured.dump.options
    )
    sheet = recovery_sheet(
        database=name,
        artifact_id=captured.artifact_id,
        snapshot=captured.snapshot,
        inventory=captured.inventory,
        client=client,
        tables=tables,
        offsite=offsite,
    ).encode()
    beside = {**captured.access.files(), RECOVERY_SHEET_NAME: sheet}
    for path, data in beside.items():
        (captured.staged / path).write_bytes(data)
    manifest = PostgresManifest(
        artifact_id=captured.artifact_id,
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
        files=with_checksums(
            captured.staged,
            (
                *(
                    FileEntry(f"{DUMP_FOLDER_NAME}/{file.path}", file.size_bytes, file.sha256)
                    for file in files
                ),
                *(FileEntry(path, len(data), digest_of(data)) for path, data in beside.items()),
            ),
        ),
        findings=(),
        warnings=(
            *captured.origin.warnings,
            *captured.inventory.warnings,
            *warnings_of(captured.rules),
            *captured.dump.warnings,
            *made_way(captured.burden),
            *left_empty,
            *values.warnings,
        ),
        timings_seconds={stage: round(value, 3) for stage, value in seconds.items()},
        as_of=branch.as_of if branch else None,
        dumped_from="branch" if branch else "source",
        burden=captured.burden,
        rules=captured.rules,
        source_values=values.values,
        schema_objects=dict(toc.digests_by_object(contents or ())),
    )
    return replace(manifest, evidence=recorded(manifest)), _encrypted(files)


def _encrypted(files: tuple[archive.ArchivedFile, ...]) -> dict[str, FileEntry]:
    return {
        f"{DUMP_FOLDER_NAME}/{each.path}": FileEntry(
            f"{DUMP_FOLDER_NAME}/{each.path}{SUFFIX}", each.encrypted_bytes, each.encrypted_sha256
        )
        for each in files
        if each.encrypted_bytes is not None and each.encrypted_sha256 is not None
    }


def _require_definitions(
    captured: Captured, sequences: tuple[Sequence, ...], contents: tuple[toc.TocEntry, ...] | None
) -> None:
    problems = (
        *lacking_sequences(captured.inventory, sequences, captured.sequences_after),
        *(lacking_definitions(captured.definitions, contents) if contents is not None else ()),
    )
    if problems:
        target = captured.origin.target
        # Nobody else changes a branch, and it is gone by now.
        changed = (
            captured.origin.branch is None and read_source_definitions_of(target) != captured.definitions
        )
        raise incomplete(problems, schema_changed=changed)


def _held_against(
    before: PostgresManifest, tonight: PostgresManifest, tolerances: Tolerances, *, new_source: bool
) -> PostgresManifest:
    """Tonight's manifest with what a comparison with the previous night shows."""
    other = another_source(before, tonight.inventory.source)
    if other is None:
        return replace(tonight, findings=collapses(before, tonight, tolerances))
    if not new_source:
        # What else differs is another database's.
        return replace(tonight, findings=(other,))
    confirmed = (
        f"the source differs from that of {before.artifact_id}, as an operator confirmed: {other.observed}"
    )
    return replace(tonight, new_source=True, warnings=(*tonight.warnings, confirmed))


def _held_against_source(captured: Captured, tables: tuple[TableEvidence, ...]) -> source.HeldAgainstSource:
    held = source.held_against_source(
        captured.values,
        captured.digests,
        captured.inventory,
        tables,
        now=captured.snapshot.captured_at,
        dump_seconds=captured.dump.seconds,
    )
    if held.differing:
        target = captured.origin.target
        # Nobody else changes a branch, and it is gone by now.
        changed = captured.origin.branch is None and read_schema_digest(target) != captured.schema_sha256
        raise source.other_values(held.differing, schema_changed=changed)
    return held
