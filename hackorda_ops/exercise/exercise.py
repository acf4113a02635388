"""The yearly recovery exercise: destroy something on a branch, and bring it back by point in time.

Never on the source: both branches are checked to be other servers before anything is written. The first branch
has no expiry date, because Neon gives an expiring one no children; a sweep recognizes both by their label.
"""

import getpass
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from typing import Final

from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.calendar import partitions
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError, TargetRefused, UsageError
from hackorda_ops.exercise import application, checks
from hackorda_ops.exercise.destroy import Destruction, destroy, last_commit, make_marker
from hackorda_ops.exercise.notes import Notes
from hackorda_ops.exercise.result import ExerciseResult, Moment
from hackorda_ops.exercise.state import State, differences, read_state, to_destroy
from hackorda_ops.histories import registry
from hackorda_ops.history import hazards
from hackorda_ops.history.alive import kept_alive
from hackorda_ops.history.base import History, RecoveredSource
from hackorda_ops.history.labels import EXERCISE
from hackorda_ops.history.points import AtHead, AtTime
from hackorda_ops.own_folders import private_folder
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.progress import OnProgress, ignore

_EXPIRES_AFTER: Final = timedelta(hours=24)

_NOT_COMPARED: Final = (
    "unlogged tables: no branch has their rows",
    "materialized views: only that they are there",
    "large objects: only how many there are",
)
_NO_HOOKS: Final = (
    "the application: pointing it at the recovered branch and deploying it takes time of its own"
)


def run_exercise(
    protected: Protected, *, year: date | None = None, on_progress: OnProgress = ignore
) -> ExerciseResult:
    """Destroys data on a branch of main, recovers it to a point in time, compares everything, takes both down.

    Whatever goes wrong after the configuration was read ends in a result. An interruption takes the
    branches down and is raised again.

    Args:
        protected: the database; only a scratch that keeps a history makes an exercise possible.
        year: the partition (its first day); None for the current one.
        on_progress: called with the rows read.

    Raises:
        ConfigError: no history is kept, or variables are missing; nothing was attempted.
        UsageError: that year has not begun.
    """
    require_history(protected)
    protected.require("source", "history")
    name, policy = protected.name, protected.policy
    started_at = datetime.now(UTC)
    this_year = partitions.year_of(partitions.night_of(started_at, policy.schedule))
    wanted = year or this_year
    if wanted > this_year:
        raise UsageError(
            f"The year {wanted.year} has not begun.",
            meaning="Nothing was attempted.",
            next_step=f"Run this year's exercise: {this_year.year}.",
        )
    notes = Notes()
    exercise_id = new_id(started_at)
    if wanted < this_year:
        notes.remarks.append(f"Run late: it counts for {wanted.year}, and shows how things are now.")
    with notes.stoppable(), private_folder() as private:
        source = protected.source(private_folder=private)
        with registry.history_of(protected, source) as history:
            left = history.sweep()
            notes.remarks += [f"Removed what a killed run had left: {each}." for each in left]
            with kept_alive(source, exercise_id):
                _on_branches(_Exercise(history, source, exercise_id, protected, notes, on_progress))
    done = checks.complete(notes.checks)
    verdict, problem = checks.judge(done, notes.problem)
    if verdict == "FAIL":
        notes.remark_early_end()
    return ExerciseResult(
        exercise_id=exercise_id,
        database=name,
        year=wanted,
        started_at=started_at,
        finished_at=datetime.now(UTC),
        held_by=_who(),
        verdict=verdict,
        error=problem,
        checks=done,
        timeline=tuple(notes.timeline),
        findings=tuple(notes.remarks),
        tables=notes.tables,
        rows=notes.rows,
        recovery_seconds=notes.recovery_seconds,
        recovery_objective_seconds=policy.objectives.recovery_time_minutes * 60,
        lost_seconds=notes.lost_seconds,
        not_compared=_NOT_COMPARED if notes.hooks else (*_NOT_COMPARED, _NO_HOOKS),
        product_version=version("hackorda-ops"),
        quarter=partitions.quarter_name(
            partitions.quarter_of(partitions.night_of(started_at, policy.schedule))
        ),
        answered_seconds=notes.answered_seconds,
        hooks=tuple(notes.hooks),
    )


def require_history(protected: Protected) -> None:
    """Refuses a database whose scratch keeps no history.

    Args:
        protected: the database.

    Raises:
        ConfigError: it keeps none.
    """
    registry.require_history(
        protected,
        why="a recovery exercise needs a history",
        meaning="There is no history to go back in, so nothing was attempted.",
        by_hand="exercise your provider's own point-in-time recovery by hand",
    )


@dataclass(frozen=True)
class _Exercise:
    """What every step needs."""

    history: History
    source: ConnectionTarget
    exercise_id: str
    protected: Protected
    notes: Notes
    on_progress: OnProgress

    @property
    def policy(self) -> Policy:
        """How the database is protected."""
        return self.protected.policy

    def read(self, branch: RecoveredSource) -> State:
        return read_state(branch.target, jobs=self.policy.dump.jobs, on_progress=self.on_progress)


def _on_branches(exercise: _Exercise) -> None:
    notes = exercise.notes
    # The recovered branch is entered last, and so deleted first: it's the other one's child.
    with ExitStack() as made:
        # The branches must be removed before the report says what went wrong.
        with notes.stoppable():
            _hold(exercise, made)
        try:
            with notes.doing("Deleted the branches, the recovered one first"):
                made.close()
        except OpsError as error:
            notes.remarks.append(f"{error.what} {error.next_step}")
    _look_for_branches(exercise)


def _look_for_branches(exercise: _Exercise) -> None:
    """The list is the proof: a branch whose creation failed halfway is not among those that were deleted."""
    notes, traits = exercise.notes, exercise.history.traits
    try:
        left = exercise.history.still_there(purpose=EXERCISE, run=exercise.exercise_id)
    except OpsError as error:
        notes.not_measured("branches_gone", error.what)
        return
    notes.decided(
        "branches_gone",
        not left,
        f"{traits.keeper} still lists {' and '.join(left)}. The next run sweeps what is left, as does "
        "`hackorda-ops sweep`."
        if left
        else f"{traits.keeper} lists no {traits.copy} of this exercise any more.",
    )


def _hold(exercise: _Exercise, made: ExitStack) -> None:
    notes = exercise.notes
    hazards.require_asked_for(
        hazards.acting_now(exercise.source) if exercise.history.traits.copies_act else (),
        asked_for=exercise.policy.dump_from == "branch",
        meaning="Nothing was created, so nothing was tested.",
    )
    with notes.doing("Made a branch of main to destroy things on"):
        victim = made.enter_context(
            exercise.history.opened(
                purpose=EXERCISE, run=exercise.exercise_id, point=AtHead(), expires_at=None
            )
        )
    make_marker(victim.target)
    with notes.doing(f"Read everything that {victim.name} holds"):
        before = exercise.read(victim)
    notes.tables, notes.rows = len(before.digests), before.rows
    if any(extension.name == "pg_cron" for extension in before.inventory.extensions):
        notes.remarks.append(
            "The branch carries pg_cron jobs: what they change there meanwhile shows up as a difference."
        )
    if before.inventory.subscriptions:
        notes.remarks.append(
            "The branch carries subscriptions: what they change there meanwhile shows up as a difference."
        )
    tables = to_destroy(before, exercise.policy.key_tables)
    if not tables:
        raise TargetRefused(
            "No table on the branch has a row that could be destroyed.",
            meaning="A recovery of nothing would prove nothing.",
            next_step="Run the exercise once the database has data.",
        )
    with notes.doing(
        f"Destroyed: dropped {tables[0]}" + "".join(f", truncated {each}" for each in tables[1:])
    ):
        destruction = destroy(victim.target, tables)
    last = notes.timeline.pop()
    notes.timeline.append(Moment(destruction.began_at, last.what, ";\n".join(destruction.statements) + ";"))
    notes.remarks += [f"The destruction also took: {each}." for each in destruction.taken_along]
    notes.decided(
        "destroyed",
        not destruction.left,
        "; ".join(destruction.left)
        or f"{' and '.join(map(str, tables))}: gone, and empty, before the recovery.",
    )
    if destruction.left:
        return
    recovered = _recovered(exercise, made, victim, destruction)
    if not application.runs_hooks(exercise.policy):
        application.judge_time(notes, exercise.policy)
    with notes.doing(f"Read everything that {recovered.name} holds, and compared it"):
        lost = tuple(differences(before, exercise.read(recovered)))
        kept = last_commit(recovered.target)
    _judge_recovery(notes, destruction, lost, kept)
    # After the comparison, because they may write to the branch.
    application.put_to_use(
        exercise.protected, recovered, notes, time=destruction.recover_to, on_progress=exercise.on_progress
    )
    if application.runs_hooks(exercise.policy):
        application.judge_time(notes, exercise.policy)


def _recovered(
    exercise: _Exercise, made: ExitStack, victim: RecoveredSource, destruction: Destruction
) -> RecoveredSource:
    """A branch of the branch, as of just before the destruction, timed until it answers."""
    notes = exercise.notes
    began = time.monotonic()
    copy = exercise.history.traits.copy
    with notes.doing(f"Recovered: made a {copy} of it as of just before, which answers queries"):
        recovered = made.enter_context(
            exercise.history.opened(
                purpose=EXERCISE,
                run=exercise.exercise_id,
                point=AtTime(destruction.recover_to),
                expires_at=datetime.now(UTC) + _EXPIRES_AFTER,
                parent=victim,
            )
        )
    notes.timeline.append(replace(notes.timeline.pop(), commands=recovered.call))
    notes.remarks += recovered.warnings
    notes.answered_seconds = notes.recovery_seconds = round(time.monotonic() - began, 3)
    return recovered


def _judge_recovery(
    notes: Notes, destruction: Destruction, lost: tuple[str, ...], kept: datetime | None
) -> None:
    notes.remarks += lost
    notes.decided(
        "recovered_exactly",
        not lost,
        f"{len(lost)} difference(s) from before the destruction; see the findings."
        if lost
        else f"All {notes.tables:,} tables have the same rows and content as before, and the schema is the same.",
    )
    if kept == destruction.marked_at:
        notes.lost_seconds = round((destruction.began_at - destruction.marked_at).total_seconds(), 3)
        summary = f"The last commit, {notes.lost_seconds:.1f} s before the destruction, came back."
    else:
        summary = (
            f"The last commit before the destruction, of {destruction.marked_at.isoformat()}, is not there."
        )
    notes.decided("recovery_point_kept", kept == destruction.marked_at, summary)


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "an unnamed user"  # as in a container
    return f"{user} on {socket.gethostname()}"
