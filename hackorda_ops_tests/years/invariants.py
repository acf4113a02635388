"""What must hold whatever happens. Each says it anew, from the truth; none asks the product how it decided."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from hackorda_ops.alerts.desk import Desk, Missing
from hackorda_ops.calendar.partitions import week_of, year_of
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.errors import OpsError
from hackorda_ops.judgement.choosing import choose
from hackorda_ops.judgement.reading import read_judged
from hackorda_ops.readiness.judgement import judge
from hackorda_ops.readiness.standing import Standing, read_standing
from hackorda_ops.retention.prune import plan_retention
from hackorda_ops.safekeeping.pins import read_pins
from hackorda_ops.stores.store import PlaceName
from hackorda_ops_tests.years.world import NAME, World

if TYPE_CHECKING:
    from hackorda_ops_tests.years.daemon import Daemon

_DAY = timedelta(days=1)


class Broken(Exception):
    """Something that must hold, and doesn't.

    Attributes:
        rule: which.
    """

    def __init__(self, rule: str, details: str) -> None:
        super().__init__(f"{rule}: {details}")
        self.rule = rule


def require(holds: bool, rule: str, details: object = "") -> None:
    """Raises `Broken` where a rule doesn't hold."""
    if not holds:
        raise Broken(rule, str(details))


def _usable(world: World, place: PlaceName, artifact_id: str) -> bool:
    """Whether the product may rely on a copy, by all that it is in a position to know."""
    return (
        world.made[artifact_id].manifest.sound
        and world.manifest_is_right(place, artifact_id)
        and not world.condemned(place, artifact_id)
    )


def of_readiness(world: World, standing: Standing) -> None:
    """Readiness is never better than what can be known, and never worse."""
    found = judge(standing, world.policy)
    places = world.protected.place_names
    silent = [each for each in places if world.stores[each].silent]
    bugs = [each for each in standing.problems if "bug" in each]
    require(not bugs, "nothing is called a bug", bugs)
    if world.right_time:
        for called, seen, where in (
            ("the newest sound night", standing.newest_sound_night, (world.protected.nights_in,)),
            ("the newest copy", standing.newest_copy, world.policy.copied_to or places[:1]),
        ):
            require(
                seen is None
                or any(
                    not world.stores[each].silent and _usable(world, each, seen.artifact_id) for each in where
                ),
                f"{called} can be relied on",
                seen,
            )
        proven = standing.newest_proven
        if proven is not None:
            last = world.last_restored(proven.artifact_id)
            require(
                last is None or not last.dated_right or last.came_back is True or not world.readable(last),
                "what is called proven came back",
                (proven, last),
            )
        if found.word == "OK":
            _ready(world, standing, silent)
        if found.word == "UNPROTECTED":
            fine = [
                (place, each)
                for place in places
                if place not in silent
                for each in world.there(place)
                if _usable(world, place, each)
                and world.made[each].dated_right
                and world.last_restored(each) is None
                and world.last_seen(place, each) is None
            ]
            require(not fine, "what has a sound backup isn't called unprotected", (fine[:3], found.reasons))


def of_a_second_look(world: World, standing: Standing) -> None:
    """A second look at the same moment sees the same, and what a restore takes agrees with it."""
    again = read_standing(world.protected, now=world.clock.now)
    require(again == standing, "a second look at the same moment sees the same")
    _choice(world, [each for each in world.protected.place_names if world.stores[each].silent])


def _ready(world: World, standing: Standing, silent: list[PlaceName]) -> None:
    night, proven = standing.newest_sound_night, standing.newest_proven
    require(not silent, "nothing is ready while a place is silent", silent)
    require(night is not None and proven is not None, "what is ready has a night, and a proven one")
    assert night is not None and proven is not None
    allowed = timedelta(
        hours=world.policy.objectives.recovery_point_hours + world.policy.schedule.grace_hours
    )
    require(world.true - night.captured_at <= allowed, "what is ready has lost no more than its objective")
    holders = [
        each for each in world.protected.place_names if world.manifest_is_right(each, proven.artifact_id)
    ]
    require(bool(holders), "what is called proven is there", proven)
    known = [
        (place, each)
        for place in world.protected.place_names
        for each in world.there(place)
        if _usable(world, place, each)
    ]
    require(bool(known), "what is ready has a backup that can be relied on")
    drills = [each for each in world.observed if each.ended_with and world.readable(each)]
    if drills and drills[-1].dated_right:
        require(drills[-1].ended_with == "PASS", "what is ready passed its last drill", drills[-1])


def _choice(world: World, silent: list[PlaceName]) -> None:
    """A restore takes the newest of what can be relied on, and never what is known to be bad."""
    if not world.right_time or len(silent) == len(world.protected.place_names):
        return
    judged = read_judged(world.protected.places, NAME, now=world.clock.now, tolerant=True)
    fine = [
        each
        for place in world.protected.place_names
        if place not in silent
        for each in world.there(place)
        if _usable(world, place, each) and world.made[each].manifest.captured_at <= world.true
    ]
    try:
        first = choose(judged, None).candidates[0]
    except OpsError as error:
        require(not fine, "a restore finds what can be relied on", (fine[:3], error.what))
        return
    if not fine:
        return
    newest = max(world.made[each].manifest.captured_at for each in fine)
    taken = world.made[first.manifest.artifact_id]
    require(
        taken.manifest.captured_at >= newest,
        "a restore takes the newest that can be relied on",
        (first.manifest.artifact_id, max(fine)),
    )
    last = world.last_restored(first.manifest.artifact_id)
    require(
        last is None or last.came_back is not False or not world.readable(last) or not last.dated_right,
        "a restore takes nothing that is known not to restore",
        first.location,
    )


@contextmanager
def of_retention(world: World) -> Iterator[None]:
    """Retention deletes nothing that must be kept, and the second time nothing at all."""
    places = world.protected.place_names
    before = {place: set(world.there(place)) for place in places}
    fine = {place: [each for each in before[place] if _usable(world, place, each)] for place in places}
    unreadable = {
        place: {each for each in before[place] if not world.manifest_is_right(place, each)}
        for place in places
    }
    pinned = {
        artifact_id
        for place in places
        if not world.stores[place].silent
        for artifact_id in read_pins(world.stores[place], NAME).holding(world.clock.now)
    }
    yield
    gone = {place: before[place] - set(world.there(place)) for place in places}
    for place in places:
        policy = world.policy.keep_in(place)
        require(not gone[place] or not world.stores[place].silent, "nothing is deleted in a silent place")
        require(
            not gone[place] or policy is not None, "nothing is deleted where everything is kept", gone[place]
        )
        require(not gone[place] & pinned, "what is pinned is kept", gone[place] & pinned)
        for each in gone[place]:
            made = world.made[each]
            newer = [
                other
                for other in fine[place]
                if other not in gone[place]
                and world.made[other].manifest.captured_at > made.manifest.captured_at
            ]
            require(bool(newer), "nothing is deleted before there is a newer one that can be relied on", each)
            age = world.clock.now - made.manifest.captured_at
            require(age >= 7 * _DAY, "nothing young is deleted", each)
            require(each not in unreadable[place], "what nobody can read is kept", each)
        _last_proven(world, place, before[place], gone[place])
        if policy is not None and gone[place] and world.right_time:
            kept = [
                each
                for each in fine[place]
                if world.made[each].manifest.captured_at <= world.clock.now + timedelta(hours=1)
            ]
            for number, period in (
                (policy.nights, lambda night: night),
                (policy.weeks, week_of),
                (policy.months, lambda night: night.replace(day=1)),
                (policy.years, year_of),
            ):
                periods = sorted({period(world.made[each].manifest.night) for each in kept}, reverse=True)
                left = {period(world.made[each].manifest.night) for each in kept if each not in gone[place]}
                lost = [each for each in periods[:number] if each not in left]
                require(not lost, "every period that the policy keeps has its artifact", (place, lost))
    if world.clock.asked_by:
        raise Broken("nothing decides by the machine's clock", str(world.clock.asked_by))
    if not any(world.stores[place].silent for place in places):
        plan = plan_retention(world.protected, now=world.clock.now)
        require(
            not plan.to_delete,
            "a second run deletes nothing",
            [each.held.artifact_id for each in plan.to_delete],
        )


def _last_proven(world: World, place: PlaceName, before: set[str], gone: set[str]) -> None:
    proven = [
        each
        for each in world.observed
        if each.came_back
        and each.artifact_id in before
        and world.readable(each)
        and (last := world.last_restored(each.artifact_id)) is not None
        and last.came_back
    ]
    if not proven:
        return
    left = [each for each in proven if each.artifact_id not in gone]
    require(bool(left), "something proven is kept", (place, proven[-1].artifact_id))
    if all(each.dated_right for each in proven):
        require(proven[-1] in left, "the last proven artifact is kept", (place, proven[-1].artifact_id))
        newest = max(each.artifact_id for each in proven)
        require(newest not in gone, "the newest proven artifact is kept", (place, newest))


@contextmanager
def of_a_copy(world: World, week: date) -> Iterator[None]:
    """A copy takes nothing that is known not to restore, and leaves what it made intact."""
    before = {place: set(world.there(place)) for place in world.policy.copied_to}
    yield
    for place, there in before.items():
        for each in set(world.there(place)) - there:
            require(not world.wrong_files(place, each), "a copy is what was made", (place, each))
            if week_of(world.made[each].manifest.night) == week:
                last = world.last_restored(each)
                require(
                    last is None or last.came_back is not False or not world.readable(last),
                    "nothing is copied that is known not to restore",
                    each,
                )


def of_a_drill(world: World, result: DrillResult) -> None:
    """No PASS without an intact artifact, and no FAIL where everything off-site is as it was made."""
    if result.verdict == "PASS":
        assert result.artifact is not None
        made = world.made[result.artifact.artifact_id]
        place = next(
            name
            for name, store in world.stores.items()
            if result.artifact.location.startswith(f"{store.describe()}/")
        )
        require(made.restores, "what passed restores", result.artifact)
        require(not world.wrong_files(place, result.artifact.artifact_id), "what passed is intact")
    if result.verdict == "FAIL":
        fine = all(
            not world.wrong_files(place, each) and world.made[each].restores
            for place in world.policy.offsites
            for each in world.there(place)
        )
        require(
            not fine or not world.production_near, "nothing fails where everything is intact", result.findings
        )


def of_the_desk(world: World, desk: Desk, late: Sequence[Missing], standing: Standing, now: datetime) -> None:
    """What was told is told: at the same moment there is nothing to add."""
    _, more = desk.after_look(NAME, late, unreadable=standing.unreadable, at_risk=None, now=now)
    require(not more, "a second look at the same moment tells nothing", [each.title for each in more])


def of_alarms(daemon: "Daemon") -> None:
    """Each trouble is told once, and once that it is over."""
    at, newest = daemon.world.true, daemon.told[-1:] and daemon.told[-1][1]
    if not newest or daemon.told[-1][0] != at:
        return
    now = [message for when, message in daemon.told if when == at]
    # Of two runs that fail, each is told.
    titles = [message.title for message in now if not message.title.startswith(("FAILED", "CHECK FAILED"))]
    require(len(set(titles)) == len(titles), "nothing is told twice at once", titles)
    for message in now:
        earlier = [(when, other) for when, other in daemon.told if when < at and other.title == message.title]
        if message.title.startswith("OVERDUE") and earlier:
            since = earlier[-1][0]
            subject = message.title.removeprefix("OVERDUE")
            over = any(
                other.title == f"RECOVERED{subject}"
                or (other.title.startswith("OVERDUE") and other.title != message.title)
                for when, other in daemon.told
                if since <= when <= at
            )
            require(over, "what is overdue is told once", message.title)
