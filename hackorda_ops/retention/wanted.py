"""Which hidden artifacts should be shown: those that retention would keep, and so didn't delete."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hackorda_ops.environment import Protected
from hackorda_ops.errors import OpsError
from hackorda_ops.hidden.seen import HiddenArtifact, hidden_in, undelete_command
from hackorda_ops.retention.leftovers import remains
from hackorda_ops.retention.plan import decide
from hackorda_ops.retention.planning import read_plan
from hackorda_ops.stores.patience import SOON
from hackorda_ops.stores.store import PlaceName, Store
from hackorda_ops.stores.versions import OpensVersions
from hackorda_ops.unforeseen import described
from hackorda_ops.words import counted, named


def wanted_back(
    protected: Protected, place: PlaceName, store: Store, *, now: datetime
) -> tuple[tuple[HiddenArtifact, ...], tuple[HiddenArtifact, ...]]:
    """The hidden artifacts of a place that the plan would keep if they were whole, and the others.

    Where nothing is ever deleted, that's all of them. One that lacks single files is wanted in any case.

    Args:
        protected: the database.
        place: which place it is.
        store: it.
        now: the present, aware.

    Raises:
        StoreRefused, StoreUnreachable: the place, or its versions, can't be read.
    """
    places: Mapping[PlaceName, Store] = {place: store}
    versions = tuple(store.versions(f"{protected.name}/"))
    hidden = hidden_in(protected.name, versions)
    policy = protected.policy.keep_in(place)
    if policy is None or not hidden:
        return hidden, ()
    there = [each.held for each in read_plan(protected, places, now=now).decisions]
    gone = remains(place, versions, protected.policy.schedule)
    kept = {
        each.held.artifact_id
        for each in decide([*there, *gone], {place: policy}, proven=(), now=now)
        if each.keep
    }
    return (
        tuple(each for each in hidden if not each.whole or each.artifact_id in kept),
        tuple(each for each in hidden if each.whole and each.artifact_id not in kept),
    )


@dataclass(frozen=True)
class HidingPlace:
    """A bucket, and which artifacts it hides that should be there.

    Attributes:
        database: its name in databases.yaml.
        place: which bucket.
        hidden: the artifacts.
        unread: why that isn't known; None where it is.
    """

    database: str
    place: PlaceName
    hidden: tuple[HiddenArtifact, ...]
    unread: OpsError | None = None

    @property
    def sentence(self) -> str:
        """As people read it."""
        if self.unread is not None:
            return self.unread.what
        if not self.hidden:
            return f"{self.place} hides nothing that should be there."
        listed = named((each.sentence for each in self.hidden), shown=3, between="; ")
        return f"{self.place} hides {counted(len(self.hidden), 'artifact')} that should be there: {listed}."

    @property
    def next_step(self) -> str:
        """What to do about it; "" for nothing."""
        if self.unread is not None:
            return self.unread.next_step
        if not self.hidden:
            return ""
        return (
            "Take the key away from whoever deleted, then bring them back: "
            f"`{undelete_command(self.database, self.place)}`."
        )


def hiding_places(protected: Protected, *, now: datetime) -> tuple[HidingPlace, ...]:
    """What each bucket hides that should be there; other places hide nothing.

    Args:
        protected: the database.
        now: the present, aware.
    """
    found = []
    for place, store in protected.places.items():
        if not isinstance(store, OpensVersions):
            continue
        asked = store.with_patience(SOON) if protected.several_offsite else store
        try:
            wanted, _ = wanted_back(protected, place, asked, now=now)
            found.append(HidingPlace(protected.name, place, wanted))
        except OpsError as error:
            found.append(HidingPlace(protected.name, place, (), error))
    return tuple(found)


def hidden_problems(protected: Protected, *, now: datetime) -> tuple[str, ...]:
    """A sentence and its next step for each bucket that hides what should be there.

    Args:
        protected: the database.
        now: the present, aware.
    """
    try:
        hiding = hiding_places(protected, now=now)
    except Exception as error:  # noqa: BLE001  # one database must not keep the others from being read
        return (f"Whether a bucket hides artifacts of {protected.name} is unknown: {described(error)}.",)
    return tuple(f"{each.sentence} {each.next_step}" for each in hiding if each.hidden)
