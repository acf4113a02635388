"""What a drill does on its scratch, in order: compare the branch, restore, then every check of the restored copy."""

from hackorda_ops.drill.checks import (
    branch_equals_manifest,
    restored_equals_manifest,
    within_recovery_time_objective,
)
from hackorda_ops.drill.checks.declaration import Copy, Drilling
from hackorda_ops.drill.checks.registry import CHECKS
from hackorda_ops.drill.not_compared import beyond_comparison
from hackorda_ops.recovery.target import admitted
from hackorda_ops.scratch.place import Place


def run_steps(drilling: Drilling, place: Place) -> None:
    """Runs all steps; findings are recorded, and don't stop it.

    Args:
        drilling: the drill, with its artifact fetched.
        place: its scratch.

    Raises:
        OpsError: a step could not be done.
    """
    drilling.record.not_compared += beyond_comparison(drilling.manifest)
    # First of all: whatever is done on the branch moves it away from the artifact's moment.
    if place.branch is not None:
        branch_equals_manifest.compare(drilling, place.branch)
    with drilling.record.stage("make the database", in_recovery=True):
        target = place.new_database("restore")
    with admitted(
        target, drilling.manifest, source=drilling.source, application_name="hackorda_ops drill"
    ) as connection:
        tools = drilling.protected.client_tools(connection.info.server_version // 10_000)
        if restored_equals_manifest.restored(drilling, target, tools):
            within_recovery_time_objective.hold_against_objective(drilling)
            _check(Copy(drilling, place, target, connection, tools))


def _check(copy: Copy) -> None:
    for check in sorted(CHECKS, key=lambda each: each.changes_copy):
        if check.run is not None and not check.lacking(copy.drilling.policy):
            check.run(copy)
