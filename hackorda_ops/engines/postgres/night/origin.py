"""What a night's dump is read from: the source itself, or a copy of it that its history opens at one WAL position.

A branch keeps the dump's load and locks away from production, and its position is exact. It is also the only
way to a night that was missed.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime

from hackorda_ops.calendar import partitions
from hackorda_ops.concerns import Concern, Looked, concern_of
from hackorda_ops.config.models import Policy
from hackorda_ops.engines.postgres.night import branch as night_branch
from hackorda_ops.engines.postgres.night.branch import NightBranch, Present
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, OpsError, TargetRefused
from hackorda_ops.histories import registry
from hackorda_ops.history import hazards
from hackorda_ops.history.base import History
from hackorda_ops.postgres.sessions.connection import ConnectionTarget
from hackorda_ops.postgres.sessions.snapshot import Snapshot


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


def look_at_origin(history: History, database: Policy, source: ConnectionTarget) -> Looked:
    """What the next night of a database whose provider keeps a history will be read from, and why.

    Args:
        history: the source's.
        database: its configuration.
        source: the live database.

    Raises:
        OpsError: the provider or the source can't be asked.
    """
    traits = history.traits
    if database.dump_from == "source":
        return Looked("nights", "read from the source, as configured")
    main = history.main()
    if main is None:
        seen = f"read from the source: {history.not_main()}"
        concerns = (
            [concern_of(_not_main(history), "stops the night")] if database.dump_from == "branch" else []
        )
        return Looked("nights", seen, tuple(concerns))
    if database.dump_from is None and not traits.every_night:
        return Looked(
            "nights", f"read from the source; one that was missed, from a {traits.copy} of {main.name}"
        )
    why = " and ".join(night_branch.look(source, copies_act=traits.copies_act).hazards)
    if not why:
        return Looked("nights", f"read from a {traits.copy} of {main.name}")
    if database.dump_from == "branch":
        return Looked("nights", f"read from a {traits.copy} of {main.name}, although {why}")
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
    kept = policy.keeps_history
    if policy.dump_from == "source" or not kept or not protected.has("history"):
        if policy.dump_from != "source" and night is not None:
            _refuse_unnamed_history(protected, source, night)
        yield Origin(source, None, [])
        return
    traits = registry.traits_of(protected)
    present = night_branch.look(source, copies_act=traits.copies_act)
    due = night or partitions.night_of(present.now, policy.schedule)
    past = partitions.is_over(due, present.now, policy.schedule)
    if not past:
        partitions.require_open(due, present.now, policy.schedule)
        if policy.dump_from is None and not traits.every_night:
            yield Origin(source, None, [])
            return
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
    history: History,
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
        past = night_branch.time_in_history(
            past_night,
            policy.schedule,
            now=present.now,
            reach=history.reach(),
            main=main,
            traits=history.traits,
        )
    hazards.require_asked_for(
        present.hazards,
        # Where nights of the present are read from the source, whoever names a past one asks for a copy.
        asked_for=policy.dump_from == "branch" or not history.traits.every_night,
        meaning=f"No dump was taken from a {history.traits.copy}, which is the only way to a past night.",
    )
    with night_branch.made(history, present, database=policy, past=past, warnings=warnings) as branch:
        copy = history.traits.copy
        warnings += [f"A {copy} of the source was dumped: {hazard}." for hazard in present.hazards]
        yield Origin(branch.target, branch, warnings)


def _refuse_unnamed_history(protected: Protected, source: ConnectionTarget, night: date) -> None:
    """Refuses a past night that might be recoverable if the Neon project were configured where this runs."""
    policy = protected.policy
    if not policy.keeps_history or not partitions.is_over(
        night, night_branch.look(source, copies_act=False).now, policy.schedule
    ):
        return
    try:
        protected.require("history")
    except ConfigError as error:
        raise ConfigError(
            f"The night of {night} is over, so only its history might still hold it. {error.what}",
            meaning="No dump was taken.",
            next_step="Set them where nights run. Without a history, that night has no backup and "
            "cannot get one: nothing is ever backdated.",
        ) from None


def _not_main(history: History) -> TargetRefused:
    return TargetRefused(
        f"{history.not_main()}.",
        meaning=f"A {history.traits.copy} of that would not be one of the source, so none is dumped.",
        next_step=night_branch.or_the_source(history.traits),
    )
