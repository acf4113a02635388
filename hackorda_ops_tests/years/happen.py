"""What each kind of happening does to the world."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, digest_of
from hackorda_ops.calendar.due import newest_due
from hackorda_ops.calendar.partitions import quarter_of, week_of
from hackorda_ops.drill.report.history import DRILLS_FOLDER
from hackorda_ops.errors import OpsError
from hackorda_ops.safekeeping.pins import Pin, pin, unpin
from hackorda_ops.stores.store import PlaceName
from hackorda_ops_tests.years import work
from hackorda_ops_tests.years.daemon import Daemon
from hackorda_ops_tests.years.story import Happening
from hackorda_ops_tests.years.world import NAME, World, other_retention

_OFFSETS = (2.0, 26.0, 24.0 * 9, 24.0 * 40, -2.0, -26.0, -24.0 * 9, -24.0 * 40)
Undo = Callable[[], None]


def happens(daemon: Daemon, it: Happening) -> Undo | None:
    """Lets it happen; returns what ends it, where it lasts."""
    world = daemon.world
    if it.kind.startswith("operator"):
        _operator(daemon, it)
        return None
    return _LASTING[it.kind](daemon, it) if it.kind in _LASTING else _DAMAGE[it.kind](world, it)


def _set(target: object, name: str, value: object) -> Undo:
    before = getattr(target, name)
    setattr(target, name, value)
    return lambda: setattr(target, name, before)


def _daemon_down(daemon: Daemon, _: Happening) -> Undo:
    daemon.up = False

    def again() -> None:
        daemon.up, daemon.up_since = True, daemon.world.true

    return again


def _machine(daemon: Daemon, it: Happening) -> Undo:
    world = daemon.world

    def to(off: timedelta) -> None:
        world.machine_off = off
        world.at(world.true)

    off = timedelta(hours=_OFFSETS[it.which % len(_OFFSETS)])
    # Half of the machines are the source's as well.
    with_source = it.which % 2 == 0
    to(off)
    if with_source:
        world.source_off = off

    def right() -> None:
        to(timedelta())
        if with_source:
            world.source_off = timedelta()

    return right


def _silent(which: str) -> Callable[[Daemon, Happening], Undo | None]:
    def happens_to(daemon: Daemon, it: Happening) -> Undo | None:
        names = [
            each for each in daemon.world.protected.place_names if (each == "store") == (which == "store")
        ]
        if not names:
            return None
        store = daemon.world.stores[names[it.which % len(names)]]
        store.silent = True
        return lambda: setattr(store, "silent", False)

    return happens_to


_LASTING: dict[str, Callable[[Daemon, Happening], Undo | None]] = {
    "daemon down": _daemon_down,
    "machine's clock wrong": _machine,
    "source's clock wrong": lambda daemon, it: _set(
        daemon.world, "source_off", timedelta(hours=_OFFSETS[it.which % len(_OFFSETS)])
    ),
    "source down": lambda daemon, _: _set(daemon.world, "source_up", False),
    "scratch down": lambda daemon, _: _set(daemon.world, "scratch_up", False),
    "dump is bad": lambda daemon, _: _set(daemon.world, "dump_restores", False),
    "night finds something": lambda daemon, _: _set(daemon.world, "night_is_sound", False),
    "production drifts": lambda daemon, _: _set(daemon.world, "production_near", False),
    "store silent": _silent("store"),
    "offsite silent": _silent("offsite"),
}


def _a_copy(world: World, which: int) -> tuple[PlaceName, str] | None:
    """One of the copies that there are, the newest as often as all others."""
    places = world.protected.place_names
    place = places[which % len(places)]
    there = sorted(world.there(place), reverse=True)
    if not there:
        return None
    at = 0 if which // 7 % 2 else which // 14 % len(there)
    return place, there[at]


def _damage(do: Callable[[World, PlaceName, str, int], None]) -> Callable[[World, Happening], None]:
    def happens_to(world: World, it: Happening) -> None:
        found = _a_copy(world, it.which)
        if found is not None:
            do(world, *found, it.which)

    return happens_to


def _key(artifact_id: str, path: str) -> str:
    return f"{NAME}/{artifact_id}/{path}"


def _a_file(world: World, place: PlaceName, artifact_id: str, which: int) -> str | None:
    files = sorted(world.stores[place].content(f"{NAME}/{artifact_id}"))
    files = [each for each in files if not each.endswith(MANIFEST_NAME)]
    return files[which // 100 % len(files)] if files else None


def _rots(world: World, place: PlaceName, artifact_id: str, which: int) -> None:
    key = _a_file(world, place, artifact_id, which)
    if key is not None:
        data = world.stores[place].content(f"{NAME}/{artifact_id}")[key]
        world.stores[place].rot(key, b"?" + data[1:] if which % 3 else data[:-1])


def _vanishes(world: World, place: PlaceName, artifact_id: str, which: int) -> None:
    key = _a_file(world, place, artifact_id, which)
    if key is not None:
        world.stores[place].lose(key)


def _of_a_report(damage: bool) -> Callable[[World, Happening], None]:
    def happens_to(world: World, it: Happening) -> None:
        places = world.protected.place_names
        store = world.stores[places[it.which % len(places)]]
        reports = sorted(store.content(f"{NAME}/{DRILLS_FOLDER}"))
        if not reports:
            return
        key = reports[-1 - it.which // 10 % min(3, len(reports))]
        if damage:
            store.rot(key, b"{")
        else:
            store.lose(key)

    return happens_to


def _breaks_off(world: World, it: Happening) -> None:
    found = _a_copy(world, it.which)
    if found is None or not world.policy.copied_to:
        return
    place = world.policy.copied_to[it.which % len(world.policy.copied_to)]
    if found[0] == place or found[1] in world.there(place) or world.stores[place].silent:
        return
    path, data = next(iter(world.made[found[1]].files.items()))
    world.stores[place].put(_key(found[1], path), BytesIO(data), size_bytes=len(data), sha256=digest_of(data))


_DAMAGE: dict[str, Callable[[World, Happening], None]] = {
    "file rots": _damage(_rots),
    "file vanishes": _damage(_vanishes),
    "manifest is damaged": _damage(
        lambda world, place, artifact_id, _: world.stores[place].rot(_key(artifact_id, MANIFEST_NAME), b"{}")
    ),
    "artifact vanishes": _damage(
        lambda world, place, artifact_id, _: (
            [
                world.stores[place].lose(key)
                for key in list(world.stores[place].content(f"{NAME}/{artifact_id}"))
            ]
            and None
        )
    ),
    "report is damaged": _of_a_report(True),
    "report vanishes": _of_a_report(False),
    "copy breaks off": _breaks_off,
}


def _operator(daemon: Daemon, it: Happening) -> None:
    world, kind = daemon.world, it.kind.removeprefix("operator ")
    stores = world.protected.known_stores
    found = _a_copy(world, it.which)
    try:
        if kind == "pins" and found:
            now = world.clock.now
            pin(stores, Pin(NAME, found[1], "Kept.", now + timedelta(days=it.days * 20 + 1), now))
        elif kind == "unpins" and found:
            unpin(stores, NAME, found[1])
        elif kind == "prunes":
            daemon.prunes()
        elif kind == "drills":
            daemon.starts("quarter", quarter_of(world.night_now()))
        elif kind == "dumps":
            daemon.starts("night", world.night_now())
        elif kind == "copies" and world.policy.has_weeks:
            daemon.starts("week", week_of(world.night_now()) - timedelta(days=7 * (it.which % 2)))
        elif kind == "verifies" and found:
            work.verify(world, *found)
        elif kind == "changes retention":
            world.configure({**world.shape, "retention": other_retention(it.which)})
    except OpsError:
        return


def mends(daemon: Daemon, what: str) -> None:
    """What an operator does about an alarm."""
    world = daemon.world
    schedule = world.policy.schedule
    if what == "night":
        daemon.starts("night", world.night_now())
    elif what == "week" and world.policy.has_weeks:
        due = newest_due("week", schedule, world.clock.now)
        daemon.starts("week", due.partition if due else week_of(world.night_now()))
    elif what == "quarter":
        daemon.starts("night", world.night_now())
        if world.policy.has_weeks:
            daemon.starts("week", week_of(world.night_now()))
        daemon.starts("quarter", quarter_of(world.night_now()))
