"""Whether off-site is a different place from the nightly store: otherwise there's no second copy."""

from collections.abc import Iterator

from hackorda_ops.concerns import Concern, concern_of
from hackorda_ops.environment import Protected
from hackorda_ops.errors import ConfigError
from hackorda_ops.stores.store import Store


def require_copies(protected: Protected) -> None:
    """Makes sure that there is something to copy.

    Args:
        protected: the database.

    Raises:
        ConfigError: the nights go straight off-site.
    """
    if not protected.policy.has_weeks:
        raise ConfigError(
            f"The nights of {protected.name} go straight to the off-site bucket (copies: nightly).",
            meaning="There is nothing to copy: each was read back from the bucket before its manifest was written.",
            next_step="Run hackorda-ops verify to read an artifact again, byte by byte; or set copies to weekly, and "
            "name a store.",
        )


def require_two_places(name: str, store: Store, offsite: Store) -> None:
    """Makes sure that a copy off-site is a second one.

    Args:
        name: the database's name in databases.yaml.
        store: of the nights.
        offsite: the other bucket.

    Raises:
        ConfigError: both are the same place.
    """
    if store.location() == offsite.location():
        raise ConfigError(
            f"The store and the off-site bucket of {name} are the same place: {store.describe()}.",
            meaning="There is no second copy, and the policy of one would delete what the other keeps.",
            next_step="Give off-site a bucket of its own, in another account or at another provider.",
        )


def one_bucket(store: Store, offsite: Store, *, called: str = "The store and off-site") -> str | None:
    """A sentence where one bucket holds both, whatever the prefixes; None where each has its own.

    Args:
        store: a place.
        offsite: another one.
        called: both, as a sentence begins.
    """
    if store.location() == offsite.location():
        return f"{called} are the same place, {store.describe()}: there is no second copy."
    if store.location().shares_container(offsite.location()):
        bucket = store.location().container
        return f"{called} are one bucket, {bucket}: emptying it would lose both copies."
    return None


def concerns(name: str, store: Store, offsite: Store) -> Iterator[Concern]:
    """What prevents a second copy, or weakens it.

    Args:
        name: the database's name in databases.yaml.
        store: the nightly store.
        offsite: the off-site store.
    """
    try:
        require_two_places(name, store, offsite)
    except ConfigError as error:
        # Without copies a drill has nothing to restore.
        yield concern_of(error, "stops the drill")
        return
    shared = one_bucket(store, offsite)
    if shared is not None:
        yield Concern(
            "worth knowing",
            shared,
            "A closed account or a stolen key would take the nights and their copies at once.",
            "Give off-site a bucket of its own, in another account or at another provider.",
        )
