"""Restores an artifact into an empty database, and compares every row with its manifest.

An operator's `restore` and the quarterly drill run this same code.
"""

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import psycopg

from hackorda_ops.artifacts.fetch import fetch_artifact
from hackorda_ops.artifacts.manifest import DUMP_FOLDER_NAME, Manifest
from hackorda_ops.artifacts.operations_log import logged
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged
from hackorda_ops.evidence.comparison import (
    environment_notes,
    evidenced_tables,
    object_findings,
    sequence_findings,
    table_findings,
)
from hackorda_ops.evidence.large_objects import compare_large_objects
from hackorda_ops.evidence.moved_rows import in_one_order
from hackorda_ops.evidence.rules_kept import generated_findings, stale_notes
from hackorda_ops.evidence.verify import judge
from hackorda_ops.findings import Finding, fatal
from hackorda_ops.postgres.archives import table_digest
from hackorda_ops.postgres.archives.table_digest import TableDigest
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.catalogs.inventory import Inventory, TableName
from hackorda_ops.postgres.catalogs.made_objects import read_present_objects
from hackorda_ops.postgres.restoring import restore
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import translated_errors
from hackorda_ops.progress import OnProgress
from hackorda_ops.recovery.give_access import NOT_GIVEN, give_access, roles_of
from hackorda_ops.recovery.not_restored import with_rest
from hackorda_ops.recovery.target import admitted
from hackorda_ops.stores.store import Store
from hackorda_ops.words import counted


@dataclass(frozen=True)
class BroughtBack:
    """A finished restore.

    Attributes:
        manifest: the artifact's.
        location: where it was fetched from.
        target: the database it is in now, without secrets.
        tables: how many tables were compared.
        rows: how many rows were compared.
        seconds: pg_restore's wall-clock time.
        findings: what differs from the manifest; none means PASS.
        warnings: what pg_restore or the server warned of.
    """

    manifest: Manifest
    location: str
    target: str
    tables: int
    rows: int
    seconds: float
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]

    @property
    def verdict(self) -> Literal["PASS", "FAIL"]:
        """Either "PASS" or "FAIL"."""
        return "FAIL" if fatal(self.findings) else "PASS"


def bring_back(
    protected: Protected,
    store: Store,
    manifest: Manifest,
    target: ConnectionTarget,
    *,
    source: ConnectionTarget | None,
    on_progress: OnProgress,
    jobs: int | None = None,
    with_access: bool = False,
    keep_going: bool = False,
) -> BroughtBack:
    """Fetches an artifact, checks it, restores it into an empty database and compares the result.

    Args:
        protected: the database; the artifact lies in its work folder meanwhile, and is gone from there afterwards.
        store: where the artifact lies.
        manifest: the artifact's.
        target: the empty database.
        source: the live database, where it's known: the target must not be it.
        on_progress: called at every stage, from more than one thread.
        jobs: pg_restore's --jobs, and how many processes compare; None for what is configured.
        with_access: also creates the missing roles, and applies owners, grants and settings; these
            are compared as well.
        keep_going: restores everything that the server accepts; each thing that it rejects is a finding.

    Raises:
        TargetRefused: the target is the source, isn't empty, or can't take this artifact.
        RightsMissing: the role can't create what is in the dump, or the roles; nothing was restored.
        ArtifactDamaged: the artifact isn't what its manifest says; nothing was restored.
        OpsError: any other error of its tree.
    """
    jobs, work_folder = jobs or protected.policy.dump.jobs, protected.policy.dump.work_folder
    with (
        logged("restore", (store,), manifest.database, subject=manifest.artifact_id) as line,
        ExitStack() as stack,
    ):
        # Check the target first: a wrong one should fail in seconds.
        roles = roles_of(store, manifest) if with_access else ()
        connection = stack.enter_context(
            admitted(target, manifest, source=source, application_name="hackorda_ops restore", roles=roles)
        )
        tools = protected.client_tools(connection.info.server_version // 10_000)
        work_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="restore-", dir=work_folder)))
        fetch_artifact(store, manifest, folder, on_progress=on_progress)
        damage = judge(folder, manifest, jobs=jobs, on_progress=on_progress)
        if damage:
            raise ArtifactDamaged(
                f"{store.describe()}/{manifest.prefix} is not what its manifest says: "
                + "; ".join(f"{finding.code} {finding.subject}" for finding in damage[:10])
                + ".",
                meaning="Nothing was restored: it would not have been the database of that night.",
                next_step="Restore another artifact (`hackorda-ops backups` lists them).",
            )
        done = restore.restore(
            target,
            clients=tools,
            folder=folder / DUMP_FOLDER_NAME,
            jobs=jobs,
            on_progress=on_progress,
            deadline_seconds=None,
            keep_going=keep_going,
        )
        compared = compare(
            connection,
            target,
            manifest,
            dump_folder=folder / DUMP_FOLDER_NAME,
            jobs=jobs,
            on_progress=on_progress,
        )
        # Done last: the restoring role may lose the right to read what now belongs to others.
        differing, notes = (
            give_access(connection, target, roles, folder) if with_access else ((), (NOT_GIVEN,))
        )
        brought = BroughtBack(
            manifest=manifest,
            location=f"{store.describe()}/{manifest.prefix}",
            target=target.describe(),
            tables=len(manifest.tables),
            rows=manifest.rows,
            seconds=done.seconds,
            findings=with_rest(done.not_restored, (*compared.findings, *differing)),
            warnings=(*done.warnings, *compared.notes, *notes),
        )
        line.outcome = brought.verdict
        line.detail = (
            f"From {brought.location} into {brought.target}: {counted(brought.rows, 'row')} compared."
        )
    return brought


@dataclass(frozen=True)
class Comparison:
    """A restored database compared with its manifest.

    Attributes:
        digests: rows and digest of each of the manifest's tables that is there.
        inventory: what else the restored database holds, without counts.
        findings: what differs; none means that everything the backup covers was restored.
        notes: what differs between the server and the source, which is not the backup's fault.
    """

    digests: Mapping[TableName, TableDigest]
    inventory: Inventory
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


def compare(
    connection: psycopg.Connection[Any],
    target: ConnectionTarget,
    manifest: Manifest,
    *,
    dump_folder: Path,
    jobs: int,
    on_progress: OnProgress,
) -> Comparison:
    """Compares a restored database with a manifest, exactly: tables, sequences, large objects, extensions, views.

    Args:
        connection: a session on the restored database.
        target: the same database, for the processes that read it.
        manifest: what must be there.
        dump_folder: the artifact's dump, to show which large objects differ.
        jobs: how many processes read.
        on_progress: called with the bytes read.

    Raises:
        OpsError: the login, the rights or the connection failed.
    """
    with translated_errors(target, "Comparing the restored database"):
        restored = replace(
            source_catalog.read_catalog(connection), made_objects=read_present_objects(connection)
        )
    digests = table_digest.digest_tables(
        target, evidenced_tables(manifest, restored), jobs=jobs, on_progress=on_progress
    )
    wanted, found = in_one_order(
        manifest, digests, target, restored, dump_folder=dump_folder, jobs=jobs, on_progress=on_progress
    )
    with translated_errors(target, "Comparing the large objects"):
        objects = compare_large_objects(
            connection, manifest.large_objects, dump_folder=dump_folder, on_progress=on_progress
        )
    with translated_errors(target, "Looking at the generated columns"):
        generated = tuple(generated_findings(connection, manifest))
    return Comparison(
        digests=digests,
        inventory=restored,
        findings=(
            *table_findings(wanted, found),
            *sequence_findings(manifest.inventory.sequences, restored.sequences),
            *object_findings(manifest.inventory, restored),
            *objects,
            *generated,
        ),
        notes=(*environment_notes(manifest.inventory, restored), *stale_notes(manifest)),
    )
