"""How long to wait for a store that doesn't answer, where somebody waits for more than that store."""

from dataclasses import replace
from typing import Final

from hackorda_ops.stores.s3.store import S3Store
from hackorda_ops.stores.store import Store

_ATTEMPTS: Final = 2
_CONNECT_TIMEOUT_SECONDS: Final = 5.0
_READ_TIMEOUT_SECONDS: Final = 15.0


def soon_answered(store: Store) -> Store:
    """The same store, given up within seconds where it doesn't answer."""
    if not isinstance(store, S3Store):
        return store
    return replace(
        store,
        attempts=min(store.attempts, _ATTEMPTS),
        connect_timeout_seconds=min(store.connect_timeout_seconds, _CONNECT_TIMEOUT_SECONDS),
        read_timeout_seconds=min(store.read_timeout_seconds, _READ_TIMEOUT_SECONDS),
    )
