"""Which hidden artifacts should be shown: those that retention would keep, and so didn't delete."""

from collections.abc import Mapping
from datetime import datetime

from hackorda_ops.environment import Protected
from hackorda_ops.hidden.seen import HiddenArtifact, hidden_in
from hackorda_ops.retention.leftovers import remains
from hackorda_ops.retention.plan import decide
from hackorda_ops.retention.planning import read_plan
from hackorda_ops.stores.store import PlaceName, Store


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
