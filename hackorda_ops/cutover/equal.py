"""Whether a database still holds exactly what the final dump's manifest says."""

from collections.abc import Iterator

from hackorda_ops.cutover.target import APPLICATION
from hackorda_ops.evidence.comparison import evidenced_tables, sequence_findings, table_findings
from hackorda_ops.evidence.manifest import PostgresManifest
from hackorda_ops.findings import Finding
from hackorda_ops.postgres.archives.table_digest import digest_tables
from hackorda_ops.postgres.catalogs import source_catalog
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS
from hackorda_ops.progress import OnProgress


def differences(
    target: ConnectionTarget, manifest: PostgresManifest, *, jobs: int, on_progress: OnProgress
) -> tuple[Finding, ...]:
    """What differs, in any row of any table, or in a sequence. Only reads.

    Args:
        target: the database.
        manifest: what it must hold.
        jobs: how many processes read.
        on_progress: called with the bytes read.

    Raises:
        OpsError: the login, the rights or the connection failed.
    """
    with (
        translated_errors(target, "Comparing with the final dump"),
        connect(target, application_name=APPLICATION, settings=SHORT_SETTINGS) as connection,
    ):
        there = source_catalog.read_catalog(connection)
    digests = digest_tables(target, evidenced_tables(manifest, there), jobs=jobs, on_progress=on_progress)
    return (
        *table_findings(manifest, digests),
        *sequence_findings(manifest.inventory.sequences, there.sequences),
        *_tables_since(manifest, {str(table.name) for table in there.tables}),
    )


def losses(before: PostgresManifest, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those of the differences after a migration that lost rows. Pure.

    Args:
        before: the final dump's manifest.
        found: what differs since.
    """
    rows = {str(table.name): table.rows for table in before.tables}
    return tuple(
        each
        for each in found
        if each.code == "table missing"
        or (each.code == "rows differ" and _fewer(each, rows.get(each.subject, 0)))
    )


def _fewer(finding: Finding, rows: int) -> bool:
    now = finding.observed.partition(" ")[0].replace(",", "")
    return now.isdigit() and int(now) < rows


def _tables_since(manifest: PostgresManifest, there: set[str]) -> Iterator[Finding]:
    known = {str(table.name) for table in manifest.inventory.tables}
    for name in sorted(there - known):
        yield Finding(
            "rows differ",
            name,
            "no such table, as in the final dump",
            "a table",
            "Find out what made it, and whether it has to be moved as well.",
        )
