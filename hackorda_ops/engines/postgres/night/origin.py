"""What a night's dump is read from: the source itself, or a Neon branch of it at one WAL position.

A branch keeps the dump's load and locks away from production, and its position is exact. It is also the only
way to a night that was missed.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from hackorda_ops.calendar import partitions
from hackorda_ops.concerns import Concern, Looked, concern_of
from hackorda_ops.config.models import Policy
from hackorda_ops.engines.postgres.night import branch as night_branch
from hackorda_ops.engines.postgres.night.branch import NightBranch, Present
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, OpsError, TargetRefused
from hackorda_ops.neon import hazards
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.snapshot import Snapshot
from hackorda_ops.scratch import registry
from hackorda_ops.scratch.history import ProviderHistory


@dataclass(frozen=True)
class Origin:
    """What a night's dump is read from.

    Attributes:
        target: where it is.
        branch: the branch that it is; None for the source itself.
        warnings: what the artifact should note about it; complete once the origin is closed.
    """

    target: ConnectionTarget
    branch: NightBranch | None
    warnings: list[str]

    @property
    def is_past(self) -> bool:
        """Whether it holds a night that was missed."""
        return self.branch is not None and self.branch.as_of is not None

    @property
    def past_moment(self) -> datetime | None:
        """The moment of a night that was missed; None for one of the present."""
        return self.branch.captured_at if self.branch is not None and self.is_past else None

    def dated(self, snapshot: Snapshot) -> Snapshot:
        """A snapshot of the target, with the source's own position and time."""
        if self.branch is None:
            return snapshot
        return replace(snapshot, lsn=self.branch.lsn, aligned=True, captured_at=self.branch.captured_at)


def look_at_origin(history: ProviderHistory, database: Policy, source: ConnectionTarget) -> Looked:
    """What the next night of a database whose provider keeps a history will be read from, and why.

    Args:
        history: the source's.
        database: its configuration.
        source: the live database.

    Raises:
        OpsError: the provider or the source can't be asked.
    """
    if database.dump_from == "source":
        return Looked("nights", "read from the source, as configured")
    main = history.main()
    if main is None:
        seen = "read from the source: it is not the compute of the project's default branch"
        concerns = (
            [concern_of(_not_main(history), "stops the night")] if database.dump_from == "branch" else []
        )
        return Looked("nights", seen, tuple(concerns))
    why = " and ".join(night_branch.look(source).hazards)
    if not why:
        return Looked("nights", f"read from a branch of {main.name}")
    if database.dump_from == "branch":
        return Looked("nights", f"read from a branch of {main.name}, although {why}")
    concern = Concern(
        "worth knowing",
        f"Nights are read from the source, because {why}.",
        "Dumps put load on production, and a missed night can't be recovered later.",
        hazards.IF_HARMLESS,
    )
    return Looked("nights", "read from the source", (concern,))


@contextmanager
def opened(protected: Protected, source: ConnectionTarget, *, night: date | None) -> Iterator[Origin]:
    """Chooses what the night is read from. A branch that is made for it is deleted when the block ends.

    The caller holds the source's dump lock, so a branch that another night of this database left behind is
    not in use, and is deleted first.

    Args:
        protected: the database.
        source: the live database.
        night: the partition; None for the source's own today.

    Raises:
        PartitionGone: the night is in the future, or in a past that can no longer be recovered.
        ConfigError: it might be recoverable from a Neon project that is not fully configured.
        OpsError: the source can't be reached; or a branch is required, and there can't be one.
    """
    policy = protected.policy
    kept = policy.scratch.keeps_history
    if policy.dump_from == "source" or not kept or not protected.has("scratch"):
        if policy.dump_from != "source" and night is not None:
            _refuse_unnamed_history(protected, source, night)
        yield Origin(source, None, [])
        return
    present = night_branch.look(source)
    due = night or partitions.night_of(present.now, policy.schedule)
    past = partitions.is_over(due, present.now, policy.schedule)
    if not past:
        partitions.require_open(due, present.now, policy.schedule)
    warnings: list[str] = []
    with ExitStack() as made:
        try:
            history = made.enter_context(registry.history_of(protected, source))
            past_night = due if past else None
            origin = made.enter_context(
                _branched(policy, history, present, past_night=past_night, warnings=warnings)
            )
        except OpsError as error:
            if past or policy.dump_from == "branch":
                raise
            # The source has just answered, so a night without a branch is better than none.
            warnings.append(f"The source itself was dumped instead of a branch: {error.what}")
            origin = Origin(source, None, warnings)
        yield origin


@contextmanager
def _branched(
    policy: Policy,
    history: ProviderHistory,
    present: Present,
    *,
    past_night: date | None,
    warnings: list[str],
) -> Iterator[Origin]:
    main = history.main()
    if main is None:
        raise _not_main(history)
    warnings += night_branch.sweep(history)
    past = None
    if past_night is not None:
        window = timedelta(seconds=history.reach().window_seconds)
        past = night_branch.time_in_history(
            past_night, policy.schedule, now=present.now, window=window, main=main
        )
    hazards.require_asked_for(
        present.hazards,
        asked_for=policy.dump_from == "branch",
        meaning="No dump was taken from a branch, which is the only way to a past night.",
    )
    with night_branch.made(history, main, present, database=policy, past=past, warnings=warnings) as branch:
        warnings += [f"A branch of the source was dumped: {hazard}." for hazard in present.hazards]
        yield Origin(branch.target, branch, warnings)


def _refuse_unnamed_history(protected: Protected, source: ConnectionTarget, night: date) -> None:
    """Refuses a past night that might be recoverable if the Neon project were configured where this runs."""
    policy = protected.policy
    if not policy.scratch.keeps_history or not partitions.is_over(
        night, night_branch.look(source).now, policy.schedule
    ):
        return
    try:
        protected.require("scratch")
    except ConfigError as error:
        raise ConfigError(
            f"The night of {night} is over, so only a Neon project's history might still hold it. {error.what}",
            meaning="No dump was taken.",
            next_step="Set them where nights run. Without a Neon project, that night has no backup and "
            "cannot get one: nothing is ever backdated.",
        ) from None


def _not_main(history: ProviderHistory) -> TargetRefused:
    return TargetRefused(
        f"{history.not_main()}.",
        meaning="A branch of that project would not be a branch of the source, so none is dumped.",
        next_step=night_branch.CORRECT_THE_PROJECT,
    )
