"""Compares a branch of the source, at the artifact's position, with the manifest.

Where they agree, two independent backups do: the provider's history, and our dump.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg

from hackorda_ops.drilling.result import NotCompared
from hackorda_ops.engines.postgres.drill.comparisons.exactness import apart, committed_unseen, unseen_by
from hackorda_ops.evidence.comparison import evidenced_tables, table_findings
from hackorda_ops.evidence.large_objects import compare_large_objects
from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.evidence.same_source import other_history
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.archives import table_digest
from hackorda_ops.postgres.archives.table_digest import TableDigest
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.catalogs.inventory import TableName
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.progress import OnProgress
from hackorda_ops.scratch.place import ComparableBranch

_DISAGREE = (
    "Find out which of the two is wrong before you rely on either: restore this artifact by hand, and compare it with "
    "a branch of the source at the artifact's WAL position."
)


@dataclass(frozen=True)
class BranchComparison:
    """What the branch showed.

    Attributes:
        reason: why nothing could be measured; "" where it was.
        digests: of each of the manifest's tables that was compared.
        findings: what differs from the manifest.
        not_compared: what a clone can't show.
    """

    reason: str
    digests: Mapping[TableName, TableDigest] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()


def compare_branch(
    branch: ComparableBranch,
    manifest: PostgresManifest,
    *,
    dump_folder: Path,
    jobs: int,
    on_progress: OnProgress,
) -> BranchComparison:
    """Compares every table and large object of the branch with the manifest, if the two are the same moment.

    Args:
        branch: the source's own database on a branch.
        manifest: what must be there.
        dump_folder: the artifact's dump, to show which large objects differ.
        jobs: how many processes read.
        on_progress: called with the bytes read.

    Raises:
        OpsError: the branch can't be read.
    """
    if branch.reason:
        return BranchComparison(branch.reason)
    with (
        translated_errors(branch.target, "Looking at the branch"),
        connect(branch.target, application_name="hackorda_ops drill") as connection,
    ):
        there = source_catalog.read_catalog(connection)
        if reason := other_history(manifest.inventory.source, there.source):
            return BranchComparison(reason)
        if reason := other_moment(connection, branch.parent_lsn, manifest):
            return BranchComparison(reason)
    # Unlogged tables are empty on a clone, and sequences are read ahead by up to 32.
    unlogged = {table.name for table in manifest.inventory.tables if table.unlogged}
    logged = tuple(table for table in manifest.tables if table.name not in unlogged)
    comparable = [table for table in evidenced_tables(manifest, there) if table.name not in unlogged]
    digests = table_digest.digest_tables(branch.target, comparable, jobs=jobs, on_progress=on_progress)
    with (
        translated_errors(branch.target, "Comparing the branch's large objects"),
        connect(branch.target, application_name="hackorda_ops drill") as connection,
    ):
        objects = compare_large_objects(
            connection, manifest.large_objects, dump_folder=dump_folder, on_progress=on_progress
        )
    return BranchComparison(
        reason="",
        digests=digests,
        findings=tuple(
            Finding(
                f"branch: {finding.code}",
                finding.subject,
                finding.expected,
                finding.observed,
                _DISAGREE,
            )
            for finding in (*table_findings(replace(manifest, tables=logged), digests), *objects)
        ),
        not_compared=tuple(_not_compared(unlogged, manifest)),
    )


def other_moment(
    connection: psycopg.Connection[Any], branch_lsn: str | None, manifest: PostgresManifest
) -> str:
    """Why a branch is not exactly the moment that an artifact holds; "" where it is.

    Args:
        connection: a session on the branch.
        branch_lsn: where the branch left its parent.
        manifest: the artifact's.

    Raises:
        psycopg.Error: the connection broke.
    """
    if manifest.dumped_from == "branch":
        return apart(manifest, branch_lsn)
    unseen = committed_unseen(connection, unseen_by(manifest.snapshot))
    if not unseen:
        return ""
    return (
        f"{unseen:,} transaction(s) that the artifact's snapshot could not see yet are on the branch at "
        f"{branch_lsn}, so the two are not exactly the same moment"
    )


def _not_compared(unlogged: Collection[TableName], manifest: PostgresManifest) -> Iterator[NotCompared]:
    if unlogged:
        names = ", ".join(map(str, sorted(unlogged)))
        yield NotCompared(f"on the branch: unlogged tables ({names})", "a clone has no rows of them")
    if manifest.inventory.sequences:
        yield NotCompared("on the branch: sequences", "a clone reads them ahead of their last value")
