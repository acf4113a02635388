"""Tonight against the night before: what vanished, and what collapsed.

A dump of a database that lost its data is a perfect dump. This comparison is how anybody hears
of it while the night before still exists.
"""

from collections.abc import Iterator

from hackorda_ops.backup.manifest import Manifest
from hackorda_ops.config import Tolerances
from hackorda_ops.findings import Finding

# Below this a dump's size says more about compression and catalogs than about data.
_SMALLEST_SIZE_BYTES = 1_000_000


def collapses(before: Manifest, tonight: Manifest, tolerances: Tolerances) -> tuple[Finding, ...]:
    """Compares two manifests of one database.

    Returns:
        A finding for every table that vanished, was emptied or lost more than the tolerated share
        of its rows, and one for a dump whose size did.
    """
    return (*_tables(before, tonight, tolerances), *_size(before, tonight, tolerances))


def _tables(before: Manifest, tonight: Manifest, tolerances: Tolerances) -> Iterator[Finding]:
    rows_tonight = {table.name: table.rows for table in tonight.tables}
    kept_share = 1 - tolerances.collapse_percent / 100
    since = f"the artifact of {before.night} ({before.artifact_id})"
    for table in before.tables:
        subject, expected = str(table.name), f"about {table.rows:,} rows as in {since}"
        now = rows_tonight.get(table.name)
        if now is None:
            yield Finding(
                "table vanished",
                subject,
                expected,
                "no such table",
                "If a migration dropped it, nothing is wrong; otherwise restore it from that artifact.",
            )
        elif table.rows > 0 and now == 0:
            yield Finding(
                "table emptied",
                subject,
                expected,
                "0 rows",
                "If somebody emptied it on purpose, nothing is wrong (a TRUNCATE while the dump began looks the "
                "same: dump again); otherwise restore it from that artifact.",
            )
        elif table.rows >= tolerances.collapse_minimum_rows and now < table.rows * kept_share:
            yield Finding(
                "table collapsed",
                subject,
                expected,
                f"{now:,} rows",
                "If a clean-up did it, nothing is wrong; otherwise restore the rows from that artifact.",
            )


def _size(before: Manifest, tonight: Manifest, tolerances: Tolerances) -> Iterator[Finding]:
    if before.client.compression != tonight.client.compression or before.size_bytes < _SMALLEST_SIZE_BYTES:
        return
    if tonight.size_bytes < before.size_bytes * (1 - tolerances.collapse_percent / 100):
        yield Finding(
            "dump collapsed",
            tonight.database,
            f"about {before.size_bytes:,} bytes as in the artifact of {before.night} ({before.artifact_id})",
            f"{tonight.size_bytes:,} bytes",
            "Find out which data was removed; keep the older artifact until it is known.",
        )
