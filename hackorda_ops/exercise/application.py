"""The application on a recovered branch: the team's hooks in an exercise, and the recovery time that they end."""

from datetime import datetime
from typing import Final

from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.exercise.notes import Notes
from hackorda_ops.exercise.result import Moment
from hackorda_ops.history.base import RecoveredSource
from hackorda_ops.hooks.sequence import facts_of, run_in_order
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.progress import OnProgress, Progress

_HOOKS_OFF: Final = (
    "The hooks of recover.hooks were not run: exercise.run_hooks is off. Switch it on once they look at "
    "HACKORDA_OPS_STAGE, and the recovery time includes them."
)


def runs_hooks(policy: Policy) -> bool:
    """Whether the team's hooks are part of an exercise. Pure."""
    return policy.exercise.run_hooks and any(policy.recover.hooks.in_order())


def put_to_use(
    protected: Protected,
    recovered: RecoveredSource,
    notes: Notes,
    *,
    time: datetime,
    on_progress: OnProgress,
) -> None:
    """Runs the team's hooks on the recovered branch, as a recovery does, where the configuration says so.

    Args:
        protected: the database.
        recovered: the branch.
        notes: gets what they did.
        time: the time that it was recovered to, aware.
        on_progress: called as each begins and ends.

    Raises:
        OpsError: the branch doesn't answer.
    """
    policy = protected.policy
    if not runs_hooks(policy):
        if any(policy.recover.hooks.in_order()):
            notes.remarks.append(_HOOKS_OFF)
        return
    with (
        translated_errors(recovered.target, "Looking at the recovered branch"),
        connect(recovered.target, application_name="hackorda_ops exercise") as connection,
    ):
        encrypted = connection.pgconn.ssl_in_use
    facts = facts_of("exercise", branch=recovered.name, branch_id=recovered.copy_id, time=time)
    for run in run_in_order(
        policy.recover.hooks,
        recovered.target,
        encrypted=encrypted,
        environ=protected.environ,
        # What the exercise sets goes before what is passed on, and never before what says that it is an exercise.
        facts={**policy.exercise.environment, **facts},
        variables=policy.source.variables,
        on_begin=lambda name: on_progress(Progress(name, 0, None, "seconds")),
    ):
        on_progress(Progress(run.name, round(run.seconds), round(run.seconds), "seconds"))
        notes.hooks.append(run)
        notes.timeline.append(
            Moment(run.began_at, f"Hook {run.name}: {run.outcome}", run.command, run.seconds)
        )
        if not run.succeeded:
            notes.remarks.append(f"{run.name}: {run.detail}")
        if notes.recovery_seconds is not None:
            notes.recovery_seconds = round(notes.recovery_seconds + run.seconds, 3)


def judge_time(notes: Notes, policy: Policy) -> None:
    """Judges the recovery time, once: until the last hook succeeded, or without hooks until the branch answered.

    Args:
        notes: what was measured; gets the check.
        policy: with the objective.
    """
    objective_seconds = policy.objectives.recovery_time_minutes * 60
    taken_seconds = notes.recovery_seconds
    if taken_seconds is None:
        return
    failed = next((run for run in notes.hooks if not run.succeeded), None)
    if failed is not None:
        # The application does not run on the recovered branch, however soon that answered.
        notes.recovery_seconds = None
        summary = f"The hook {failed.name} {failed.outcome} after {failed.seconds:,.1f} s; see the findings."
    elif notes.hooks:
        summary = (
            f"{notes.hooks[-1].name} succeeded after {taken_seconds:,.1f} s (the branch answered after "
            f"{notes.answered_seconds or 0:,.1f} s); the objective is {objective_seconds:,.0f} s."
        )
    else:
        summary = (
            f"The recovered branch answered after {taken_seconds:,.1f} s; the objective is "
            f"{objective_seconds:,.0f} s."
        )
    notes.decided(
        "within_recovery_time_objective", failed is None and taken_seconds <= objective_seconds, summary
    )
