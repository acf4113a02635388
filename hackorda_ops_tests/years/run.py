"""Tells a story: what happens, what the product decides, what the operator does; until something is broken."""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from hackorda_ops.readiness.judgement import judge
from hackorda_ops.readiness.standing import read_standing
from hackorda_ops_tests.years.daemon import Daemon
from hackorda_ops_tests.years.given import Clock, given
from hackorda_ops_tests.years.happen import happens, mends
from hackorda_ops_tests.years.invariants import Broken, require
from hackorda_ops_tests.years.story import BEGINS, Story
from hackorda_ops_tests.years.world import World, shape_of

# What is tried and fails raises alarms, which are answered by trying again: there is an end to it.
_MOST_TO_MEND = 20
# For how long after anything has happened it is looked at as often as this.
_ALERT = timedelta(days=3)
_LOOKS = tuple(timedelta(hours=hours) for hours in (1, 7, 13, 19))


@dataclass(frozen=True)
class Told:
    """How a story ended.

    Attributes:
        story: it.
        broken: what was broken; None for nothing.
        at: when, in days since its beginning.
        looks: how often the product looked at how the database stands.
        nights: how many were taken.
        alarms: how many messages were sent.
    """

    story: Story
    broken: Exception | None
    at: int
    looks: int
    nights: int
    alarms: int

    @property
    def rule(self) -> str | None:
        """What was broken, so that it's known again."""
        if self.broken is None:
            return None
        return self.broken.rule if isinstance(self.broken, Broken) else type(self.broken).__name__


def tell(story: Story) -> Told:
    """Tells a story.

    Args:
        story: it.
    """
    clock = Clock(BEGINS)
    with given(clock, story.seed):
        world = World(story.seed, shape_of(story.seed), clock=clock)
        daemon = Daemon(world)
        teller = _Teller(story, world, daemon)
        broken: Exception | None = None
        try:
            teller.tell()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what the story is about
            broken = error
    return Told(story, broken, (world.true - BEGINS).days, daemon.looks, len(world.made), len(daemon.told))


class _Teller:
    def __init__(self, story: Story, world: World, daemon: Daemon) -> None:
        self._story, self._world, self._daemon = story, world, daemon
        self._numbers = itertools.count()
        self._coming: list[tuple[object, int, Callable[[], None]]] = []
        self._asleep_until = BEGINS
        self._answered = 0
        self._to_mend: Counter[str] = Counter()
        self._busy_until = BEGINS

    def tell(self) -> None:
        story, world = self._story, self._world
        for each in story.happenings:
            self._later(BEGINS + timedelta(days=each.day, hours=each.hour), lambda it=each: self._happens(it))
        quiet_at = BEGINS + timedelta(days=story.days - story.quiet)
        for day in range(story.days):
            midnight = BEGINS + timedelta(days=day)
            world.at(midnight)
            looks = _LOOKS if midnight < self._busy_until else ()
            for tick in self._daemon.next_ticks(midnight + timedelta(days=1)):
                self._later(tick, self._daemon.works)
            for look in looks:
                self._later(midnight + look, self._daemon.works)
            while self._coming and self._coming[0][0] < midnight + timedelta(days=1):
                at, _, do = heapq.heappop(self._coming)
                world.at(max(at, world.true))
                do()
                self._operator_hears(world.true >= quiet_at)
                if world.clock.asked_by:
                    raise Broken("nothing decides by the machine's clock", str(world.clock.asked_by))
        self._ends_well()

    def _later(self, at: object, do: Callable[[], None]) -> None:
        heapq.heappush(self._coming, (at, next(self._numbers), do))

    def _happens(self, it: object) -> None:
        world = self._world
        self._busy_until = max(self._busy_until, world.true + timedelta(days=it.days) + _ALERT)
        if it.kind == "operator sleeps":
            self._asleep_until = world.true + timedelta(days=it.days)
            return
        undo = happens(self._daemon, it)
        if undo is not None:
            self._later(world.true + timedelta(days=it.days), undo)
        self._daemon.works()

    def _operator_hears(self, quiet: bool) -> None:
        """Alarms reach an operator, who does something about them after a while."""
        for _, message in self._daemon.told[self._answered :]:
            self._answered += 1
            if message.tone == "success":
                continue
            self._busy_until = max(self._busy_until, self._world.true + _ALERT)
            what = message.title.split(", ")[-1]
            kind = "night" if what.startswith("night") else "week" if what.startswith("week") else "quarter"
            if what.startswith("what is overdue"):
                continue
            if self._to_mend[kind] >= _MOST_TO_MEND:
                continue
            self._to_mend[kind] += 1
            hours = 2 if quiet else (3, 9, 20, 50, 100)[(self._story.seed + self._answered) % 5]
            at = max(self._asleep_until, self._world.true) + timedelta(hours=hours)
            self._later(at, lambda kind=kind: self._mends(kind))

    def _mends(self, kind: str) -> None:
        self._to_mend[kind] -= 1
        mends(self._daemon, kind)
        self._daemon.works()

    def _ends_well(self) -> None:
        """After a quiet quarter everything is as it should be, and nothing is open any more."""
        standing = read_standing(self._world.protected, now=self._world.clock.now)
        found = judge(standing, self._world.policy)
        if self._world.policy.copies == "nightly":
            # One copy alone is never OK; the rest has to be.
            own = [each for each in found.reasons if "only copy" not in each]
            require(not own, "a quiet quarter ends well", own)
        else:
            require(found.word == "OK", "a quiet quarter ends well", found.reasons)
        desk = self._daemon.desk
        left = [*desk.failed.values(), *desk.overdue.values(), *([desk.blind] if desk.blind else [])]
        require(not left, "a quiet quarter ends with no open alarm", left)
