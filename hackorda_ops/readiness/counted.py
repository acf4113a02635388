"""3-2-1-1-0, counted from facts: copies, providers, off-site, immutable, errors. The live database isn't counted. Pure.

Three copies, with two providers (or media), one of them off-site, one that nobody can delete, and no error.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hackorda_ops.stores.store import Location, PlaceName
from hackorda_ops.words import counted as number_of
from hackorda_ops.words import moment, named

_WANTED_COPIES: Final = 3
_WANTED_PROVIDERS: Final = 2


@dataclass(frozen=True)
class CopySeen:
    """One place, as the counting sees it.

    Attributes:
        place: its name.
        location: where it keeps its files.
        off_site: whether it is off-site.
        read: whether it could be read at all.
        there: whether it has the artifact with its manifest.
        proven: whether the copy was read back there and found whole, and not damaged since. What lies in the nightly
            store was read back by its night.
        locked_until: until when object lock holds it there, as the bucket itself says; None for no lock.
    """

    place: PlaceName
    location: Location
    off_site: bool
    read: bool = True
    there: bool = False
    proven: bool = False
    locked_until: datetime | None = None


@dataclass(frozen=True)
class Short:
    """What is short of 3-2-1-1-0.

    Attributes:
        sentence: what.
        next_step: what to do about it.
    """

    sentence: str
    next_step: str


@dataclass(frozen=True)
class Counted:
    """The copies of one artifact: the newest sound one that is off-site, or else the newest of all.

    Attributes:
        database: its name in databases.yaml.
        artifact_id: the artifact's.
        at: when it was counted, aware.
        seen: every place that is configured.
        errors: what proofs found against any copy, a sentence each.
    """

    database: str
    artifact_id: str
    at: datetime
    seen: tuple[CopySeen, ...]
    errors: tuple[str, ...] = ()

    @property
    def holding(self) -> tuple[CopySeen, ...]:
        """The copies that count: there, and proven."""
        return tuple(each for each in self.seen if each.there and each.proven)

    @property
    def copies(self) -> int:
        """How many there are."""
        return len({each.location for each in self.holding})

    @property
    def providers(self) -> int:
        """In how many different hands or on how many media."""
        return len({each.location.provider for each in self.holding})

    @property
    def off_site(self) -> int:
        """How many of them are off-site."""
        return sum(each.off_site for each in self.holding)

    @property
    def immutable(self) -> int:
        """How many of them nobody can delete today."""
        return sum(each.locked_until is not None and each.locked_until > self.at for each in self.holding)

    @property
    def numbers(self) -> str:
        """As "3-2-1-1-0"."""
        counts = (self.copies, self.providers, self.off_site, self.immutable, len(self.errors))
        return "-".join(map(str, counts))

    @property
    def sentence(self) -> str:
        """The numbers in words."""
        return (
            f"{self.numbers}: {self.copies} {'copy' if self.copies == 1 else 'copies'} of {self.artifact_id} with "
            f"{number_of(self.providers, 'provider')}, {self.off_site} off-site, {self.immutable} immutable, "
            f"{number_of(len(self.errors), 'error')} found by proofs."
        )

    @property
    def short(self) -> tuple[Short, ...]:
        """What is short of 3-2-1-1-0, in that order."""
        return tuple(self._short())

    def _short(self) -> Iterator[Short]:
        name = self.database
        lacking = [each.place for each in self.seen if each.read and not each.there]
        silent = [each.place for each in self.seen if not each.read]
        unproven = [each.place for each in self.seen if each.there and not each.proven]
        if silent:
            yield Short(
                f"{named(silent)} can't be read: a copy there isn't counted.",
                f"`hackorda-ops preflight {name}`",
            )
        if lacking:
            yield Short(f"{named(lacking)} lacks {self.artifact_id}.", f"`hackorda-ops copy {name}`")
        if unproven:
            yield Short(
                f"The copy in {named(unproven)} was never read back whole, or is damaged.",
                f"`hackorda-ops copy {name} --artifact {self.artifact_id}` reads it back, and repairs it.",
            )
        if self.copies < _WANTED_COPIES and not (silent or lacking or unproven):
            yield Short(
                f"There are {self.copies} of three copies.",
                "Add a bucket in another account, or at another provider, to `offsite`: it takes a list.",
            )
        if self.providers < _WANTED_PROVIDERS:
            yield Short(
                "All copies are with one provider.",
                "Name a bucket at another provider in `offsite`: it takes a list.",
            )
        if not self.off_site:
            yield Short("No proven copy is off-site.", f"`hackorda-ops copy {name}`")
        if not self.immutable:
            yield Short(
                "No copy is immutable: whoever has the keys can delete them all.",
                "Make a bucket with object lock, and set `object_lock_days` for it.",
            )
        for error in self.errors:
            yield Short(error, f"`hackorda-ops backups {name}`")

    @property
    def locks(self) -> tuple[str, ...]:
        """Until when each immutable copy is held, a clause each."""
        return tuple(
            f"{each.place} until {moment(each.locked_until)}"
            for each in self.holding
            if each.locked_until is not None and each.locked_until > self.at
        )
