"""What off-site has of a database that the store lacks: a store that lost its disk looks like a new one."""

from datetime import datetime

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.calendar.clocks import clock_concerns
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, OpsError
from hackorda_ops.stores.patience import SOON


def night_before(protected: Protected, *, before: datetime | None) -> tuple[Manifest | None, tuple[str, ...]]:
    """The artifact that a night is compared with, from the store or, if that has lost it, from off-site.

    Args:
        protected: the database.
        before: leaves out what was captured then or later; None for nothing.

    Returns:
        The artifact, None before the first; and warnings about it, as sentences.

    Raises:
        ConfigError: variables of the store are missing.
        StoreRefused, StoreUnreachable: the store can't be listed.
    """
    name, store = protected.name, protected.store
    here = catalog.read_newest(store, name, before=before)
    clocks: tuple[str, ...] = ()
    notes: list[str] = []
    for place in protected.policy.offsites:
        try:
            offsite = protected.place(place)
            if protected.several_offsite:
                offsite = offsite.with_patience(SOON)
            clocks = tuple(each.what for each in clock_concerns({"the bucket": offsite.clock_ahead()}))
            newest = catalog.newest_id(offsite, name, before=before)
            if newest is None or (here is not None and newest <= here.artifact_id):
                return here, clocks
            there = catalog.read_newest(offsite, name, before=before)
            break
        except ConfigError:
            continue
        except OpsError as error:
            called = place if protected.several_offsite else "Off-site"
            notes.append(f"{called} could not be asked for artifacts that the store has lost: {error.what}")
    else:
        return here, tuple(notes)
    if there is None or (here is not None and there.artifact_id <= here.artifact_id):
        return here, clocks
    return there, (
        *clocks,
        f"{store.describe()} has {'nothing' if here is None else 'nothing newer than ' + here.artifact_id} of "
        f"{name}, but {offsite.describe()} has {there.artifact_id}: is the store's disk mounted? Tonight's artifact "
        "was compared with the one off-site.",
    )
