"""Reads a database's chain in every place, and checks it. Nothing of what lies there is trusted."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from hackorda_ops.environment import Protected
from hackorda_ops.errors import ArtifactDamaged, ArtifactMissing, OpsError
from hackorda_ops.progress import OnProgress, Progress, ignore
from hackorda_ops.receipts import keys, verify
from hackorda_ops.receipts.chain import held
from hackorda_ops.receipts.record import outbox_of
from hackorda_ops.receipts.verify import LIMIT_BYTES, CheckedChain, Head, check_chain, compare_places
from hackorda_ops.stores.store import Store

_READERS: Final = 8
# How many are read ahead: a receipt has some hundred kilobytes at most, but for the largest databases.
_AHEAD: Final = 32
# Ten receipts a day for a hundred years: what has more isn't ours.
_MOST: Final = 400_000


@dataclass(frozen=True)
class Checked:
    """What is known of a database's chain.

    Attributes:
        database: its name in databases.yaml.
        chain: all places together.
        places: how many receipts each place has, by its name.
        differences: a sentence for each thing that the places disagree about.
        unread: a sentence for each place that couldn't be read.
        waiting: how many receipts wait on this machine, those of work that goes on included.
    """

    database: str
    chain: CheckedChain
    places: Mapping[str, int]
    differences: tuple[str, ...]
    unread: tuple[str, ...]
    waiting: int

    @property
    def whole(self) -> bool:
        """Whether nothing speaks against it, and every place could be read."""
        return self.chain.whole and not self.differences and not self.unread

    @property
    def told(self) -> tuple[str, ...]:
        """What was found, as lines."""
        lines = [*self.differences, *self.unread, *verify.told(self.chain)]
        if self.waiting:
            lines.append(
                f"{self.waiting} more wait on this machine: the next night, copy or drill sends them."
            )
        return tuple(lines)


def check(
    protected: Protected,
    *,
    trusted: Collection[str] = (),
    heads: Collection[Head] = (),
    on_progress: OnProgress = ignore,
) -> Checked:
    """Reads and checks all of a database's receipts.

    Args:
        protected: the database.
        trusted: ids of public keys that are known to be the owner's (`keys.trusted_ids`).
        heads: newest receipts that were noted earlier, elsewhere.
        on_progress: called with how many were checked.

    Raises:
        OpsError: no place could be read; what the first one said.
    """
    places: dict[str, Store] = {}
    numbers: dict[str, dict[int, str]] = {}
    errors: list[OpsError] = []
    for store in protected.known_stores:
        try:
            numbers[store.describe()] = held(store, protected.name)
        except OpsError as error:
            errors.append(error)
        else:
            places[store.describe()] = store
    if errors and not places:
        raise errors[0]
    reading = _EveryPlace(places, numbers, on_progress)
    chain = check_chain(
        reading.files(), database=protected.name, trusted=trusted, heads=heads, verifies=keys.verifies
    )
    return Checked(
        protected.name,
        chain,
        {name: len(digests) for name, digests in reading.digests.items()},
        compare_places(reading.digests),
        tuple(f"A place could not be read: {error.what}" for error in errors),
        outbox_of(protected).count(),
    )


class _EveryPlace:
    """The receipts of every place, read side by side, and each place's compared with the others'."""

    def __init__(
        self, places: Mapping[str, Store], numbers: Mapping[str, Mapping[int, str]], on_progress: OnProgress
    ) -> None:
        self.digests: dict[str, dict[int, str]] = {name: {} for name in places}
        self._places = places
        self._numbers = numbers
        self._on_progress = on_progress

    def files(self) -> Iterator[tuple[int, bytes]]:
        """Each receipt of the first place that has it, in the order of their numbers."""
        every = sorted(set().union(*self._numbers.values()))[:_MOST]
        with ThreadPoolExecutor(_READERS, thread_name_prefix="receipts") as readers:
            for start in range(0, len(every), _AHEAD):
                some = every[start : start + _AHEAD]
                for number, found in zip(some, readers.map(self._everywhere, some), strict=True):
                    for name, data in found.items():
                        self.digests[name][number] = hashlib.sha256(data).hexdigest()
                    if found:
                        yield number, next(iter(found.values()))
                self._on_progress(Progress("receipts", start + len(some), len(every), "files"))

    def _everywhere(self, number: int) -> Mapping[str, bytes]:
        found = {}
        for name, store in self._places.items():
            if number in self._numbers[name]:
                try:
                    found[name] = store.read_small(self._numbers[name][number], LIMIT_BYTES)
                except ArtifactMissing:
                    continue  # removed since it was listed
                except ArtifactDamaged:
                    found[name] = b""  # larger than any receipt
        return found
