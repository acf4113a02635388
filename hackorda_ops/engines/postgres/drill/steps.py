"""What a drill of Postgres does on its scratch: compare the branch, restore, then check the restored copy."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hackorda_ops.drilling import within_recovery_time_objective
from hackorda_ops.drilling.declaration import DrillCheck, Drilling
from hackorda_ops.engines.postgres.drill import witness
from hackorda_ops.engines.postgres.drill.checks import branch_equals_manifest, restored_equals_manifest
from hackorda_ops.engines.postgres.drill.copy import Copy
from hackorda_ops.engines.postgres.drill.not_compared import beyond_comparison
from hackorda_ops.engines.postgres.recovery.target import admitted
from hackorda_ops.errors import OpsError, RightsMissing
from hackorda_ops.evidence.manifest import of_postgres
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.scratch.place import Place


def run_steps(drilling: Drilling, place: Place, checks: Sequence[DrillCheck]) -> None:
    """Runs all steps; findings are recorded, and don't stop it.

    Args:
        drilling: the drill, with its artifact fetched.
        place: its scratch.
        checks: all checks of the drill.

    Raises:
        OpsError: a step could not be done.
    """
    manifest = of_postgres(drilling.manifest)
    drilling.record.not_compared += beyond_comparison(manifest)
    if branch_equals_manifest.CHECK in checks:
        # First of all: whatever is done on the branch moves it away from the artifact's moment.
        if place.branch is not None:
            branch_equals_manifest.compare(drilling, place.branch)
        elif drilling.policy.keeps_history:
            witness.hear(drilling)
    with drilling.record.stage("make the database", in_recovery=True):
        target = place.new_database("restore")
    with admitted(
        target, manifest, source=drilling.source, application_name="hackorda_ops drill"
    ) as connection:
        tools = drilling.protected.client_tools(connection.info.server_version // 10_000)
        with _asking_for_rights(place, target):
            complete = restored_equals_manifest.restored(drilling, target, tools, place.administrator)
        if complete:
            within_recovery_time_objective.hold_against_objective(drilling, checks)
            _check(Copy(drilling, place, target, connection, tools), checks)


@contextmanager
def _asking_for_rights(place: Place, target: ConnectionTarget) -> Iterator[None]:
    try:
        yield
    except RightsMissing as error:
        if not place.more_rights:
            raise
        raise RightsMissing(
            error.what,
            meaning=f"The dump asks for a right that {target.user} doesn't have. That role was made for the "
            "restore, and may do nothing beyond its database: what was asked for was not done, and the backup was "
            "not judged.",
            next_step=place.more_rights,
        ) from None


def _check(copy: Copy, checks: Sequence[DrillCheck]) -> None:
    for check in sorted(checks, key=lambda each: each.changes_copy):
        if check.run is not None and not check.lacking(copy.drilling.policy):
            try:
                check.run(copy)
            except OpsError as error:
                # Its turn came: only what would have followed was never reached.
                if not any(each.name == check.name for each in copy.drilling.record.checks):
                    copy.drilling.record.not_measured(check.name, error.what)
                raise
