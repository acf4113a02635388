"""Key tables, restored and in production: as many rows as their age allows, and the newest of them recent."""

from typing import Final

from hackorda_ops.config.models import Policy
from hackorda_ops.drilling.declaration import KEY_TABLES, DrillCheck
from hackorda_ops.engines.postgres.drill.comparisons.production import compare_key_tables
from hackorda_ops.engines.postgres.drill.copy import Copy
from hackorda_ops.evidence.manifest import PostgresManifest


def _lacking(database: Policy) -> str:
    return "" if database.key_tables else "databases.yaml names no key_tables"


def _compare(copy: Copy) -> None:
    drilling, record, policy = copy.drilling, copy.drilling.record, copy.drilling.policy
    with record.stage("compare key tables with production"):
        seen = compare_key_tables(
            policy.key_tables,
            copy.connection,
            drilling.source,
            captured_at=drilling.manifest.captured_at,
            tolerances=policy.tolerances,
            # Of those that are sealed nothing is known but the totals.
            past=[each for each in (*drilling.past, drilling.manifest) if isinstance(each, PostgresManifest)],
            yield_after_seconds=policy.dump.yield_after_seconds,
        )
    record.key_tables = seen.tables
    record.not_compared += seen.not_compared
    for problem in seen.problems:
        record.went_on_after(problem)
    if not seen.tables and not seen.count_findings:
        why = seen.problems[0].what if seen.problems else "no key table could be counted in production"
        record.not_measured(NEAR_PRODUCTION.name, why)
        record.not_measured(NEWEST_RECENT.name, why)
        return
    counted, wanted = len(seen.tables), len(policy.key_tables)
    compared = f"All {counted}" if counted == wanted else f"{counted} of {wanted}"
    record.check(
        NEAR_PRODUCTION.name,
        seen.count_findings,
        passed=f"{compared} key tables are as close to production as their age requires.",
        failed="Key tables are not near production",
    )
    if seen.newest_measured == 0:
        record.not_measured(NEWEST_RECENT.name, "no key table has a time column on both sides")
        return
    record.check(
        NEWEST_RECENT.name,
        seen.newest_findings,
        passed=f"The newest rows of {seen.newest_measured} key tables are as recent as production's were.",
        failed="The backup lacks recent rows",
    )


NEAR_PRODUCTION: Final = DrillCheck(
    name=KEY_TABLES,
    title="Key tables are close to production",
    description="Key tables have rows where production does, within the drift that the backup's age allows.",
    lacking=_lacking,
    run=_compare,
)
# Made together with the other, from one look at production.
NEWEST_RECENT: Final = DrillCheck(
    name="newest_row_recent",
    title="The newest rows are recent enough",
    description="The newest rows were made shortly before the dump.",
    lacking=_lacking,
)
