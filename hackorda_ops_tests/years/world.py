"""The simulated world: a source, its places, their clocks; and the truth about every artifact."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from hackorda_ops.artifacts.manifest import MANIFEST_NAME, Manifest
from hackorda_ops.config.models import Policy
from hackorda_ops.environment import Protected
from hackorda_ops.stores.store import PlaceName
from hackorda_ops_tests.stores.memory_store import MemoryStore
from hackorda_ops_tests.years.given import Clock
from hackorda_ops_tests.years.story import BEGINS

NAME: Final = "shop"
_ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
# A cron of the nights, and the hours that may lie between two of them.
_NIGHTS: Final = (
    ("0 2 * * *", 24),
    ("30 2 * * *", 24),
    ("0 23 * * *", 24),
    ("0 2 * * 1-5", 72),
    ("0 2 * * 0,3", 96),
    ("0 2 * * 0", 168),
)
_KEEP: Final[tuple[dict[str, int], ...]] = (
    {"nights": 7, "weeks": 0, "months": 0, "years": 0},
    {"nights": 7, "weeks": 4, "months": 2, "years": 1},
    {"nights": 14, "weeks": 8, "months": 12, "years": 3},
    {"nights": 10, "weeks": 0, "months": 6, "years": 0},
)
Shape = Mapping[str, Any]


def shape_of(seed: int) -> dict[str, Any]:
    """How the database of a story is protected, as databases.yaml would say it."""
    chance = random.Random(f"shape {seed}")
    cron, gap_hours = chance.choice(_NIGHTS)
    straight, several = chance.random() < 0.2, chance.random() < 0.4
    buckets = [{"bucket": "first", "name": "first"}, {"bucket": "second", "name": "second"}]
    return {
        **({"copies": "nightly"} if straight else {"store": "/nonexistent/nights"}),
        "offsite": buckets if several else {"bucket": "only"},
        "scratch": {"server": {}},
        "schedule": {
            "since": BEGINS.date(),
            "timezone": chance.choice(_ZONES),
            "night": cron,
            "week": chance.choice(("0 4 * * 0", "0 8 * * 0")),
            "quarter": "0 10 * * 0",
            "grace_hours": chance.choice((2, 6, 12)),
        },
        "objectives": {"recovery_point_hours": gap_hours},
        "retention": {
            "store": chance.choice(_KEEP),
            "offsite": chance.choice((None, *_KEEP)),
        },
        "proof": {"every": "off"},
    }


def other_retention(which: int) -> dict[str, Any]:
    """What an operator makes of the retention."""
    return {
        "store": _KEEP[which % len(_KEEP)],
        "offsite": (None, *_KEEP)[which // 7 % (len(_KEEP) + 1)],
    }


@dataclass(frozen=True)
class Made:
    """An artifact as it was made.

    Attributes:
        manifest: its own.
        files: its bytes by path, the manifest's among them.
        restores: whether what a restore brings back is what the source held.
        dated_right: whether the clocks were right when it was made.
        made_at: the true time.
    """

    manifest: Manifest
    files: Mapping[str, bytes]
    restores: bool
    dated_right: bool
    made_at: datetime


@dataclass(frozen=True)
class Observed:
    """What something of the product saw of an artifact, and wrote down.

    Attributes:
        artifact_id: of what.
        place: where it was read.
        at: the true time.
        bytes_are_right: whether every byte was what the manifest says.
        came_back: whether a restore brought everything back; None where nothing was restored.
        records: where that is written, and the bytes there.
        dated_right: whether the machine's clock was right.
    """

    artifact_id: str
    place: PlaceName
    at: datetime
    bytes_are_right: bool
    came_back: bool | None
    records: tuple[tuple[PlaceName, str, bytes], ...]
    dated_right: bool
    ended_with: str = ""


@dataclass
class World:
    """Everything that is.

    Attributes:
        true: the true time, aware.
        clock: the machine's.
        source_off: how far the source's clock is ahead of the true time.
        machine_off: the same of the machine's.
    """

    seed: int
    shape: dict[str, Any]
    true: datetime = BEGINS
    clock: Clock = field(default_factory=lambda: Clock(BEGINS))
    source_off: timedelta = timedelta()
    machine_off: timedelta = timedelta()
    source_up: bool = True
    scratch_up: bool = True
    dump_restores: bool = True
    night_is_sound: bool = True
    production_near: bool = True
    made: dict[str, Made] = field(default_factory=dict)
    observed: list[Observed] = field(default_factory=list)
    stores: dict[PlaceName, MemoryStore] = field(default_factory=dict)
    protected: Protected = field(init=False)

    def __post_init__(self) -> None:
        self.configure(self.shape)

    def configure(self, shape: dict[str, Any]) -> None:
        """Takes another databases.yaml; the places stay."""
        self.shape = shape
        policy = Policy.model_validate(shape)
        several = len(policy.offsites) > 1
        environ = {
            f"OFFSITE_{f'{name.upper()}_' if several else ''}{variable}": "given"
            for name in policy.offsites
            for variable in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
        }
        self.protected = Protected(NAME, policy, environ)
        for name in self.protected.place_names:
            if name not in self.stores:
                local = name == "store"
                self.stores[name] = MemoryStore(
                    f"place {name}", clock=(lambda: self.clock.now) if local else (lambda: self.true)
                )
        # What the registry would open.
        cached = self.protected.__dict__
        cached["_buckets"] = {name: self.stores[name] for name in policy.offsites}
        if not self.protected.straight_offsite:
            cached["store"] = self.stores["store"]

    @property
    def policy(self) -> Policy:
        """The configuration."""
        return self.protected.policy

    @property
    def right_time(self) -> bool:
        """Whether the machine's and the source's clock are right."""
        return not self.machine_off and not self.source_off

    def at(self, true: datetime) -> None:
        """It is this true time now."""
        self.true = true
        self.clock.now = true + self.machine_off

    @property
    def source_now(self) -> datetime:
        """What the source takes for the present."""
        return self.true + self.source_off

    def there(self, place: PlaceName) -> list[str]:
        """The ids of what has a manifest in a place, whatever is in it."""
        store = self.stores[place]
        return [
            each
            for each in store.names(NAME)
            if each in self.made and store.peek(f"{NAME}/{each}/{MANIFEST_NAME}") is not None
        ]

    def manifest_is_right(self, place: PlaceName, artifact_id: str) -> bool:
        """Whether its manifest in a place is the one that was made."""
        found = self.stores[place].peek(f"{NAME}/{artifact_id}/{MANIFEST_NAME}")
        return found is not None and found.data == self.made[artifact_id].files[MANIFEST_NAME]

    def wrong_files(self, place: PlaceName, artifact_id: str) -> list[str]:
        """The paths of the files that aren't there as they were made."""
        store = self.stores[place]
        return [
            path
            for path, data in self.made[artifact_id].files.items()
            if (found := store.peek(f"{NAME}/{artifact_id}/{path}")) is None or found.data != data
        ]

    def intact(self, place: PlaceName, artifact_id: str) -> bool:
        """Whether a restore from there would bring everything back."""
        return self.made[artifact_id].restores and not self.wrong_files(place, artifact_id)

    def readable(self, observed: Observed) -> bool:
        """Whether what was seen can still be read anywhere."""
        return any(
            not self.stores[place].silent
            and (found := self.stores[place].peek(key)) is not None
            and found.data == data
            for place, key, data in observed.records
            if place in self.protected.place_names
        )

    def last_seen(self, place: PlaceName, artifact_id: str) -> Observed | None:
        """The last observation of a copy's bytes that counts."""
        return next(
            (
                each
                for each in reversed(self.observed)
                if each.artifact_id == artifact_id and each.place == place and each.dated_right
            ),
            None,
        )

    def condemned(self, place: PlaceName, artifact_id: str) -> bool:
        """Whether the product has seen, and can still read, that a copy isn't to be relied on."""
        seen = self.last_seen(place, artifact_id)
        if seen is not None and not seen.bytes_are_right and self.readable(seen):
            written = [
                found.modified_at
                for path in self.made[artifact_id].files
                if (found := self.stores[place].peek(f"{NAME}/{artifact_id}/{path}")) is not None
            ]
            if written and max(written) <= seen.at:
                return True
        restored = self.last_restored(artifact_id)
        return restored is not None and restored.came_back is False and self.readable(restored)

    def last_restored(self, artifact_id: str) -> Observed | None:
        """The last time that it was restored and judged."""
        return next(
            (
                each
                for each in reversed(self.observed)
                if each.artifact_id == artifact_id and each.came_back is not None
            ),
            None,
        )

    def night_now(self) -> date:
        """The night that a dump taken now is of."""
        from hackorda_ops.calendar.partitions import night_of

        return night_of(self.source_now, self.policy.schedule)
