"""A story: what happens to a database in some years, all of it decided by a seed before it begins."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

BEGINS: Final = datetime(2027, 1, 1, tzinfo=UTC)

# What may happen, and how often compared with the others.
KINDS: Final = {
    "daemon down": 6,
    "machine's clock wrong": 3,
    "source's clock wrong": 2,
    "source down": 3,
    "store silent": 5,
    "offsite silent": 5,
    "scratch down": 3,
    "dump is bad": 3,
    "night finds something": 3,
    "production drifts": 2,
    "file rots": 6,
    "file vanishes": 4,
    "manifest is damaged": 4,
    "artifact vanishes": 5,
    "report is damaged": 3,
    "report vanishes": 2,
    "copy breaks off": 2,
    "operator pins": 3,
    "operator unpins": 1,
    "operator prunes": 4,
    "operator drills": 3,
    "operator dumps": 3,
    "operator copies": 3,
    "operator verifies": 3,
    "operator changes retention": 2,
    "operator sleeps": 2,
}


@dataclass(frozen=True, order=True)
class Happening:
    """Something that happens.

    Attributes:
        day: since the beginning.
        hour: of that day, in UTC.
        kind: one of `KINDS`.
        days: how long it lasts, where it lasts.
        which: decides what it is about, where there are several.
    """

    day: int
    hour: int
    kind: str
    days: float
    which: int

    def __str__(self) -> str:
        at = BEGINS + timedelta(days=self.day, hours=self.hour)
        return f"{at:%Y-%m-%d %H:00}: {self.kind} ({self.days:g} days, {self.which})"


@dataclass(frozen=True)
class Story:
    """What happens, and to what.

    Attributes:
        seed: decides everything.
        days: how long it lasts, the quiet at its end included.
        quiet: the days at its end in which nothing happens any more, and everything works.
        happenings: in their order.
    """

    seed: int
    days: int
    quiet: int
    happenings: tuple[Happening, ...]

    def __str__(self) -> str:
        told = "\n".join(f"  {each}" for each in self.happenings) or "  nothing happens"
        return f"seed {self.seed}, {self.days} days, the last {self.quiet} of them quiet:\n{told}"

    def without(self, left_out: frozenset[int]) -> "Story":
        """The same without some of what happens, by its place."""
        return replace(
            self,
            happenings=tuple(each for at, each in enumerate(self.happenings) if at not in left_out),
        )


def told(seed: int, *, years: int = 1) -> Story:
    """The story of a seed.

    Args:
        seed: any number.
        years: in which anything may happen.
    """
    chance = random.Random(f"story {seed}")
    days, quiet = years * 365 + 140, 140
    # Some have much to tell, and some next to nothing.
    number = chance.choice((1, 2, 4, 7, 14)) * years
    kinds, weights = list(KINDS), list(KINDS.values())
    found = [
        Happening(
            day=chance.randrange(1, days - quiet - 30),
            hour=chance.randrange(24),
            kind=chance.choices(kinds, weights)[0],
            days=chance.choice((0.2, 0.5, 1, 1, 2, 3, 5, 8, 13, 30)),
            which=chance.randrange(1_000_000),
        )
        for _ in range(number)
    ]
    return Story(seed, days, quiet, tuple(sorted(found)))


def eventful(seed: int) -> Story:
    """A story of few months, in which much happens at once.

    Args:
        seed: any number.
    """
    chance = random.Random(f"dense {seed}")
    days, quiet = 110, 140
    kinds, weights = list(KINDS), list(KINDS.values())
    found = [
        Happening(
            day=chance.randrange(1, days),
            hour=chance.randrange(24),
            kind=chance.choices(kinds, weights)[0],
            days=chance.choice((0.2, 1, 2, 5, 13)),
            which=chance.randrange(1_000_000),
        )
        for _ in range(chance.choice((10, 20, 40)))
    ]
    return Story(seed, days + quiet, quiet, tuple(sorted(found)))
