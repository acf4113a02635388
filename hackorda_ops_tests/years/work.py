"""What is done in the simulated world: nights, copies, drills, verifications. What is chosen, the product chooses."""

import hashlib
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any, Final

from hackorda_ops.artifacts.ids import new_id
from hackorda_ops.artifacts.manifest import MANIFEST_NAME, FileEntry, digest_of, to_bytes
from hackorda_ops.artifacts.verifications import remember, verification_of
from hackorda_ops.calendar.clocks import clock_concerns
from hackorda_ops.calendar.partitions import night_of, require_open
from hackorda_ops.concerns import require_none
from hackorda_ops.drill.checks.registry import checks_of
from hackorda_ops.drill.choosing import chosen_copy
from hackorda_ops.drill.conclusion import Drill, conclude
from hackorda_ops.drill.report import json_form
from hackorda_ops.drill.report.history import REPORT_NAME, drill_prefix
from hackorda_ops.drilling.declaration import FILES, KEY_TABLES, RESTORED
from hackorda_ops.drilling.record import Record
from hackorda_ops.drilling.result import DrillResult
from hackorda_ops.errors import OpsError, ServerUnreachable
from hackorda_ops.findings import Finding
from hackorda_ops.judgement.reading import for_a_copy
from hackorda_ops.stores.store import PlaceName, Store
from hackorda_ops.week.week import Week, ship_week
from hackorda_ops_tests.builders import manifest
from hackorda_ops_tests.years.world import NAME, Made, Observed, World

_EMPTIED: Final = Finding("table emptied", "public.users", "10 rows", "0 rows", "Look.")
_DIFFERS: Final = Finding("content differs", "public.users", "this", "that", "Look.")
_DRIFTED: Final = Finding("key table drifted", "public.users", "10 rows", "99 rows", "Look.")
_PATHS: Final = ("dump/16385.dat.zst", "RESTORE.md")
_PLAIN: Final = manifest({"users": 10})


def _put(store: Store, key: str, data: bytes) -> None:
    store.put(key, BytesIO(data), size_bytes=len(data), sha256=digest_of(data))


def take_night(world: World, night: date) -> Made:
    """Takes a night, if everything is in place for it.

    Raises:
        OpsError: it isn't.
    """
    if not world.source_up:
        raise ServerUnreachable("The source is down.", meaning="No night.", next_step="Wait.")
    store = world.stores[world.protected.nights_in]
    store.check()
    clocks = clock_concerns({"the source's": world.source_off - world.machine_off})
    require_none([each for each in clocks if each.severity == "stops the night"])
    captured_at = world.source_now.replace(microsecond=0)
    late = require_open(night, captured_at, world.policy.schedule)
    artifact_id = new_id(captured_at)
    files = {path: f"{path} of {artifact_id}".encode() for path in _PATHS}
    made = replace(
        _PLAIN,
        database=NAME,
        artifact_id=artifact_id,
        night=night,
        captured_at=captured_at,
        late=late,
        files=tuple(
            FileEntry(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in files.items()
        ),
        findings=() if world.night_is_sound else (_EMPTIED,),
    )
    files[MANIFEST_NAME] = to_bytes(made)
    for path, data in files.items():
        _put(store, f"{made.prefix}/{path}", data)
    world.made[artifact_id] = Made(made, files, world.dump_restores, world.right_time, world.true)
    return world.made[artifact_id]


def copy_week(world: World, week: date, only: tuple[PlaceName, ...] = ()) -> Week:
    """Copies a week off-site, as the asset does.

    Raises:
        OpsError: as `ship_week`.
    """
    now = world.clock.now
    known = for_a_copy(world.protected, now=now)
    with Watching(world):
        return ship_week(
            world.protected,
            week=week,
            passing_over=known.passing_over,
            mending=known.mending,
            only=only,
            now=now,
        )


class Watching:
    """Sees which verifications the block wrote down."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __enter__(self) -> None:
        self._before = self._keys()

    def __exit__(self, *_: Any) -> None:
        from hackorda_ops.artifacts.verifications import _DOCUMENT

        world, found = self._world, {}
        for place, key in sorted(self._keys() - self._before):
            data = world.stores[place].content(f"{NAME}/verifications")[key]
            said = _DOCUMENT.from_bytes(data, origin=key)
            found.setdefault(said.verification_id, (said, []))[1].append((place, key, data))
        for said, records in found.values():
            where = next(
                name
                for name, store in world.stores.items()
                if said.location.startswith(f"{store.describe()}/")
            )
            world.observed.append(
                Observed(
                    said.artifact_id, where, world.true, said.sound, None, tuple(records), world.right_time
                )
            )

    def _keys(self) -> set[tuple[PlaceName, str]]:
        return {
            (place, key)
            for place, store in self._world.stores.items()
            for key in store.content(f"{NAME}/verifications")
        }


def verify(world: World, place: PlaceName, artifact_id: str) -> None:
    """Reads an artifact in a place, and writes down what was seen."""
    if world.stores[place].silent or not world.manifest_is_right(place, artifact_id):
        return
    made = world.made[artifact_id].manifest
    seen = verification_of(
        made,
        f"{world.stores[place].describe()}/{made.prefix}",
        by="verification",
        began_at=world.clock.now,
        damaged_files=world.wrong_files(place, artifact_id),
    )
    with Watching(world):
        remember(world.protected.known_stores, seen)


def drill(world: World, quarter: date) -> DrillResult:
    """Drills, as far as it can be without a server: every choice and the verdict are the product's."""
    now, protected = world.clock.now, world.protected
    record, drill_id = Record(), new_id(world.clock.now)
    today = night_of(now, world.policy.schedule)
    place = ""
    with record.stoppable():
        chosen = chosen_copy(record, protected, quarter, today, now=now)
        place = chosen.place
        damaged = _damaged_files(world, place, chosen.manifest.artifact_id)
        record.check(
            FILES, (*chosen.damaged, *damaged), passed="All of it.", failed="It isn't what its manifest says"
        )
        if not damaged:
            _on_scratch(world, record, world.made[chosen.manifest.artifact_id])
    result = conclude(record, Drill(drill_id, NAME, quarter, now, now), world.policy)
    data, key = json_form.to_bytes(result), f"{drill_prefix(NAME, drill_id)}/{REPORT_NAME}"
    records = []
    for name, store in protected.places.items():
        try:
            _put(store, key, data)
        except OpsError:
            continue
        records.append((name, key, data))
    if result.artifact is not None and result.verdict != "ERROR":
        wrong = bool(_damaged_files(world, place, result.artifact.artifact_id))
        world.observed.append(
            Observed(
                result.artifact.artifact_id,
                place,
                world.true,
                not wrong,
                None if wrong else world.made[result.artifact.artifact_id].restores,
                tuple(records),
                world.right_time,
                result.verdict,
            )
        )
    return result


def _damaged_files(world: World, place: PlaceName, artifact_id: str) -> tuple[Finding, ...]:
    return tuple(
        Finding("file changed", path, "its bytes", "others", "Use another artifact.")
        for path in world.wrong_files(place, artifact_id)
    )


def _on_scratch(world: World, record: Record, made: Made) -> None:
    if not (world.scratch_up and world.source_up):
        raise ServerUnreachable("The scratch is down.", meaning="No drill.", next_step="Wait.")
    record.scratch, record.recovered = "a server", True
    for check in checks_of(world.policy.engine):
        if check.name == FILES:
            continue
        findings: tuple[Finding, ...] = ()
        if check.name == RESTORED and not made.restores:
            findings = (_DIFFERS,)
        if check.name == KEY_TABLES and not world.production_near:
            findings = (_DRIFTED,)
        record.check(check.name, findings, passed="As it has to be.", failed="It is not")
