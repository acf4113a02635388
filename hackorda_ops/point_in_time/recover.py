"""A recovery to a point in time: plan it, make its branch, run the team's hooks on it, promote it, take it back.

The source is never written to, and need not answer: it may be what has failed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.environment import Protected
from hackorda_ops.errors import TargetRefused
from hackorda_ops.histories import registry
from hackorda_ops.history.primary import LiveCopy, Primary
from hackorda_ops.hooks.sequence import facts_of, run_in_order
from hackorda_ops.own_folders import private_folder
from hackorda_ops.point_in_time import record, wanted
from hackorda_ops.point_in_time.record import RecoveryRecord
from hackorda_ops.postgres.sessions.connection import ConnectionTarget, redact
from hackorda_ops.postgres.sessions.session import connect, translated_errors
from hackorda_ops.postgres.sessions.settings import SHORT_SETTINGS

Say = Callable[[str], None]

_APPLICATION: Final = "hackorda_ops recover"


@dataclass(frozen=True)
class RecoveryPlan:
    """What a recovery will do.

    Attributes:
        time: to go back to; None where a resumed branch doesn't say.
        incumbent: the primary as it is now.
        copy: the branch that is resumed; None where a new one is made.
    """

    time: datetime | None
    incumbent: LiveCopy
    copy: LiveCopy | None


@dataclass(frozen=True)
class RecoveredBranch:
    """A branch that is up and answers.

    Attributes:
        copy: it.
        target: the source's database on it.
        record: what was done with it so far.
    """

    copy: LiveCopy
    target: ConnectionTarget
    record: RecoveryRecord


@contextmanager
def opened(protected: Protected) -> Iterator[Primary]:
    """The primary of a database and the branches that can take its place.

    Raises:
        ConfigError: its history has no such branches, or variables are missing.
    """
    with private_folder() as private:
        # Checked first, because without such a history there's nothing that a variable could repair.
        registry.require_history(
            protected,
            why="a recovery to a point in time needs a history",
            meaning="Nothing was attempted.",
            by_hand="restore the newest artifact: `hackorda-ops restore`",
        )
        protected.require("source", "history")
        with registry.primary_of(protected, protected.source(private_folder=private)) as primary:
            yield primary


def plan(
    protected: Protected, primary: Primary, *, time: datetime | None, recovery_id: str | None, now: datetime
) -> RecoveryPlan:
    """What a command will do. Changes nothing.

    Args:
        protected: the database.
        primary: its branches.
        time: to go back to, aware; None to resume.
        recovery_id: the recovery to resume.
        now: the present, aware.

    Raises:
        PointGone: the history doesn't reach back to that time.
        UsageError: it's unclear which recovery is meant.
        TargetRefused: the primary isn't the source that is configured.
    """
    copies = primary.now()
    found = wanted.recoveries(copies, protected.name)
    copy = wanted.chosen(found, recovery_id=recovery_id, time=time)
    incumbent = wanted.require_incumbent(copies)
    if copy is not None:
        return RecoveryPlan(wanted.asked_time(copy), incumbent, copy)
    if time is not None:
        wanted.require_within(time, primary.reach(), now=now)
    if not primary.is_source(incumbent):
        raise TargetRefused(
            f"The source is {protected.policy.source.describe()}, and that does not lead to the primary, the branch "
            f"{incumbent.name} ({incumbent.copy_id}).",
            meaning="A recovery would be of another database. Nothing was attempted.",
            next_step="Point it at the primary branch's address: after a promotion that is the recovered branch's.",
        )
    return RecoveryPlan(time, incumbent, None)


def hook_lines(protected: Protected) -> tuple[str, ...]:
    """The hooks that a recovery runs, in their order, each with its command. Pure."""
    hooks = protected.policy.recover.hooks
    return tuple(f"{name}: {redact(hook.words)}" for name, hook in hooks.in_order())


def bring_up(
    protected: Protected, primary: Primary, planned: RecoveryPlan, *, now: datetime, say: Say
) -> RecoveredBranch:
    """Makes the branch, or takes the one that there is, and waits until it answers.

    Args:
        protected: the database.
        primary: its branches.
        planned: by `plan`.
        now: when the recovery was asked for, aware.
        say: called with what is done.

    Raises:
        OpsError: it could not be made, or doesn't answer.
    """
    copy = planned.copy
    if copy is None:
        if planned.time is None:
            raise AssertionError("a plan has a time or a branch")
        say("making the branch")
        copy = primary.make(new_id(now), planned.time)
    kept = record.read(protected.policy, protected.name, copy.run, copy.copy_id)
    asked_at = now if planned.copy is None else copy.made_at or now
    kept = kept or RecoveryRecord(copy.run, protected.name, copy.copy_id, asked_at)
    problem = record.keep(protected.policy, kept)
    if problem:
        say(f"note: {problem}")
    return RecoveredBranch(copy, primary.target(copy), kept)


def put_to_use(
    protected: Protected, recovered: RecoveredBranch, *, again: bool, verifies: bool, say: Say
) -> RecoveryRecord:
    """Runs the hooks that have not succeeded yet, in their order, until one doesn't; each result is kept at once.

    Args:
        protected: the database.
        recovered: the branch.
        again: whether to run those that have succeeded as well.
        verifies: whether `verify` runs; not where somebody has checked the branch by hand.
        say: called with what is done, and with each line that a hook prints.

    Raises:
        OpsError: the branch doesn't answer.
    """
    kept, copy, policy = recovered.record, recovered.copy, protected.policy
    with (
        translated_errors(recovered.target, "Waiting for the branch"),
        connect(recovered.target, application_name=_APPLICATION, settings=SHORT_SETTINGS) as connection,
    ):
        encrypted = connection.pgconn.ssl_in_use
        row = connection.execute("SELECT count(*) FROM pg_catalog.pg_stat_user_tables").fetchone()
    say(f"the branch answers: {recovered.target.describe()} has {row[0] if row else 0:,} tables")
    for run in run_in_order(
        policy.recover.hooks,
        recovered.target,
        encrypted=encrypted,
        environ=protected.environ,
        facts=facts_of("production", branch=copy.name, branch_id=copy.copy_id, time=wanted.asked_time(copy)),
        variables=policy.source.variables,
        done=(() if again else kept.succeeded) if verifies else {*kept.succeeded, "verify"},
        on_begin=lambda name: say(f"{name}: running"),
        on_line=lambda line: say(f"  | {line}"),
    ):
        kept = kept.with_run(run)
        problem = record.keep(policy, kept)
        say(f"{run.name}: {run.outcome} after {run.seconds:.1f} s")
        if problem:
            say(f"note: {problem}")
    return kept


def of_primary(protected: Protected, primary: Primary, old: LiveCopy) -> RecoveredBranch:
    """The branch that is the primary now, for the hooks to point the application at it.

    Args:
        protected: the database.
        primary: its branches.
        old: the branch.

    Raises:
        OpsError: Neon doesn't give its address.
    """
    now = now_utc()
    return RecoveredBranch(
        old, primary.target(old), RecoveryRecord(new_id(now), protected.name, old.copy_id, now)
    )


def is_verified(protected: Protected, kept: RecoveryRecord) -> bool:
    """Whether every configured hook has succeeded on the branch, `verify` among them. Pure."""
    configured = {name for name, _ in protected.policy.recover.hooks.in_order()}
    return "verify" in configured and configured <= kept.succeeded


def now_utc() -> datetime:
    """The present."""
    return datetime.now(UTC)
