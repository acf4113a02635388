"""Whether off-site is somewhere else than the store of the nights: otherwise there's no second copy."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from hackorda_ops.concerns import Concern, concern_of
from hackorda_ops.errors import ConfigError
from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops.stores.store import Store, folder_prefix


def require_two_places(name: str, store: Store, offsite: S3Store) -> None:
    """Makes sure that a copy off-site is a second one.

    Args:
        name: the database's name in databases.yaml.
        store: of the nights.
        offsite: the other bucket.

    Raises:
        ConfigError: both are the same place.
    """
    if isinstance(store, S3Store) and _place_of(store) == _place_of(offsite):
        raise ConfigError(
            f"The store and the off-site bucket of {name} are the same place: {store.describe()}.",
            meaning="There is no second copy, and the policy of one would delete what the other keeps.",
            next_step="Give off-site a bucket of its own, in another account or at another provider.",
        )


def one_bucket(store: Store, offsite: Store) -> str | None:
    """A sentence where one bucket holds both, by whichever prefixes; None where each has its own."""
    if not (isinstance(store, S3Store) and isinstance(offsite, S3Store)):
        return None
    if _place_of(store) == _place_of(offsite):
        return f"The store and off-site are the same place, {store.describe()}: there is no second copy."
    if _bucket_of(store) == _bucket_of(offsite):
        return f"The store and off-site are one bucket, {store.bucket}: whoever empties it has both copies."
    return None


def concerns(name: str, store: Store, offsite: S3Store) -> Iterator[Concern]:
    """What stands in the way of a second copy, or weakens it. Pure."""
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
            "An account that is closed, or a key that is stolen, takes the nights and their copies at once.",
            "Give off-site a bucket of its own, in another account or at another provider.",
        )


def _place_of(store: S3Store) -> tuple[str, str, str]:
    return (*_bucket_of(store), folder_prefix(store.prefix))


def _bucket_of(store: S3Store) -> tuple[str, str]:
    return _provider(store.endpoint_url), store.bucket


def _provider(endpoint_url: str | None) -> str:
    """One name for an endpoint however it's written; AWS has one for each region, and one name space of buckets."""
    parts = urlsplit(endpoint_url or "")
    host = parts.hostname or ""
    if not endpoint_url or host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return "AWS"
    port = "" if parts.port in {None, 80, 443} else f":{parts.port}"
    return f"{host}{port}{parts.path.rstrip('/')}"
