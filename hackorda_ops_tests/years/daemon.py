"""The daemon: schedules, missed work and alarms by the product's own decisions, without Dagster around them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

from hackorda_ops.alerts.desk import Desk, Missing, RunEnd, begun
from hackorda_ops.alerts.message import Message, Subject
from hackorda_ops.calendar.catching_up import (
    Seen,
    asked_by,
    built_on,
    can_be_made_up_for,
    held_up_by,
    to_start,
)
from hackorda_ops.calendar.due import Due, DueKind, cron_of
from hackorda_ops.drill.consequences import consequence_of
from hackorda_ops.errors import OpsError, Problem
from hackorda_ops.readiness.at_risk import at_risk
from hackorda_ops.readiness.standing import Standing, read_standing
from hackorda_ops.retention.prune import prune
from hackorda_ops.week.lacking import lacking_copies
from hackorda_ops_tests.years import invariants, work
from hackorda_ops_tests.years.story import BEGINS
from hackorda_ops_tests.years.world import NAME, World

_NO_HISTORY: Final = timedelta()
_UNSOUND: Final = "What the night found is fatal."


@dataclass
class Daemon:
    """The daemon, and what Dagster would remember for it.

    Attributes:
        world: in which it runs.
        up: whether it runs.
        up_since: the true time at which it was started last.
        ticked: the newest tick of each schedule that it has run.
        begun: the partitions that had a run.
        made: those that have materialized.
        desk: the alarms'.
        told: every message, with the true time.
        requested: the keys of runs that a sensor has asked for.
        looks: how often it was looked at how the database stands.
    """

    world: World
    up: bool = True
    up_since: datetime = BEGINS
    ticked: dict[str, datetime] = field(default_factory=dict)
    begun: dict[DueKind, set[date]] = field(
        default_factory=lambda: {"night": set(), "week": set(), "quarter": set()}
    )
    desk: Desk = field(default_factory=lambda: begun(BEGINS))
    told: list[tuple[datetime, Message]] = field(default_factory=list)
    requested: set[str] = field(default_factory=set)
    ends: list[RunEnd] = field(default_factory=list)
    looks: int = 0
    standing: Standing | None = None

    @property
    def kinds(self) -> tuple[DueKind, ...]:
        """What its schedules start."""
        return ("night", *(("week",) if self.world.policy.has_weeks else ()), "quarter")

    def next_ticks(self, until: datetime) -> list[datetime]:
        """The true times until then at which the machine's clock reaches a tick."""
        off, found = self.world.machine_off, []
        for cron in (*(cron_of(kind, self.world.policy.schedule) for kind in self.kinds), self._retention):
            zone = ZoneInfo(self.world.policy.schedule.timezone)
            for tick in CronSim(cron, self.world.clock.now.astimezone(zone)):
                true = tick.astimezone(UTC) - off
                if true > until:
                    break
                found.append(true)
        return found

    @property
    def _retention(self) -> str:
        return self.world.policy.schedule.retention

    def works(self) -> None:
        """Does all that there is to do now."""
        if not self.up:
            return
        self._ticks()
        self._missed_work()
        self._missing_copies()
        self.tells()

    def _ticks(self) -> None:
        schedule, now = self.world.policy.schedule, self.world.clock.now
        for kind in self.kinds:
            tick = self._tick(kind, cron_of(kind, schedule))
            if tick is None:
                continue
            partition = asked_by(kind, schedule, tick, now)
            if isinstance(partition, str):
                continue
            before = built_on(kind, self.kinds)
            if before is not None and held_up_by(
                before,
                schedule,
                since=BEGINS,
                tick=tick.astimezone(UTC),
                history=_NO_HISTORY,
                begun=self._of_those(before),
            ):
                continue
            self.starts(kind, partition)
        if self._tick("retention", self._retention) is not None and self.world.policy.deletes:
            self.prunes()

    def _tick(self, name: str, cron: str) -> datetime | None:
        """The newest tick that was not run yet, as Dagster takes it after it was down; None for none."""
        now = self.world.clock.now
        start = (now + timedelta(seconds=1)).astimezone(ZoneInfo(self.world.policy.schedule.timezone))
        tick = next(CronSim(cron, start.replace(microsecond=0), reverse=True))
        if tick.astimezone(UTC) <= self.ticked.get(name, BEGINS):
            return None
        self.ticked[name] = tick.astimezone(UTC)
        return tick

    def _of_those(self, kind: DueKind) -> Callable[[Sequence[Due]], set[date]]:
        return lambda dues: {each.partition for each in dues} & self.begun[kind]

    def _missed_work(self) -> None:
        candidates = {
            kind: can_be_made_up_for(
                kind, self.world.policy.schedule, since=BEGINS, now=self.world.clock.now, history=_NO_HISTORY
            )
            for kind in self.kinds
        }
        seen = {
            kind: Seen(frozenset(self._of_those(kind)(dues)), running=False)
            for kind, dues in candidates.items()
        }
        for due in to_start(candidates, seen):
            self._asked_once(f"{due.kind} {due.partition}", due.kind, due.partition)

    def _missing_copies(self) -> None:
        if len(self.world.policy.copied_to) < 2:
            return
        try:
            found = lacking_copies(self.world.protected, now=self.world.clock.now)
        except OpsError:
            return
        if found is not None:
            there = ",".join(found.places)
            self._asked_once(
                f"{found.artifact_id} to {there} on {self.world.clock.now:%Y-%m-%d}",
                "week",
                found.week,
                found.places,
            )

    def _asked_once(self, run_key: str, kind: DueKind, partition: date, only: tuple[str, ...] = ()) -> None:
        if run_key not in self.requested:
            self.requested.add(run_key)
            self.starts(kind, partition, only)

    def starts(self, kind: DueKind, partition: date, only: tuple[str, ...] = ()) -> None:
        """Runs what makes a partition, to its end."""
        self.begun[kind].add(partition)
        cause: Problem | None = None
        headline, failed = None, tuple[str, ...]()
        try:
            if kind == "night":
                made = work.take_night(self.world, partition)
                failed = () if made.manifest.sound else (_UNSOUND,)
            elif kind == "week":
                with invariants.of_a_copy(self.world, partition):
                    week = work.copy_week(self.world, partition, only)
                failed = tuple(f"{each.place} has no copy" for each in week.missing)
            else:
                result = work.drill(self.world, partition)
                invariants.of_a_drill(self.world, result)
                if result.verdict == "FAIL":
                    headline = consequence_of(result).headline
                if result.verdict != "PASS":
                    cause = result.error or Problem("It FAILED.", "The backup is bad.", "Look.")
        except OpsError as error:
            cause = error.problem
        self.ends.append(
            RunEnd(
                run_id=f"run {len(self.ends)}",
                subject=Subject(NAME, kind, partition.isoformat()),
                ended_at=self.world.clock.now,
                cause=cause,
                failed_checks=failed,
                repeats=bool(only),
                run="a run",
                headline=headline,
            )
        )

    def prunes(self) -> None:
        """Deletes what retention doesn't keep."""
        with invariants.of_retention(self.world):
            try:
                prune(self.world.protected, now=self.world.clock.now)
            except OpsError:
                return

    def tells(self) -> None:
        """Raises the alarms, as a tick of the sensor does."""
        desk, now, messages = self.desk, self.world.clock.now, list[Message]()
        new = [each for each in self.ends[-40:] if desk.is_new(each.run_id, each.ended_at)]
        standing = None
        for end in sorted(new, key=lambda each: each.ended_at):
            if not end.well:
                standing = standing or self._stands()
            desk, message = desk.after_run(end, at_risk=at_risk(standing) if standing else None)
            messages += [message] if message else []
        desk = desk.after_runs(now)
        if desk.looks_again(now):
            standing = standing or self._stands()
            late = [
                Missing(Subject(NAME, each.kind, each.partition.isoformat()), each.sentence)
                for each in standing.overdue
            ]
            before = desk
            desk, overdue = before.after_look(
                NAME, late, unreadable=standing.unreadable, at_risk=at_risk(standing), now=now
            )
            invariants.of_the_desk(self.world, desk, late, standing, now)
            messages += overdue
        self.desk = desk
        self.told += [(self.world.true, each) for each in messages]
        invariants.of_alarms(self)

    def _stands(self) -> Standing:
        self.looks += 1
        self.standing = read_standing(self.world.protected, now=self.world.clock.now)
        invariants.of_readiness(self.world, self.standing)
        if self.looks % 5 == 0:
            invariants.of_a_second_look(self.world, self.standing)
        return self.standing
