"""The checks of a drill, in the order of its report: the one list that says which there are.

What runs, Dagster's specs, the report's words and the verdict follow from here.
"""

from typing import Final

from hackorda_ops.drill.checks import (
    branch_equals_manifest,
    comparison_self_test,
    key_tables,
    migrations_apply,
    offsite_equals_manifest,
    restored_equals_manifest,
    scratch_gone,
    within_recovery_time_objective,
)
from hackorda_ops.drill.checks.declaration import DrillCheck

# Without the essential ones a drill has proven nothing. The others may be unmeasured: a database may have no
# key tables or migrations, and a scratch server no branch.
CHECKS: Final[list[DrillCheck]] = [
    offsite_equals_manifest.CHECK,
    restored_equals_manifest.CHECK,
    branch_equals_manifest.CHECK,
    comparison_self_test.CHECK,
    key_tables.NEAR_PRODUCTION,
    key_tables.NEWEST_RECENT,
    migrations_apply.CHECK,
    within_recovery_time_objective.CHECK,
    scratch_gone.CHECK,
]


def register(check: DrillCheck) -> None:
    """Adds a check to every drill, report and code location of this process, before definitions are loaded.

    Args:
        check: it runs on the restored copy, before what changes that.

    Raises:
        ValueError: there's a check of that name.
    """
    if any(each.name == check.name for each in CHECKS):
        raise ValueError(f"a drill has a check {check.name} already")
    CHECKS.append(check)
