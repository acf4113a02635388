"""Compares every row and object of a restored database with its artifact's manifest."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from hackorda_ops.evidence.comparison import (
    environment_notes,
    evidenced_tables,
    object_findings,
    sequence_findings,
    table_findings,
)
from hackorda_ops.evidence.large_objects import compare_large_objects
from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.evidence.moved_rows import in_one_order
from hackorda_ops.evidence.rules_kept import generated_findings, stale_notes
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.archives import table_digest
from hackorda_ops.postgres.archives.table_digest import TableDigest
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.catalogs.inventory import Inventory, TableName
from hackorda_ops.postgres.catalogs.made_objects import read_present_objects
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import translated_errors
from hackorda_ops.progress import OnProgress


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
    manifest: PostgresManifest,
    *,
    dump_folder: Path,
    jobs: int,
    on_progress: OnProgress,
    psql: Path | None = None,
) -> Comparison:
    """Compares a restored database with a manifest, exactly: tables, sequences, large objects, extensions, views.

    Args:
        connection: a session on the restored database.
        target: the same database, for the sessions that read its tables.
        manifest: what must be there.
        dump_folder: the artifact's dump, to show which large objects differ.
        jobs: how many sessions read.
        on_progress: called with the bytes read.
        psql: the program, which reads fastest (`table_digest.digest_tables`).

    Raises:
        OpsError: the login, the rights or the connection failed.
    """
    with translated_errors(target, "Comparing the restored database"):
        restored = replace(
            source_catalog.read_catalog(connection), made_objects=read_present_objects(connection)
        )
    digests = table_digest.digest_tables(
        target, evidenced_tables(manifest, restored), jobs=jobs, on_progress=on_progress, psql=psql
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
