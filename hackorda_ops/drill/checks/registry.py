"""The checks of a drill, in the order of its report: the one list that says which there are.

What else there is to know of them (Dagster's specs, the report's words, the verdict) follows from here.
"""

from typing import Final

from hackorda_ops.config.models import Database
from hackorda_ops.drill.checks.declaration import DrillCheck


def _branch(database: Database) -> str:
    return "" if database.scratch.neon else "the scratch is a server and not a Neon branch"


def _key_tables(database: Database) -> str:
    return "" if database.key_tables else "databases.yaml names no key_tables"


def _migrate(database: Database) -> str:
    return "" if database.migrate else "databases.yaml names no migrate command"


# Without the essential ones a drill has proven nothing. The others may be unmeasured: a database may have no
# key tables or migrations, and a scratch server no branch.
CHECKS: Final[list[DrillCheck]] = [
    DrillCheck(
        name="offsite_equals_manifest",
        title="The off-site copy is what its manifest says",
        description="Every file fetched from off-site, and every row in it, is what the manifest says.",
        essential=True,
    ),
    DrillCheck(
        name="restored_equals_manifest",
        title="The restored database is what the manifest says",
        description="Every table and sequence of the restored database equals the manifest, exactly.",
        essential=True,
    ),
    DrillCheck(
        name="branch_equals_manifest",
        title="The provider's own history agrees with the backup",
        description="The provider's own history at the artifact's WAL position holds the same rows.",
        lacking=_branch,
    ),
    DrillCheck(
        name="comparison_self_test",
        title="The comparison notices a change made on purpose",
        description="The comparison notices changes that were made on purpose: rows, a value, a sequence.",
        essential=True,
        about_itself=True,
    ),
    DrillCheck(
        name="key_tables_near_production",
        title="Key tables are close to production",
        description="Key tables have rows where production has, within the drift that age allows.",
        lacking=_key_tables,
    ),
    DrillCheck(
        name="newest_row_recent",
        title="The newest rows are recent enough",
        description="The newest rows were made shortly before the dump.",
        lacking=_key_tables,
    ),
    DrillCheck(
        name="migrations_apply",
        title="The team's migrations apply to the restored database",
        description="The team's own migrations run on the restored database, and leave nothing pending.",
        lacking=_migrate,
    ),
    DrillCheck(
        name="within_recovery_time_objective",
        title="Recovery takes no longer than its objective",
        description="Fetching, checking and restoring took no longer than the objective.",
        essential=True,
    ),
    DrillCheck(
        name="scratch_gone",
        title="What the drill made is gone again",
        description="Whatever the drill made was taken down, and is gone.",
        essential=True,
        about_itself=True,
    ),
]
