"""What off-site has of a database that the store lacks: a store that lost its disk looks like a new one."""

from datetime import datetime

from hackorda_ops.artifacts import catalog
from hackorda_ops.artifacts.manifest import Manifest
from hackorda_ops.calendar.clocks import clock_concerns
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError, OpsError


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
    try:
        offsite = protected.offsite
        clocks = tuple(each.what for each in clock_concerns({"the bucket": offsite.clock_ahead()}))
        newest = catalog.newest_id(offsite, name, before=before)
        if newest is None or (here is not None and newest <= here.artifact_id):
            return here, clocks
        there = catalog.read_newest(offsite, name, before=before)
    except ConfigError:
        return here, ()
    except OpsError as error:
        return here, (f"Off-site could not be asked for artifacts that the store has lost: {error.what}",)
    if there is None or (here is not None and there.artifact_id <= here.artifact_id):
        return here, clocks
    return there, (
        *clocks,
        f"{store.describe()} has {'nothing' if here is None else 'nothing newer than ' + here.artifact_id} of "
        f"{name}, but {offsite.describe()} has {there.artifact_id}: is the store's disk mounted? Tonight's artifact "
        "was compared with the one off-site.",
    )
